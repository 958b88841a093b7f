"""The ring: order, positions, holes, gaps, and what two threads without the interpreter lock make of it."""

from __future__ import annotations

import ctypes
import sys
import threading

import numpy as np
import pytest
from gigmate.dsp.raw_memory import (
    load_acquire,
    load_f32,
    load_i32,
    store_f32,
)
from gigmate.dsp.ring import (
    _READ,
    HOLE_BITS,
    Ring,
    ring_push,
    ring_read,
    ring_take,
    ring_write,
    ring_write_at,
)
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

if sys.platform == "win32":
    step_aside = ctypes.windll.kernel32.SwitchToThread
else:
    step_aside = ctypes.CDLL(None).sched_yield
step_aside.argtypes = []
step_aside.restype = ctypes.c_int


def test_a_queue_keeps_order_and_gives_what_fits() -> None:
    ring = Ring(13)
    assert ring.write(np.arange(20)) == 13
    assert ring.write([1.0]) == 0
    np.testing.assert_array_equal(ring.read(5), np.arange(5))
    assert ring.write(np.arange(13, 30)) == 5
    np.testing.assert_array_equal(ring.read(99), np.arange(5, 18))
    assert (ring.read_index, ring.write_index, ring.fill_samples) == (18, 18, 0)
    assert ring.read(3).size == 0


@given(st.integers(1, 40), st.lists(st.tuples(st.booleans(), st.integers(0, 50)), max_size=60))
def test_a_queue_is_a_queue(capacity: int, moves: list[tuple[bool, int]]) -> None:
    ring, model, written = Ring(capacity), [], 0
    for write, count in moves:
        if write:
            taken = ring.write(np.arange(written, written + count))
            assert taken == min(count, capacity - len(model))
            model += range(written, written + taken)
            written += taken
        else:
            np.testing.assert_array_equal(ring.read(count), model[:count])
            del model[:count]
    assert ring.fill_samples == len(model)


def test_read_into_wants_float32() -> None:
    with pytest.raises(ValueError, match="float32"):
        Ring(4).read_into(np.zeros(4))
    with pytest.raises(ValueError, match="one-dimensional"):
        Ring(4).write(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="at least 1"):
        Ring(0)


def test_write_at_discards_what_is_too_late() -> None:
    ring = Ring(16)
    assert ring.write_at(-3, np.arange(-3, 5)) == 5  # positions -3 to -1 can never be played
    samples, missing = ring.take(8)
    np.testing.assert_array_equal(samples[:5], np.arange(5))
    np.testing.assert_array_equal(missing, [False] * 5 + [True] * 3)
    assert ring.read_index == 8  # time goes on whether the sound was there or not
    assert ring.write_at(5, np.arange(5, 10)) == 2  # 5, 6, 7 have passed
    samples, missing = ring.take(3)
    np.testing.assert_array_equal(samples[:2], [8, 9])
    np.testing.assert_array_equal(missing, [False, False, True])
    assert ring.write_at(0, np.ones(4)) == 0


def test_write_at_takes_what_fits_and_nothing_twice() -> None:
    ring = Ring(8)
    assert ring.write_at(0, np.arange(6)) == 6
    assert ring.write_at(4, np.arange(104, 112)) == 2  # 4 and 5 stand; 8 and later do not fit yet
    np.testing.assert_array_equal(ring.take(8)[0], [0, 1, 2, 3, 4, 5, 106, 107])
    assert ring.write_at(16, [1.0]) == 0  # one too far
    assert ring.write_at(15, [1.0]) == 1


def test_a_skipped_stretch_is_a_hole() -> None:
    ring = Ring(16)
    ring.write_at(0, np.arange(3))
    ring.write_at(6, [6.0, 7.0])
    samples, missing = ring.take(8)
    np.testing.assert_array_equal(missing, [False] * 3 + [True] * 3 + [False] * 2)
    np.testing.assert_array_equal(samples, [0, 1, 2, 0, 0, 0, 6, 7])


