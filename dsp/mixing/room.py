"""A small room: a feedback delay network of eight lines with what it takes to sound like one. Streaming, no delay.

Mono in, left and right out. Four allpasses thicken the input (Dattorro, "Effect design, part 1", JAES 45, 1997); eight
delay lines of prime lengths, each with the gain that gives the decay asked for and a one-pole lowpass that lets highs
decay faster (Jot and Chaigne, AES convention 90, 1991), feed each other through a Hadamard matrix. Left and right are
sums of all lines with signs whose products cancel, so they have no common part, and their sum loses none: mono keeps
half of the lines at twice the level. Samples below -200 dB count as none, so every tail ends in exact silence.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numpy.typing import NDArray

from .. import raw_memory as _raw_memory
from ..raw_memory import cached_cfunc, load_f32, load_f64, load_i64, realtime, store_f32, store_f64, store_i64
from . import guards as _guards
from .guards import quiet, settled

Array = NDArray[np.float32]
LINES = 8
DIFFUSERS = 4
LINE_MS = (11.1, 13.3, 15.1, 17.3, 19.7, 22.3, 25.7, 29.3)
DIFFUSER_MS = (4.77, 3.60, 12.73, 9.31)
HIGHS_HZ = 5000.0
HIGHS_SHARE = 0.55
"""How long what lies there rings, as a share of the decay below."""
CHUNK = 128
_UNIT_DECAY_S = 0.175
"""The decay at which a unit of noise at 48 kHz sounds as a unit on either side; measured."""
_RINGS = LINES + DIFFUSERS
SLACK = 2048
"""So many samples go into every line's memory before all are moved back to its beginning."""
# Words of the integers: length of each line (delay lines, then diffusers), where its memory begins, the place in all of
# them, samples of silence.
_LENGTH, _START, _PLACE, _SILENT = 0, _RINGS, 2 * _RINGS, 2 * _RINGS + 1
_INTEGERS = 2 * _RINGS + 2
# Words of the floats, float64: of each line gain, share kept and state of its lowpass, then the low-cut and the level.
_GAIN, _KEEP, _LOW, _CUT, _LEVEL = 0, LINES, 2 * LINES, 3 * LINES, 3 * LINES + 1
_CUT_1, _CUT_2 = 3 * LINES + 2, 3 * LINES + 3
_FLOATS = 3 * LINES + 4


@realtime
def chunk_of(whole, count):
    """How many samples can be taken before the memory is full, or what goes in comes out of the shortest line."""
    size = min(min(count, CHUNK), SLACK - load_i64(whole, _PLACE))
    for line in range(_RINGS):
        size = min(size, load_i64(whole, _LENGTH + line))
    return size


@realtime
def oldest(whole, memory, line):
    """Address of the sample of a line that comes out next; what goes in stands its length further on."""
    return memory + 4 * (load_i64(whole, _START + line) + load_i64(whole, _PLACE))


@realtime
def cut_lows(floats, source, target, count):
    """Two one-pole highpasses: what makes a room boom stays out of it. Scales what goes in."""
    cut, first, second = load_f64(floats, _CUT), load_f64(floats, _CUT_1), load_f64(floats, _CUT_2)
    level = load_f64(floats, _LEVEL)
    for i in range(count):
        sample = level * np.float64(load_f32(source, i))
        first += cut * (sample - first)
        sample -= first
        second += cut * (sample - second)
        store_f32(target, i, quiet(np.float32(sample - second)))
    store_f64(floats, _CUT_1, settled(first))
    store_f64(floats, _CUT_2, settled(second))


@realtime
def diffuse(line, length, gain, chunk, count):
    """A chunk through an allpass whose oldest sample is at the address `line`, in place."""
    newest = line + 4 * length
    for i in range(count):
        old = load_f32(line, i)
        new = load_f32(chunk, i) - gain * old
        store_f32(newest, i, quiet(new))
        store_f32(chunk, i, old + gain * new)


@realtime
def butterfly(one, two, count):
    """Sum and difference of two rows, scaled so that energy stays."""
    share = np.float32(0.7071067811865476)
    for i in range(count):
        a, b = load_f32(one, i), load_f32(two, i)
        store_f32(one, i, share * (a + b))
        store_f32(two, i, share * (a - b))


