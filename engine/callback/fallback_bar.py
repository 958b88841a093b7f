"""The fallback when a frame is late: the same place of the last whole bar is played again, on the grid.

Native code for the audio callback; knows neither rings nor the model. It keeps a history of what was played, row by
row, and covers each missing sample with the one a whole number of bars earlier, in all rows together. Going in, it
crossfades from the last sound mirrored in time, so that the wave goes on without a step; coming out, with equal power
into the fresh sound. Without a known bar the last sound is mirrored into silence.

`FallbackCover` is the same for arrays, for tests; one thread at a time.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numpy.typing import NDArray

from ...dsp import ring as _ring
from ...dsp.raw_memory import (
    aligned_words,
    cached_cfunc,
    copy_bytes,
    load_f32,
    load_i32,
    load_i64,
    realtime,
    store_f32,
    store_i64,
    touched_floats,
)
from ...dsp.ring import HOLE_BITS
from . import state_table as _state_table
from .state_table import (
    FALLBACK_FADE_IN_INDEX,
    FALLBACK_FADE_OUT_INDEX,
    FALLBACK_FADE_SAMPLES,
    FALLBACK_FADE_TABLE,
    FALLBACK_HISTORY,
    FALLBACK_HISTORY_MASK,
    FALLBACK_MISS_EPISODES,
    FALLBACK_MISS_SAMPLES,
    FALLBACK_MODE,
    FALLBACK_PERIOD,
    FALLBACK_START_POSITION,
    FALLBACK_WORDS,
)

FADE_MS = 12.0
HISTORY_SECONDS = 13.0

_FRESH = 0
_COVER = 1
_LEAVING = 2


@realtime
def _row(state, row):
    """Address of a row's history."""
    return load_i64(state, FALLBACK_HISTORY) + 4 * row * (load_i64(state, FALLBACK_HISTORY_MASK) + 1)


@realtime
def _cover_sample(state, history, position):
    """The sample that stands in at `position` while covering."""
    mask = load_i64(state, FALLBACK_HISTORY_MASK)
    period = load_i64(state, FALLBACK_PERIOD)
    cover = 0.0
    if period > 0:
        cover = np.float64(load_f32(history, (position - period) & mask))
    done = load_i64(state, FALLBACK_FADE_IN_INDEX)
    fade = load_i64(state, FALLBACK_FADE_SAMPLES)
    if done < fade:
        table = load_i64(state, FALLBACK_FADE_TABLE)
        mirrored = np.float64(load_f32(history, (load_i64(state, FALLBACK_START_POSITION) - 1 - done) & mask))
        # Weights that sum to 1, so that going in again and again cannot pile up.
        weight = np.float64(load_f32(table, done)) ** 2
        cover = cover * weight + mirrored * (1.0 - weight)
    return cover


@realtime
def fallback_begin(state, position, missing, period):
    """Before the rows of one output sample that is to sound: is it covered? Keeps the counts.

    `period` is the whole bar in samples (0: unknown), read when an episode begins.
    """
    mode = load_i64(state, FALLBACK_MODE)
    if missing:
        store_i64(state, FALLBACK_MISS_SAMPLES, load_i64(state, FALLBACK_MISS_SAMPLES) + 1)
        if mode == _COVER:
            return
        if mode == _FRESH:
            store_i64(state, FALLBACK_MISS_EPISODES, load_i64(state, FALLBACK_MISS_EPISODES) + 1)
        usable = 0 < period <= load_i64(state, FALLBACK_HISTORY_MASK) + 1 - 2 * load_i64(state, FALLBACK_FADE_SAMPLES)
        store_i64(state, FALLBACK_PERIOD, period if usable else 0)
        store_i64(state, FALLBACK_START_POSITION, position)
        store_i64(state, FALLBACK_FADE_IN_INDEX, 0)
        store_i64(state, FALLBACK_MODE, _COVER)
    elif mode == _COVER:
        store_i64(state, FALLBACK_MODE, _LEAVING)
        store_i64(state, FALLBACK_FADE_OUT_INDEX, 0)


@realtime
def fallback_row(state, row, position, fresh):
    """One row's sample, before gain: `fresh` (finite float64), or its cover. Keeps the history."""
    mode = load_i64(state, FALLBACK_MODE)
    history = _row(state, row)
    value = fresh
    if mode == _COVER:
        value = _cover_sample(state, history, position)
    elif mode == _LEAVING:
        done = load_i64(state, FALLBACK_FADE_OUT_INDEX)
        fade = load_i64(state, FALLBACK_FADE_SAMPLES)
        table = load_i64(state, FALLBACK_FADE_TABLE)
        cover = _cover_sample(state, history, position)
        value = fresh * load_f32(table, done) + cover * load_f32(table, fade - 1 - done)
    store_f32(history, position & load_i64(state, FALLBACK_HISTORY_MASK), np.float32(value))
    return value


