"""What JACK's threads run: the compiled callbacks of a client. MIDI in and out, transport and clock; then the block.

Knows neither Python objects nor the interpreter lock: it works on the words of state_table.py.
"""

from __future__ import annotations

import numpy as np
from numba import types

from ...dsp.raw_memory import (
    cached_cfunc,
    caller,
    load_acquire,
    load_i64,
    load_relaxed,
    load_u8,
    load_u32,
    realtime,
    realtime_entry,
    store_f32,
    store_i64,
    store_relaxed,
    store_release,
)
from . import note_callback as _note_callback
from . import rate_conversion as _conversion
from .audio_callback import pass_over
from .note_callback import notes_due
from .rate_conversion import process_stream, to_bridge_samples, to_card_samples
from .state_table import (
    CHANNELS_IN,
    CHANNELS_OUT,
    FN_FRAME_TIME,
    FN_GET_BUFFER,
    FN_LATENCY_GET,
    FN_LATENCY_SET,
    FN_MIDI_CLEAR,
    FN_MIDI_COUNT,
    FN_MIDI_GET,
    FN_MIDI_WRITE,
    FN_PORT_BY_ID,
    FN_TRANSPORT_QUERY,
    FREEWHEEL,
    JACK_CLIENT,
    JACK_IN_PORTS,
    JACK_INPUTS,
    JACK_LAST_FRAME,
    JACK_LAST_FRAME_KNOWN,
    JACK_LATENCY_RANGE,
    JACK_MIDI_EVENT,
    JACK_MIDI_OUT_PORT,
    JACK_MIDI_PORT,
    JACK_NOTE_OUTS,
    JACK_NOTE_PORTS,
    JACK_OUT_PORTS,
    JACK_OUTPUTS,
    JACK_OWN_DELAY,
    JACK_POSITION,
    LAST_BLOCK,
    LEASE_CONVERSION,
    LEASE_PHASE,
    LEASE_STATE,
    LOST_SAMPLES,
    MIDI_CONNECTED_POSITION,
    MIDI_CONNECTIONS,
    MIDI_DROPPED,
    MIDI_EVENTS,
    MIDI_OUT_DROPPED,
    MIDI_OUT_LATE,
    MIDI_OUT_READ,
    MIDI_OUT_RING,
    MIDI_OUT_WRITE,
    MIDI_READ,
    MIDI_RING,
    MIDI_WRITE,
    MORE_MIDI,
    NOTES,
    NOTES_DUE,
    NOTES_PANIC,
    NOTES_TELL_PROGRAM,
    POSITION,
    POSITION_WORDS,
    RATE_CHANGED,
    RETIRED,
    SHUTDOWN,
    STALL_SAMPLES,
    STALLED_SAMPLES,
    TRANSPORT_POSITION,
    TRANSPORT_SEQUENCE,
    TRANSPORT_STATE,
    TRANSPORT_TABLE,
    WAITING,
    XRUNS,
)

_I = types.int64
_get_buffer = caller(types.int64, types.int64, types.uint32)
_midi_count = caller(types.uint32, types.int64)
_midi_get = caller(types.int32, types.int64, types.int64, types.uint32)
_frame_time = caller(types.uint32, types.int64)
_latency_range = caller(types.int32, types.int64, types.int32, types.int64)  # returns nothing: what comes is unread
_midi_clear = caller(types.int32, types.int64)  # returns nothing
_midi_write = caller(types.int32, types.int64, types.uint32, types.int64, types.int64)
_port_by_id = caller(types.int64, types.int64, types.uint32)
_transport_query = caller(types.int32, types.int64, types.int64)


LONGEST_MIDI = 16
"""Bytes of the longest message that is read."""


@realtime
def midi_push(state, position, packed):
    write = load_relaxed(state, MIDI_WRITE)
    if write - load_acquire(state, MIDI_READ) >= MIDI_EVENTS:
        store_relaxed(state, MIDI_DROPPED, load_relaxed(state, MIDI_DROPPED) + 1)
        return
    events = load_i64(state, MIDI_RING)
    slot = 2 * (write & (MIDI_EVENTS - 1))
    store_i64(events, slot, position)
    store_i64(events, slot + 1, packed)
    store_release(state, MIDI_WRITE, write + 1)


