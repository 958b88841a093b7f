"""Which MIDI messages of a part are due in a block, and what has to end in it: compiled, for whoever sends them.

Runs in JACK's callback, or in the thread that sends to another system's MIDI. Knows the words of state_table.py, and no
port. Holds that every note that was begun also ends: where the band is switched off, where somebody asks for it, and
before it is begun anew. What is over cannot sound: a note whose place lies where the band is off is left out.
"""

from __future__ import annotations

from numba import types

from ...dsp import raw_memory as _raw_memory
from ...dsp.raw_memory import (
    atomic_swap,
    cached_cfunc,
    load_acquire,
    load_i64,
    load_relaxed,
    realtime,
    store_i64,
    store_relaxed,
    store_release,
)
from . import state_table as _state_table
from .state_table import (
    NOTE_EVENTS,
    NOTES_CHANNEL,
    NOTES_DROPPED,
    NOTES_DUE,
    NOTES_HELD,
    NOTES_LATE,
    NOTES_LATEST,
    NOTES_LEAD,
    NOTES_MOST_DUE,
    NOTES_PANIC,
    NOTES_PROGRAM,
    NOTES_READ,
    NOTES_RELEASE,
    NOTES_RING,
    NOTES_SENT,
    NOTES_SOUNDING,
    NOTES_STREAM,
    NOTES_TELL_PROGRAM,
    NOTES_WRITE,
    PLAY_FROM_POSITION,
    PLAY_UNTIL_POSITION,
    PLAYING,
)

_I = types.int64
_PITCHES = 128
_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM = 0x80, 0x90, 0xB0, 0xC0
_ALL_SOUND_OFF, _ALL_NOTES_OFF = 120, 123
_MOST_OF_RING = NOTES_MOST_DUE - 2 * _PITCHES - 4
"""More than this of the ring waits for the next block: what has to end must find room."""
_TWO_BYTES, _THREE_BYTES = 2 << 24, 3 << 24


@realtime
def silent_from(state, position, count):
    """Offset of the first of `count` samples at which the band is switched off; `count` where it is on at all."""
    if load_acquire(state, PLAYING) == 0:
        return 0
    first = load_relaxed(state, PLAY_FROM_POSITION)
    until = load_relaxed(state, PLAY_UNTIL_POSITION)
    if first > until:  # what was stopped was stopped before it was begun anew
        begin = max(until, position)
        return min(count, begin - position) if begin < first else count
    if position < first:
        return 0
    return min(count, max(0, until - position))


@realtime
def _put(notes, many, offset, packed):
    due = load_i64(notes, NOTES_DUE)
    store_i64(due, 2 * many, offset)
    store_i64(due, 2 * many + 1, packed)
    return many + 1


@realtime
def _end_pitches(notes, many, offset, low, high):
    """The ends of those pitches from `low` to below `high` that sound."""
    held, channel = load_i64(notes, NOTES_HELD), load_i64(notes, NOTES_CHANNEL)
    for pitch in range(low, high):
        if load_i64(held, pitch) != 0:
            store_i64(held, pitch, 0)
            store_relaxed(notes, NOTES_SOUNDING, load_relaxed(notes, NOTES_SOUNDING) - 1)
            many = _put(notes, many, offset, _THREE_BYTES | pitch << 8 | _NOTE_OFF | channel)
    return many


@realtime
def _count(notes, word):
    store_relaxed(notes, word, load_relaxed(notes, word) + 1)


@realtime
def _may_begin(notes, position, offset, lead):
    """Whether a note is still to be begun: the band is on at its place, and it is not far too late. Counted."""
    if silent_from(load_i64(notes, NOTES_STREAM), position + max(0, offset) + lead, 1) == 0:
        return False
    if offset < -load_i64(notes, NOTES_LATEST):
        _count(notes, NOTES_DROPPED)
        return False
    if offset < -1:  # between two rates a message on a seam is a sample early
        _count(notes, NOTES_LATE)
    return True


@realtime
def _asked(notes, many):
    """What somebody asked for meanwhile besides ends, at the block's beginning; `many` ends stand there already."""
    channel = load_i64(notes, NOTES_CHANNEL)
    if atomic_swap(notes, NOTES_PANIC, 0) != 0:
        many = _put(notes, many, 0, _THREE_BYTES | _ALL_NOTES_OFF << 8 | _CONTROL | channel)
        many = _put(notes, many, 0, _THREE_BYTES | _ALL_SOUND_OFF << 8 | _CONTROL | channel)
    program = load_relaxed(notes, NOTES_PROGRAM)
    if atomic_swap(notes, NOTES_TELL_PROGRAM, 0) != 0 and program > 0:
        many = _put(notes, many, 0, _TWO_BYTES | (program - 1) << 8 | _PROGRAM | channel)
    return many


@realtime
def notes_due(notes, position, count):
    """Put all messages of `count` samples from `position` on into NOTES_DUE, in order; returns how many there are.

    One turn of the loop for each message, for what was asked and for the place where the band is switched off: all
    that a turn ends is ended in one place, which is compiled once.
    """
    lead = load_acquire(notes, NOTES_LEAD)
    silent = silent_from(load_i64(notes, NOTES_STREAM), position + lead, count)
    ring = load_i64(notes, NOTES_RING)
    read = load_relaxed(notes, NOTES_READ)
    write = load_acquire(notes, NOTES_WRITE)
    many = 0
    asked, ended, going = True, silent >= count, True
    while going:
        at, low, high, message = 0, 0, 0, 0
        slot = 2 * (read & (NOTE_EVENTS - 1))
        offset = load_i64(ring, slot) - position if read < write and many < _MOST_OF_RING else count
        if asked:
            if load_acquire(notes, NOTES_PANIC) != 0 or atomic_swap(notes, NOTES_RELEASE, 0) != 0:
                high = _PITCHES
        elif offset >= silent and not ended:
            ended, at, high = True, silent, _PITCHES
        elif offset < count:
            read += 1
            at, message = max(0, offset), load_i64(ring, slot + 1)
            low = message >> 8 & 0x7F
            high = low + 1
            if message & 0xF0 == _PROGRAM:
                store_relaxed(notes, NOTES_PROGRAM, low + 1)
                high = low
            elif message & 0xF0 != _NOTE_ON:
                message = 0
            elif not _may_begin(notes, position, offset, lead):
                high = low
                message = 0
        else:
            going = False
        many = _end_pitches(notes, many, at, low, high)
        if asked:
            many, asked = _asked(notes, many), False
        elif message != 0:
            many = _put(notes, many, at, message)
            if high > low:  # a note
                store_i64(load_i64(notes, NOTES_HELD), low, 1)
                _count(notes, NOTES_SOUNDING)
                _count(notes, NOTES_SENT)
    store_release(notes, NOTES_READ, read)
    return many


SOURCES = (__file__, _raw_memory.__file__, *_state_table.SOURCES)
_cfunc = cached_cfunc(*SOURCES)


@_cfunc(_I(_I, _I, _I))
def due(notes, position, count):
    return notes_due(notes, position, count)
