"""Readings of level and phase beside the held beat, its half, its double, two thirds, shifts, and what speaks for each.

Evidence is what tells beats and bars over the last seconds: the network's activations and its view of the tempo, the
notes struck, where the chord turns, and what is usual. Knows no line, no filter and no clock: values in, values out.
Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...style_priors import StylePrior
from ..conductor_settings import ReadingSettings
from .beat_grid import CELLS, BeatGrid
from .evidence_arithmetic import read_evidence

FloatArray = NDArray[np.float64]
_LEAST_BEATS = 4  # of a reading, within the window
_LOWEST_VOTE = -2.3
_LEVELS = (1.0, 1 / 2, 2 / 3, 3 / 4, 4 / 3, 3 / 2, 2.0)


@dataclass(frozen=True, slots=True)
class MetricalReading:
    """The beats of one reading, seen from the held one. Any thread."""

    period_cells: int
    """How long one lasts, in cells of the held beat."""
    shift_cells: int
    """Where they stand: so many cells after a held beat (after its beat 0, where one lasts longer)."""

    @property
    def ratio(self) -> float:
        """Held beats that one lasts."""
        return self.period_cells / CELLS

    @property
    def shares_beats(self) -> bool:
        """Whether some of its beats are held ones."""
        return self.shift_cells % math.gcd(self.period_cells, CELLS) == 0

    def phase_at(self, held_beat: float) -> float:
        """Its phase in [0, 1) where the held beat is `held_beat`."""
        return (held_beat * CELLS - self.shift_cells) / self.period_cells % 1.0


HELD = MetricalReading(CELLS, 0)
DOUBLE = MetricalReading(CELLS // 2, 0)
HALF_BESIDE = MetricalReading(CELLS, CELLS // 2)
_PLACES: dict[int, tuple[int, ...]] = {
    24: (0, 12, 6, 18, 8, 16),
    48: (0, 24, 12, 36),
    12: (0, 6),
    36: (0, 12, 24),
    16: (0, 8),
    32: (0, 8, 16, 24),
    18: (0, 6, 12),
}
_ODD = {(24, 6), (24, 18), (24, 8), (24, 16), (48, 12), (48, 36), (12, 6), (16, 8)}
READINGS: tuple[MetricalReading, ...] = tuple(
    MetricalReading(period, shift) for period, shifts in _PLACES.items() for shift in shifts
)
"""The held one first; its double and half, three to two and four to three, each at the places that it can have."""
ODD_PLACES = frozenset(reading for reading in READINGS if (reading.period_cells, reading.shift_cells) in _ODD)
"""Readings that are weighed, so that doubt is honest, and are too seldom right to be followed."""


def level_between(old_hz: float, new_hz: float) -> float | None:
    """How many beats of a rate are one of another, where the two are levels of one metre; None: they are not."""
    ratio = old_hz / new_hz
    near = min(_LEVELS, key=lambda level: abs(math.log(ratio / level)))
    return near if abs(math.log(ratio / near)) < 0.1 else None


def nearest_reading(ratio: float, phase: float, held_beat: float) -> MetricalReading | None:
    """The reading with beats of `ratio` held ones whose phase at `held_beat` is `phase`; None: none is near."""
    best, least = None, 0.12
    for reading in READINGS:
        away = abs((reading.phase_at(held_beat) - phase + 0.5) % 1.0 - 0.5) * reading.ratio
        apart = abs(math.log(reading.ratio / ratio))
        if apart < 0.08 and away < least:
            best, least = reading, away
    return best


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one reading: log ratios, and a share. Any thread."""

    quarter: float
    """Activation on its beats against that on their quarters."""
    struck: float
    """Share of the notes that begin on its beats."""
    turn: float
    """How far the chord turns on its beats, against half a beat later."""
    bar: float
    """How far it turns on one of each two, three or four of them, against all."""
    downbeat: float
    """The same of the network's downbeats."""
    tempo: float
    """The network's view of its tempo."""
    usual: float
    """Octaves from the tempo in the middle of all, squared, below 0."""

    def weighed(self, settings: ReadingSettings) -> float:
        """Log likelihood, as far as it tells readings apart."""
        return (
            settings.quarter_weight * self.quarter
            + settings.struck_weight * self.struck
            + settings.turn_weight * self.turn
            + settings.bar_weight * self.bar
            + settings.downbeat_weight * self.downbeat
            + settings.tempo_weight * self.tempo
            + settings.usual_weight * self.usual
        )


class EvidenceReader:
    """Reads the evidence for readings out of a grid, as it stood when this was made. Inference thread only."""

    def __init__(self, grid: BeatGrid, window_s: float, vote: FloatArray, rate_hz: float, centre_bpm: float) -> None:
        """`vote` [T]: log likelihoods of log-spaced tempi 48 to 228 bpm; `rate_hz`: of the held beat."""
        begin, end, self._number = grid.window(window_s * rate_hz)
        self._cells = end - begin
        self._beat = grid.beat[begin:end].copy()
        self._downbeat = grid.downbeat[begin:end].copy()
        self._struck = np.flatnonzero(grid.struck[begin:end])
        self._roots = np.vstack([np.zeros(13), np.cumsum(grid.roots[begin:end], axis=0)])
        self._vote, self._rate_hz, self._centre_hz = vote, rate_hz, centre_bpm / 60.0
        whole = self._cells // CELLS
        tops = np.sort(self._beat[: whole * CELLS].reshape(whole, CELLS).max(axis=1)) if whole else np.zeros(1)
        self._level = max(0.3, float(tops[int(0.7 * (len(tops) - 1))]))
        self.length_s = self._cells / CELLS / rate_hz

    def read(self, reading: MetricalReading) -> Evidence | None:
        """The evidence for one; None where the window is too short for it."""
        period = reading.period_cells
        first = (reading.shift_cells - self._number) % period
        if self._cells - first <= (_LEAST_BEATS - 1) * period:
            return None
        reach = max(1.0, 0.045 * self._rate_hz * CELLS)
        rate_hz = self._rate_hz / reading.ratio
        octaves = math.log2(rate_hz / self._centre_hz)
        quarter, struck, turn, bar, downbeat = read_evidence(
            self._beat, self._downbeat, self._struck, self._roots, self._level, first, period, reach
        )
        return Evidence(quarter, struck, turn, bar, downbeat, self._vote_at(rate_hz), -octaves * octaves)

    def _vote_at(self, rate_hz: float) -> float:
        if not len(self._vote):
            return 0.0
        place = (math.log(rate_hz * 60.0 / 48.0)) / math.log(228.0 / 48.0) * (len(self._vote) - 1)
        if not 0.0 <= place <= len(self._vote) - 1:
            return _LOWEST_VOTE
        low = min(int(place), len(self._vote) - 2)
        return float(self._vote[low] + (place - low) * (self._vote[low + 1] - self._vote[low]))


def against_style(bpm: float, style: StylePrior | None) -> float:
    """How far outside of the style's usual tempi, in octaves."""
    if style is None:
        return 0.0
    return max(0.0, math.log2(style.low_bpm / bpm), math.log2(bpm / style.high_bpm))
