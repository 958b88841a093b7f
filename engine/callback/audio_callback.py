"""What the audio thread runs for each block: one compiled function, called by JACK, by PortAudio or by a port of ours.

Knows neither Python objects nor the interpreter lock: it works on the words of one stream (`state_table.py`) and on
memory that `bridge.Bridge` owns. Nothing here allocates, locks, waits or prints.

Per block: input channels -> mono -> in-ring; out-ring at the absolute position, all rows alike -> fallback for what is
missing -> gain ramp -> the limiter of each bus (played_rows.py) -> the outputs, each of which plays one row. The
callbacks of the sound systems are in jack_callback.py and portaudio_callback.py; rate_conversion.py brings a block to
another rate and back.
"""

from __future__ import annotations

import numpy as np
from numba import types

from ...dsp.raw_memory import (
    FLUSH_BITS,
    atomic_swap,
    cached_cfunc,
    copy_bytes,
    load_acquire,
    load_f32,
    load_f64,
    load_i64,
    load_relaxed,
    read_float_mode,
    realtime,
    realtime_entry,
    store_f32,
    store_f64,
    store_relaxed,
    store_release,
    write_float_mode,
)
from ...dsp.ring import ring_pass_pushed, ring_pass_taken, ring_push
from . import played_rows as _played_rows
from .played_rows import clamp_sample, is_finite, make_rows, raise_peak, scratch_row
from .state_table import (
    CALLBACKS,
    CHANNEL_METERS,
    CLICK_RING,
    FLOAT_SCRATCH,
    IN_DROPPED,
    IN_PEAK,
    IN_RING,
    LARGEST_BLOCK,
    LAST_BLOCK,
    LOOP_RING,
    MAX_BLOCK,
    METERED_CHANNELS,
    MIX_SCRATCH,
    NONFINITE_IN,
    OUT_RING,
    OUTPUT_ROWS,
    POSITION,
)

_I = types.int64


@realtime
def _add(meters, place, amount):
    store_f64(meters, place, load_f64(meters, place) + amount)


@realtime
def average_channels(state, inputs, n_inputs, offset, count, into):
    """Write the mean of the input channels' samples from `offset` on to `into`; what is no number is 0, and counted."""
    for i in range(count):
        store_f32(into, i, np.float32(0.0))
    share = np.float32(1.0) / np.float32(max(1, n_inputs))
    meters = load_i64(state, CHANNEL_METERS)
    bad = 0
    for channel in range(n_inputs):
        source = load_i64(inputs, channel) + 4 * offset
        peak = np.float32(0.0)
        energy = 0.0
        for i in range(count):
            if is_finite(source, i):
                sample = clamp_sample(load_f32(source, i))
                store_f32(into, i, load_f32(into, i) + sample * share)
                peak = max(peak, abs(sample))
                energy += np.float64(sample) * np.float64(sample)
            else:
                bad += 1
        raise_peak(meters, channel, peak)
        _add(meters, METERED_CHANNELS + channel, energy)
    energy = 0.0
    for i in range(count):
        energy += np.float64(load_f32(into, i)) * np.float64(load_f32(into, i))
    _add(meters, 2 * METERED_CHANNELS, energy)
    _add(meters, 2 * METERED_CHANNELS + 1, np.float64(count))
    if bad > 0:
        store_relaxed(state, NONFINITE_IN, load_relaxed(state, NONFINITE_IN) + bad)


@realtime
def _read_inputs(state, inputs, n_inputs, offset, count):
    """Average the input channels into the mix scratch, and push that to the in-ring."""
    mix = load_i64(state, MIX_SCRATCH)
    average_channels(state, inputs, n_inputs, offset, count, mix)
    peak = np.float32(0.0)
    for i in range(count):
        peak = max(peak, abs(load_f32(mix, i)))
    raise_peak(state, IN_PEAK, peak)
    dropped = ring_push(load_i64(state, IN_RING), mix, count)
    if dropped > 0:
        store_relaxed(state, IN_DROPPED, load_relaxed(state, IN_DROPPED) + dropped)


@realtime
def _copy_to_outputs(state, outputs, n_outputs, rows, offset, count):
    """To every output the row that a table says."""
    for channel in range(n_outputs):
        source = scratch_row(state, load_i64(rows, channel))
        copy_bytes(load_i64(outputs, channel) + 4 * offset, source, 4 * count)


@realtime
def process_samples(state, inputs, n_inputs, outputs, n_outputs, rows, count):
    """`count` samples of the bridge's clock; `inputs` and `outputs` are addresses of tables of channel addresses, and
    `rows` that of a table which says what each output plays."""
    scratch = load_i64(state, FLOAT_SCRATCH)
    mode = read_float_mode(scratch)
    write_float_mode(scratch, mode | FLUSH_BITS)
    done = 0
    while done < count:
        piece = min(count - done, load_i64(state, MAX_BLOCK))
        position = load_relaxed(state, POSITION)
        _read_inputs(state, inputs, n_inputs, done, piece)
        make_rows(state, piece, position)
        _copy_to_outputs(state, outputs, n_outputs, rows, done, piece)
        store_release(state, POSITION, position + piece)
        done += piece
    write_float_mode(scratch, mode)


@realtime
def pass_over(state, count):
    """The clock goes on by `count` samples for which no callback came: nothing of them is heard or played."""
    ring_pass_pushed(load_i64(state, IN_RING), count)
    ring_pass_taken(load_i64(state, OUT_RING), count)
    ring_pass_taken(load_i64(state, CLICK_RING), count)
    ring_pass_taken(load_i64(state, LOOP_RING), count)
    store_release(state, POSITION, load_relaxed(state, POSITION) + count)


@realtime
def count_callback(state, count):
    """One callback with so many samples of the sound system's own clock is over."""
    store_relaxed(state, LAST_BLOCK, count)
    if count > load_relaxed(state, LARGEST_BLOCK):
        store_relaxed(state, LARGEST_BLOCK, count)
    store_release(state, CALLBACKS, load_relaxed(state, CALLBACKS) + 1)


@realtime
def process_block(state, inputs, n_inputs, outputs, n_outputs, count):
    """One callback at the bridge's rate: float32 [count] for each channel."""
    process_samples(state, inputs, n_inputs, outputs, n_outputs, load_i64(state, OUTPUT_ROWS), count)
    count_callback(state, count)


SOURCES = (__file__, *_played_rows.SOURCES)
_cfunc = cached_cfunc(*SOURCES)


@realtime_entry
@_cfunc(types.void(_I, _I, _I, _I, _I, _I))
def process(state, inputs, n_inputs, outputs, n_outputs, count):
    process_block(state, inputs, n_inputs, outputs, n_outputs, count)


@realtime_entry
@_cfunc(types.void(_I))
def ignore_text(text):
    """Where libraries' own chatter goes."""


@_cfunc(_I(_I, _I))
def take_word(state, word):
    """Any thread. read a word and leave 0 there (peaks)."""
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
