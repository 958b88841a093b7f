"""What carries blocks between a plug-in's shell and the bridge: one compiled loop, on a thread of the engine's own.

Knows neither Python objects nor the interpreter lock: it works on the words of plugin_table.py and state_table.py. The
shell, in another process, writes what it hears and what happens, and takes what is played; neither waits for the other
while there is a clock. Without one (`CARRIER_LOCKSTEP`) the loop waits for the worker, and Python for the loop, at the
same sample each time, so that the same input gives the same samples.
"""

from __future__ import annotations

import numpy as np
from numba import types

from ....dsp.raw_memory import (
    cached_cfunc,
    caller,
    load_acquire,
    load_i32,
    load_i64,
    load_relaxed,
    realtime,
    realtime_entry,
    store_f32,
    store_i64,
    store_relaxed,
    store_release,
)
from ....dsp.ring import HOLE_BITS, ring_pass_taken, ring_rewind, ring_skip_to, ring_take, ring_write_at
from ...player import PARTS
from .. import jack_callback as _jack_callback
from ..audio_callback import pass_over, process_block
from ..jack_callback import midi_push
from ..note_callback import notes_due
from ..state_table import (
    CHANNELS_IN,
    CHANNELS_OUT,
    INPUT_NEEDED,
    LEASE_PHASE,
    LEASE_STATE,
    MIDI_EVENTS,
    MIDI_OUT_DROPPED,
    MIDI_OUT_READ,
    MIDI_OUT_RING,
    MIDI_OUT_WRITE,
    MIDI_READ,
    MIDI_WRITE,
    NOTES,
    NOTES_DUE,
    NOTES_PANIC,
    POSITION,
    POSITION_WORDS,
    RETIRED,
    STALL_SAMPLES,
    STALLED_SAMPLES,
    TRANSPORT_POSITION,
    TRANSPORT_SEQUENCE,
    TRANSPORT_STATE,
    TRANSPORT_TABLE,
    TURNS,
)
from . import plugin_table as _plugin_table
from .plugin_table import (
    CARRIER_BASE,
    CARRIER_DELAY,
    CARRIER_ENDED,
    CARRIER_FROM,
    CARRIER_HEARD,
    CARRIER_LEAD,
    CARRIER_LEASE,
    CARRIER_LOCKSTEP,
    CARRIER_NAP,
    CARRIER_PARAMETERS,
    CARRIER_PLAYED,
    CARRIER_QUIT,
    CARRIER_SHARED,
    CARRIER_SLEEP,
    ENGINE_POSITION,
    EPOCH_EVENT,
    EVENT_AT,
    EVENT_KIND,
    EVENT_MORE,
    EVENT_POSITION,
    EVENT_READ,
    EVENT_VALUE,
    EVENT_WORDS,
    EVENT_WRITE,
    EVENTS,
    IN_ROWS,
    MIDI_EVENT,
    NOTES_OUT,
    NOTES_OUT_READ,
    NOTES_OUT_WRITE,
    OUT_ROWS,
    PARAMETER_EVENT,
    PARAMETER_READ,
    PARAMETER_WRITE,
    PARAMETERS,
    PIECE,
    SHARED_EVENTS,
    SHARED_IN,
    SHARED_NOTES_OUT,
    SHARED_OUT,
    SHELL_HOLD,
    SHELL_POSITION,
    TRANSPORT_EVENT,
    TRANSPORT_READ,
    TURNS_SEEN,
)

_I = types.int64
_nanosleep = caller(types.int32, types.int64, types.int64)
_PARTS = len(PARTS)
_NOT_TOLD, _TOLD = -1, -2
"""In the place of a turn: nobody was told anything; somebody was, and may not have heard it yet."""


@realtime
def _event(shared, number):
    """Address of an event."""
    return shared + load_i64(shared, SHARED_EVENTS) + 8 * EVENT_WORDS * (number & (EVENTS - 1))


@realtime
def _publish(state, event, base):
    """Let the worker see where the host's transport stands."""
    table = load_i64(state, TRANSPORT_TABLE)
    sequence = load_relaxed(state, TRANSPORT_SEQUENCE)
    store_release(state, TRANSPORT_SEQUENCE, sequence + 1)
    store_release(state, TRANSPORT_POSITION, load_i64(event, EVENT_AT) - base)
    store_release(state, TRANSPORT_STATE, load_i64(event, EVENT_VALUE))
    for i in range(POSITION_WORDS):
        store_release(table, i, load_i64(event, EVENT_POSITION + i))
    store_release(state, TRANSPORT_SEQUENCE, sequence + 2)


@realtime
def _read_transport(carrier, shared, state, until):
    """Publish what the transport says up to a position, ahead of the other events, but not beyond this epoch."""
    number = max(load_relaxed(carrier, TRANSPORT_READ), load_relaxed(shared, EVENT_READ))
    write = load_acquire(shared, EVENT_WRITE)
    going = True
    while going and number < write:
        event = _event(shared, number)
        kind = load_i64(event, EVENT_KIND)
        if kind == EPOCH_EVENT or load_i64(event, EVENT_AT) > until:
            going = False
        else:
            if kind == TRANSPORT_EVENT:
                _publish(state, event, load_i64(carrier, CARRIER_BASE))
            number += 1
    store_relaxed(carrier, TRANSPORT_READ, number)