@realtime
def _jack_midi(lease, state, count):
    """Read this block's MIDI, each message stamped with the sample at which it came.

    One of up to 3 bytes is one event; a short system exclusive one for all makers (F0 7F: time code, machine
    control) is several: F0 and two bytes, then F4 (no message of MIDI) and two more at a time."""
    port = load_acquire(state, JACK_MIDI_PORT)
    if port == 0:
        return
    buffer = _get_buffer(load_i64(state, FN_GET_BUFFER), port, np.uint32(count))
    events = np.int64(_midi_count(load_i64(state, FN_MIDI_COUNT), buffer))
    event = load_i64(state, JACK_MIDI_EVENT)
    for i in range(events):
        if _midi_get(load_i64(state, FN_MIDI_GET), event, buffer, np.uint32(i)) != 0:
            continue
        size = load_i64(event, 1)
        data = load_i64(event, 2)
        if size < 1 or size > LONGEST_MIDI or (size > 3 and (load_u8(data, 0) != 0xF0 or load_u8(data, 1) != 0x7F)):
            continue
        at = load_relaxed(state, POSITION) + to_bridge_samples(lease, np.int64(load_u32(event, 0)))
        packed = np.int64(load_u8(data, 0))
        done = 1
        while done < size or done == 1:
            if size > done:
                packed |= np.int64(load_u8(data, done)) << 8
            if size > done + 1:
                packed |= np.int64(load_u8(data, done + 1)) << 16
            midi_push(state, at, packed)
            packed = np.int64(MORE_MIDI)
            done += 2


@realtime
def _jack_clock(lease, state, count):
    """Count the samples of the server's clock that passed without a callback; after many of them the clock jumps.

    A moment that the server lost is a slip, which the beat tracking follows. A process that was stopped for seconds
    would find its musician anywhere in the bar.
    """
    if load_acquire(state, FREEWHEEL) != 0:
        store_i64(state, JACK_LAST_FRAME_KNOWN, 0)
        return
    now = np.int64(_frame_time(load_i64(state, FN_FRAME_TIME), load_i64(state, JACK_CLIENT)))
    if load_i64(state, JACK_LAST_FRAME_KNOWN) != 0:
        step = (now - load_i64(state, JACK_LAST_FRAME)) & 0xFFFFFFFF
        lost = step - load_relaxed(state, LAST_BLOCK)
        if 0 < lost < 0x7FFFFFFF:
            passed = to_bridge_samples(lease, lost)
            if passed >= load_i64(state, STALL_SAMPLES):
                store_release(state, STALLED_SAMPLES, load_relaxed(state, STALLED_SAMPLES) + passed)
                pass_over(state, passed)
            store_release(state, LOST_SAMPLES, load_relaxed(state, LOST_SAMPLES) + lost)
    store_i64(state, JACK_LAST_FRAME, now)
    store_i64(state, JACK_LAST_FRAME_KNOWN, 1)


@realtime
def _jack_midi_out(lease, state, count, playing):
    """Send what is due in this block, each message at its sample."""
    port = load_acquire(state, JACK_MIDI_OUT_PORT)
    if port == 0:
        return
    buffer = _get_buffer(load_i64(state, FN_GET_BUFFER), port, np.uint32(count))
    _midi_clear(load_i64(state, FN_MIDI_CLEAR), buffer)
    if not playing:
        return
    events = load_i64(state, MIDI_OUT_RING)
    read = load_relaxed(state, MIDI_OUT_READ)
    write = load_acquire(state, MIDI_OUT_WRITE)
    position = load_relaxed(state, POSITION)
    slack = min(1, load_i64(lease, LEASE_CONVERSION))  # between two rates a message on a seam is a sample early
    while read < write:
        slot = 2 * (read & (MIDI_EVENTS - 1))
        offset = to_card_samples(lease, load_i64(events, slot) - position)
        if offset >= count:
            break
        if offset < -4 * count:  # left from a time when nobody carried it
            read += 1
            store_relaxed(state, MIDI_OUT_DROPPED, load_relaxed(state, MIDI_OUT_DROPPED) + 1)
            continue
        late = load_i64(events, slot) - position < -slack
        offset = max(0, offset)
        if late:
            store_relaxed(state, MIDI_OUT_LATE, load_relaxed(state, MIDI_OUT_LATE) + 1)
        size = load_i64(events, slot + 1) >> 24
        data = events + 8 * (slot + 1)
        if _midi_write(load_i64(state, FN_MIDI_WRITE), buffer, np.uint32(offset), data, size) != 0:
            store_relaxed(state, MIDI_OUT_DROPPED, load_relaxed(state, MIDI_OUT_DROPPED) + 1)
        read += 1
    store_release(state, MIDI_OUT_READ, read)


