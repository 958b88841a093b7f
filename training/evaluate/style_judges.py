"""Classifiers that recognise the style: by the notes that a band plays over its bars, and by its sound.

Both judges are taught with true parts alone. Notes are the symbols of model/generator/score_tokens.py, as the arranger
wrote them or as the generator drew them: no synthesiser and no codec stands between. Needs scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...model.generator import score_tokens as st
from ..band.arrange import write_song
from ..band.score import METRES, PARTS
from ..band.styles import STYLES
from ..sound.song_labels import FRAME_S, label
from ..trainers.score_labels import score_slots
from .note_figures import begins

if TYPE_CHECKING:
    from ...model.codec.mdct_codec import MdctCodec
    from ...model.runtime import LiveBand
    from ..sound.render import RenderedSong

FloatArray = NDArray[np.floating[Any]]
TICKS = 12
"""Places in a beat: lines of sixteenths and of triplets."""
WRITTEN_SEEDS_FROM, WRITTEN_SONGS = 90_000, 5
"""Songs that are written for each song of the truth, for the judge of notes."""


def can_be_asked(style: str, beats_per_bar: int) -> bool:
    """Whether bars of so many beats can be played in a style: a waltz in four is none."""
    known = {METRES[metre][0] for metre in STYLES[style].metres}
    return beats_per_bar in known if beats_per_bar in (3, 5) else bool(known - {3, 5})


def note_features(
    slots: NDArray[np.int64], bar_phase: FloatArray, beats_per_bar: FloatArray, tempo_bpm: FloatArray
) -> NDArray[np.float32]:
    """What the judge of notes looks at [n]: of each part how often something begins at each place in a beat (those
    after an even number of beats and the others apart), what is hit or how notes lie, and how loud it is.

    `slots` [parts, SLOTS, T] and where these frames are: bar phase in [0, 1), beats to the bar, tempo, all [T].
    """
    moved = tempo_bpm / 60.0 * FRAME_S
    beats = max(1.0, float(moved.sum()))
    rows: list[FloatArray] = []
    for part, name in enumerate(PARTS):
        state = slots[part, st.STATE]
        at = np.flatnonzero(begins(slots[part]))
        beat = bar_phase[at] * beats_per_bar[at] + moved[at] * (state[at] - 0.5) / st.ONSET_QUARTERS
        tick = np.round(beat * TICKS).astype(int) % (2 * TICKS)
        rows.append(2.0 / beats * np.bincount(tick, minlength=2 * TICKS))
        first = slots[part, st.FIRST_NOTE, at].astype(float)
        if name == "drums":
            voices = (np.maximum(first, 0).astype(int)[:, None] >> np.arange(len(st.DRUM_VOICES))) & 1
            hits = np.zeros((2 * TICKS // 3, len(st.DRUM_VOICES)))
            np.add.at(hits, tick // 3, voices)
            rows.append(2.0 / beats * hits.ravel())
        else:
            rows.append(_lie(slots[part, st.FIRST_NOTE :], first, at))
        rows.append(np.array([len(at) / beats, *_spread(slots[part, st.LOUDNESS, at].astype(float))]))
    return np.concatenate(rows).astype(np.float32)


def _lie(notes: NDArray[np.integer[Any]], first: FloatArray, at: NDArray[np.intp]) -> FloatArray:
    """Of a pitched part: the share of the time that sounds, notes at once, how high, how it moves."""
    together = (notes > 0).sum(axis=0)
    steps = np.abs(np.diff(first))
    moves = [float((steps == 0).mean()), float(steps.mean())] if len(steps) else [0.0, 0.0]
    at_once = float(together[at].mean()) if len(at) else 0.0
    sounding = float((together > 0).mean()) if len(together) else 0.0
    return np.array([sounding, at_once, *_spread(first), *moves])


def _spread(values: FloatArray) -> tuple[float, float]:
    return (float(values.mean()), float(values.std())) if len(values) else (0.0, 0.0)


def written_features(style: str, seeds: Sequence[int], seconds: float, skip_s: float) -> FloatArray:
    """[songs, n] `note_features` of songs as the arranger writes them, from `skip_s` to `seconds`."""
    rows = []
    for seed in seeds:
        score = write_song(seed, "validation", (style,), seconds=(seconds, seconds + 4.0))
        frames = round(seconds / FRAME_S)
        labels, slots = label(score, frames), score_slots(score, frames).astype(np.int64)
        part = slice(round(skip_s / FRAME_S), frames)
        rows.append(
            note_features(
                slots[:, :, part],
                labels["bar_phase"][part] % 1.0,
                labels["beats_per_bar"][part].astype(float),
                labels["tempo_bpm"][part].astype(float),
            )
        )
    return np.array(rows)


@torch.inference_mode()
def as_the_band_sounds(song: RenderedSong, seconds: float, band: LiveBand, codec: MdctCodec) -> dict[str, FloatArray]:
    """The true parts through the band's codec and voice: float32 [n] each. What a judge learns from these is style, and
    not how well a codec sounds."""
    assert song.score is not None
    size = codec.frame_samples
    frames = min(round(seconds / FRAME_S), min(len(song.stems[part]) for part in PARTS) // size)
    sound = np.stack([song.stems[part][: frames * size] for part in PARTS]).astype(np.float32)
    tokens = codec.encode(torch.from_numpy(sound))[:, : band.generator.config.codebooks]
    slots = torch.from_numpy(score_slots(song.score, frames).astype(np.int64))
    made = band.decoder.whole(codec.quantizer.decode(tokens), slots).numpy()
    late = codec.decode_delay_samples
    made = np.concatenate([made[:, late:], np.zeros((len(made), late), np.float32)], axis=1)
    return dict(zip(PARTS, made, strict=True))


class StyleJudge:
    """A linear classifier of styles, taught with true parts."""

    def __init__(self, features: FloatArray, styles: list[str]) -> None:
        """`features` [n, size] of true parts and their styles; at least two styles."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=3000))
        self._model.fit(features, styles)

    def told(self, features: FloatArray) -> list[str]:
        """The style that the judge hears in each [n, size]."""
        return [str(style) for style in self._model.predict(features)]

    def right(self, features: FloatArray, styles: list[str]) -> list[float]:
        """1.0 where the judge hears the style that was asked for, else 0.0."""
        return [float(a == b) for a, b in zip(self._model.predict(features), styles, strict=True)]
