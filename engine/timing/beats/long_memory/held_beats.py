"""The beats of the held line, as far back as the last minute. Inference thread only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .....dsp.metre_slots import SLOTS, SLOTS_PER_BEAT

FloatArray = NDArray[np.float64]


class HeldBeats:
    """Knows the line by the beats that it is told. Inference thread only."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self.forget()

    def forget(self) -> None:
        """The line is another, which has nothing to do with the old one."""
        self.beats_s: FloatArray = np.zeros(0)

    def beat(self, at_s: float) -> None:
        """The line's next beat was due then."""
        kept = self.beats_s[(self.beats_s > at_s - self._window_s) & (self.beats_s < at_s - 0.1)]
        self.beats_s = np.append(kept, at_s)

    def moved(self, ratio: float, beat_s: float) -> None:
        """The line is another from now on: `ratio` old beats to one of its own, one of which is at `beat_s`."""
        if len(self.beats_s) < 2:
            return
        last, period_s = len(self.beats_s) - 1, self.period_s
        newest = last + (beat_s - self.beats_s[-1]) / period_s
        places = np.arange(newest, 0.0, -ratio)[::-1]
        self.beats_s = self._times(places)

    @property
    def period_s(self) -> float:
        return float(np.median(np.diff(self.beats_s)))

    @property
    def length_s(self) -> float:
        return float(self.beats_s[-1] - self.beats_s[0]) if len(self.beats_s) else 0.0

    def slots_s(self, end_s: float) -> tuple[FloatArray, int]:
        """Its quarters of beats up to `end_s` (the last one is over by then), and how many of them are after a beat."""
        quarter = 1.0 / SLOTS_PER_BEAT
        last, period_s = len(self.beats_s) - 1, self.period_s
        after = int((end_s - self.beats_s[-1]) / period_s / quarter) - 1
        places = (last / quarter + after - np.arange(min(SLOTS, int(last / quarter) + after + 1))[::-1]) * quarter
        return self._times(places), after % SLOTS_PER_BEAT

    def _times(self, places: NDArray[np.floating]) -> FloatArray:
        """When it is at those counts of its beats; after the last one its usual tempo goes on."""
        last = len(self.beats_s) - 1
        inside: FloatArray = np.interp(places, np.arange(last + 1), self.beats_s)
        return inside + np.maximum(places - last, 0.0) * self.period_s


def steady_slots_s(beat_s: float, period_s: float, begin_s: float, end_s: float) -> tuple[FloatArray, int]:
    """The same of a line as steady as a clock, with a beat at `beat_s`; none before `begin_s`."""
    quarter_s = period_s / SLOTS_PER_BEAT
    after = int((end_s - beat_s) / quarter_s) - 1
    last_s = beat_s + after * quarter_s
    count = max(1, min(SLOTS, int((last_s - begin_s) / quarter_s) + 1))
    at_s: FloatArray = last_s - np.arange(count, dtype=np.float64)[::-1] * quarter_s
    return at_s, after % SLOTS_PER_BEAT