@given(st.lists(st.tuples(st.booleans(), st.integers(-9, 20), st.integers(0, 24)), max_size=50))
def test_written_positions_come_out_at_their_position(moves: list[tuple[bool, int, int]]) -> None:
    ring, there, last = Ring(17), set(), 0
    for write, jump, count in moves:
        if write:
            begin = ring.write_index + jump
            taken = ring.write_at(begin, np.arange(begin, begin + count) + 1.0)
            allowed = range(max(begin, last, ring.read_index), min(begin + count, ring.read_index + 17))
            assert taken == len(allowed)
            there |= set(allowed)
            last = max(last, allowed.stop) if len(allowed) else last
        else:
            begin = ring.read_index
            samples, missing = ring.take(count)
            for position in range(begin, begin + count):
                assert missing[position - begin] == (position not in there)
                assert samples[position - begin] == (position + 1 if position in there else 0)


def test_a_full_ring_drops_whole_blocks_and_keeps_the_index() -> None:
    ring = Ring(8)
    assert [ring.push(np.full(3, i + 1)) for i in range(5)] == [0, 0, 3, 3, 3]
    np.testing.assert_array_equal(ring.read(4), [1, 1, 1, 2])
    assert ring.push(np.full(3, 6)) == 3  # not before the reader has caught up
    np.testing.assert_array_equal(ring.read(4), [2, 2])
    assert ring.push(np.full(3, 7)) == 0
    assert ring.write_index == 21
    np.testing.assert_array_equal(ring.read(10), np.zeros(10))  # 6 to 15 were dropped
    np.testing.assert_array_equal(ring.read(10), [0, 0, 7, 7, 7])
    assert ring.read_index == 21


def test_skip_to_forgets() -> None:
    ring = Ring(8)
    ring.write(np.arange(6))
    assert ring.skip_to(4) == 4
    assert ring.skip_to(2) == 0
    assert ring.skip_to(99) == 2
    assert ring.read_index == 6


@njit(nogil=True)
def _number(position):
    """float32 counts exactly up to 2**24."""
    return np.float32(position & 0xFFFFFF)


@njit(nogil=True)
def _write_numbers(ring, scratch, total, largest):
    done, size = 0, 1
    while done < total:
        size = size * 5 % largest + 1
        count = min(size, total - done)
        for i in range(count):
            store_f32(scratch, i, _number(done + i))
        written = ring_write(ring, scratch, count)
        done += written
        if written == 0:
            step_aside()


@njit(nogil=True)
def _read_numbers(ring, scratch, total, largest):
    done, size, wrong = 0, 1, 0
    while done < total:
        size = size * 7 % largest + 1
        count = ring_read(ring, scratch, size)
        for i in range(count):
            wrong += load_f32(scratch, i) != _number(done + i)
        done += count
        if count == 0:
            step_aside()
    return wrong


@njit(nogil=True)
def _write_numbers_at(ring, scratch, total, largest, stop):
    position, size, jumps = 0, 1, 0
    while position < total and stop[0] == 0:
        size = size * 5 % largest + 1
        jumps += 1
        if jumps % 7 == 0:
            position += size  # leave a stretch out
        for i in range(size):
            store_f32(scratch, i, _number(position + i))
        taken = ring_write_at(ring, position, scratch, size, size)
        position += taken
        if taken == 0:
            position = max(position, load_acquire(ring, _READ) + 3)  # too early, or too late: then catch up
            step_aside()


@njit(nogil=True)
def _take_numbers(ring, scratch, total, largest):
    done, size, wrong, there = 0, 1, 0, 0
    while done < total:
        size = size * 7 % largest + 1
        ring_take(ring, scratch, size, size)
        for i in range(size):
            if load_i32(scratch, i) != HOLE_BITS:
                there += 1
                wrong += load_f32(scratch, i) != _number(done + i)
        done += size
        step_aside()
    return wrong, there


@njit(nogil=True)
def _push_numbers(ring, scratch, total, largest):
    done, size, dropped = 0, 1, 0
    while done < total:
        size = size * 5 % largest + 1
        for i in range(size):
            store_f32(scratch, i, _number(done + i) + np.float32(1.0))
        lost = ring_push(ring, scratch, size)
        dropped += lost
        done += size
        if lost > 0:
            step_aside()
    return done, dropped


