"""Tap tempo: from the positions of taps to a line of musical time that begins with a downbeat.

Knows no output and no listener. Positions are host samples. Inference thread only.
"""

from __future__ import annotations

import numpy as np

from .anchor import Anchor
from .conductor_settings import TapSettings, TempoRange

_REMEMBERED = 8


class TapTempo:
    """Counts taps; from the fourth in an even row on, each gives an anchor. Inference thread only."""

    def __init__(self, config: TapSettings, tempo: TempoRange, rate_hz: float) -> None:
        self._config, self._tempo = config, tempo
        self._rate_hz = rate_hz
        self.reset()

    def reset(self) -> None:
        self._positions: list[float] = []
        self._first = 0  # number of the oldest tap that is remembered; the first of the row is 0

    def tap(self, position_samples: float) -> Anchor | None:
        """Take one tap. Returns the line through the row, or None while there are too few or they are uneven."""
        if self._positions and position_samples <= self._positions[-1]:
            return None
        if self._positions:
            gap_s = (position_samples - self._positions[-1]) / self._rate_hz
            usual_s = self._usual_gap_s()
            if gap_s > self._config.tap_gap_s or (usual_s and not 0.6 < gap_s / usual_s < 1.6):
                self.reset()
        self._positions.append(float(position_samples))
        if len(self._positions) > _REMEMBERED:
            self._positions.pop(0)
            self._first += 1
        if self._first + len(self._positions) < self._config.taps_to_lock:
            return None
        return self._fitted(place=True)

    def few(self) -> Anchor | None:
        """The line through two or three taps, which know no bar yet; None while there are fewer or more."""
        if not 2 <= self._first + len(self._positions) < self._config.taps_to_lock:
            return None
        return self._fitted(place=False)

    def _fitted(self, place: bool) -> Anchor | None:
        position_samples = self._positions[-1]
        numbers = np.arange(len(self._positions)) + self._first
        slope, start = np.polyfit(numbers, np.asarray(self._positions) - position_samples, 1)
        tempo_bpm = 60.0 * self._rate_hz / float(slope)
        if not self._tempo.lowest_bpm * 0.9 <= tempo_bpm <= self._tempo.highest_bpm * 1.1:
            return None
        last = int(numbers[-1])
        return Anchor(
            position_samples + float(start + slope * last), float(last), tempo_bpm, 0.9, 0, last if place else -1
        )

    def _usual_gap_s(self) -> float:
        if len(self._positions) < 2:
            return 0.0
        return (self._positions[-1] - self._positions[0]) / (len(self._positions) - 1) / self._rate_hz
