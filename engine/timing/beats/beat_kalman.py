"""Kalman filters over beat and tempo: a precise line through beat peaks located to a fraction of a sub-frame.

Knows nothing of bars, octaves or locks: whoever holds a line seeds it and decides which peaks may touch it. Times are
seconds of the input clock. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..conductor_settings import KalmanSettings

_STRAY = 0.7  # density of peaks that are no beats, for each beat
_LEAST_MET = 0.02  # peaks that are beats with less probability bend nothing
_LEAST_HEIGHT = 0.2  # lower peaks are no vaguer than this


@dataclass(frozen=True, slots=True)
class Peak:
    """A local maximum of the beat activation. Any thread."""

    time_s: float
    height: float
    """Relative to recent peaks: about 1 for a usual one."""


class PeakFinder:
    """Local maxima of a row of activations, told two sub-frames after they have passed. Inference thread only."""

    def __init__(self, threshold: float, level_least: float) -> None:
        """`threshold`: the least activation of a peak; `level_least`: the least height that peaks are measured by."""
        self._threshold, self._level_least = threshold, level_least
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
            if not (here >= before and here > after and here > self._threshold * 2 * self._level):
                continue
            b, h, a = (math.log(v + 1e-3) for v in (before, here, after))
            curve = b - 2 * h + a
            shift = 0.5 * (b - a) / curve if curve < 0 else 0.0
            from_end = len(row) - (i + 1) - 0.5 - shift
            peaks.append(Peak(end_s - from_end * step_s, here / self._level))
            self._level += 0.1 * (min(max(here, self._level_least), 1.0) - self._level)
        return peaks


class BeatKalman:
    """beat(t) = beat + rate * (t - time): two Kalman filters over the beat count and its rate, believed by what they
    foretold.

    One is for who keeps a tempo, the other for who lets it drift; the line is their mean, weighed by how likely each
    held the peaks to be, and one may turn into the other (an interacting multiple model, Blom and Bar-Shalom 1988).

    Inference thread only.
    """

    def __init__(
        self, config: KalmanSettings, time_s: float, beat: float, rate_hz: float, beat_error: float, rate_error: float
    ) -> None:
        """`beat_error` (beats) and `rate_error` (relative) are the standard deviations to begin with."""
        self._config = config
        self.time_s = time_s
        usual = config.drifting_share
        self._players = [
            _Player(share, rate_walk, beat, rate_hz, beat_error**2, (rate_error * rate_hz) ** 2)
            for share, rate_walk in zip((1.0 - usual, usual), config.rate_walks, strict=True)
        ]
        self._average()

    def beat_at(self, time_s: float) -> float:
        return self.beat + self.rate_hz * (time_s - self.time_s)

    def time_of(self, beat: float) -> float:
        return self.time_s + (beat - self.beat) / self.rate_hz

    @property
    def error_s(self) -> float:
        """Standard deviation of the present phase, as the filters see it."""
        return math.sqrt(self._bb) / self.rate_hz

    def move(self, time_s: float, freedom: float) -> None:
        """Go on to a later time; `freedom` in [0, 1] scales how much the tempo may have wandered since."""
        dt = time_s - self.time_s
        if dt <= 0:
            return
        self.time_s = time_s
        turned = 1.0 - math.exp(-self._config.drift_turn_hz * dt * freedom)
        beat, rate_hz, bb, br, rr = self.beat, self.rate_hz, self._bb, self._br, self._rr
        phase_walk = (self._config.line_phase_walk_s * rate_hz) ** 2 * dt * freedom
        for player in self._players:
            player.mix(turned, beat, rate_hz, bb, br, rr)
            player.move(dt, (player.rate_walk * rate_hz) ** 2 * freedom, phase_walk)
        self._average()

    def meet(self, peak: Peak, place: float = 0.0) -> tuple[float, int]:
        """Bend toward a peak as far as it may be a beat, or what is struck at `place` in one. Returns how far that is,
        in [0, 1], and the beat's number."""
        lag = self.time_s - peak.time_s
        at_peak = self.beat - self.rate_hz * lag - place
        number = round(at_peak)
        if abs(number - at_peak) > self._config.gate_beats:
            return 0.0, number
        height = min(1.0, peak.height)
        noise = (self._config.peak_error_s * self.rate_hz) ** 2 / max(height, _LEAST_HEIGHT)
        likelies = [player.likely(number + place, lag, noise) for player in self._players]
        belongs = [likely / (likely + _STRAY) * height for likely in likelies]
        met = sum(player.share * share for player, share in zip(self._players, belongs, strict=True))
        if met < _LEAST_MET:
            return met, number
        for player, likely, share in zip(self._players, likelies, belongs, strict=True):
            player.share *= height * likely + _STRAY
            if share >= _LEAST_MET:
                player.bend(number + place, lag, noise / share)
        self._average()
        return met, number

    def _average(self) -> None:
        """The line of both: mean and covariance, and shares that add up to one."""
        calm, drifting = self._players
        share = calm.share / (calm.share + drifting.share)
        calm.share, drifting.share = share, 1.0 - share
        both = share * (1.0 - share)
        off, rate_off = calm.beat - drifting.beat, calm.rate_hz - drifting.rate_hz
        self.beat = drifting.beat + share * off
        self.rate_hz = max(drifting.rate_hz + share * rate_off, 0.2)
        self._bb = share * calm.bb + (1.0 - share) * drifting.bb + both * off * off
        self._br = share * calm.br + (1.0 - share) * drifting.br + both * off * rate_off
        self._rr = share * calm.rr + (1.0 - share) * drifting.rr + both * rate_off * rate_off


