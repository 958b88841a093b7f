"""A part's place: trim, pan and width, and how much of it goes to the room. Streaming, no delay.

Knows nothing of parts. Pan is a balance of constant power, 1 for each side in the middle, so that a part in the middle
is what it was. Width scales the difference of the two sides: 0 is mono, 1 as it came. `spread` makes a difference for
sound that has none: the sum passed through two allpasses (Schroeder 1962), its lows cut, added to the left and taken
from the right (Lauridsen's pseudo-stereo; Orban 1970). What is added to one side is taken from the other: the mono sum
never changes with width or spread.
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
from . import ramp as _ramp
from .guards import sane, settled
from .ramp import DONE, LENGTH, Ramp, ramp_advance, ramp_value

Array = NDArray[np.float32]
SPREAD_DELAYS_MS = (7.3, 11.9)
SPREAD_GAIN = 0.5
SPREAD_LOW_CUT_HZ = 300.0
_VALUES = 6  # left from left, left from right, right from left, right from right, spread, send
# Words of the state, float64.
_PLACE_1, _PLACE_2, _LENGTH_1, _LENGTH_2, _CUT, _LOW_1, _LOW_2, _SPREADS = range(8)
_WORDS = 8


@realtime
def allpass(memory, side, count):
    """A stretch of `side` through Schroeder's allpass, in place; its oldest samples are at `memory`."""
    gain = np.float32(SPREAD_GAIN)
    for i in range(count):
        old = load_f32(memory, i)
        new = load_f32(side, i) - gain * old
        store_f32(memory, i, sane(new))
        store_f32(side, i, old + gain * new)


@realtime
def cut_lows(state, side, count):
    """Two one-pole highpasses: what is low stays in the middle."""
    low_1, low_2 = load_f64(state, _LOW_1), load_f64(state, _LOW_2)
    cut = load_f64(state, _CUT)
    keep = 1.0 - cut
    for i in range(count):
        sample = np.float64(load_f32(side, i))
        low_1 = keep * low_1 + cut * sample
        low_2 = keep * low_2 + cut * (sample - low_1)
        store_f32(side, i, sane(np.float32(sample - low_1 - low_2)))
    store_f64(state, _LOW_1, settled(low_1))
    store_f64(state, _LOW_2, settled(low_2))


@realtime
def spread_sides(state, lines, left, right, side, count):
    """The made difference of [count] samples, written to `side`."""
    for i in range(count):
        store_f32(side, i, np.float32(0.5) * (sane(load_f32(left, i)) + sane(load_f32(right, i))))
    length_1, length_2 = np.int64(load_f64(state, _LENGTH_1)), np.int64(load_f64(state, _LENGTH_2))
    first, second = np.int64(load_f64(state, _PLACE_1)), np.int64(load_f64(state, _PLACE_2))
    done = 0
    while done < count:
        take = min(count - done, min(length_1 - first, length_2 - second))
        allpass(lines + 4 * first, side + 4 * done, take)
        allpass(lines + 4 * (length_1 + second), side + 4 * done, take)
        first = np.int64(first + take if first + take < length_1 else 0)
        second = np.int64(second + take if second + take < length_2 else 0)
        done += take
    store_f64(state, _PLACE_1, np.float64(first))
    store_f64(state, _PLACE_2, np.float64(second))
    cut_lows(state, side, count)


@realtime
def place_steady(ramp, left, right, side, count):
    """One matrix for all samples. At `side` stands the made difference, and then what goes to the room."""
    end = load_f64(ramp, LENGTH)
    ll, lr = np.float32(ramp_value(ramp, _VALUES, 0, end)), np.float32(ramp_value(ramp, _VALUES, 1, end))
    rl, rr = np.float32(ramp_value(ramp, _VALUES, 2, end)), np.float32(ramp_value(ramp, _VALUES, 3, end))
    spread, sent = np.float32(ramp_value(ramp, _VALUES, 4, end)), np.float32(ramp_value(ramp, _VALUES, 5, end))
    for i in range(count):
        one, two, more = sane(load_f32(left, i)), sane(load_f32(right, i)), spread * load_f32(side, i)
        store_f32(left, i, sane((ll * one + lr * two) + more))
        store_f32(right, i, sane((rl * one + rr * two) - more))
        store_f32(side, i, sane(sent * (one + two)))


