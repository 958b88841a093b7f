"""A take (drums, bass, keys as sound) scored against what was true of a song: beat, harmony, rests, repetition.

The same figures for the band's take, the true parts (ceiling) and another song's parts (floor). Knows no engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .part_fit import (
    JUDGE_RATE_HZ,
    beat_f,
    chroma_at,
    for_judges,
    in_chord,
    key_classes,
    signed_lag_ms,
)
from .sound_figures import (
    level_db,
    onsets_s,
    repetition,
    stuck_s,
)

if TYPE_CHECKING:
    from ..sound.render import RenderedSong

FloatArray = NDArray[np.floating[Any]]
PARTS = ("drums", "bass", "keys")
FRAME_S = 0.04
SKIP_BARS = 4
FIGURES = {
    "drums_beat_f": "drums, beat F",
    "drums_onset_f": "drums, onsets on the grid, F",
    "drums_lag_ms": "drums, signed lag (ms)",
    "mix_beat_f": "mix, beat F",
    "mix_lag_ms": "mix, signed lag (ms)",
    "bass_in_chord": "bass, energy in the chord",
    "bass_in_key": "bass, energy in the key",
    "keys_in_chord": "keys, energy in the chord",
    "keys_in_key": "keys, energy in the key",
    "rest_db": "level where the song rests (dB)",
    "repetition": "similarity to the bars before",
    "stuck_s": "longest unchanging sound (s)",
}
GAP_FIGURES = ("drums_beat_f", "mix_beat_f", "bass_in_chord", "keys_in_chord")


@dataclass(frozen=True)
class Truth:
    """What is true of the first `seconds` of a song."""

    seconds: float
    beats_s: FloatArray
    downbeats_s: FloatArray
    tempo_bpm: float
    chord_pcs: NDArray[np.bool_]
    scale: NDArray[np.bool_]
    active: NDArray[np.bool_]
    """[T, parts] at 25 frames a second: which part is meant to play."""
    skip_s: float
    """Figures count from here: SKIP_BARS bars after the lead began, but not beyond half of the stretch."""

    @classmethod
    def of(cls, song: RenderedSong, seconds: float) -> Truth:
        labels = song.labels
        frames = min(int(seconds / FRAME_S), len(labels["beat_phase"]))
        onsets = labels["onsets_lead_s"]
        bars = labels["downbeats_s"]
        after = bars[bars >= (float(onsets[0]) if len(onsets) else 0.0) - 0.1]
        skip_s = float(after[min(SKIP_BARS, len(after) - 1)]) if len(after) else 0.0
        return cls(
            seconds,
            labels["beats_s"][labels["beats_s"] < seconds - 0.3],
            bars[bars < seconds],
            float(np.median(labels["tempo_bpm"][:frames])),
            labels["chord_pcs"][:frames],
            key_classes(labels["key"][:frames], labels["minor"][:frames]),
            labels["part_active"][:frames].astype(bool),
            min(skip_s, seconds / 2),
        )

    def part_of(self, start_s: float, end_s: float) -> Truth:
        """The truth of a stretch, from its own time 0; nothing is skipped."""
        first, last = int(start_s / FRAME_S), int(end_s / FRAME_S)

        def inside(times_s: FloatArray) -> FloatArray:
            return times_s[(times_s >= start_s) & (times_s < end_s)] - start_s

        rows = slice(first, last)
        return Truth(
            end_s - start_s, inside(self.beats_s), inside(self.downbeats_s), self.tempo_bpm,
            self.chord_pcs[rows], self.scale[rows], self.active[rows], 0.0,
        )  # fmt: skip


def stems_of(song: RenderedSong, seconds: float) -> dict[str, FloatArray]:
    """The true parts of the first `seconds`."""
    return {part: song.stems[part][: int(seconds * song.rate_hz)] for part in PARTS}


def at_judges_rate(take: Mapping[str, FloatArray], rate_hz: int) -> dict[str, FloatArray]:
    """Every part, and their sum as "mix", at the judges' rate."""
    made: dict[str, FloatArray] = {part: for_judges(np.asarray(take[part]), rate_hz) for part in PARTS}
    made["mix"] = np.sum([made[part] for part in PARTS], axis=0)
    return made