class _Player:
    """What the line would be if the musician's tempo walked so much: a Kalman filter over beat count and rate."""

    __slots__ = ("_usual", "bb", "beat", "br", "rate_hz", "rate_walk", "rr", "share")

    def __init__(self, share: float, rate_walk: float, beat: float, rate_hz: float, bb: float, rr: float) -> None:
        self._usual = self.share = share  # belief in this player, before anything is heard and now
        self.rate_walk = rate_walk
        self.beat, self.rate_hz = beat, rate_hz
        self.bb, self.br, self.rr = bb, 0.0, rr  # covariance of beat and rate

    def mix(self, turned: float, beat: float, rate_hz: float, bb: float, br: float, rr: float) -> None:
        """Become with probability `turned` whatever player is usual, who has the line of all (mean, covariance)."""
        new_share = (1.0 - turned) * self.share + turned * self._usual
        other = turned * self._usual / new_share
        own = 1.0 - other
        off, rate_off = self.beat - beat, self.rate_hz - rate_hz
        self.share = new_share
        self.beat, self.rate_hz = beat + own * off, rate_hz + own * rate_off
        self.bb = own * self.bb + other * (bb + own * off * off)
        self.br = own * self.br + other * (br + own * off * rate_off)
        self.rr = own * self.rr + other * (rr + own * rate_off * rate_off)

    def move(self, dt: float, walk: float, phase_walk: float) -> None:
        """Go on by dt seconds; `walk` is the rate's variance after a second, `phase_walk` that of the beat after dt."""
        self.beat += self.rate_hz * dt
        self.bb += 2 * dt * self.br + dt * dt * self.rr + walk * dt**3 / 3 + phase_walk
        self.br += dt * self.rr + walk * dt * dt / 2
        self.rr += walk * dt

    def likely(self, beat: float, lag: float, noise: float) -> float:
        """Density of a peak that stands for a beat, `lag` seconds ago, seen with that variance (beats^2)."""
        variance = self.bb - 2 * lag * self.br + lag * lag * self.rr + noise
        miss = beat - (self.beat - self.rate_hz * lag)
        return math.exp(-0.5 * miss * miss / variance) / math.sqrt(2 * math.pi * variance)

    def bend(self, beat: float, lag: float, noise: float) -> None:
        miss = beat - (self.beat - self.rate_hz * lag)
        seen_b, seen_r = self.bb - lag * self.br, self.br - lag * self.rr
        total = seen_b - lag * seen_r + noise
        gain_beat, gain_rate = seen_b / total, seen_r / total
        self.beat += gain_beat * miss
        self.rate_hz += gain_rate * miss
        self.bb -= gain_beat * seen_b
        self.br -= gain_beat * seen_r
        self.rr -= gain_rate * seen_r
