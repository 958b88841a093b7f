"""What the audio thread runs for each block: one compiled function, called by JACK, by PortAudio or by a port of ours.

Knows neither Python objects nor the interpreter lock: it works on the words of one stream (`state_table.py`) and on
memory that `bridge.Bridge` owns. Nothing here allocates, locks, waits or prints.

Per block: input channels -> mono -> in-ring; out-ring at the absolute position -> fallback for what is missing ->
gain ramp -> limiter -> every output channel. The callbacks of the sound systems are in jack_callback.py and
portaudio_callback.py; rate_conversion.py brings a block to another rate and back.
"""

from __future__ import annotations

import numpy as np
from numba import types

from ...dsp import limiter as _limiter
from ...dsp.limiter import LOUDEST, limit_sample
from ...dsp.raw_memory import (
    FLUSH_BITS,
    atomic_max,
    atomic_swap,
    bits_of_f64,
    cached_cfunc,
    load_acquire,
    load_f32,
    load_f64,
    load_i32,
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
from ...dsp.ring import HOLE_BITS, ring_pass_pushed, ring_pass_taken, ring_push, ring_take
from . import fallback_bar as _fallback
from . import state_table as _state_table
from .fallback_bar import fallback_sample, fallback_silence
from .state_table import (
    BAR_SAMPLES,
    CALLBACKS,
    CHANNEL_METERS,
    CLICK_OUTPUTS,
    CLICK_RING,
    CLICK_SCRATCH,
    FALLBACK,
    FIRST_SOUND_POSITION,
    FLOAT_SCRATCH,
    IN_DROPPED,
    IN_PEAK,
    IN_RING,
    LARGEST_BLOCK,
    LAST_BLOCK,
    LIMITED,
    LIMITER,
    MAX_BLOCK,
    METERED_CHANNELS,
    MISS_BLOCKS,
    MIX_SCRATCH,
    NONFINITE_IN,
    NONFINITE_OUT,
    OUT_PEAK,
    OUT_RING,
    PLAY_FROM_POSITION,
    PLAY_UNTIL_POSITION,
    PLAYING,
    POSITION,
    RAMP_INDEX,
    RAMP_SAMPLES,
    RAMP_TABLE,
)

_I = types.int64


@realtime
def is_finite(address, index):
    return (load_i32(address, index) & 0x7F800000) != 0x7F800000


@realtime
def clamp_sample(sample):
    """Finite is not enough: squares of the largest numbers are none."""
    return max(np.float32(-LOUDEST), min(np.float32(LOUDEST), sample))


@realtime
def _raise_peak(state, word, peak):
    if peak > 0.0:
        atomic_max(state, word, bits_of_f64(np.float64(peak)))


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
        _raise_peak(meters, channel, peak)
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
    _raise_peak(state, IN_PEAK, peak)
    dropped = ring_push(load_i64(state, IN_RING), mix, count)
    if dropped > 0:
        store_relaxed(state, IN_DROPPED, load_relaxed(state, IN_DROPPED) + dropped)


@realtime
def _count_faults(state, bad, limited, missed):
    """Add a block's samples that were not finite or limited, and the block where samples were missing."""
    if bad > 0:
        store_relaxed(state, NONFINITE_OUT, load_relaxed(state, NONFINITE_OUT) + bad)
    if limited > 0:
        store_relaxed(state, LIMITED, load_relaxed(state, LIMITED) + limited)
    if missed > 0:
        store_relaxed(state, MISS_BLOCKS, load_relaxed(state, MISS_BLOCKS) + 1)


@realtime
def _copy_to_outputs(state, outputs, n_outputs, offset, count):
    """The mix, and the click where it has outputs of its own, to every output channel."""
    mix, click = load_i64(state, MIX_SCRATCH), load_i64(state, CLICK_SCRATCH)
    clicking = load_relaxed(state, CLICK_OUTPUTS)
    for channel in range(n_outputs):
        destination = load_i64(outputs, channel) + 4 * offset
        source = click if channel >= n_outputs - clicking else mix
        for i in range(count):
            store_f32(destination, i, load_f32(source, i))


@realtime
def _write_outputs(state, outputs, n_outputs, offset, count, position):
    """Take the block at `position`, cover, ramp and limit it, and copy it to every output channel."""
    mix = load_i64(state, MIX_SCRATCH)
    limiter = load_i64(state, LIMITER)
    fallback = load_i64(state, FALLBACK)
    table = load_i64(state, RAMP_TABLE)
    ramp_end = load_i64(state, RAMP_SAMPLES)
    ramp = load_i64(state, RAMP_INDEX)
    target = load_acquire(state, PLAYING)
    first = load_relaxed(state, PLAY_FROM_POSITION)
    until = load_relaxed(state, PLAY_UNTIL_POSITION)
    click = load_i64(state, CLICK_SCRATCH)
    clicking = load_relaxed(state, CLICK_OUTPUTS)
    period = load_relaxed(state, BAR_SAMPLES)
    ring_take(load_i64(state, OUT_RING), mix, count)
    ring_take(load_i64(state, CLICK_RING), click, count)
    bad = 0
    limited = 0
    missed = 0
    peak = np.float32(0.0)
    for i in range(count):
        missing = load_i32(mix, i) == HOLE_BITS
        fresh = 0.0
        if not missing:
            if is_finite(mix, i):
                fresh = np.float64(clamp_sample(load_f32(mix, i)))
            else:
                bad += 1
        clicked = 0.0
        if load_i32(click, i) != HOLE_BITS and is_finite(click, i):
            clicked = np.float64(load_f32(click, i))
        store_f32(click, i, np.float32(clicked))
        if clicking > 0:
            clicked = 0.0
        here = position + i
        if first > until:  # stopped there, and begun anew here
            sounding = target != 0 and (here < until or here >= first)
        else:
            sounding = target != 0 and first <= here and here < until
        if sounding:
            ramp = min(ramp_end, ramp + 1)
        else:
            ramp = max(0, ramp - 1)
        if ramp == 0:
            fallback_silence(fallback, position + i)
            value, hit = limit_sample(limiter, clicked)
        else:
            missed += missing
            covered = fallback_sample(fallback, position + i, fresh, missing, period)
            value, hit = limit_sample(limiter, covered * load_f32(table, ramp) + clicked)
        limited += hit
        peak = max(peak, abs(value))
        store_f32(mix, i, value)
    store_relaxed(state, RAMP_INDEX, ramp)
    _raise_peak(state, OUT_PEAK, peak)
    if peak > 0.0 and load_relaxed(state, FIRST_SOUND_POSITION) < 0:
        store_relaxed(state, FIRST_SOUND_POSITION, position)
    _count_faults(state, bad, limited, missed)
    _copy_to_outputs(state, outputs, n_outputs, offset, count)


@realtime
def process_samples(state, inputs, n_inputs, outputs, n_outputs, count):
    """`count` samples of the bridge's clock; `inputs` and `outputs` are addresses of tables of channel addresses."""
    scratch = load_i64(state, FLOAT_SCRATCH)
    mode = read_float_mode(scratch)
    write_float_mode(scratch, mode | FLUSH_BITS)
    done = 0
    while done < count:
        piece = min(count - done, load_i64(state, MAX_BLOCK))
        position = load_relaxed(state, POSITION)
        _read_inputs(state, inputs, n_inputs, done, piece)
        _write_outputs(state, outputs, n_outputs, done, piece, position)
        store_release(state, POSITION, position + piece)
        done += piece
    write_float_mode(scratch, mode)


@realtime
def pass_over(state, count):
    """The clock goes on by `count` samples for which no callback came: nothing of them is heard or played."""
    ring_pass_pushed(load_i64(state, IN_RING), count)
    ring_pass_taken(load_i64(state, OUT_RING), count)
    ring_pass_taken(load_i64(state, CLICK_RING), count)
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
    process_samples(state, inputs, n_inputs, outputs, n_outputs, count)
    count_callback(state, count)


SOURCES = (__file__, *_limiter.SOURCES, *_state_table.SOURCES, *_fallback.SOURCES)
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