@realtime
def _jack_notes(lease, state, count, playing):
    """Send each part's notes of this block, each at its sample, out of the part's own port."""
    outs = load_acquire(state, JACK_NOTE_OUTS)
    for part in range(outs):
        port = load_i64(load_acquire(state, JACK_NOTE_PORTS), part)
        buffer = _get_buffer(load_i64(state, FN_GET_BUFFER), port, np.uint32(count))
        _midi_clear(load_i64(state, FN_MIDI_CLEAR), buffer)
        if not playing:
            continue
        notes = load_i64(load_i64(state, NOTES), part)
        many = notes_due(notes, load_relaxed(state, POSITION), max(1, to_bridge_samples(lease, count)))
        due = load_i64(notes, NOTES_DUE)
        for i in range(many):
            offset = min(count - 1, to_card_samples(lease, load_i64(due, 2 * i)))
            size = load_i64(due, 2 * i + 1) >> 24
            data = due + 8 * (2 * i + 1)
            if _midi_write(load_i64(state, FN_MIDI_WRITE), buffer, np.uint32(offset), data, size) != 0:
                store_release(notes, NOTES_PANIC, 1)  # no room: what may have been an end must not be lost


@realtime
def _jack_transport(state):
    """Let the worker see where the transport stands at the first sample of this block."""
    query = load_i64(state, FN_TRANSPORT_QUERY)
    if query == 0:
        return
    scratch = load_i64(state, JACK_POSITION)
    rolling = np.int64(_transport_query(query, load_i64(state, JACK_CLIENT), scratch))
    table = load_i64(state, TRANSPORT_TABLE)
    sequence = load_relaxed(state, TRANSPORT_SEQUENCE)
    store_release(state, TRANSPORT_SEQUENCE, sequence + 1)
    store_release(state, TRANSPORT_POSITION, load_relaxed(state, POSITION))
    store_release(state, TRANSPORT_STATE, rolling)
    for i in range(POSITION_WORDS):
        store_release(table, i, load_i64(scratch, i))
    store_release(state, TRANSPORT_SEQUENCE, sequence + 2)


SOURCES = (__file__, *_note_callback.SOURCES, *_conversion.SOURCES)
_cfunc = cached_cfunc(*SOURCES)


@realtime_entry
@_cfunc(types.int32(types.uint32, _I))
def jack_process(frames, lease):
    phase = load_acquire(lease, LEASE_PHASE)
    if phase == RETIRED:
        return 1
    state = load_i64(lease, LEASE_STATE)
    count = np.int64(frames)
    get_buffer = load_i64(state, FN_GET_BUFFER)
    if phase == WAITING:
        for i in range(load_acquire(state, JACK_OUTPUTS)):
            silent = _get_buffer(get_buffer, load_i64(load_acquire(state, JACK_OUT_PORTS), i), frames)
            for k in range(count):
                store_f32(silent, k, np.float32(0.0))
        _jack_midi_out(lease, state, count, False)
        _jack_notes(lease, state, count, False)
        return 0
    inputs = load_i64(state, CHANNELS_IN)
    outputs = load_i64(state, CHANNELS_OUT)
    n_inputs = load_acquire(state, JACK_INPUTS)
    n_outputs = load_acquire(state, JACK_OUTPUTS)
    for i in range(n_inputs):
        store_i64(inputs, i, _get_buffer(get_buffer, load_i64(load_acquire(state, JACK_IN_PORTS), i), frames))
    for i in range(n_outputs):
        store_i64(outputs, i, _get_buffer(get_buffer, load_i64(load_acquire(state, JACK_OUT_PORTS), i), frames))
    _jack_clock(lease, state, count)
    _jack_midi(lease, state, count)
    _jack_midi_out(lease, state, count, True)
    _jack_notes(lease, state, count, True)
    _jack_transport(state)
    process_stream(lease, state, inputs, n_inputs, outputs, n_outputs, count)
    return 0


