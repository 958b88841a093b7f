"""Everything that the audio thread runs: one compiled function, called by JACK, by PortAudio or by a port of ours.

Knows neither Python objects nor the interpreter lock: it works on the words of one state block (laid out below) and on
memory that `bridge.Bridge` owns. Nothing here allocates, locks, waits or prints.

Per block: input channels -> mono -> in-ring; out-ring at the absolute position -> fallback for what is missing ->
gain ramp -> limiter -> every output channel.
"""

from __future__ import annotations

import numpy as np
from numba import types

from ..dsp import limiter as _limiter
from ..dsp.limiter import limit_sample
from ..dsp.native import (
    FLUSH_BITS,
    atomic_max,
    atomic_swap,
    bits_of_f64,
    cached_cfunc,
    caller,
    inlined,
    load_acquire,
    load_f32,
    load_i32,
    load_i64,
    load_relaxed,
    load_u8,
    load_u32,
    read_float_mode,
    store_f32,
    store_i64,
    store_relaxed,
    store_release,
    write_float_mode,
)
from ..dsp.ring import HOLE_BITS, ring_push, ring_take
from . import fallback as _fallback
from .fallback import fallback_rest, fallback_sample

# ---- words set before the first callback
IN_RING = 0
OUT_RING = 1
LIMITER = 2
FALLBACK = 3
MIX = 4  # float32 scratch [max_block]
MAX_BLOCK = 5
RAMP_TABLE = 6  # float32 [ramp + 1], 0 to 1, equal power
RAMP_SAMPLES = 7
FLOAT_SCRATCH = 8
CHANNELS_IN = 9  # int64 scratch: addresses of the channels of this block
CHANNELS_OUT = 10
MIDI_RING = 11  # int64 [2 * MIDI_EVENTS]: position, packed bytes
# ---- words that the worker writes
TARGET = 32  # 1: the band sounds
FROM_POSITION = 33  # not before this output sample
PERIOD_ASKED = 34
MIDI_READ = 35
# ---- words that the callback writes
POSITION = 48
CALLBACKS = 49
RAMP_AT = 50
NONFINITE_IN = 51
NONFINITE_OUT = 52
LIMITED = 53
IN_DROPPED = 54
LARGEST_BLOCK = 55
LAST_BLOCK = 56
MISS_BLOCKS = 57
XRUNS = 58
LOST_SAMPLES = 59  # samples of the port's clock for which no callback came
MIDI_WRITE = 60
MIDI_DROPPED = 61
# ---- peaks: the callback raises them, a reader takes them away (bits of a float64 >= 0)
IN_PEAK = 80
OUT_PEAK = 81
# ---- words of the JACK client: tables and addresses of libjack's functions
FREEWHEEL = 95  # 1: the server runs without the clock, whose time then says nothing
JACK_CLIENT = 96
JACK_INPUTS = 97
JACK_OUTPUTS = 98
JACK_IN_PORTS = 99  # int64 table
JACK_OUT_PORTS = 100
JACK_MIDI_PORT = 101
FN_GET_BUFFER = 102
FN_MIDI_COUNT = 103
FN_MIDI_GET = 104
FN_FRAME_TIME = 105
JACK_MIDI_EVENT = 107  # scratch for one jack_midi_event_t
JACK_LAST_FRAME = 108
JACK_STARTED = 109
SHUTDOWN = 110
RATE_CHANGED = 111
# ---- words of the PortAudio stream
PA_INPUTS = 112  # how many channels the band hears
PA_OUTPUTS = 113  # how many it plays on
PA_IN_INDEX = 114  # int64 table: index of each heard channel in the stream
PA_OUT_INDEX = 115
PA_OUT_TOTAL = 116
# ---- words of the JACK client's latency callback
JACK_OWN_DELAY = 117  # samples that the client adds on the way through it; may be negative
FN_LATENCY_GET = 118
FN_LATENCY_SET = 119
JACK_LATENCY_RANGE = 120  # scratch for one jack_latency_range_t, the notification thread's own
STATE_WORDS = 128

# ---- words of a lease: what a real port's callbacks are given. One that has died keeps its lease, which is retired:
# whatever a dead server or a sleeping device still calls can do nothing to the stream that took its place.
LEASE_STATE = 0
LEASE_PHASE = 1
WAITING = 0  # play silence: somebody else carries the clock still
ACTIVE = 1
RETIRED = 2
LEASE_WORDS = 8

MIDI_EVENTS = 1024