@njit(nogil=True)
def _read_pushed(ring, scratch, largest, stop):
    done, size, wrong, zeros = 0, 1, 0, 0
    while True:
        last = stop[0]
        size = size * 7 % largest + 1
        count = ring_read(ring, scratch, size)
        for i in range(count):
            value = load_f32(scratch, i)
            if value == 0.0:
                zeros += 1
            else:
                wrong += value != _number(done + i) + np.float32(1.0)
        done += count
        if count == 0:
            if last != 0:
                return done, wrong, zeros
            step_aside()


def _beside(action) -> threading.Thread:
    thread = threading.Thread(target=action)
    thread.start()
    return thread


@pytest.mark.parametrize(("capacity", "total"), [(1, 20_000), (13, 4_000_000), (31, 8_000_000), (1021, 30_000_000)])
def test_two_free_threads_lose_nothing(capacity: int, total: int) -> None:
    ring = Ring(capacity)
    scratch = np.zeros((2, 4096), np.float32)
    largest = 2 * capacity + 1
    writer = _beside(lambda: _write_numbers(ring.address, scratch[0].ctypes.data, total, largest))
    wrong = _read_numbers(ring.address, scratch[1].ctypes.data, total, largest)
    writer.join()
    assert wrong == 0
    assert (ring.read_index, ring.write_index) == (total, total)


@pytest.mark.parametrize("capacity", [61, 509])
def test_two_free_threads_meet_at_positions(capacity: int) -> None:
    """Nothing is ever wrong; and in one of a few tries the machine lets both threads run long enough to meet."""
    total, met = 50_000 * capacity, []
    for _ in range(6):
        ring = Ring(capacity)
        scratch, stop = np.zeros((2, 4096), np.float32), np.zeros(1, np.int64)
        written, read = scratch[0].ctypes.data, scratch[1].ctypes.data
        writer = _beside(
            lambda to=ring.address, at=written, stop=stop: _write_numbers_at(to, at, 2 * total, capacity // 2, stop)
        )
        wrong, there = _take_numbers(ring.address, read, total, capacity // 3)
        stop[0] = 1
        writer.join()
        assert wrong == 0
        assert there < total
        met.append(there)
        if there > total // 1000:
            return
    raise AssertionError(f"the threads never met: {met} of {total} samples")


def test_two_free_threads_agree_on_what_was_dropped() -> None:
    ring = Ring(301)
    scratch, stop, result = np.zeros((2, 4096), np.float32), np.zeros(1, np.int64), []

    def push() -> None:
        result.extend(_push_numbers(ring.address, scratch[0].ctypes.data, 10_000_000, 97))
        stop[0] = 1

    writer = _beside(push)
    done, wrong, zeros = _read_pushed(ring.address, scratch[1].ctypes.data, 113, stop)
    writer.join()
    pushed, dropped = result
    assert wrong == 0
    assert dropped < pushed
    # Blocks dropped after the last one that got in are not seen any more.
    assert done - zeros == pushed - dropped
    assert done <= pushed


def test_rows_are_written_and_taken_together() -> None:
    ring = Ring(100, rows=3)
    rows = np.arange(300, dtype=np.float32).reshape(3, 100)
    assert ring.write_at(10, rows[:, :50]) == 50
    sound, missing = ring.take(70)
    np.testing.assert_array_equal(sound[:, 10:60], rows[:, :50])
    assert missing[:, :10].all()
    assert missing[:, 60:].all()
    assert not missing[:, 10:60].any()
    assert ring.write_at(65, rows) == 95, "what is behind the reader is left out of every row"
    sound, missing = ring.take(95)
    np.testing.assert_array_equal(sound, rows[:, 5:])
    assert not missing.any()
    assert ring.write_at(165, np.ones(5)) == 5, "one row goes into all"
    assert (ring.take(5)[0] == 1.0).all()
    with pytest.raises(ValueError, match="3 rows"):
        ring.write_at(200, rows[:2])
    with pytest.raises(ValueError, match="at least 1"):
        Ring(10, rows=0)