@realtime_entry
@_cfunc(types.int32(_I))
def jack_xrun(lease):
    if load_acquire(lease, LEASE_PHASE) != RETIRED:
        state = load_i64(lease, LEASE_STATE)
        store_relaxed(state, XRUNS, load_relaxed(state, XRUNS) + 1)
    return 0


@realtime_entry
@_cfunc(types.void(types.int32, _I, _I))
def jack_shutdown(code, reason, lease):
    if load_acquire(lease, LEASE_PHASE) != RETIRED:
        store_release(load_i64(lease, LEASE_STATE), SHUTDOWN, 1)


@realtime_entry
@_cfunc(types.void(types.int32, _I))
def jack_latency(mode, lease):
    """Capture (mode 0): what lies before our outputs; playback (1): what lies behind our inputs. With our own delay."""
    if load_acquire(lease, LEASE_PHASE) == RETIRED:
        return
    state = load_i64(lease, LEASE_STATE)
    capture = mode == 0
    n_near = load_acquire(state, JACK_INPUTS if capture else JACK_OUTPUTS)  # a table is whole before its length is
    n_far = load_acquire(state, JACK_OUTPUTS if capture else JACK_INPUTS)
    near = load_i64(state, JACK_IN_PORTS if capture else JACK_OUT_PORTS)
    far = load_i64(state, JACK_OUT_PORTS if capture else JACK_IN_PORTS)
    span = load_i64(state, JACK_LATENCY_RANGE)
    least = np.int64(0xFFFFFFFF)
    most = np.int64(0)
    for i in range(n_near):
        _latency_range(load_i64(state, FN_LATENCY_GET), load_i64(near, i), mode, span)
        least = min(least, np.int64(load_u32(span, 0)))
        most = max(most, np.int64(load_u32(span, 1)))
    own = load_acquire(state, JACK_OWN_DELAY)
    store_i64(span, 0, max(0, min(least, most) + own) | max(0, most + own) << 32)
    for i in range(n_far):
        _latency_range(load_i64(state, FN_LATENCY_SET), load_i64(far, i), mode, span)


@realtime_entry
@_cfunc(types.int32(types.uint32, _I))
def jack_rate(rate_hz, lease):
    if load_acquire(lease, LEASE_PHASE) != RETIRED:
        store_release(load_i64(lease, LEASE_STATE), RATE_CHANGED, np.int64(rate_hz))
    return 0


@realtime_entry
@_cfunc(types.void(types.int32, _I))
def jack_freewheel(starting, lease):
    if load_acquire(lease, LEASE_PHASE) != RETIRED:
        store_release(load_i64(lease, LEASE_STATE), FREEWHEEL, np.int64(starting))


@realtime_entry
@_cfunc(types.void(types.uint32, types.uint32, types.int32, _I))
def jack_connected(source, destination, connected, lease):
    """Note when a source of MIDI was connected to us: what a pedal says at first is how it stands, not a step on it.

    Who is connected to a part's notes is to be told the program.
    """
    if load_acquire(lease, LEASE_PHASE) == RETIRED:
        return
    state = load_i64(lease, LEASE_STATE)
    ours = _port_by_id(load_i64(state, FN_PORT_BY_ID), load_i64(state, JACK_CLIENT), source)
    for part in range(load_acquire(state, JACK_NOTE_OUTS)):
        if connected != 0 and ours == load_i64(load_acquire(state, JACK_NOTE_PORTS), part):
            store_release(load_i64(load_i64(state, NOTES), part), NOTES_TELL_PROGRAM, 1)
    port = _port_by_id(load_i64(state, FN_PORT_BY_ID), load_i64(state, JACK_CLIENT), destination)
    if connected != 0 and port == load_acquire(state, JACK_MIDI_PORT):
        store_relaxed(state, MIDI_CONNECTED_POSITION, load_relaxed(state, POSITION))
        store_release(state, MIDI_CONNECTIONS, load_relaxed(state, MIDI_CONNECTIONS) + 1)