@realtime
def damp_four(floats, memory, whole, rows, four, count):
    """What comes out of four lines from number `four` on, through their lowpasses, at their gains. Four at a time: each
    waits for its last sample, and the processor works on the others meanwhile."""
    a = oldest(whole, memory, four)
    b = oldest(whole, memory, four + 1)
    c = oldest(whole, memory, four + 2)
    d = oldest(whole, memory, four + 3)
    in_a, in_b = load_f64(floats, _GAIN + four), load_f64(floats, _GAIN + four + 1)
    in_c, in_d = load_f64(floats, _GAIN + four + 2), load_f64(floats, _GAIN + four + 3)
    keep_a, keep_b = load_f64(floats, _KEEP + four), load_f64(floats, _KEEP + four + 1)
    keep_c, keep_d = load_f64(floats, _KEEP + four + 2), load_f64(floats, _KEEP + four + 3)
    low_a, low_b = load_f64(floats, _LOW + four), load_f64(floats, _LOW + four + 1)
    low_c, low_d = load_f64(floats, _LOW + four + 2), load_f64(floats, _LOW + four + 3)
    at = rows + 4 * CHUNK * four
    for i in range(count):
        low_a = keep_a * low_a + in_a * np.float64(load_f32(a, i))
        low_b = keep_b * low_b + in_b * np.float64(load_f32(b, i))
        low_c = keep_c * low_c + in_c * np.float64(load_f32(c, i))
        low_d = keep_d * low_d + in_d * np.float64(load_f32(d, i))
        store_f32(at, i, quiet(np.float32(low_a)))
        store_f32(at, CHUNK + i, quiet(np.float32(low_b)))
        store_f32(at, 2 * CHUNK + i, quiet(np.float32(low_c)))
        store_f32(at, 3 * CHUNK + i, quiet(np.float32(low_d)))
    store_f64(floats, _LOW + four, settled(low_a))
    store_f64(floats, _LOW + four + 1, settled(low_b))
    store_f64(floats, _LOW + four + 2, settled(low_c))
    store_f64(floats, _LOW + four + 3, settled(low_d))


@realtime
def hear(rows, left, right, count):
    """Adds the rows to both sides, each with its own signs."""
    for i in range(count):
        a, b = load_f32(rows, i), load_f32(rows, CHUNK + i)
        c, d = load_f32(rows, 2 * CHUNK + i), load_f32(rows, 3 * CHUNK + i)
        e, f = load_f32(rows, 4 * CHUNK + i), load_f32(rows, 5 * CHUNK + i)
        g, h = load_f32(rows, 6 * CHUNK + i), load_f32(rows, 7 * CHUNK + i)
        store_f32(left, i, load_f32(left, i) + ((a - b) + (c - d)) + ((e - f) + (g - h)))
        store_f32(right, i, load_f32(right, i) + ((a + b) - (c + d)) + ((e + f) - (g + h)))


@realtime
def feed(memory, whole, rows, chunk, count):
    """The mixed rows and the new sound into the lines; whether any of it can be heard."""
    heard = 0
    for line in range(LINES):
        newest = oldest(whole, memory, line) + 4 * load_i64(whole, _LENGTH + line)
        row = rows + 4 * CHUNK * line
        for i in range(count):
            new = quiet(load_f32(row, i) + load_f32(chunk, i))
            store_f32(newest, i, new)
            if new != np.float32(0.0):
                heard = 1
    return heard


@realtime
def move_on(whole, memory, count):
    """Every line by so many samples; what they hold goes back to the beginning of their memory where that is full."""
    place = load_i64(whole, _PLACE) + count
    if place == SLACK:
        for line in range(_RINGS):
            start = memory + 4 * load_i64(whole, _START + line)
            for i in range(load_i64(whole, _LENGTH + line)):
                store_f32(start, i, load_f32(start, SLACK + i))
        place = 0
    store_i64(whole, _PLACE, place)


