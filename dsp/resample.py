"""Streaming resampling by a rational ratio: a polyphase FIR whose delay is a whole number of host samples.

Knows neither frames nor sound cards. One thread at a time per resampler; the inner loop is compiled, allocates nothing
and runs without the interpreter lock.

The prototype is a Kaiser-windowed lowpass at the common multiple of the two rates: flat to 27/32 of the lower rate's
half (13.5 kHz of 16), closed above that half. Output m stands at time m / rate_out of the input, less the delay:
after n input samples there are exactly ceil(n * up / down) output samples, however the input was cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from .raw_memory import (
    cached_cfunc,
    load_f32,
    load_i64,
    store_f32,
    store_i64,
)

PASSBAND_SHARE = 27.0 / 32.0
"""End of the passband as a share of the lower rate's half."""
STOPBAND_DB = 86.0
MAX_TERM = 1024
"""The reduced ratio's larger side: beyond it the filter bank would grow out of a cache (and no sound card asks it)."""

# Words of a stream's state.
_SKIP = 0  # input samples still to pass before the next output's newest one
_PHASE = 1
_STATE_WORDS = 2


@njit(error_model="numpy", nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _dot(bank, row, history, first, taps):
    total = np.float32(0.0)
    for k in range(taps):
        total += load_f32(bank, row + k) * load_f32(history, first + k)
    return total


@cached_cfunc(__file__)(types.int64(*(types.int64,) * 8))
def _filter(state, bank, history, count, out, taps, up, down):
    """Make every output that `count` new samples (after taps - 1 old ones, at `history`) allow; returns how many."""
    newest = load_i64(state, _SKIP)
    phase = load_i64(state, _PHASE)
    made = 0
    while newest < count:
        store_f32(out, made, _dot(bank, phase * taps, history, newest, taps))
        made += 1
        phase += down
        newest += phase // up
        phase %= up
    store_i64(state, _SKIP, newest - count)
    store_i64(state, _PHASE, phase)
    return made


@dataclass(frozen=True)
class _Design:
    up: int
    down: int
    taps: int
    """Of each phase."""
    bank: NDArray[np.float32]
    """[up, taps], oldest sample first."""
    centre: int
    """Delay at the common multiple of the rates."""


@lru_cache(maxsize=16)
def _design(rate_in_hz: int, rate_out_hz: int, whole_in: bool) -> _Design:
    """`whole_in`: the delay is a whole number of input samples, else of output samples."""
    common = math.gcd(rate_in_hz, rate_out_hz)
    up, down = rate_out_hz // common, rate_in_hz // common
    if max(up, down) > MAX_TERM:
        raise ValueError(f"no resampling from {rate_in_hz} to {rate_out_hz} Hz: their ratio is {up}/{down}")
    rate_hz = rate_in_hz * up
    stop_hz = min(rate_in_hz, rate_out_hz) / 2.0
    pass_hz = PASSBAND_SHARE * stop_hz
    width = 2.0 * math.pi * (stop_hz - pass_hz) / rate_hz
    grain = up if whole_in else down
    centre = grain * math.ceil(((STOPBAND_DB - 7.95) / (2.285 * width)) / 2.0 / grain)
    n = np.arange(2 * centre + 1) - centre
    cutoff = (pass_hz + stop_hz) / rate_hz  # as a share of half the common rate
    prototype = cutoff * np.sinc(cutoff * n) * np.kaiser(n.size, 0.1102 * (STOPBAND_DB - 8.7))
    taps = math.ceil(prototype.size / up)
    padded = np.zeros(taps * up)
    padded[: prototype.size] = prototype
    phases = padded.reshape(taps, up).T
    phases = phases / phases.sum(axis=1, keepdims=True)  # every phase passes DC alike: no whistle from the phases
    bank = np.ascontiguousarray(phases[:, ::-1], np.float32)
    bank.setflags(write=False)
    return _Design(up, down, taps, bank, centre)


class Resampler:
    """One mono stream from `rate_in_hz` to `rate_out_hz`; state is carried from block to block.

    `host_rate_hz` (one of the two; the input's by default) is the rate at which the delay is a whole number of samples.
    Equal rates copy, without delay. Raises ValueError for rates below 1 or a ratio with terms over 1024.
    """

    def __init__(
        self, rate_in_hz: int, rate_out_hz: int, max_block_samples: int = 8192, host_rate_hz: int | None = None
    ) -> None:
        if min(rate_in_hz, rate_out_hz, max_block_samples) < 1:
            raise ValueError(f"cannot resample from {rate_in_hz} to {rate_out_hz} Hz in blocks of {max_block_samples}")
        if host_rate_hz not in (None, rate_in_hz, rate_out_hz):
            raise ValueError(f"the host rate is {rate_in_hz} or {rate_out_hz} Hz, not {host_rate_hz}")
        self.rate_in_hz, self.rate_out_hz = int(rate_in_hz), int(rate_out_hz)
        self.max_block_samples = int(max_block_samples)
        whole_in = host_rate_hz in (None, rate_in_hz)
        self._design = None if rate_in_hz == rate_out_hz else _design(self.rate_in_hz, self.rate_out_hz, whole_in)
        design = self._design
        self._ratio = Fraction(self.rate_out_hz, self.rate_in_hz)
        self._old = 0 if design is None else design.taps - 1
        self._history = np.zeros(self._old + self.max_block_samples, np.float32)
        self._out = np.zeros(math.ceil(self.max_block_samples * self._ratio) + 1, np.float32)
        self._state = np.zeros(_STATE_WORDS, np.int64)
        self._addresses = self._state.ctypes.data, self._history.ctypes.data, self._out.ctypes.data
        self._bank_address = 0 if design is None else design.bank.ctypes.data
        self._samples_in = 0

    @property
    def polyphase(self) -> tuple[int, int, NDArray[np.float32]]:
        """(up, down, bank [up, taps] with the oldest sample first): the same filter for who computes elsewhere."""
        design = self._design
        return (1, 1, np.ones((1, 1), np.float32)) if design is None else (design.up, design.down, design.bank)

    @property
    def delay_in_samples(self) -> Fraction:
        """Delay in samples of the input rate, exact."""
        return Fraction(0) if self._design is None else Fraction(self._design.centre, self._design.up)

    @property
    def delay_out_samples(self) -> Fraction:
        """Delay in samples of the output rate, exact."""
        return Fraction(0) if self._design is None else Fraction(self._design.centre, self._design.down)

    @property
    def samples_in(self) -> int:
        """Input samples taken since the start."""
        return self._samples_in

    @property
    def samples_out(self) -> int:
        """Output samples given since the start: ceil(samples_in * rate_out / rate_in)."""
        return math.ceil(self._samples_in * self._ratio)

    def reset(self) -> None:
        """As new: silence before the first sample."""
        self._history.fill(0.0)
        self._state.fill(0)
        self._samples_in = 0

    def process(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n] in, float32 [m] out. The result is a view that holds until the next call.

        Raises ValueError for another shape or for more than `max_block_samples`.
        """
        block = np.asarray(block, np.float32)
        count = block.size
        if block.ndim != 1 or count > self.max_block_samples:
            raise ValueError(f"a block is float32 [at most {self.max_block_samples}], not {block.shape}")
        self._samples_in += count
        design = self._design
        if design is None:
            self._out[:count] = block
            return self._out[:count]
        self._history[self._old : self._old + count] = block
        state, history, out = self._addresses
        made = _filter.ctypes(state, self._bank_address, history, count, out, design.taps, design.up, design.down)
        self._history[: self._old] = self._history[count : count + self._old].copy()
        return self._out[:made]