_I = types.int64
_get_buffer = caller(types.int64, types.int64, types.uint32)
_midi_count = caller(types.uint32, types.int64)
_midi_get = caller(types.int32, types.int64, types.int64, types.uint32)
_frame_time = caller(types.uint32, types.int64)
_latency_range = caller(types.int32, types.int64, types.int32, types.int64)  # returns nothing: what comes is unread


@inlined
def _is_finite(address, index):
    return (load_i32(address, index) & 0x7F800000) != 0x7F800000


@inlined
def _raise_peak(state, word, peak):
    if peak > 0.0:
        atomic_max(state, word, bits_of_f64(np.float64(peak)))


@inlined
def _hear(state, inputs, n_inputs, offset, count):
    """Average the input channels into the mix scratch, and push that to the in-ring."""
    mix = load_i64(state, MIX)
    for i in range(count):
        store_f32(mix, i, np.float32(0.0))
    share = np.float32(1.0) / np.float32(max(1, n_inputs))
    bad = 0
    for channel in range(n_inputs):
        source = load_i64(inputs, channel) + 4 * offset
        for i in range(count):
            if _is_finite(source, i):
                store_f32(mix, i, load_f32(mix, i) + load_f32(source, i) * share)
            else:
                bad += 1
    peak = np.float32(0.0)
    for i in range(count):
        peak = max(peak, abs(load_f32(mix, i)))
    _raise_peak(state, IN_PEAK, peak)
    if bad > 0:
        store_relaxed(state, NONFINITE_IN, load_relaxed(state, NONFINITE_IN) + bad)
    dropped = ring_push(load_i64(state, IN_RING), mix, count)
    if dropped > 0:
        store_relaxed(state, IN_DROPPED, load_relaxed(state, IN_DROPPED) + dropped)


@inlined
def _play(state, outputs, n_outputs, offset, count, position):
    """Take the block at `position`, cover, ramp and limit it, and copy it to every output channel."""
    mix = load_i64(state, MIX)
    limiter = load_i64(state, LIMITER)
    fallback = load_i64(state, FALLBACK)
    table = load_i64(state, RAMP_TABLE)
    ramp_end = load_i64(state, RAMP_SAMPLES)
    ramp = load_i64(state, RAMP_AT)
    target = load_acquire(state, TARGET)
    first = load_relaxed(state, FROM_POSITION)
    period = load_relaxed(state, PERIOD_ASKED)
    ring_take(load_i64(state, OUT_RING), mix, count)
    bad = 0
    limited = 0
    missed = 0
    peak = np.float32(0.0)
    for i in range(count):
        missing = load_i32(mix, i) == HOLE_BITS
        fresh = 0.0
        if not missing:
            if _is_finite(mix, i):
                fresh = np.float64(load_f32(mix, i))
            else:
                bad += 1
        sounding = target != 0 and position + i >= first
        if sounding:
            ramp = min(ramp_end, ramp + 1)
        else:
            ramp = max(0, ramp - 1)
        if ramp == 0:
            fallback_rest(fallback, position + i)
            value, hit = limit_sample(limiter, 0.0)
        else:
            missed += missing
            covered = fallback_sample(fallback, position + i, fresh, missing, period)
            value, hit = limit_sample(limiter, covered * load_f32(table, ramp))
        limited += hit
        peak = max(peak, abs(value))
        store_f32(mix, i, value)
    store_relaxed(state, RAMP_AT, ramp)
    _raise_peak(state, OUT_PEAK, peak)
    if bad > 0:
        store_relaxed(state, NONFINITE_OUT, load_relaxed(state, NONFINITE_OUT) + bad)
    if limited > 0:
        store_relaxed(state, LIMITED, load_relaxed(state, LIMITED) + limited)
    if missed > 0:
        store_relaxed(state, MISS_BLOCKS, load_relaxed(state, MISS_BLOCKS) + 1)
    for channel in range(n_outputs):
        destination = load_i64(outputs, channel) + 4 * offset
        for i in range(count):
            store_f32(destination, i, load_f32(mix, i))


@inlined
def process_block(state, inputs, n_inputs, outputs, n_outputs, count):
    """One callback: `inputs` and `outputs` are addresses of tables of channel addresses, float32 [count] each."""
    scratch = load_i64(state, FLOAT_SCRATCH)
    mode = read_float_mode(scratch)
    write_float_mode(scratch, mode | FLUSH_BITS)
    done = 0
    while done < count:
        piece = min(count - done, load_i64(state, MAX_BLOCK))
        position = load_relaxed(state, POSITION)
        _hear(state, inputs, n_inputs, done, piece)
        _play(state, outputs, n_outputs, done, piece, position)
        store_release(state, POSITION, position + piece)
        done += piece
    store_relaxed(state, LAST_BLOCK, count)
    if count > load_relaxed(state, LARGEST_BLOCK):
        store_relaxed(state, LARGEST_BLOCK, count)
    store_release(state, CALLBACKS, load_relaxed(state, CALLBACKS) + 1)
    write_float_mode(scratch, mode)


