"""Clock drift: line fits through jittering callbacks, and a second-order loop that holds the fill of a ring.

Knows no ring, no resampler and no clock: times and positions come in, a ratio goes out. One thread for each object.

A callback comes late by chance, and blocks of two clocks beat against each other for seconds; so the fill is not
counted but read off two lines, one through either side's callbacks. The loop is of second order: a constant drift
leaves no error behind.
"""

from __future__ import annotations

import math

CLOCK_BANDWIDTH_HZ = 0.05
LOOP_BANDWIDTH_HZ = 0.003
FAST_BANDWIDTH_HZ = 0.1
"""At the beginning; it falls with the time that has passed, to where the jitter of callbacks is not heard."""
FAST_S = 4.0
MOST_PPM = 1000.0
"""More than this is no drift but another rate."""


class ClockFilter:
    """The position of a stream at any time, from callbacks that come when they may: a delay-locked loop."""

    def __init__(self, rate_hz: float, bandwidth_hz: float = CLOCK_BANDWIDTH_HZ) -> None:
        """Raises ValueError for a rate or bandwidth that cannot be."""
        if not (rate_hz > 0 and bandwidth_hz > 0):
            raise ValueError("rate and bandwidth are above 0")
        self._bandwidth_hz = bandwidth_hz
        self._began_s: float | None = None
        self._time_s = 0.0
        self._position = 0.0
        self._seconds_per_sample = 1.0 / rate_hz

    @property
    def rate_hz(self) -> float:
        """As measured by whoever's clock the times are."""
        return 1.0 / self._seconds_per_sample

    def callback(self, time_s: float, position_samples: float) -> None:
        """A callback came at that time and brought the stream to that position."""
        if self._began_s is None:
            self._began_s = self._time_s = time_s
            self._position = position_samples
            return
        count = position_samples - self._position
        if count <= 0:
            return
        expected_s = self._time_s + count * self._seconds_per_sample
        error_s = time_s - expected_s
        # Wide at first, so that it is there soon, and narrow then.
        bandwidth_hz = max(self._bandwidth_hz, 0.5 / (1.0 + time_s - self._began_s))
        omega = min(0.5, 2.0 * math.pi * bandwidth_hz * count * self._seconds_per_sample)
        self._time_s = expected_s + math.sqrt(2.0) * omega * error_s
        self._seconds_per_sample += omega * omega * error_s / count
        self._position = position_samples

    def position(self, time_s: float) -> float:
        """Where the stream is at that time, between its blocks too."""
        return self._position + (time_s - self._time_s) / self._seconds_per_sample


class DriftLoop:
    """Holds the fill of a ring between two clocks by the ratio at which it is read."""

    def __init__(self, target_samples: float, rate_hz: float, bandwidth_hz: float = LOOP_BANDWIDTH_HZ) -> None:
        """`rate_hz` is that of the reader. Raises ValueError for what cannot be."""
        if not (target_samples > 0 and rate_hz > 0 and bandwidth_hz > 0):
            raise ValueError("target, rate and bandwidth are above 0")
        self.target_samples = float(target_samples)
        self._rate_hz = rate_hz
        self._bandwidth_hz = bandwidth_hz
        self._integral = 0.0
        self._proportional = 0.0
        self._age_s = 0.0
        self._smoothed_error: float | None = None
        self.limited = 0
        """Updates at which more than MOST_PPM would have been needed: the rates differ by more than drift."""

    @property
    def ratio(self) -> float:
        """Input samples to take for each output sample."""
        most = MOST_PPM * 1e-6
        return 1.0 + max(-most, min(most, self._integral + self._proportional))

    @property
    def drift_ppm(self) -> float:
        """How much faster the writer's clock runs than the reader's."""
        return 1e6 * self._integral

    def update(self, fill_samples: float, elapsed_s: float) -> float:
        """Take the fill as the lines tell it, so long after the last time; returns the ratio to read with now."""
        if not elapsed_s > 0.0:
            return self.ratio
        bandwidth_hz = max(self._bandwidth_hz, FAST_BANDWIDTH_HZ / (1.0 + self._age_s / FAST_S))
        self._age_s += elapsed_s
        omega = 2.0 * math.pi * bandwidth_hz
        error = fill_samples - self.target_samples
        if self._smoothed_error is None:
            self._smoothed_error = error
        self._smoothed_error += (1.0 - math.exp(-8.0 * omega * elapsed_s)) * (error - self._smoothed_error)
        most = MOST_PPM * 1e-6
        self._proportional = math.sqrt(2.0) * omega * self._smoothed_error / self._rate_hz
        steady = self._integral + omega * omega * self._smoothed_error / self._rate_hz * elapsed_s
        self._integral = max(-most, min(most, steady))
        if abs(self._integral + self._proportional) > most:
            self.limited += 1
        return self.ratio
