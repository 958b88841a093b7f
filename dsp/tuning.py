"""Estimates the tuning of the musician: cents relative to A 440, from the peaks of the spectrum.

One instance holds the memory of one stream. Knows no notes and no chords: a deviation is that from the
nearest semitone, so half a semitone off is the most that there is, and a guitar a half-step down is in another key.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import raw_memory as _raw_memory
from .features import FeatureExtractor
from .raw_memory import cached_function

REFERENCE_HZ = 440.0
LOWEST_TUNING_HZ, HIGHEST_TUNING_HZ = 392.0, 494.0
"""A whole tone below and above: what is further off is another key."""

_WINDOW_SAMPLES = 8192
_LOW_HZ, _HIGH_HZ = 130.0, 1000.0
"""Below, a bin is wider than the deviations that are looked for; above, overtones are no longer in tune with notes."""
_QUIET = 10.0 ** (-60.0 / 20.0)
_STANDS_OUT = 0.15
"""Of the strongest peak."""
_MEMORY_FRAMES = 300.0
_ENOUGH_FRAMES = 40.0
_ENOUGH_AGREEMENT = 0.5
"""Length of the mean of the deviations as directions on a circle of one semitone: 1 where all are the same."""
_IN_TUNE_CENTS = 5.0
"""So near to A 440 nobody is followed: what is left of it is the measurement's."""
_CENTS_A_FRAME = 0.3
_STEP_CENTS = 2.0


def cents_of(tuning_hz: float) -> float:
    """How far that A is above 440 Hz."""
    return 1200.0 * math.log2(tuning_hz / REFERENCE_HZ)


@cached_function(__file__, _raw_memory.__file__)("UniTuple(f8, 3)(f4[::1], i8, i8, f8)")
def _deviation(spectrum, first, last, bins_hz):
    """(real, imaginary, 1) of the mean deviation from the semitones of peaks in bins `first` to `last`, as a direction
    on a circle of one semitone; (0, 0, 0) where nothing stands out."""
    scale = np.float32(4.0 / _WINDOW_SAMPLES)
    top = np.float32(0.0)
    for k in range(first, last + 1):
        top = max(top, spectrum[k] * scale)
    if not top > _QUIET:  # a chunk that is not finite is none either
        return 0.0, 0.0, 0.0
    real = imaginary = weight = 0.0
    least = np.float32(_STANDS_OUT) * top
    for k in range(first, last + 1):
        below, here, above = spectrum[k - 1] * scale, spectrum[k] * scale, spectrum[k + 1] * scale
        if here > below and here >= above and here > least:
            left, mid, right = math.log(below + 1e-9), math.log(here + 1e-9), math.log(above + 1e-9)
            offset = 0.5 * (left - right) / (left - 2.0 * mid + right - 1e-12)
            turns = 12.0 * math.log2((k + offset) * bins_hz / REFERENCE_HZ)
            real += here * math.cos(2.0 * math.pi * turns)
            imaginary += here * math.sin(2.0 * math.pi * turns)
            weight += here
    if weight == 0.0:
        return 0.0, 0.0, 0.0
    return real / weight, imaginary / weight, 1.0


class TuningFollower:
    """Spectra in, cents out. `cents` is the present answer. One thread at a time (the inference thread)."""

    def __init__(self, rate_hz: int) -> None:
        self._bins_hz = rate_hz / _WINDOW_SAMPLES
        self._first, self._last = round(_LOW_HZ / self._bins_hz), round(_HIGH_HZ / self._bins_hz)
        self._fixed_cents: float | None = None
        self.reset()

    def reset(self) -> None:
        """Forget what was heard. A tuning that was fixed stays."""
        self._sum = 0.0 + 0.0j
        self._weight = 0.0
        self._target = self._now = self._fixed_cents or 0.0

    def fix(self, tuning_hz: float | None) -> None:
        """A is this many Hz from now on; None: as it is heard. Raises ValueError outside 392 to 494 Hz."""
        if tuning_hz is not None and not LOWEST_TUNING_HZ <= tuning_hz <= HIGHEST_TUNING_HZ:
            raise ValueError(f"tuning {tuning_hz:g} Hz: give {LOWEST_TUNING_HZ:g} to {HIGHEST_TUNING_HZ:g} for A")
        self._fixed_cents = None if tuning_hz is None else cents_of(tuning_hz)
        if self._fixed_cents is not None:
            self._target = self._now = self._fixed_cents

    @property
    def cents(self) -> float:
        """Beside A 440, in steps of two where it is heard: what notes and filters follow."""
        if self._fixed_cents is not None:
            return self._fixed_cents
        return round(self._now / _STEP_CENTS) * _STEP_CENTS

    @property
    def tuning_hz(self) -> float:
        return REFERENCE_HZ * 2.0 ** (self.cents / 1200.0)

    def hear(self, spectrum: NDArray[np.float32], sounding: bool) -> None:
        """One chunk, as FeatureExtractor.spectrum gives it. While notes are `sounding` they glide to the musician's
        tuning; else it is taken at once."""
        if self._fixed_cents is None:
            self._measure(spectrum)
            away = self._target - self._now
            self._now += away if not sounding else min(max(away, -_CENTS_A_FRAME), _CENTS_A_FRAME)

    def _measure(self, spectrum: NDArray[np.float32]) -> None:
        real, imaginary, found = _deviation(spectrum, self._first, self._last, self._bins_hz)
        if not found:
            return
        keep = 1.0 - 1.0 / _MEMORY_FRAMES
        self._sum = keep * self._sum + complex(real, imaginary)
        self._weight = keep * self._weight + 1.0
        if self._weight < _ENOUGH_FRAMES or abs(self._sum) < _ENOUGH_AGREEMENT * self._weight:
            return
        cents = 100.0 * float(np.angle(self._sum)) / (2.0 * math.pi)
        if abs(self._target) > 30.0 and abs(cents - self._target) > 60.0:
            cents += math.copysign(100.0, self._target)  # a quarter tone is as near to one side as to the other: stay
        self._target = 0.0 if abs(cents) < _IN_TUNE_CENTS else cents


class TunedFeatures:
    """Features of a stream as if its musician played at A 440, whatever their tuning. One thread at a time."""

    def __init__(self, rate_hz: int) -> None:
        self.extractor = FeatureExtractor()
        """That of A 440."""
        self._tuning = TuningFollower(rate_hz)
        self._cents = 0.0
        self._in_tune = self.extractor

    def reset(self) -> None:
        """Forget what was heard. A tuning that was fixed stays."""
        self._tuning.reset()

    def fix(self, tuning_hz: float | None) -> None:
        """A is this many Hz from now on; None: as it is heard. Raises ValueError outside 392 to 494 Hz."""
        self._tuning.fix(tuning_hz)

    @property
    def tuning_hz(self) -> float:
        return self._tuning.tuning_hz

    @property
    def cents(self) -> float:
        """Beside A 440, as the last chunk was heard."""
        return self._cents

    def frame(self, chunk: NDArray[np.float32], sounding: bool) -> NDArray[np.float32]:
        """Float32 [size] of one chunk; `sounding` as in `TuningFollower.hear`."""
        spectrum = self.extractor.spectrum(chunk)
        self._tuning.hear(spectrum, sounding)
        cents = self._tuning.cents
        if cents != self._cents:
            self._cents = cents
            self._in_tune = self.extractor.tuned(cents)
        return self._in_tune.frame(chunk, spectrum)