@realtime
def _send(shared, position, packed):
    """One message of MIDI out; False where there is no room."""
    write = load_relaxed(shared, NOTES_OUT_WRITE)
    if write - load_acquire(shared, NOTES_OUT_READ) >= NOTES_OUT:
        return False
    ring = shared + load_i64(shared, SHARED_NOTES_OUT)
    slot = 2 * (write & (NOTES_OUT - 1))
    store_i64(ring, slot, position)
    store_i64(ring, slot + 1, packed)
    store_release(shared, NOTES_OUT_WRITE, write + 1)
    return True


@realtime
def _send_notes(shared, state, base, count, first):
    """Each part's messages of these samples, then those of the clock; nothing from before position `first`."""
    position = load_relaxed(state, POSITION)
    for part in range(_PARTS):
        notes = load_i64(load_i64(state, NOTES), part)
        many = notes_due(notes, position, count)
        due = load_i64(notes, NOTES_DUE)
        for i in range(many):
            at = base + position + load_i64(due, 2 * i)
            if at >= first and not _send(shared, at, load_i64(due, 2 * i + 1)):
                store_release(notes, NOTES_PANIC, 1)  # what may have been an end must not be lost
    events, read = load_i64(state, MIDI_OUT_RING), load_relaxed(state, MIDI_OUT_READ)
    write = load_acquire(state, MIDI_OUT_WRITE)
    going = True
    while going and read < write:
        slot = 2 * (read & (MIDI_EVENTS - 1))
        at = load_i64(events, slot)
        if at >= position + count:
            going = False
        else:
            place = base + max(at, position)
            late = at < position - 4 * PIECE
            if late or (place >= first and not _send(shared, place, load_i64(events, slot + 1))):
                store_relaxed(state, MIDI_OUT_DROPPED, load_relaxed(state, MIDI_OUT_DROPPED) + 1)
            read += 1
    store_release(state, MIDI_OUT_READ, read)


@realtime
def _carry(carrier, shared, state, count):
    """So many samples through the band: what was heard in, what it plays out, at their positions."""
    base, heard, played = (
        load_i64(carrier, CARRIER_BASE),
        load_i64(carrier, CARRIER_HEARD),
        load_i64(carrier, CARRIER_PLAYED),
    )
    position = base + load_relaxed(state, POSITION)
    # Up to the end of the piece: what the worker finds there does not depend on how the time before was cut.
    _read_transport(carrier, shared, state, position + count - 1 + load_acquire(carrier, CARRIER_LEAD))
    before = max(0, min(count, load_i64(carrier, CARRIER_FROM) - position))
    ring_take(shared + 8 * SHARED_IN, heard + 4 * before, count - before, PIECE)
    inputs, outputs = load_i64(state, CHANNELS_IN), load_i64(state, CHANNELS_OUT)
    for row in range(IN_ROWS):
        samples = heard + 4 * PIECE * row
        store_i64(inputs, row, samples)
        for i in range(count):
            if i < before or load_i32(samples, i) == HOLE_BITS:
                store_f32(samples, i, np.float32(0.0))
    for row in range(OUT_ROWS):
        store_i64(outputs, row, played + 4 * PIECE * row)
    _send_notes(shared, state, base, count, load_i64(carrier, CARRIER_FROM) - load_acquire(shared, SHELL_HOLD))
    process_block(state, inputs, IN_ROWS, outputs, OUT_ROWS, count)
    ring_write_at(shared + 8 * SHARED_OUT, position, played, count, PIECE)
    store_release(shared, ENGINE_POSITION, position + count)


@realtime
def _tell(carrier, shared, state, event):
    """An event whose time has come: to the worker, or to Python. False where there is no room yet."""
    kind = load_i64(event, EVENT_KIND)
    if kind == MIDI_EVENT:
        midi_push(state, load_i64(event, EVENT_AT) - load_i64(carrier, CARRIER_BASE), load_i64(event, EVENT_VALUE))
    elif kind == PARAMETER_EVENT:
        write = load_relaxed(carrier, PARAMETER_WRITE)
        if write - load_acquire(carrier, PARAMETER_READ) >= PARAMETERS:
            return False
        ring, slot = load_i64(carrier, CARRIER_PARAMETERS), 2 * (write & (PARAMETERS - 1))
        store_i64(ring, slot, load_i64(event, EVENT_VALUE))
        store_i64(ring, slot + 1, load_i64(event, EVENT_MORE))
        store_release(carrier, PARAMETER_WRITE, write + 1)
    read = load_relaxed(shared, EVENT_READ)
    if kind != TRANSPORT_EVENT:
        store_relaxed(carrier, TURNS_SEEN, _TOLD)
    elif read >= load_relaxed(carrier, TRANSPORT_READ):  # else it was told ahead
        _publish(state, event, load_i64(carrier, CARRIER_BASE))
    store_release(shared, EVENT_READ, read + 1)
    return True


