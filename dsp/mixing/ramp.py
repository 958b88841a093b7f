"""Values that glide: coefficients of compiled loops that move in a straight line to where they are asked to.

Knows no sound. One thread at a time. A glide is counted in samples, so that it is the same however the sound is cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..raw_memory import load_f64, realtime, store_f64

DONE = 0
"""Samples of the glide that are behind us."""
LENGTH = 1
_VALUES = 2
GLIDE_MS = 30.0


@realtime
def ramp_value(ramp, count, place, done):
    """Value number `place` of `count`, `done` samples into the glide (address of a Ramp's words)."""
    from_value = load_f64(ramp, _VALUES + place)
    to_value = load_f64(ramp, _VALUES + count + place)
    length = load_f64(ramp, LENGTH)
    if done >= length:
        return to_value
    return from_value + (to_value - from_value) * (done / length)


@realtime
def ramp_advance(ramp, samples):
    """So many samples went by."""
    store_f64(ramp, DONE, min(load_f64(ramp, LENGTH), load_f64(ramp, DONE) + samples))


class Ramp:
    """Some float64 values that glide together. One thread at a time."""

    def __init__(self, values: tuple[float, ...], rate_hz: int) -> None:
        self._count = len(values)
        self._samples = max(1, round(GLIDE_MS * rate_hz / 1000.0))
        self.words: NDArray[np.float64] = np.zeros(_VALUES + 2 * self._count, np.float64)
        self.address = int(self.words.ctypes.data)
        self._wanted = values
        self.jump(values)

    def jump(self, values: tuple[float, ...]) -> None:
        """There at once."""
        self._wanted = values
        self.words[DONE] = self.words[LENGTH] = 0.0
        self.words[_VALUES : _VALUES + self._count] = values
        self.words[_VALUES + self._count :] = values

    def glide(self, values: tuple[float, ...]) -> None:
        """Move there from where it is now; nothing happens where it is on its way there already."""
        if values == self._wanted:
            return
        done, length = self.words[DONE], self.words[LENGTH]
        share = 1.0 if done >= length else done / length
        first = self.words[_VALUES : _VALUES + self._count]
        last = self.words[_VALUES + self._count :]
        first += (last - first) * share
        last[:] = values
        self.words[DONE], self.words[LENGTH] = 0.0, float(self._samples)
        self._wanted = values

    @property
    def gliding(self) -> bool:
        return bool(self.words[DONE] < self.words[LENGTH])
