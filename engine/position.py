"""A position in musical time, as the conductor reports it. A value that never changes; any thread."""

from __future__ import annotations

from typing import NamedTuple


class Point(NamedTuple):
    """Musical time at one position. Between two points the beat runs straight; the bar is that of the earlier.

    Any thread.
    """

    position_samples: float
    beat: float
    bar_beat: float
    """Beat at which the running bar began (a whole number)."""
    bar: int
    beats_per_bar: int
    beat_quarters: float = 1.0
    """Length of a beat in quarter notes: 1.5 in 6/8."""

    @property
    def bar_phase(self) -> float:
        return min(max((self.beat - self.bar_beat) / self.beats_per_bar, 0.0), 1.0 - 1e-9)