@realtime
def _settled(carrier, state):
    """Whether worker and Python have obeyed all that they were told: the worker, in a whole turn that began after it
    had been told."""
    if load_acquire(carrier, PARAMETER_READ) != load_relaxed(carrier, PARAMETER_WRITE):
        return False
    if load_acquire(state, MIDI_READ) != load_relaxed(state, MIDI_WRITE):
        return False
    if load_relaxed(carrier, TURNS_SEEN) == _TOLD:
        store_relaxed(carrier, TURNS_SEEN, load_acquire(state, TURNS))
    seen = load_relaxed(carrier, TURNS_SEEN)
    return seen == _NOT_TOLD or load_acquire(state, TURNS) >= seen + 2


@realtime
def _pass_over(carrier, shared, state, until):
    """Where a clock runs and so much was not carried (this process was stopped), go to where the host is by now."""
    behind = until - load_i64(carrier, CARRIER_BASE) - load_relaxed(state, POSITION)
    if behind > load_i64(state, STALL_SAMPLES):
        store_release(state, STALLED_SAMPLES, load_relaxed(state, STALLED_SAMPLES) + behind)
        ring_pass_taken(shared + 8 * SHARED_IN, behind)
        pass_over(state, behind)


@realtime
def _turn(carrier, shared, state):
    """Do what can be done: an event, or a piece of sound. False where there is nothing."""
    base = load_i64(carrier, CARRIER_BASE)
    lockstep = load_i64(carrier, CARRIER_LOCKSTEP) != 0
    until = load_acquire(shared, SHELL_POSITION) - load_i64(carrier, CARRIER_DELAY)
    if not lockstep:
        _pass_over(carrier, shared, state, until)
    elif load_acquire(state, INPUT_NEEDED) <= load_relaxed(state, POSITION):
        return False
    position = base + load_relaxed(state, POSITION)
    read = load_relaxed(shared, EVENT_READ)
    if read < load_acquire(shared, EVENT_WRITE):
        event = _event(shared, read)
        at = load_i64(event, EVENT_AT)
        ends = load_i64(event, EVENT_KIND) == EPOCH_EVENT
        if ends:  # what is played from there on belongs with what is heard in the new one
            at -= load_acquire(shared, SHELL_HOLD)
        if at <= max(position, load_i64(carrier, CARRIER_FROM)):
            if ends:
                store_release(carrier, CARRIER_ENDED, 1)
                return False
            return _tell(carrier, shared, state, event)
        until = min(until, at)
    count = min(until - position, PIECE)
    if lockstep:
        count = min(count, base + load_acquire(state, INPUT_NEEDED) - position)
    if count <= 0 or (lockstep and not _settled(carrier, state)):
        return False
    store_relaxed(carrier, TURNS_SEEN, _NOT_TOLD)
    _carry(carrier, shared, state, count)
    return True


_cfunc = cached_cfunc(__file__, _plugin_table.__file__, *_jack_callback.SOURCES)


@realtime_entry
@_cfunc(_I(_I))
def carry_blocks(carrier):
    """Until somebody says quit, the lease is retired, or a new epoch begins."""
    shared, lease = load_i64(carrier, CARRIER_SHARED), load_i64(carrier, CARRIER_LEASE)
    state = load_i64(lease, LEASE_STATE)
    while (
        load_acquire(carrier, CARRIER_QUIT) == 0
        and load_relaxed(carrier, CARRIER_ENDED) == 0
        and load_acquire(lease, LEASE_PHASE) != RETIRED
    ):
        if not _turn(carrier, shared, state):
            _nanosleep(load_i64(carrier, CARRIER_SLEEP), load_i64(carrier, CARRIER_NAP), 0)
    return 0


@_cfunc(_I(_I, _I))
def skip_events(shared, past):
    """Nobody plays: forget what happens up to the next epoch. 1: there it is, or was passed (`past`); 0: not yet."""
    read = load_relaxed(shared, EVENT_READ)
    write = load_acquire(shared, EVENT_WRITE)
    found = 0
    while found == 0 and read < write:
        if load_i64(_event(shared, read), EVENT_KIND) == EPOCH_EVENT:
            found = 1
        if found == 0 or past != 0:
            read += 1
    store_release(shared, EVENT_READ, read)
    return found


@_cfunc(types.void(_I, _I))
def skip_heard(shared, position):
    """Nobody plays: forget what was heard before a position."""
    ring_skip_to(shared + 8 * SHARED_IN, position)


@_cfunc(types.void(_I, _I))
def rewind_played(shared, position):
    """While nobody carries, and the host waits: what another epoch played from a position on is not to be played."""
    ring_rewind(shared + 8 * SHARED_OUT, position)
