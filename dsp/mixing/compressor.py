"""A gentle compressor: feed-forward, soft knee, both sides by one gain, no look-ahead and no delay of the sound.

The level is measured over 16 samples at a time, as peak or as RMS; threshold, knee and ratio work in decibels, then
attack and release smooth the gain reduction (the log-domain design of Giannoulis, Massberg and Reiss, "Digital dynamic
range compressor design", JAES 60, 2012). Between two measurements the gain moves in a straight line, so it answers at
most 32 samples late. Measurements lie on a grid of the stream: the same however the sound is cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import types
from numpy.typing import NDArray

from .. import raw_memory as _raw_memory
from ..raw_memory import cached_cfunc, load_f32, load_f64, realtime, store_f32, store_f64
from . import guards as _guards
from .guards import sane

Array = NDArray[np.float32]
GRID = 16
"""Samples from one measurement of the level to the next."""
_SILENT_DB = -120.0
# Words of the state, float64.
(
    _THRESHOLD, _KNEE, _SLOPE, _ATTACK, _RELEASE, _MAKE_UP, _RMS,
    _PEAK, _SQUARE, _POWER, _PHASE, _REDUCTION, _GAIN, _STEP,
) = range(14)  # fmt: skip
_WORDS = 14


@realtime
def reduction_of(state, level_db):
    """How far a level is brought down, dB >= 0."""
    knee = load_f64(state, _KNEE)
    over = level_db - load_f64(state, _THRESHOLD)
    slope = load_f64(state, _SLOPE)
    if 2.0 * over <= -knee:
        return 0.0
    if 2.0 * over < knee:
        return slope * (over + 0.5 * knee) ** 2 / (2.0 * knee)
    return slope * over


@realtime
def measure(state, peak, square):
    """The end of one stretch of the grid: sets the step to the gain at the end of the next one."""
    rms = load_f64(state, _RMS)
    power = peak * peak
    if rms > 0.0:
        power = load_f64(state, _POWER) + rms * (square / GRID - load_f64(state, _POWER))
        if power < 1e-24:
            power = 0.0
        store_f64(state, _POWER, power)
    level_db = _SILENT_DB
    if power > 1e-12:
        level_db = 10.0 * math.log10(power)
    wanted = reduction_of(state, level_db)
    now = load_f64(state, _REDUCTION)
    share = load_f64(state, _ATTACK) if wanted > now else load_f64(state, _RELEASE)
    now += share * (wanted - now)
    if now < 1e-4:
        now = 0.0
    store_f64(state, _REDUCTION, now)
    gain = math.exp((load_f64(state, _MAKE_UP) - now) * 0.11512925464970229)
    store_f64(state, _STEP, (gain - load_f64(state, _GAIN)) / GRID)


@cached_cfunc(__file__, _guards.__file__, _raw_memory.__file__)(types.void(*(types.int64,) * 4))
def _compress(state, left, right, count):
    """[count] samples at `left` and `right`, in place."""
    done = 0
    while done < count:
        phase = np.int64(load_f64(state, _PHASE))
        size = min(GRID - phase, count - done)
        peak, square = load_f64(state, _PEAK), load_f64(state, _SQUARE)
        gain, step = load_f64(state, _GAIN), load_f64(state, _STEP)
        for i in range(size):
            one, two = sane(load_f32(left, done + i)), sane(load_f32(right, done + i))
            peak = max(peak, np.float64(max(abs(one), abs(two))))
            square += np.float64(one * one + two * two)
            now = np.float32(gain + step * (phase + i + 1))
            store_f32(left, done + i, now * one)
            store_f32(right, done + i, now * two)
        phase += size
        done += size
        if phase == GRID:
            store_f64(state, _GAIN, gain + step * GRID)
            measure(state, peak, 0.5 * square)
            phase, peak, square = np.int64(0), 0.0, 0.0
        store_f64(state, _PEAK, peak)
        store_f64(state, _SQUARE, square)
        store_f64(state, _PHASE, np.float64(phase))


@dataclass(frozen=True, slots=True)
class Compression:
    """What a compressor shall do. Any thread."""

    threshold_db: float = -18.0
    ratio: float = 1.0
    """1 does nothing."""
    knee_db: float = 10.0
    attack_ms: float = 10.0
    release_ms: float = 120.0
    make_up_db: float = 0.0
    rms_ms: float = 0.0
    """Over how long the level is averaged; 0: the peak."""

    def reduction_db(self, level_db: float) -> float:
        """How far a steady level is brought down."""
        over, slope = level_db - self.threshold_db, 1.0 - 1.0 / self.ratio
        if 2.0 * over <= -self.knee_db:
            return 0.0
        if 2.0 * over < self.knee_db:
            return slope * (over + 0.5 * self.knee_db) ** 2 / (2.0 * self.knee_db)
        return slope * over


class Compressor:
    """Compresses one part's stereo sound, block by block. One thread at a time."""

    def __init__(self, rate_hz: int, compression: Compression | None = None) -> None:
        self._rate_hz = rate_hz
        self._state = np.zeros(_WORDS, np.float64)
        self._address = self._state.ctypes.data  # asked for once: asking takes as long as the call
        self._set = Compression()
        self.set(compression or self._set)
        self.reset()

    def set(self, compression: Compression) -> None:
        """From the next measurement on: the gain moves there by attack and release, without a click."""
        state, grid_ms = self._state, 1000.0 * GRID / self._rate_hz
        state[_THRESHOLD], state[_KNEE] = compression.threshold_db, max(1e-6, compression.knee_db)
        state[_SLOPE] = 1.0 - 1.0 / max(1.0, compression.ratio)
        state[_ATTACK] = 1.0 - math.exp(-grid_ms / max(1e-3, compression.attack_ms))
        state[_RELEASE] = 1.0 - math.exp(-grid_ms / max(1e-3, compression.release_ms))
        state[_MAKE_UP] = compression.make_up_db
        state[_RMS] = 0.0 if compression.rms_ms <= 0.0 else 1.0 - math.exp(-grid_ms / compression.rms_ms)
        self._set = compression

    @property
    def idle(self) -> bool:
        """Whether what comes in goes out as it is."""
        state = self._state
        return self._set.ratio <= 1.0 and self._set.make_up_db == 0.0 and state[_GAIN] == 1.0 and state[_STEP] == 0.0

    @property
    def reduction_db(self) -> float:
        """By how much the sound is brought down now."""
        return float(self._state[_REDUCTION])

    def process(self, sound: Array) -> None:
        """float32 [2, n], in place, C-contiguous."""
        left, count = sound.ctypes.data, sound.shape[1]
        _compress.ctypes(self._address, left, left + sound.itemsize * count, count)

    def reset(self) -> None:
        """As new, with the same settings."""
        self._state[_PEAK:] = 0.0
        self._state[_GAIN] = 10.0 ** (self._set.make_up_db / 20.0)
