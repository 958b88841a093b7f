"""The single-writer single-reader ring of float32 samples, by absolute position, shared by native and Python code.

Knows nothing of sound cards, frames or music. Each method says "producer only" or "consumer only"; one thread (or the
audio callback) may be the producer and one the consumer at the same time, without any lock.

Indices are free-running 64-bit sample positions. The write index is published with release and read with acquire.
Three ways to use one ring:
- a plain queue: `write`, `read`;
- the heard sound: the callback *pushes* at its position; when the reader sleeps too long, whole blocks are dropped and
  the reader finds zeros in their place, so that index and time never part;
- the played sound: `write_at` a position; the callback *takes*, always, and what was not written in time (or was left
  out) comes as `HOLE`. Such a ring may have several rows (channels) behind one pair of indices, so that the callback
  finds a sample in all of them or in none.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import ArrayLike, NDArray

from . import word_table as _word_table
from .raw_memory import (
    aligned_words,
    cached_cfunc,
    copy_bytes,
    load_acquire,
    load_i64,
    load_relaxed,
    realtime,
    store_f32,
    store_i32,
    store_relaxed,
    store_release,
    touched_floats,
)
from .word_table import WordTable

HOLE_BITS = 0x7FEDC0DE
"""A NaN with this payload stands for "no sample here" in what `ring_take` returns."""

RING_TABLE = WordTable(
    "Ring", "Float32 samples by position: `dsp/ring.py`. Read index, write index and gap are free-running positions."
)
RING_TABLE.writer("its owner, before use")
_DATA = RING_TABLE.word(
    "_DATA", "offset", "of float32 [ROWS, MASK + 1] from the ring's own address: sample n stands at n & MASK", "bytes"
)
_MASK = RING_TABLE.word("_MASK", "int64", "memory's length - 1", "samples")
_LIMIT = RING_TABLE.word("_LIMIT", "int64", "how many it holds at most", "samples")
_ROWS = RING_TABLE.word(
    "_ROWS", "int64", "channels that are written and taken together; only a ring of one is pushed to"
)
RING_TABLE.writer("producer")
_WRITE = RING_TABLE.word("_WRITE", "int64", "position after the last sample written", "samples")
_GAP_START = RING_TABLE.word("_GAP_START", "int64", "where the samples that a full ring dropped begin", "samples")
_GAP_END = RING_TABLE.word("_GAP_END", "int64", "position after the dropped samples", "samples")
_PUSHED = RING_TABLE.word("_PUSHED", "int64", "position after the last sample pushed, dropped or not", "samples")
RING_TABLE.writer("consumer")
_READ = RING_TABLE.word("_READ", "int64", "position of the next sample to be read", "samples")
_WORDS = RING_TABLE.size


@realtime
def _row(ring, row):
    """Address of a row's memory, which lies where it lies from the ring: two processes may see both elsewhere."""
    return ring + load_i64(ring, _DATA) + 4 * row * (load_i64(ring, _MASK) + 1)


@realtime
def _copy_in(ring, row, position, source, count):
    mask = load_i64(ring, _MASK)
    data = _row(ring, row)
    start = position & mask
    first = min(count, mask + 1 - start)
    copy_bytes(data + 4 * start, source, 4 * first)
    if count > first:
        copy_bytes(data, source + 4 * first, 4 * (count - first))


@realtime
def _copy_out(ring, row, position, destination, count):
    mask = load_i64(ring, _MASK)
    data = _row(ring, row)
    start = position & mask
    first = min(count, mask + 1 - start)
    copy_bytes(destination, data + 4 * start, 4 * first)
    if count > first:
        copy_bytes(destination + 4 * first, data, 4 * (count - first))


@realtime
def ring_write(ring, source, count):
    """Producer only. Append up to `count` samples from the address `source`; returns how many fitted."""
    read = load_acquire(ring, _READ)
    write = max(load_relaxed(ring, _WRITE), read)
    held = write - max(read, load_relaxed(ring, _GAP_END))
    count = min(count, load_i64(ring, _LIMIT) - held)
    if count <= 0:
        return 0
    _copy_in(ring, 0, write, source, count)
    store_release(ring, _WRITE, write + count)
    return count


@realtime
def ring_push(ring, source, count):
    """Producer only. Append all of `count` samples at the next position, or drop them all; returns the dropped count.

    After a drop nothing is accepted until the reader has caught up; it then reads zeros for what was dropped.
    """
    position = load_relaxed(ring, _PUSHED)
    store_relaxed(ring, _PUSHED, position + count)
    write = load_relaxed(ring, _WRITE)
    read = load_acquire(ring, _READ)
    limit = load_i64(ring, _LIMIT)
    if position != write:  # a gap stands open
        if read < write or count > limit:
            return count
        store_relaxed(ring, _GAP_START, write)
        store_relaxed(ring, _GAP_END, position)
    elif count > limit - (write - max(read, load_relaxed(ring, _GAP_END))):
        return count
    _copy_in(ring, 0, position, source, count)
    store_release(ring, _WRITE, position + count)
    return 0


