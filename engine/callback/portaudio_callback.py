"""What PortAudio's thread runs: the compiled callback of a stream, with float32 by channel.

Knows neither Python objects nor the interpreter lock: it works on the words of state_table.py.
"""

from __future__ import annotations

import ctypes

import numpy as np
from numba import types

from ...dsp.raw_memory import (
    cached_cfunc,
    load_acquire,
    load_i64,
    load_relaxed,
    realtime_entry,
    store_f32,
    store_i64,
    store_relaxed,
)
from . import rate_conversion as _conversion
from .rate_conversion import process_stream
from .state_table import (
    CHANNELS_IN,
    CHANNELS_OUT,
    LEASE_PHASE,
    LEASE_STATE,
    PA_IN_INDEX,
    PA_INPUTS,
    PA_OUT_INDEX,
    PA_OUT_TOTAL,
    PA_OUTPUTS,
    RETIRED,
    WAITING,
    XRUNS,
)

_I = types.int64
_cfunc = cached_cfunc(__file__, *_conversion.SOURCES)
_UNSIGNED_LONG = types.uint64 if ctypes.sizeof(ctypes.c_ulong) == 8 else types.uint32


@realtime_entry
@_cfunc(types.int32(_I, _I, _UNSIGNED_LONG, _I, _UNSIGNED_LONG, _I))
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
    process_stream(lease, state, inputs, n_inputs, outputs, n_outputs, count)
    return 0
