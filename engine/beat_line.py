"""The exact line through the beats: peaks found to a fraction of a sub-frame, and a Kalman filter over beat and tempo.

Knows nothing of bars, octaves or locks: whoever holds a line seeds it and decides which peaks may touch it. Times are
seconds of the input clock. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .tracking import ConductorConfig


@dataclass(frozen=True, slots=True)
class Peak:
    """A local maximum of the beat activation."""

    time_s: float
    height: float
    """Relative to recent peaks: about 1 for a usual one."""


class PeakFinder:
    """Local maxima of a row of activations, told two sub-frames after they have passed."""

    def __init__(self, config: ConductorConfig) -> None:
        self._config = config
        self.reset()

    def reset(self) -> None:
        self._last = np.zeros(4)  # the newest raw values of the frame before
        self._level = 0.5

    def hear(self, activation: NDArray[np.float32], end_s: float, frame_s: float) -> list[Peak]:
        """Activations [S] of the frame that ends at `end_s`, to the peaks that are sure by now, oldest first."""
        row = np.concatenate([self._last, np.asarray(activation, np.float64)])
        self._last = row[-4:]
        smooth = 0.25 * row[:-2] + 0.5 * row[1:-1] + 0.25 * row[2:]  # entry i is centred on row[i + 1]
        step_s = frame_s / len(activation)
        peaks = []
        for i in range(1, len(smooth) - 1):
            before, here, after = smooth[i - 1 : i + 2]
            if not (here >= before and here > after and here > self._config.peak_threshold * 2 * self._level):
                continue
            b, h, a = (math.log(v + 1e-3) for v in (before, here, after))
            curve = b - 2 * h + a
            shift = 0.5 * (b - a) / curve if curve < 0 else 0.0
            from_end = len(row) - (i + 1) - 0.5 - shift
            peaks.append(Peak(end_s - from_end * step_s, here / self._level))
            self._level += 0.1 * (min(max(here, self._config.level_least), 1.0) - self._level)
        return peaks


class BeatLine:
    """beat(t) = beat + rate * (t - time): a Kalman filter over the beat count and its rate."""

    def __init__(
        self, config: ConductorConfig, time_s: float, beat: float, rate_hz: float, beat_error: float, rate_error: float
    ) -> None:
        """`beat_error` (beats) and `rate_error` (relative) are the standard deviations to begin with."""
        self._config = config
        self.time_s = time_s
        self.beat = beat
        self.rate_hz = rate_hz
        self._bb = beat_error**2
        self._br = 0.0
        self._rr = (rate_error * rate_hz) ** 2

    def beat_at(self, time_s: float) -> float:
        return self.beat + self.rate_hz * (time_s - self.time_s)

    def time_of(self, beat: float) -> float:
        return self.time_s + (beat - self.beat) / self.rate_hz

    @property
    def error_s(self) -> float:
        """Standard deviation of the present phase, as the filter sees it."""
        return math.sqrt(self._bb) / self.rate_hz

    def move(self, time_s: float, freedom: float) -> None:
        """Go on to a later time; `freedom` in [0, 1] scales how much the tempo may have wandered since."""
        dt = time_s - self.time_s
        if dt <= 0:
            return
        self.beat += self.rate_hz * dt
        self.time_s = time_s
        walk = (self._config.rate_walk * self.rate_hz) ** 2 * freedom
        self._bb += 2 * dt * self._br + dt * dt * self._rr + walk * dt**3 / 3
        self._bb += (self._config.line_phase_walk_s * self.rate_hz) ** 2 * dt * freedom
        self._br += dt * self._rr + walk * dt * dt / 2
        self._rr += walk * dt

    def meet(self, peak: Peak, place: float = 0.0) -> tuple[float, int]:
        """Bend toward a peak as far as it may be a beat, or what is struck at `place` in one. Returns how far that is,
        in [0, 1], and the beat's number."""
        lag = self.time_s - peak.time_s
        at_peak = self.beat - self.rate_hz * lag - place
        number = round(at_peak)
        miss = number - at_peak
        if abs(miss) > self._config.gate_beats:
            return 0.0, number
        own = self._bb - 2 * lag * self._br + lag * lag * self._rr
        noise = (self._config.peak_error_s * self.rate_hz) ** 2
        spread = math.sqrt(own + noise)
        likely = math.exp(-0.5 * (miss / spread) ** 2) / (spread * math.sqrt(2 * math.pi))
        belongs = likely / (likely + 0.7) * min(1.0, peak.height)
        if belongs < 0.02:
            return belongs, number
        total = own + noise / belongs
        gain_beat = (self._bb - lag * self._br) / total
        gain_rate = (self._br - lag * self._rr) / total
        self.beat += gain_beat * miss
        self.rate_hz = max(self.rate_hz + gain_rate * miss, 0.2)
        seen_b, seen_r = self._bb - lag * self._br, self._br - lag * self._rr
        self._bb -= gain_beat * seen_b
        self._br -= gain_beat * seen_r
        self._rr -= gain_rate * seen_r
        return belongs, number