@realtime
def ring_write_at(ring, position, source, count, stride):
    """Producer only. Write at an absolute position; returns how many samples were taken in. Rows lie `stride` apart.

    What lies behind the read index or was written before is left out, and so is what does not fit. A stretch that
    is skipped is marked as a hole.
    """
    read = load_acquire(ring, _READ)
    start = max(read, load_relaxed(ring, _WRITE))
    if position < start:
        late = min(count, start - position)
        source += 4 * late
        position += late
        count -= late
    count = min(count, read + load_i64(ring, _LIMIT) - position)
    if count <= 0:
        return 0
    mask = load_i64(ring, _MASK)
    for row in range(load_i64(ring, _ROWS)):
        for hole in range(start, position):
            store_i32(_row(ring, row), hole & mask, HOLE_BITS)
        _copy_in(ring, row, position, source + 4 * stride * row, count)
    store_release(ring, _WRITE, position + count)
    return count


@realtime
def ring_read(ring, destination, count):
    """Consumer only. Take up to `count` samples to the address `destination`; returns how many there were."""
    write = load_acquire(ring, _WRITE)
    read = load_relaxed(ring, _READ)
    count = min(count, write - read)
    if count <= 0:
        return 0
    gap_end = load_relaxed(ring, _GAP_END)
    done = 0
    if read < gap_end:
        before = max(0, min(count, load_relaxed(ring, _GAP_START) - read))
        _copy_out(ring, 0, read, destination, before)
        done = max(before, min(count, gap_end - read))
        for i in range(before, done):
            store_f32(destination, i, np.float32(0.0))
    _copy_out(ring, 0, read + done, destination + 4 * done, count - done)
    store_release(ring, _READ, read + count)
    return count


@realtime
def ring_take(ring, destination, count, stride):
    """Consumer only. Take exactly `count` samples, rows `stride` apart: what is not there is a HOLE. Returns how many
    were there in time."""
    read = load_relaxed(ring, _READ)
    held = max(0, min(count, load_acquire(ring, _WRITE) - read))
    for row in range(load_i64(ring, _ROWS)):
        into = destination + 4 * stride * row
        _copy_out(ring, row, read, into, held)
        for i in range(held, count):
            store_i32(into, i, HOLE_BITS)
    store_release(ring, _READ, read + count)
    return held


@realtime
def ring_pass_pushed(ring, count):
    """Producer only. `count` samples that `ring_push` was never given: the reader finds zeros in their place."""
    store_relaxed(ring, _PUSHED, load_relaxed(ring, _PUSHED) + count)


@realtime
def ring_pass_taken(ring, count):
    """Consumer only. `count` samples that `ring_take` shall never take: their time is over."""
    store_release(ring, _READ, load_relaxed(ring, _READ) + count)


@realtime
def ring_skip_to(ring, position):
    """Consumer only. Forget what is before `position`, written yet or not; never back."""
    store_release(ring, _READ, max(load_relaxed(ring, _READ), position))


@realtime
def ring_rewind(ring, position):
    """Producer only. What was written from a position on is to be written anew, as far as it was not taken yet."""
    store_release(ring, _WRITE, min(load_relaxed(ring, _WRITE), position))


SOURCES = (__file__, _word_table.__file__)
_cfunc = cached_cfunc(*SOURCES)
_I = types.int64


@_cfunc(_I(_I, _I, _I))
def _write(ring, source, count):
    return ring_write(ring, source, count)


@_cfunc(_I(_I, _I, _I))
def _push(ring, source, count):
    return ring_push(ring, source, count)


@_cfunc(_I(_I, _I, _I, _I, _I))
def _write_at(ring, position, source, count, stride):
    return ring_write_at(ring, position, source, count, stride)


@_cfunc(_I(_I, _I, _I))
def _read(ring, destination, count):
    return ring_read(ring, destination, count)


@_cfunc(_I(_I, _I, _I))
def _take(ring, destination, count):
    return ring_take(ring, destination, count, count)


@_cfunc(_I(_I, _I))
def _index(ring, word):
    return load_acquire(ring, word)


@_cfunc(types.void(_I, _I))
def _seek(ring, position):
    store_release(ring, _READ, position)