def score(take: Mapping[str, FloatArray], truth: Truth) -> dict[str, float]:
    """All FIGURES of a take at the judges' rate (`at_judges_rate`); nan where one does not exist."""
    figures: dict[str, float] = {}
    for name in ("drums", "mix"):
        figures[f"{name}_beat_f"] = beat_f(take[name], truth.beats_s, truth.tempo_bpm, truth.skip_s)
        figures[f"{name}_lag_ms"] = lag_ms(take[name], truth)
    figures["drums_onset_f"] = onset_grid_f(take["drums"], truth)
    skip = int(truth.skip_s / FRAME_S)
    for part in ("bass", "keys"):
        if level_db(take[part]) < -70.0:
            figures[f"{part}_in_chord"] = figures[f"{part}_in_key"] = 0.0
            continue
        chroma = _chroma(take, part)[: len(truth.chord_pcs)]
        figures[f"{part}_in_chord"] = in_chord(chroma, truth.chord_pcs, skip)
        figures[f"{part}_in_key"] = in_chord(chroma, truth.scale, skip)
    figures["rest_db"] = rest_db(take["mix"], truth)
    bars = truth.downbeats_s[truth.downbeats_s >= truth.skip_s]
    figures["repetition"] = repetition(take["mix"], bars) if len(bars) > 3 else math.nan
    figures["stuck_s"] = stuck_s(take["mix"])
    return figures


def _chroma(take: Mapping[str, FloatArray], part: str) -> FloatArray:
    """Of a part, once for each take."""
    name = f"{part} chroma"
    if name not in take:
        made = chroma_at(take[part], int(len(take[part]) / JUDGE_RATE_HZ / FRAME_S))
        if not isinstance(take, dict):
            return made
        take[name] = made
    return take[name]


def lag_ms(audio: FloatArray, truth: Truth) -> float:
    """Signed lag of the onsets behind the beats; nan for a sound that is silent."""
    beats = truth.beats_s[(truth.beats_s >= truth.skip_s) & (truth.beats_s > 0.2)]
    if level_db(audio) < -70.0 or len(beats) < 4:
        return math.nan
    return signed_lag_ms(audio, beats, truth.skip_s)


def onset_grid_f(audio: FloatArray, truth: Truth, window_s: float = 0.05) -> float:
    """F-measure (mir_eval) of the onsets found in the sound against the true beats and the half beats between them.

    A swung or a compound part has a ceiling below 1: read it beside the true part's.
    """
    import mir_eval

    middles = (truth.beats_s[1:] + truth.beats_s[:-1]) / 2
    grid = np.sort(np.concatenate([truth.beats_s, middles]))
    grid = grid[grid >= truth.skip_s]
    found = onsets_s(audio)
    found = found[found >= truth.skip_s - window_s]
    if len(grid) < 4:
        return math.nan
    if not len(found):
        return 0.0
    return float(mir_eval.onset.f_measure(grid, found, window=window_s)[0])


def rest_db(mix: FloatArray, truth: Truth, settle_s: float = 2.5) -> float:
    """Level where no part is meant to play, `settle_s` after the rest began, less the level where all are; nan
    without such a rest."""
    rests: NDArray[np.bool_] = np.asarray(~truth.active.any(axis=1))
    since = np.zeros(len(rests))
    for i in range(1, len(rests)):
        since[i] = since[i - 1] + FRAME_S if rests[i] else 0.0
    quiet: NDArray[np.bool_] = np.asarray(rests & (since >= settle_s))
    if quiet.sum() < 12 or truth.active.all(axis=1).sum() < 50:
        return math.nan
    hop = int(len(mix) / (truth.seconds / FRAME_S))
    count = min(len(rests), len(mix) // hop)
    power = np.mean(np.square(mix[: count * hop].reshape(count, hop), dtype=np.float64), axis=1)
    together: NDArray[np.bool_] = np.asarray(truth.active.all(axis=1))
    full = power[together[:count]].mean()
    return float(10.0 * np.log10((power[quiet[:count]].mean() + 1e-12) / (full + 1e-12)))
