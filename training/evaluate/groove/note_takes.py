"""Songs of the arranger played by the band's notes alone, at their true moments, and the same songs as written.

No listener, no engine and no sound: what the generator draws under its groove, with the chords, the tempo and, if they
are told, the sections that the song has. So a take of half a minute is a matter of seconds. Inference thread only.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....model.accompanist import Accompanist
from ....model.band_stream import LoadedBand
from ....model.generator.generator_config import CHORD_AHEAD_FRAMES
from ...band.arrange import play, write_song
from ...band.score import Score
from ...band.styles import STYLES
from ...sound.song_labels import FRAME_S, label
from ...trainers.score_labels import score_slots
from ..note_figures import Controls, Moment

AHEAD_FRAMES = 3
SKIP_BARS = 2
"""Of the band: before, it has no past."""


@dataclass(frozen=True)
class NoteTake:
    """What was played. Arrays of n frames. Any thread."""

    slots: NDArray[np.int64]
    """[parts, SLOTS, n], as in score_tokens.py."""
    bar: NDArray[np.int64]
    """Number of the song's bar."""
    bar_phase: NDArray[np.float64]
    """In [0, 1)."""
    tempo_bpm: NDArray[np.float64]
    beats_per_bar: int
    chord_root: NDArray[np.int64]
    """-1 for none."""

    @property
    def beat(self) -> NDArray[np.float64]:
        """Beats since the bar line."""
        return self.bar_phase * self.beats_per_bar


@dataclass(frozen=True)
class Told:
    """What the band is told besides chords and time."""

    groove: float = 1.0
    density: float = 0.5
    sections: bool = False
    """Its chart's sections: their patterns, their density and a fill into each."""


def song(style: str, seed: int, seconds: float, split: str = "test") -> Score:
    """A song in which all three play from the first bar to the last, whatever its lead does."""
    score = write_song(seed, split, (style,), seconds=(seconds, seconds + 4.0))
    for bar in score.bars:
        bar.parts = (True, True, True)
        bar.lead_from_beats, bar.lead_to_beats, bar.pickup_beats = 0.0, 99.0, 0.0
        if bar.section == "silence":
            bar.section = "intro"
    play(np.random.default_rng([0x7461, seed]), STYLES[style], score)
    return score


def written(score: Score) -> NoteTake:
    """The song as the arranger wrote it."""
    frames = _frames(score)
    return _take(score, score_slots(score, frames).astype(np.int64), label(score, frames), 0)


def played(band: LoadedBand, score: Score, told: Told, seed: int = 0) -> NoteTake:
    """The song as the band plays it, from its third bar on."""
    frames = _frames(score)
    labels = label(score, frames)
    player = Accompanist(band)
    player.reset(seed, AHEAD_FRAMES)
    controls = [_controls(score, bar, told) for bar in range(len(score.bars))]
    numbers = _bars(score, frames)
    slots = []
    for at in range(frames):
        bar = int(numbers[at])
        left = (1.0 - float(labels["bar_phase"][at]) % 1.0) * score.beats_per_bar
        fills = told.sections and _turns(score, bar) and 1.0 <= left <= max(2, math.ceil(score.beats_per_bar / 2))
        asked = dataclasses.replace(controls[bar], fill=1.0) if fills else controls[bar]
        player.draw(_moment(labels, at, frames), asked)
        player.pass_over()
        slots.append(player.slots())
    return _take(score, np.stack(slots, axis=2), labels, SKIP_BARS)


def kind_of_bar(score: Score, bar: int) -> str:
    """The kind of the section that holds a bar."""
    return score.bars[min(bar, len(score.bars) - 1)].section


def _turns(score: Score, bar: int) -> bool:
    """Whether the next bar begins a section out of one of four bars or more."""
    following = score.bars[min(bar + 1, len(score.bars) - 1)]
    return following.first_of_section and score.bars[bar].bar_in_section >= 3


def _controls(score: Score, bar: int, told: Told) -> Controls:
    """As the engine's section director tells them."""
    density, pattern = told.density, ""
    if told.sections:
        pattern = kind_of_bar(score, bar)
        density = min(1.0, max(0.0, density + BUSIER[pattern]))
    return Controls(score.style, density, groove=told.groove, pattern=pattern)


BUSIER = {"intro": -0.15, "verse": -0.05, "chorus": 0.2, "bridge": 0.0, "solo": 0.1, "ending": 0.1}
"""As engine/charts/section_kind.py has it, which a test holds equal: this layer does not know the engine."""


def _moment(labels: dict[str, Any], at: int, frames: int) -> Moment:
    last, tempo_bpm = frames - 1, float(labels["tempo_bpm"][at])
    chord_at = min(at + CHORD_AHEAD_FRAMES, last)
    later = min(last, chord_at + round(60.0 / tempo_bpm / FRAME_S))
    return Moment(
        float(labels["beat_phase"][at]) % 1.0,
        float(labels["bar_phase"][at]) % 1.0,
        tempo_bpm,
        int(labels["beats_per_bar"][at]),
        int(labels["chord_root"][chord_at]),
        tuple(map(float, labels["chord_pcs"][chord_at])),
        next_root=int(labels["chord_root"][later]),
    )


def _frames(score: Score) -> int:
    """To the last bar line, that bar left out: it holds one chord."""
    return int(float(score.seconds(score.bars[-1].start_beat)) / FRAME_S)


def _bars(score: Score, frames: int) -> NDArray[np.int64]:
    beats = score.beats_at(np.arange(frames) * FRAME_S) + 1e-9  # as the labels count
    return np.clip(beats // score.beats_per_bar, 0, len(score.bars) - 1).astype(np.int64)


def _take(score: Score, slots: NDArray[np.int64], labels: dict[str, Any], skip_bars: int) -> NoteTake:
    bars = _bars(score, slots.shape[2])
    begin = int(float(score.seconds(float(skip_bars * score.beats_per_bar))) / FRAME_S)
    return NoteTake(
        slots[:, :, begin:],
        bars[begin:],
        np.asarray(labels["bar_phase"][begin:], np.float64) % 1.0,
        np.asarray(labels["tempo_bpm"][begin:], np.float64),
        score.beats_per_bar,
        np.asarray(labels["chord_root"][begin:], np.int64),
    )