@inlined
def _midi_push(state, position, packed):
    write = load_relaxed(state, MIDI_WRITE)
    if write - load_acquire(state, MIDI_READ) >= MIDI_EVENTS:
        store_relaxed(state, MIDI_DROPPED, load_relaxed(state, MIDI_DROPPED) + 1)
        return
    events = load_i64(state, MIDI_RING)
    slot = 2 * (write & (MIDI_EVENTS - 1))
    store_i64(events, slot, position)
    store_i64(events, slot + 1, packed)
    store_release(state, MIDI_WRITE, write + 1)


@inlined
def _jack_midi(state, count):
    """Read this block's MIDI: messages of up to 3 bytes, each stamped with the sample at which it came."""
    port = load_i64(state, JACK_MIDI_PORT)
    if port == 0:
        return
    buffer = _get_buffer(load_i64(state, FN_GET_BUFFER), port, np.uint32(count))
    events = np.int64(_midi_count(load_i64(state, FN_MIDI_COUNT), buffer))
    event = load_i64(state, JACK_MIDI_EVENT)
    for i in range(events):
        if _midi_get(load_i64(state, FN_MIDI_GET), event, buffer, np.uint32(i)) != 0:
            continue
        size = load_i64(event, 1)
        if size < 1 or size > 3:
            continue
        data = load_i64(event, 2)
        packed = np.int64(load_u8(data, 0))
        if size > 1:
            packed |= np.int64(load_u8(data, 1)) << 8
        if size > 2:
            packed |= np.int64(load_u8(data, 2)) << 16
        _midi_push(state, load_relaxed(state, POSITION) + np.int64(load_u32(event, 0)), packed)


@inlined
def _jack_clock(state, count):
    """Count the samples of the server's clock that passed without a callback."""
    if load_acquire(state, FREEWHEEL) != 0:
        store_i64(state, JACK_STARTED, 0)
        return
    now = np.int64(_frame_time(load_i64(state, FN_FRAME_TIME), load_i64(state, JACK_CLIENT)))
    if load_i64(state, JACK_STARTED) != 0:
        step = (now - load_i64(state, JACK_LAST_FRAME)) & 0xFFFFFFFF
        lost = step - load_relaxed(state, LAST_BLOCK)
        if 0 < lost < 0x7FFFFFFF:
            store_relaxed(state, LOST_SAMPLES, load_relaxed(state, LOST_SAMPLES) + lost)
    store_i64(state, JACK_LAST_FRAME, now)
    store_i64(state, JACK_STARTED, 1)


SOURCES = (__file__, _limiter.__file__, *_fallback.SOURCES)
_cfunc = cached_cfunc(*SOURCES)


@_cfunc(types.void(_I, _I, _I, _I, _I, _I))
def process(state, inputs, n_inputs, outputs, n_outputs, count):
    process_block(state, inputs, n_inputs, outputs, n_outputs, count)


@_cfunc(types.int32(types.uint32, _I))
def jack_process(frames, lease):
    phase = load_acquire(lease, LEASE_PHASE)
    if phase == RETIRED:
        return 1
    state = load_i64(lease, LEASE_STATE)
    count = np.int64(frames)
    get_buffer = load_i64(state, FN_GET_BUFFER)
    if phase == WAITING:
        for i in range(load_i64(state, JACK_OUTPUTS)):
            silent = _get_buffer(get_buffer, load_i64(load_i64(state, JACK_OUT_PORTS), i), frames)
            for k in range(count):
                store_f32(silent, k, np.float32(0.0))
        return 0
    inputs = load_i64(state, CHANNELS_IN)
    outputs = load_i64(state, CHANNELS_OUT)
    n_inputs = load_i64(state, JACK_INPUTS)
    n_outputs = load_i64(state, JACK_OUTPUTS)
    for i in range(n_inputs):
        store_i64(inputs, i, _get_buffer(get_buffer, load_i64(load_i64(state, JACK_IN_PORTS), i), frames))
    for i in range(n_outputs):
        store_i64(outputs, i, _get_buffer(get_buffer, load_i64(load_i64(state, JACK_OUT_PORTS), i), frames))
    _jack_clock(state, count)
    _jack_midi(state, count)
    process_block(state, inputs, n_inputs, outputs, n_outputs, count)
    return 0


