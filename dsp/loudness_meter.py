"""Loudness by ITU-R BS.1770-4 (and EBU Tech 3341): momentary, short-term, integrated with both gates, in LUFS.

Knows no parts. One thread at a time per meter. Mono counts as one channel; left and right weigh 1 each. The K-weighting
is that of the standard at 48 kHz, carried to other rates by its analogue prototypes (as libebur128 does: the formulas
are those of the bilinear transform, the constants the standard's).
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numpy.typing import NDArray

from . import raw_memory as _raw_memory
from .raw_memory import cached_cfunc, load_f32, load_f64, store_f64

SILENT_LUFS = -120.0
"""What silence reads as."""
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
_OFFSET_DB = -0.691
_STEP_S = 0.1
_MOMENTARY_STEPS, _SHORT_STEPS = 4, 30
_SHELF = (1681.974450955533, 3.999843853973347, 0.7071752369554196)
_HIGHPASS = (38.13547087602444, 0.5003270373238773)
_COEFFICIENTS = 10
_STATES = 4


@cached_cfunc(__file__, _raw_memory.__file__)(types.float64(*(types.int64,) * 4))
def _power(coefficients, state, samples, count):
    """Sum of the squares of float32 [count] through two biquads, in transposed form."""
    b0, b1, b2 = load_f64(coefficients, 0), load_f64(coefficients, 1), load_f64(coefficients, 2)
    a1, a2 = load_f64(coefficients, 3), load_f64(coefficients, 4)
    d0, d1, d2 = load_f64(coefficients, 5), load_f64(coefficients, 6), load_f64(coefficients, 7)
    c1, c2 = load_f64(coefficients, 8), load_f64(coefficients, 9)
    s1, s2, t1, t2 = load_f64(state, 0), load_f64(state, 1), load_f64(state, 2), load_f64(state, 3)
    total = 0.0
    for i in range(count):
        x = np.float64(load_f32(samples, i))
        y = b0 * x + s1
        s1 = b1 * x - a1 * y + s2
        s2 = b2 * x - a2 * y
        z = d0 * y + t1
        t1 = d1 * y - c1 * z + t2
        t2 = d2 * y - c2 * z
        total += z * z
    for place, value in ((0, s1), (1, s2), (2, t1), (3, t2)):
        store_f64(state, place, value if abs(value) > 1e-30 else 0.0)
    return total


def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """Shelf and highpass at a rate: b0 b1 b2 a1 a2 of each, float64 [10]."""
    frequency, gain_db, quality = _SHELF
    k = math.tan(math.pi * frequency / rate_hz)
    high = 10.0 ** (gain_db / 20.0)
    band = high**0.4996667741545416
    a0 = 1.0 + k / quality + k * k
    shelf = (
        (high + band * k / quality + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - band * k / quality + k * k) / a0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / quality + k * k) / a0,
    )
    frequency, quality = _HIGHPASS
    k = math.tan(math.pi * frequency / rate_hz)
    a0 = 1.0 + k / quality + k * k
    highpass = (1.0, -2.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0)
    return np.array((*shelf, *highpass), np.float64)


def lufs_of_power(power: float) -> float:
    """Loudness of a K-weighted mean square, summed over channels; SILENT_LUFS at least."""
    return max(SILENT_LUFS, _OFFSET_DB + 10.0 * math.log10(power)) if power > 0.0 else SILENT_LUFS


class LoudnessMeter:
    """A stream in, its loudness out. Keeps ten numbers for each second. One thread at a time."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._step = round(_STEP_S * rate_hz)
        self._coefficients = k_weighting(rate_hz)
        self._states = np.zeros((channels, _STATES), np.float64)
        self._sum = 0.0
        self._filled = 0
        self._powers: list[float] = []  # of each whole step, summed over channels

    def push(self, samples: NDArray[np.float32]) -> None:
        """float32 [n] or [channels, n], finite; pieces of any size give the same as the whole."""
        rows = np.ascontiguousarray(np.atleast_2d(samples), np.float32)
        if rows.shape[0] != len(self._states):
            raise ValueError(f"a meter of {len(self._states)} channels was given {rows.shape[0]}")
        done, count = 0, rows.shape[1]
        while done < count:
            take = min(self._step - self._filled, count - done)
            for row, state in zip(rows, self._states, strict=True):
                self._sum += _power.ctypes(
                    self._coefficients.ctypes.data, state.ctypes.data, row.ctypes.data + 4 * done, take
                )
            self._filled += take
            done += take
            if self._filled == self._step:
                self._powers.append(self._sum / self._step)
                self._sum, self._filled = 0.0, 0

    @property
    def momentary_lufs(self) -> float:
        """Of the last 400 ms."""
        return self._last(_MOMENTARY_STEPS)

    @property
    def short_term_lufs(self) -> float:
        """Of the last three seconds."""
        return self._last(_SHORT_STEPS)

    @property
    def integrated_lufs(self) -> float:
        """Of all that came, both gates on; SILENT_LUFS where nothing passes them, or nothing is 400 ms long."""
        powers = np.array(self._powers, np.float64)
        if len(powers) < _MOMENTARY_STEPS:
            return SILENT_LUFS
        blocks = np.convolve(powers, np.full(_MOMENTARY_STEPS, 1.0 / _MOMENTARY_STEPS), "valid")
        loud = blocks[blocks > _power_of_lufs(ABSOLUTE_GATE_LUFS)]
        if not len(loud):
            return SILENT_LUFS
        gate = _power_of_lufs(lufs_of_power(float(loud.mean())) + RELATIVE_GATE_LU)
        return lufs_of_power(float(loud[loud > gate].mean()))

    def _last(self, steps: int) -> float:
        recent = self._powers[-steps:]
        return lufs_of_power(sum(recent) / len(recent)) if len(recent) == steps else SILENT_LUFS


def integrated_lufs(samples: NDArray[np.float32], rate_hz: int) -> float:
    """Integrated loudness of float32 [n] or [channels, n]."""
    rows = np.atleast_2d(samples)
    meter = LoudnessMeter(rate_hz, rows.shape[0])
    meter.push(rows)
    return meter.integrated_lufs


def _power_of_lufs(lufs: float) -> float:
    return float(10.0 ** ((lufs - _OFFSET_DB) / 10.0))
