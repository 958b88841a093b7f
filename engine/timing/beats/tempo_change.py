"""Detects a sudden change of tempo: strong peaks in a row that keep another tempo than the tracked one.

Sooner than any filter over all readings, since it looks for one thing alone: a tempo near to the one that is held, but
another. Peaks off the beat keep the tempo that is held, and those of another octave keep one that is far from it.
Knows no filter and no bars. Inference thread only.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from ..conductor_settings import TempoChangeSettings
from .beat_kalman import Peak

_MET = 0.5  # from here on a peak surely is one of the line's beats
_UNMET = 0.2
_REACH_BEATS = 12  # longer ago than this it is not known how many beats passed


@dataclass(frozen=True, slots=True)
class NewTempo:
    """The line's beat `beat` is at `time_s`, and from there on it goes at `rate_hz`. Any thread."""

    time_s: float
    beat: int
    rate_hz: float


class TempoChangeDetector:
    """Counts on from the last beat that was met, so that no beat is lost and the bars stay where they are; after a rest
    it takes the line's count. Inference thread only.
    """

    def __init__(self, config: TempoChangeSettings) -> None:
        self._config = config
        self.reset()

    def reset(self) -> None:
        """Forget what was met, and the run."""
        self._met: tuple[float, int] | None = None
        self._times_s: list[float] = []

    def hear(self, peak: Peak, met: float, beat: int, rate_hz: float) -> NewTempo | None:
        """A peak, how far it was met as that beat of the line, and the line's rate; the other tempo once it is sure."""
        config = self._config
        if met > _MET:
            self._met = peak.time_s, beat
            self._times_s.clear()
            return None
        if met > _UNMET or peak.height < config.run_height or self._met is None:
            return None
        times = [*self._times_s[1 - config.run_peaks :], peak.time_s]
        self._times_s = times
        if len(times) < config.run_peaks:
            return None
        period_s = (times[-1] - times[0]) / (len(times) - 1)
        uneven = max(abs((b - a) / period_s - 1.0) for a, b in itertools.pairwise(times))
        least, most = config.run_apart
        if uneven > config.run_uneven or not least < abs(math.log(period_s * rate_hz)) < most:
            return None
        since = (peak.time_s - self._met[0]) / period_s
        self._times_s = []
        count = self._met[1] + round(since) if since < _REACH_BEATS else beat
        return NewTempo(peak.time_s, count, 1.0 / period_s)
