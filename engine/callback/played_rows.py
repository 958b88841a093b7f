"""What is played of a block: the band's rows taken, covered, ramped, and limited bus by bus. Runs in the audio thread.

Knows neither inputs nor sound systems: it leaves in the mix scratch what audio_callback.py copies to the outputs.
"""

from __future__ import annotations

import numpy as np

from ...dsp import limiter as _limiter
from ...dsp.limiter import (
    LIMITER_WORDS,
    LOUDEST,
    at_most_loudest,
    hold_ceiling,
    limiter_gain,
)
from ...dsp.raw_memory import (
    atomic_max,
    bits_of_f64,
    load_acquire,
    load_f32,
    load_i32,
    load_i64,
    load_relaxed,
    realtime,
    store_f32,
    store_relaxed,
)
from ...dsp.ring import HOLE_BITS, ring_take
from . import fallback_bar as _fallback
from . import state_table as _state_table
from .fallback_bar import (
    fallback_begin,
    fallback_end,
    fallback_keep,
    fallback_rests,
    fallback_row,
    fallback_silence,
)
from .state_table import (
    BAR_SAMPLES,
    BUS_ROWS,
    BUSES,
    CLICK_APART,
    CLICK_RING,
    FALLBACK,
    FIRST_SOUND_POSITION,
    GAIN_SCRATCH,
    LIMITED,
    LIMITERS,
    LOOP_BUS,
    LOOP_RING,
    MAX_BLOCK,
    MISS_BLOCKS,
    MIX_SCRATCH,
    NONFINITE_OUT,
    OUT_PEAK,
    OUT_RING,
    PLAY_FROM_POSITION,
    PLAY_UNTIL_POSITION,
    PLAYING,
    RAMP_INDEX,
    RAMP_SAMPLES,
    RAMP_TABLE,
    ROWS,
)


@realtime
def is_finite(address, index):
    return (load_i32(address, index) & 0x7F800000) != 0x7F800000


@realtime
def clamp_sample(sample):
    """Finite is not enough: squares of the largest numbers are none."""
    return max(np.float32(-LOUDEST), min(np.float32(LOUDEST), sample))


@realtime
def raise_peak(state, word, peak):
    if peak > 0.0:
        atomic_max(state, word, bits_of_f64(np.float64(peak)))


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
def scratch_row(state, row):
    """Address of a row of the mix scratch; those after the band's are the click's and the loop's."""
    return load_i64(state, MIX_SCRATCH) + 4 * row * load_i64(state, MAX_BLOCK)


@realtime
def _ramp(state, count, position):
    """The gain of every sample into the gain scratch; returns how many samples are missing of those that sound."""
    first_row, gains = scratch_row(state, 0), load_i64(state, GAIN_SCRATCH)
    table, ramp_end = load_i64(state, RAMP_TABLE), load_i64(state, RAMP_SAMPLES)
    ramp = load_i64(state, RAMP_INDEX)
    target = load_acquire(state, PLAYING)
    first = load_relaxed(state, PLAY_FROM_POSITION)
    until = load_relaxed(state, PLAY_UNTIL_POSITION)
    missed = 0
    for i in range(count):
        here = position + i
        if first > until:  # stopped there, and begun anew here
            sounding = target != 0 and (here < until or here >= first)
        else:
            sounding = target != 0 and first <= here and here < until
        if sounding:
            ramp = min(ramp_end, ramp + 1)
        else:
            ramp = max(0, ramp - 1)
        store_f32(gains, i, load_f32(table, ramp))
        if ramp > 0 and load_i32(first_row, i) == HOLE_BITS:
            missed += 1
    store_relaxed(state, RAMP_INDEX, ramp)
    return missed


@realtime
def _pass_row(state, row, count, position):
    """A row of which nothing is missing and nothing was: made finite, kept, ramped. Returns what was not finite."""
    samples, gains = scratch_row(state, row), load_i64(state, GAIN_SCRATCH)
    bad = 0
    for i in range(count):
        value = np.float32(0.0)
        if is_finite(samples, i):
            value = clamp_sample(load_f32(samples, i))
        elif load_i32(samples, i) != HOLE_BITS:
            bad += 1
        store_f32(samples, i, value if load_f32(gains, i) > 0.0 else np.float32(0.0))
    fallback_keep(load_i64(state, FALLBACK), row, position, samples, count)
    for i in range(count):
        store_f32(samples, i, load_f32(samples, i) * load_f32(gains, i))
    return bad