@cached_cfunc(__file__, _guards.__file__, _raw_memory.__file__)(types.void(*(types.int64,) * 8))
def _ring(whole, floats, memory, scratch, send, left, right, count):
    """[count] at `send` into the room; what it answers is added at `left` and `right`."""
    rows, chunk = scratch, scratch + 4 * LINES * CHUNK
    size = 4 * CHUNK
    done = 0
    while done < count:
        take = chunk_of(whole, count - done)
        at = 4 * done
        cut_lows(floats, send + at, chunk, take)
        for ring in range(LINES, _RINGS):
            gain = np.float32(0.75) if ring < LINES + 2 else np.float32(0.625)
            diffuse(oldest(whole, memory, ring), load_i64(whole, _LENGTH + ring), gain, chunk, take)
        damp_four(floats, memory, whole, rows, 0, take)
        damp_four(floats, memory, whole, rows, 4, take)
        hear(rows, left + at, right + at, take)
        for step in (4, 2, 1):
            for one in range(LINES):
                if one & step == 0:
                    butterfly(rows + size * one, rows + size * (one + step), take)
        heard = feed(memory, whole, rows, chunk, take)
        store_i64(whole, _SILENT, 0 if heard else load_i64(whole, _SILENT) + take)
        move_on(whole, memory, take)
        done += take


class Room:
    """One mono send to the sound of a room, block by block. One thread at a time."""

    def __init__(self, rate_hz: int, decay_s: float = 0.5, low_cut_hz: float = 160.0) -> None:
        self._rate_hz = rate_hz
        lengths = [_prime(ms * rate_hz / 1000.0) for ms in (*LINE_MS, *DIFFUSER_MS)]
        self._whole = np.zeros(_INTEGERS, np.int64)
        self._whole[_LENGTH:_START] = lengths
        self._whole[_START:_PLACE] = np.cumsum([0, *(length + SLACK for length in lengths[:-1])])
        self._memory = np.zeros(sum(lengths) + _RINGS * SLACK, np.float32)
        self._floats = np.zeros(_FLOATS, np.float64)
        self._scratch = np.zeros((LINES + 1) * CHUNK, np.float32)
        self._addresses = tuple(array.ctypes.data for array in (self._whole, self._floats, self._memory, self._scratch))
        self._floats[_CUT] = 1.0 - math.exp(-2.0 * math.pi * low_cut_hz / rate_hz)
        self._longest = max(lengths)
        self._whole[_SILENT] = self._longest
        self.set_decay(decay_s)

    def set_decay(self, decay_s: float) -> None:
        """How long it takes to fall by 60 dB, below HIGHS_HZ; what rings goes on from where it is."""
        self.decay_s = decay_s
        self._floats[_LEVEL] = math.sqrt(_UNIT_DECAY_S / decay_s)
        for line, length in enumerate(self._whole[_LENGTH : _LENGTH + LINES]):
            seconds = float(length) / self._rate_hz
            gain = 10.0 ** (-3.0 * seconds / decay_s)
            wanted = 10.0 ** (-3.0 * seconds / decay_s * (1.0 / HIGHS_SHARE - 1.0))
            keep = _share_kept(wanted, HIGHS_HZ / self._rate_hz)
            self._floats[_GAIN + line], self._floats[_KEEP + line] = gain * (1.0 - keep), keep

    @property
    def silent(self) -> bool:
        """Whether nothing rings: then silence in gives silence out, and need not be processed."""
        return bool(self._whole[_SILENT] >= self._longest)

    def add(self, send: Array, sound: Array) -> None:
        """`send` float32 [n], finite; the room's answer is added to `sound` [2, n], C-contiguous."""
        left = sound.ctypes.data
        _ring.ctypes(*self._addresses, send.ctypes.data, left, left + sound.itemsize * sound.shape[1], send.size)

    def reset(self) -> None:
        """Silence."""
        self._memory.fill(0.0)
        self._floats[_LOW:_CUT] = self._floats[_CUT_1:] = 0.0
        self._whole[_PLACE] = 0
        self._whole[_SILENT] = self._longest


def _share_kept(gain: float, frequency: float) -> float:
    """The q of `low = q * low + (1 - q) * x` whose gain at a frequency (of the rate) is the one wanted."""
    cosine, squared = math.cos(2.0 * math.pi * frequency), gain * gain
    # |H|^2 = p^2 / (1 + q^2 - 2 q cos w) with p = 1 - q: a quadratic in q.
    a, b = 1.0 - squared, 2.0 * squared * cosine - 2.0
    root = math.sqrt(max(0.0, b * b - 4.0 * a * a)) if a > 1e-12 else 0.0
    q = (-b - root) / (2.0 * a) if a > 1e-12 else 0.0
    return min(max(q, 0.0), 0.999)


def _prime(number: float) -> int:
    """The first prime from there on."""
    candidate = max(2, math.ceil(number))
    while any(candidate % divisor == 0 for divisor in range(2, math.isqrt(candidate) + 1)):
        candidate += 1
    return candidate