@realtime
def fallback_end(state):
    """After the rows of one output sample: the fades go on."""
    mode = load_i64(state, FALLBACK_MODE)
    if mode == _FRESH:
        return
    done = load_i64(state, FALLBACK_FADE_IN_INDEX)
    fade = load_i64(state, FALLBACK_FADE_SAMPLES)
    if done < fade:
        store_i64(state, FALLBACK_FADE_IN_INDEX, done + 1)
    if mode == _LEAVING:
        done = load_i64(state, FALLBACK_FADE_OUT_INDEX) + 1
        store_i64(state, FALLBACK_FADE_OUT_INDEX, done)
        if done == fade:
            store_i64(state, FALLBACK_MODE, _FRESH)


@realtime
def fallback_silence(state):
    """One sample while the band is silent: nothing is counted, any cover ends. Its rows are kept by `fallback_row`."""
    store_i64(state, FALLBACK_MODE, _FRESH)


@realtime
def fallback_rests(state):
    """Whether nothing is being covered now, so that rows go through it as they are."""
    return load_i64(state, FALLBACK_MODE) == _FRESH


@realtime
def fallback_keep(state, row, position, samples, count):
    """Keep `count` samples of a row, at an address, that went through as they are."""
    mask = load_i64(state, FALLBACK_HISTORY_MASK)
    start = position & mask
    first = min(count, mask + 1 - start)
    history = _row(state, row)
    copy_bytes(history + 4 * start, samples, 4 * first)
    if count > first:
        copy_bytes(history, samples + 4 * first, 4 * (count - first))


SOURCES = (__file__, *_ring.SOURCES, *_state_table.SOURCES)


@cached_cfunc(*SOURCES)(types.void(types.int64, types.int64, types.int64, types.int64, types.int64))
def _cover(state, position, block, count, period):
    for i in range(count):
        missing = load_i32(block, i) == HOLE_BITS
        fresh = 0.0 if missing else np.float64(load_f32(block, i))
        fallback_begin(state, position + i, missing, period)
        store_f32(block, i, np.float32(fallback_row(state, 0, position + i, fresh)))
        fallback_end(state)


class FallbackMemory:
    """The state of one fallback at one rate and the history of each row; `.address` holds as long as this object lives.

    Audio callback; the counts may be read by any thread.
    """

    def __init__(
        self, rate_hz: int, history_seconds: float = HISTORY_SECONDS, fade_ms: float = FADE_MS, rows: int = 1
    ) -> None:
        size = 1 << (math.ceil(history_seconds * rate_hz) - 1).bit_length()
        fade = max(2, round(fade_ms * rate_hz / 1000))
        self._history = touched_floats(rows * size)
        # Sine at half-sample places: entry k and entry fade-1-k are the two sides of an equal-power crossfade.
        self._table = np.sin((np.arange(fade) + 0.5) * (math.pi / 2 / fade)).astype(np.float32)
        self.words = aligned_words(FALLBACK_WORDS)
        self.words[FALLBACK_HISTORY] = self._history.ctypes.data
        self.words[FALLBACK_HISTORY_MASK] = size - 1
        self.words[FALLBACK_FADE_TABLE] = self._table.ctypes.data
        self.words[FALLBACK_FADE_SAMPLES] = fade
        self.address = int(self.words.ctypes.data)
        self.fade_samples = fade
        self.longest_period_samples = size - 2 * fade
        """A longer bar cannot be covered: it counts as unknown."""

    @property
    def miss_samples(self) -> int:
        return int(self.words[FALLBACK_MISS_SAMPLES])

    @property
    def miss_episodes(self) -> int:
        return int(self.words[FALLBACK_MISS_EPISODES])


class FallbackCover(FallbackMemory):
    """Cover arrays of samples, in order. One thread at a time."""

    def __init__(self, rate_hz: int, history_seconds: float = HISTORY_SECONDS, fade_ms: float = FADE_MS) -> None:
        super().__init__(rate_hz, history_seconds, fade_ms)
        self._position = 0

    def cover(
        self, samples: NDArray[np.float32], missing: NDArray[np.bool_], period_samples: int = 0
    ) -> NDArray[np.float32]:
        """float32 [n] with `missing` [n] marked; returns what is played, float32 [n]."""
        block = np.array(samples, np.float32)
        block.view(np.uint32)[missing] = HOLE_BITS
        _cover.ctypes(self.address, self._position, block.ctypes.data, block.size, period_samples)
        self._position += block.size
        return block