@realtime
def _cover_rows(state, count, position):
    """All rows where something is missing or being covered. Returns what was not finite."""
    fallback, gains = load_i64(state, FALLBACK), load_i64(state, GAIN_SCRATCH)
    rows, period = load_i64(state, ROWS), load_relaxed(state, BAR_SAMPLES)
    bad = 0
    for i in range(count):
        gain = load_f32(gains, i)
        missing = load_i32(scratch_row(state, 0), i) == HOLE_BITS  # in all rows or in none
        if gain > 0.0:
            fallback_begin(fallback, position + i, missing, period)
        else:
            fallback_silence(fallback)
        for row in range(rows):
            samples = scratch_row(state, row)
            fresh = 0.0
            if not missing:
                if is_finite(samples, i):
                    fresh = np.float64(clamp_sample(load_f32(samples, i)))
                else:
                    bad += 1
            if gain == 0.0:
                fresh = 0.0
            covered = fallback_row(fallback, row, position + i, fresh)
            store_f32(samples, i, np.float32(covered * gain))
        fallback_end(fallback)
    return bad


@realtime
def _take_apart(state, ring, row, count):
    """What comes beside the band, click or loop, into its row; silence where there is none."""
    samples = scratch_row(state, row)
    ring_take(load_i64(state, ring), samples, count, count)
    for i in range(count):
        value = np.float32(0.0)
        if is_finite(samples, i):
            value = clamp_sample(load_f32(samples, i))
        store_f32(samples, i, value)


@realtime
def _limit_bus(state, bus, count):
    """A bus's rows under its ceiling, with one gain for both; main with the click, one with the loop. Returns (samples
    limited, peak)."""
    bounds = load_i64(state, BUS_ROWS)
    left = scratch_row(state, load_i64(bounds, bus))
    right = scratch_row(state, load_i64(bounds, bus + 1) - 1)  # of one row the same
    click = scratch_row(state, load_i64(state, ROWS))
    loop = scratch_row(state, load_i64(state, ROWS) + 1)
    clicking = bus == 0 and load_relaxed(state, CLICK_APART) == 0
    looping = bus == load_relaxed(state, LOOP_BUS)
    limiter = load_i64(state, LIMITERS) + 8 * LIMITER_WORDS * bus
    limited = 0
    peak = np.float32(0.0)
    for i in range(count):
        beside = 0.0
        if clicking:
            beside += np.float64(load_f32(click, i))
        if looping:
            beside += np.float64(load_f32(loop, i))
        one = at_most_loudest(np.float64(load_f32(left, i)) + beside)
        other = at_most_loudest(np.float64(load_f32(right, i)) + beside)
        gain, hit = limiter_gain(limiter, max(abs(one), abs(other)))
        played, also = hold_ceiling(limiter, one * gain), hold_ceiling(limiter, other * gain)
        store_f32(left, i, played)
        store_f32(right, i, also)
        limited += hit
        peak = max(peak, abs(played), abs(also))
    return limited, peak


@realtime
def make_rows(state, count, position):
    """Take the block at `position`, cover and ramp it, and limit each bus; what is played stands in the mix scratch."""
    ring_take(load_i64(state, OUT_RING), load_i64(state, MIX_SCRATCH), count, load_i64(state, MAX_BLOCK))
    rows = load_i64(state, ROWS)
    _take_apart(state, CLICK_RING, rows, count)
    _take_apart(state, LOOP_RING, rows + 1, count)
    missed = _ramp(state, count, position)
    bad = 0
    if missed == 0 and fallback_rests(load_i64(state, FALLBACK)):
        for row in range(load_i64(state, ROWS)):
            bad += _pass_row(state, row, count, position)
    else:
        bad = _cover_rows(state, count, position)
    limited = 0
    peak = np.float32(0.0)
    for bus in range(load_i64(state, BUSES)):
        hits, loudest = _limit_bus(state, bus, count)
        limited += hits
        peak = max(peak, loudest)
    raise_peak(state, OUT_PEAK, peak)
    if peak > 0.0 and load_relaxed(state, FIRST_SOUND_POSITION) < 0:
        store_relaxed(state, FIRST_SOUND_POSITION, position)
    _count_faults(state, bad, limited, missed)


SOURCES = (__file__, *_limiter.SOURCES, *_state_table.SOURCES, *_fallback.SOURCES)
