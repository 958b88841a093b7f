"""Measures step times: percentiles in fixed memory, over the whole run and recently, and their growth.

Knows neither clocks nor what is measured: times come in as seconds. One writing thread; figures may be read by any.
"""

from __future__ import annotations

import math

import numpy as np

LOWEST_S = 1e-6
HIGHEST_S = 100.0
BIN_RATIO = 1.01
"""Two neighbouring bins differ by 1 %: that is how true a percentile is."""
_BINS = math.ceil(math.log(HIGHEST_S / LOWEST_S) / math.log(BIN_RATIO)) + 1


class Histogram:
    """Durations in logarithmic bins: any number of them in the same memory."""

    def __init__(self) -> None:
        self._bins = np.zeros(_BINS, np.int64)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._bins.fill(0)
        self.count = 0
        self.total_s = 0.0
        self.highest_s = 0.0

    def add(self, seconds: float) -> None:
        """Take one duration >= 0."""
        place = 0
        if seconds > LOWEST_S:
            place = min(_BINS - 1, math.ceil(math.log(seconds / LOWEST_S) / math.log(BIN_RATIO)))
        self._bins[place] += 1
        self.count += 1
        self.total_s += seconds
        self.highest_s = max(self.highest_s, seconds)

    @property
    def mean_s(self) -> float:
        return self.total_s / self.count if self.count else 0.0

    def percentile_s(self, percent: float) -> float:
        """The duration that `percent` of all do not exceed (within 1 %, never too low); 0 where there is none."""
        return percentile_s((self,), percent)


def percentile_s(histograms: tuple[Histogram, ...], percent: float, spared: int = 0) -> float:
    """The same over several histograms together, with at least so many of the longest left out."""
    count = sum(histogram.count for histogram in histograms)
    if count == 0:
        return 0.0
    rank = max(1, min(math.ceil(count * percent / 100.0 - 1e-9), count - spared))
    bins = sum((histogram._bins for histogram in histograms), np.zeros(_BINS, np.int64))
    place = int(np.searchsorted(np.cumsum(bins), rank))
    highest_s = max(histogram.highest_s for histogram in histograms)
    return min(highest_s, LOWEST_S * BIN_RATIO**place)


class Meter:
    """The worker's times: all of them, and those of about the last `window_steps` to twice as many."""

    def __init__(self, window_steps: int = 1000) -> None:
        if window_steps < 1:
            raise ValueError("a window holds at least one step")
        self._window_steps = window_steps
        self._all = Histogram()
        self._recent = Histogram()
        self._before = Histogram()
        self._first_mean_s = 0.0
        self._last_s = 0.0

    def add(self, seconds: float) -> None:
        """Take the duration of one step."""
        self._last_s = seconds
        self._all.add(seconds)
        if self._recent.count >= self._window_steps:
            if self._first_mean_s == 0.0:
                self._first_mean_s = self._recent.mean_s
            self._before, self._recent = self._recent, self._before
            self._recent.clear()
        self._recent.add(seconds)

    @property
    def steps(self) -> int:
        return self._all.count

    @property
    def last_s(self) -> float:
        return self._last_s

    @property
    def mean_s(self) -> float:
        return self._all.mean_s

    @property
    def highest_s(self) -> float:
        return self._all.highest_s

    def percentile_s(self, percent: float) -> float:
        """Over the whole run."""
        return self._all.percentile_s(percent)

    def recent_percentile_s(self, percent: float, spared: int = 0) -> float:
        """Over the last one to two windows; of few times it would be the longest, so `spared` are left out."""
        return percentile_s((self._before, self._recent), percent, spared)

    @property
    def growth(self) -> float:
        """Mean of the last one to two windows over that of the first; 1.0 until the second window is full."""
        if self._first_mean_s <= 0.0 or self._all.count < 2 * self._window_steps:
            return 1.0
        count = self._before.count + self._recent.count
        return (self._before.total_s + self._recent.total_s) / count / self._first_mean_s