class Ring:
    """One ring and its memory. Native code works on `.address`, which holds as long as this object lives.

    `capacity_samples` is how many samples each row holds at most (any number from 1; memory is the next power of two).
    More than one row is for `write_at` and `take`. Raises ValueError for a capacity or rows below 1.
    """

    def __init__(self, capacity_samples: int, rows: int = 1) -> None:
        if capacity_samples < 1 or rows < 1:
            raise ValueError(f"a ring holds at least 1 sample in 1 row, not {capacity_samples} in {rows}")
        self.rows = int(rows)
        self.capacity_samples = int(capacity_samples)
        size = 1 << (self.capacity_samples - 1).bit_length()
        self._data = touched_floats(size * self.rows)
        self._words = aligned_words(_WORDS)
        self._words[_DATA] = self._data.ctypes.data - self._words.ctypes.data
        self._words[_MASK] = size - 1
        self._words[_LIMIT] = self.capacity_samples
        self._words[_ROWS] = self.rows
        self.address = int(self._words.ctypes.data)

    def write(self, samples: ArrayLike) -> int:
        """Producer only. Append float32 [n]; returns how many fitted."""
        block = _as_block(samples)
        return int(_write.ctypes(self.address, block.ctypes.data, block.size))

    def push(self, samples: ArrayLike) -> int:
        """Producer only. Append all of float32 [n] or drop it all; the index stays true. Returns the dropped count."""
        block = _as_block(samples)
        return int(_push.ctypes(self.address, block.ctypes.data, block.size))

    def write_at(self, position: int, samples: ArrayLike) -> int:
        """Producer only. Write float32 [n], or [rows, n], at an absolute position; returns how many samples of a row
        were taken in. [n] goes into every row.

        Left out are samples behind the read index (too late), samples before the write index (already written) and
        samples at or beyond `read_index + capacity_samples` (no room yet). A skipped stretch reads as missing.
        """
        block = _as_rows(samples, self.rows)
        count = block.shape[-1]
        return int(_write_at.ctypes(self.address, int(position), block.ctypes.data, count, count))

    def read(self, count: int) -> NDArray[np.float32]:
        """Consumer only. Take up to `count` samples as a new float32 array, of the length that there was."""
        block = np.empty(count, np.float32)
        return block[: self.read_into(block)]

    def read_into(self, block: NDArray[np.float32]) -> int:
        """Consumer only. Take up to `block.size` samples into a contiguous float32 array; returns how many."""
        if block.dtype != np.float32 or not block.flags.c_contiguous:
            raise ValueError("read_into wants a contiguous float32 array")
        return int(_read.ctypes(self.address, block.ctypes.data, block.size))

    def take(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Consumer only. Take exactly `count` samples, as the callback does: (float32 [n], bool [n] missing); of
        several rows [rows, n] each."""
        block = np.empty(count if self.rows == 1 else (self.rows, count), np.float32)
        _take.ctypes(self.address, block.ctypes.data, count)
        missing = block.view(np.uint32) == HOLE_BITS
        block[missing] = 0.0
        return block, missing

    def skip_to(self, position: int) -> int:
        """Consumer only. Forget what is before `position` (the write index at most); returns how many samples."""
        before = self.read_index
        target = max(before, min(int(position), self.write_index))
        _seek.ctypes(self.address, target)
        return target - before

    @property
    def gap(self) -> tuple[int, int]:
        """Consumer only. Where zeros stand for samples that never came: the last such stretch, [first, end)."""
        return int(_index.ctypes(self.address, _GAP_START)), int(_index.ctypes(self.address, _GAP_END))

    @property
    def write_index(self) -> int:
        """Any thread. Position after the last sample written."""
        return int(_index.ctypes(self.address, _WRITE))

    @property
    def read_index(self) -> int:
        """Any thread. Position of the next sample to be read."""
        return int(_index.ctypes(self.address, _READ))

    @property
    def fill_samples(self) -> int:
        """Any thread. Samples that wait to be read (0 where the reader of a `take` ring is ahead of the writer)."""
        read = self.read_index
        return max(0, self.write_index - read)


def _as_rows(samples: ArrayLike, rows: int) -> NDArray[np.float32]:
    block = np.ascontiguousarray(samples, np.float32)
    if block.ndim == 1:
        return block if rows == 1 else np.ascontiguousarray(np.broadcast_to(block, (rows, block.size)))
    if block.ndim != 2 or block.shape[0] != rows:
        raise ValueError(f"a ring of {rows} rows takes float32 [n] or [{rows}, n], not shape {block.shape}")
    return block


def _as_block(samples: ArrayLike) -> NDArray[np.float32]:
    block = np.ascontiguousarray(samples, np.float32)
    if block.ndim != 1:
        raise ValueError(f"a ring takes one-dimensional float32 samples, not shape {block.shape}")
    return block