@_cfunc(types.int32(_I))
def jack_xrun(lease):
    if load_acquire(lease, LEASE_PHASE) != RETIRED:
        state = load_i64(lease, LEASE_STATE)
        store_relaxed(state, XRUNS, load_relaxed(state, XRUNS) + 1)
    return 0


@_cfunc(types.void(types.int32, _I, _I))
def jack_shutdown(code, reason, lease):
    if load_acquire(lease, LEASE_PHASE) != RETIRED:
        store_release(load_i64(lease, LEASE_STATE), SHUTDOWN, 1)


@_cfunc(types.void(types.int32, _I))
def jack_latency(mode, lease):
    """Capture (mode 0): what lies before our outputs; playback (1): what lies behind our inputs. With our own delay."""
    if load_acquire(lease, LEASE_PHASE) == RETIRED:
        return
    state = load_i64(lease, LEASE_STATE)
    capture = mode == 0
    near = load_i64(state, JACK_IN_PORTS if capture else JACK_OUT_PORTS)
    far = load_i64(state, JACK_OUT_PORTS if capture else JACK_IN_PORTS)
    n_near = load_i64(state, JACK_INPUTS if capture else JACK_OUTPUTS)
    n_far = load_i64(state, JACK_OUTPUTS if capture else JACK_INPUTS)
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


@_cfunc(types.int32(types.uint32, _I))
def jack_rate(rate_hz, lease):
    if load_acquire(lease, LEASE_PHASE) != RETIRED:
        store_release(load_i64(lease, LEASE_STATE), RATE_CHANGED, np.int64(rate_hz))
    return 0


@_cfunc(types.void(types.int32, _I))
def jack_freewheel(starting, lease):
    if load_acquire(lease, LEASE_PHASE) != RETIRED:
        store_release(load_i64(lease, LEASE_STATE), FREEWHEEL, np.int64(starting))


@_cfunc(types.void(_I))
def ignore_text(text):
    """Where libraries' own chatter goes."""


def _portaudio_signature():  # type: ignore[no-untyped-def]
    import ctypes

    unsigned_long = types.uint64 if ctypes.sizeof(ctypes.c_ulong) == 8 else types.uint32
    return types.int32(_I, _I, unsigned_long, _I, unsigned_long, _I)


@_cfunc(_portaudio_signature())
def portaudio_process(stream_in, stream_out, frames, times, flags, lease):
    """A PaStreamCallback for non-interleaved float32: `stream_in` and `stream_out` are tables of channel addresses."""
    count = np.int64(frames)
    phase = load_acquire(lease, LEASE_PHASE)
    state = load_i64(lease, LEASE_STATE)
    for channel in range(load_i64(state, PA_OUT_TOTAL)):
        silent = load_i64(stream_out, channel)
        for i in range(count):
            store_f32(silent, i, np.float32(0.0))
    if phase == RETIRED:
        return 2  # paAbort
    if phase == WAITING:
        return 0
    if (np.int64(flags) & 0xF) != 0:  # under- and overflows of input and output
        store_relaxed(state, XRUNS, load_relaxed(state, XRUNS) + 1)
    inputs = load_i64(state, CHANNELS_IN)
    outputs = load_i64(state, CHANNELS_OUT)
    n_inputs = load_i64(state, PA_INPUTS)
    if stream_in == 0:
        n_inputs = 0
    for i in range(n_inputs):
        store_i64(inputs, i, load_i64(stream_in, load_i64(load_i64(state, PA_IN_INDEX), i)))
    n_outputs = load_i64(state, PA_OUTPUTS)
    for i in range(n_outputs):
        store_i64(outputs, i, load_i64(stream_out, load_i64(load_i64(state, PA_OUT_INDEX), i)))
    process_block(state, inputs, n_inputs, outputs, n_outputs, count)
    return 0


@_cfunc(_I(_I, _I))
def take_word(state, word):
    """Any thread: read a word and leave 0 there (peaks)."""
    return atomic_swap(state, word, 0)


@_cfunc(_I(_I, _I))
def read_word(state, word):
    return load_acquire(state, word)


@_cfunc(types.void(_I, _I, _I))
def write_word(state, word, value):
    store_release(state, word, value)


@_cfunc(_I(_I, _I, _I, _I, _I, _I, _I))
def process_many(state, inputs, n_inputs, outputs, n_outputs, count, times):
    """For measuring: the same block again and again."""
    for _ in range(times):
        process_block(state, inputs, n_inputs, outputs, n_outputs, count)
    return times