@realtime
def place_moving(ramp, left, right, side, count):
    """The same while the matrix moves."""
    done = load_f64(ramp, DONE)
    for i in range(count):
        at = done + i
        ll, lr = np.float32(ramp_value(ramp, _VALUES, 0, at)), np.float32(ramp_value(ramp, _VALUES, 1, at))
        rl, rr = np.float32(ramp_value(ramp, _VALUES, 2, at)), np.float32(ramp_value(ramp, _VALUES, 3, at))
        spread, sent = np.float32(ramp_value(ramp, _VALUES, 4, at)), np.float32(ramp_value(ramp, _VALUES, 5, at))
        one, two, more = sane(load_f32(left, i)), sane(load_f32(right, i)), spread * load_f32(side, i)
        store_f32(left, i, sane((ll * one + lr * two) + more))
        store_f32(right, i, sane((rl * one + rr * two) - more))
        store_f32(side, i, sane(sent * (one + two)))


SOURCES = (__file__, _guards.__file__, _ramp.__file__, _raw_memory.__file__)


@cached_cfunc(*SOURCES)(types.void(*(types.int64,) * 7))
def _place(state, ramp, lines, left, right, side, count):
    """[count] at `left` and `right` in place; what goes to the room at `side`."""
    if load_f64(state, _SPREADS) != 0.0:
        spread_sides(state, lines, left, right, side, count)
    else:
        for i in range(count):
            store_f32(side, i, np.float32(0.0))
    if load_f64(ramp, DONE) >= load_f64(ramp, LENGTH):
        place_steady(ramp, left, right, side, count)
    else:
        place_moving(ramp, left, right, side, count)
    ramp_advance(ramp, np.float64(count))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part stands. Any thread."""

    trim_db: float = 0.0
    pan: float = 0.0
    """-1 left, 1 right."""
    width: float = 1.0
    """0 mono, 1 as it came."""
    spread: float = 0.0
    """0 none, 1 as much difference as sum: for sound that comes in mono."""
    send: float = 0.0
    """Gain of what goes to the room."""

    def coefficients(self) -> tuple[float, ...]:
        """What the loop multiplies with."""
        gain = 10.0 ** (self.trim_db / 20.0)
        angle = (min(1.0, max(-1.0, self.pan)) + 1.0) * math.pi / 4.0
        left, right = gain * math.sqrt(2.0) * math.cos(angle), gain * math.sqrt(2.0) * math.sin(angle)
        same, other = 0.5 + 0.5 * self.width, 0.5 - 0.5 * self.width
        return (left * same, left * other, right * other, right * same, gain * self.spread, 0.5 * gain * self.send)


class Placer:
    """Puts one part's stereo sound in its place, block by block. One thread at a time."""

    def __init__(self, rate_hz: int, place: Place | None = None) -> None:
        lengths = [max(1, round(ms * rate_hz / 1000.0)) for ms in SPREAD_DELAYS_MS]
        self._lines = np.zeros(sum(lengths), np.float32)
        self._state = np.zeros(_WORDS, np.float64)
        self._addresses = self._state.ctypes.data, self._lines.ctypes.data
        self._state[_LENGTH_1], self._state[_LENGTH_2] = lengths
        self._state[_CUT] = 1.0 - math.exp(-2.0 * math.pi * SPREAD_LOW_CUT_HZ / rate_hz)
        place = place or Place()
        self._ramp = Ramp(place.coefficients(), rate_hz)
        self._spread(place)

    def jump(self, place: Place) -> None:
        """There at once: nobody hears it yet."""
        self._spread(place)
        self._ramp.jump(place.coefficients())

    def glide(self, place: Place) -> None:
        """There within GLIDE_MS, without a click."""
        self._spread(place)
        self._ramp.glide(place.coefficients())

    def process(self, sound: Array, send: Array) -> None:
        """float32 [2, n], in place, C-contiguous; what goes to the room is written to `send` [n]."""
        state, lines = self._addresses
        left, count = sound.ctypes.data, sound.shape[1]
        _place.ctypes(
            state, self._ramp.address, lines, left, left + sound.itemsize * count, send.ctypes.data, count
        )  # fmt: skip

    def reset(self) -> None:
        """As new, in its place."""
        self._lines.fill(0.0)
        self._state[[_PLACE_1, _PLACE_2, _LOW_1, _LOW_2]] = 0.0

    def _spread(self, place: Place) -> None:
        """Once a difference was wanted it goes on being made: it costs little, and stands ready."""
        if place.spread != 0.0:
            self._state[_SPREADS] = 1.0
