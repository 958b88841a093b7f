"""Sample rate conversion in the callback, for a sound system that came back at another rate.

Runs in the audio thread, as audio_callback.py does: the card's block is averaged to mono and resampled, carried at the
bridge's rate, and every row that was played is resampled back. Knows no port. `Conversion` owns the memory; it is made
before the stream's first callback, and its delays may be read by any thread.

After n samples of the card ceil(n * up / down) of the bridge were carried, and of those at least n come back: what is
left over (less than the ratio) waits for the next block. So each block is whole however it is cut, at a fixed delay.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ...dsp import resample as _resample
from ...dsp.limiter import CEILING
from ...dsp.raw_memory import (
    FLUSH_BITS,
    aligned_words,
    load_f32,
    load_f64,
    load_i64,
    load_relaxed,
    read_float_mode,
    realtime,
    realtime_fastmath,
    store_f32,
    store_i64,
    touched_floats,
    write_float_mode,
)
from ...dsp.resample import Resampler
from . import audio_callback as _audio_callback
from .audio_callback import (
    average_channels,
    count_callback,
    process_block,
    process_samples,
)
from .state_table import (
    CLICK_APART,
    CONVERSION_HEARD,
    CONVERSION_ORDER,
    CONVERSION_PLAYED,
    CONVERSION_TABLE_IN,
    CONVERSION_TABLE_OUT,
    CONVERSION_WORDS,
    FLOAT_SCRATCH,
    LEASE_CONVERSION,
    LIMITERS,
    OUTPUT_ROWS,
    RESAMPLER_BANK,
    RESAMPLER_DOWN,
    RESAMPLER_HELD,
    RESAMPLER_HISTORY,
    RESAMPLER_OUT,
    RESAMPLER_PHASE,
    RESAMPLER_SKIP,
    RESAMPLER_TAPS,
    RESAMPLER_UP,
    RESAMPLER_WORDS,
    ROWS,
)

MOST_SAMPLES = 8192
"""Of the card in one piece; larger blocks are done in several."""


@realtime_fastmath
def _dot(bank, row, history, first, taps):
    total = np.float32(0.0)
    for k in range(taps):
        total += load_f32(bank, row + k) * load_f32(history, first + k)
    return total


@realtime
def _convert(stream, count):
    """Take `count` new samples that lie in the history, and put all that they allow behind what is held."""
    bank, history = load_i64(stream, RESAMPLER_BANK), load_i64(stream, RESAMPLER_HISTORY)
    taps, up, down = load_i64(stream, RESAMPLER_TAPS), load_i64(stream, RESAMPLER_UP), load_i64(stream, RESAMPLER_DOWN)
    newest, phase = load_i64(stream, RESAMPLER_SKIP), load_i64(stream, RESAMPLER_PHASE)
    out, held = load_i64(stream, RESAMPLER_OUT), load_i64(stream, RESAMPLER_HELD)
    while newest < count:
        store_f32(out, held, _dot(bank, phase * taps, history, newest, taps))
        held += 1
        phase += down
        newest += phase // up
        phase %= up
    for k in range(taps - 1):
        store_f32(history, k, load_f32(history, count + k))
    store_i64(stream, RESAMPLER_SKIP, newest - count)
    store_i64(stream, RESAMPLER_PHASE, phase)
    store_i64(stream, RESAMPLER_HELD, held)
    return held


@realtime
def _input_address(stream):
    """Where the new samples of a stream belong."""
    return load_i64(stream, RESAMPLER_HISTORY) + 4 * (load_i64(stream, RESAMPLER_TAPS) - 1)


@realtime
def _discard(stream, count):
    """Forget the first `count` samples that it made."""
    out, left = load_i64(stream, RESAMPLER_OUT), load_i64(stream, RESAMPLER_HELD) - count
    for i in range(left):
        store_f32(out, i, load_f32(out, count + i))
    store_i64(stream, RESAMPLER_HELD, left)


@realtime
def _read_inputs(state, heard, inputs, n_inputs, offset, count):
    """The card's channels, averaged, as new samples of the stream to the band."""
    average_channels(state, inputs, n_inputs, offset, count, _input_address(heard))


@realtime
def _copy_limited(state, source, destination, count):
    """Copy to an output; a filter overshoots a little, so the ceiling is held again."""
    ceiling = np.float32(load_f64(load_i64(state, LIMITERS), CEILING))
    for i in range(count):
        store_f32(destination, i, max(-ceiling, min(ceiling, load_f32(source, i))))


@realtime
def _played(words, row):
    """The stream of a row of the band, or of the click after them."""
    return load_i64(words, CONVERSION_PLAYED) + 8 * RESAMPLER_WORDS * row


@realtime
def _convert_piece(words, state, inputs, n_inputs, outputs, n_outputs, offset, count):
    heard = words + 8 * CONVERSION_HEARD
    _read_inputs(state, heard, inputs, n_inputs, offset, count)
    carried = _convert(heard, count)
    made = load_i64(state, ROWS) + load_relaxed(state, CLICK_APART)
    table_in, table_out = words + 8 * CONVERSION_TABLE_IN, load_i64(words, CONVERSION_TABLE_OUT)
    store_i64(table_in, 0, load_i64(heard, RESAMPLER_OUT))
    for row in range(made):
        store_i64(table_out, row, _input_address(_played(words, row)))
    process_samples(state, table_in, 1, table_out, made, load_i64(words, CONVERSION_ORDER), carried)
    _discard(heard, carried)
    for row in range(made):
        _convert(_played(words, row), carried)
    for channel in range(n_outputs):
        stream = _played(words, load_i64(load_i64(state, OUTPUT_ROWS), channel))
        _copy_limited(state, load_i64(stream, RESAMPLER_OUT), load_i64(outputs, channel) + 4 * offset, count)
    for row in range(made):
        _discard(_played(words, row), count)


@realtime
def process_stream(lease, state, inputs, n_inputs, outputs, n_outputs, count):
    """One callback of a stream, at the bridge's rate or at another: float32 [count] for each channel."""
    words = load_i64(lease, LEASE_CONVERSION)
    if words == 0:
        process_block(state, inputs, n_inputs, outputs, n_outputs, count)
        return
    scratch = load_i64(state, FLOAT_SCRATCH)
    mode = read_float_mode(scratch)
    write_float_mode(scratch, mode | FLUSH_BITS)
    done = 0
    while done < count:
        piece = min(count - done, MOST_SAMPLES)
        _convert_piece(words, state, inputs, n_inputs, outputs, n_outputs, done, piece)
        done += piece
    write_float_mode(scratch, mode)
    count_callback(state, count)


@realtime
def to_bridge_samples(lease, samples):
    """So many samples of the card in those of the bridge, rounded down."""
    words = load_i64(lease, LEASE_CONVERSION)
    if words == 0:
        return samples
    heard = words + 8 * CONVERSION_HEARD
    return samples * load_i64(heard, RESAMPLER_UP) // load_i64(heard, RESAMPLER_DOWN)


@realtime
def to_card_samples(lease, samples):
    """So many samples of the bridge in those of the card, rounded down."""
    words = load_i64(lease, LEASE_CONVERSION)
    if words == 0:
        return samples
    heard = words + 8 * CONVERSION_HEARD
    return samples * load_i64(heard, RESAMPLER_DOWN) // load_i64(heard, RESAMPLER_UP)


SOURCES = (__file__, _resample.__file__, *_audio_callback.SOURCES)


class Conversion:
    """The memory of one stream's conversion. Raises ValueError for two rates whose ratio no filter here can do.

    Control thread only; the delays may be read by any thread.
    """

    def __init__(self, card_rate_hz: int, bridge_rate_hz: int, rows: int) -> None:
        """`rows`: of the band; that of the click comes with them."""
        self.ratio = Fraction(bridge_rate_hz, card_rate_hz)
        """Samples of the bridge for one of the card."""
        most = math.ceil(MOST_SAMPLES * self.ratio) + 1
        self._kept: list[NDArray[np.generic]] = []
        self._histories: list[NDArray[np.float32]] = []
        words = aligned_words(CONVERSION_WORDS)
        down = Resampler(card_rate_hz, bridge_rate_hz, 1, bridge_rate_hz)
        up = Resampler(bridge_rate_hz, card_rate_hz, 1, bridge_rate_hz)
        self.capture_delay_samples = float(down.delay_out_samples)
        """What it adds on the way in, in samples of the bridge."""
        self.playback_delay_samples = float(up.delay_in_samples)
        back = MOST_SAMPLES + 2 * math.ceil(1 / self.ratio) + 2
        played = aligned_words((rows + 1) * RESAMPLER_WORDS)
        self._streams = [words[CONVERSION_HEARD:], *(played[row * RESAMPLER_WORDS :] for row in range(rows + 1))]
        self._lay_out(self._streams[0], down, MOST_SAMPLES, most)
        for stream in self._streams[1:]:
            self._lay_out(stream, up, most, back)
        table, order = aligned_words(rows + 1), aligned_words(rows + 1)
        order[: rows + 1] = range(rows + 1)
        words[CONVERSION_PLAYED] = played.ctypes.data
        words[CONVERSION_TABLE_OUT] = table.ctypes.data
        words[CONVERSION_ORDER] = order.ctypes.data
        self._kept += [words, table, order]
        self.address = int(words.ctypes.data)

    def _lay_out(self, words: NDArray[np.int64], resampler: Resampler, most_in: int, most_out: int) -> None:
        words[RESAMPLER_UP], words[RESAMPLER_DOWN], bank = resampler.polyphase
        history, out = touched_floats(bank.shape[1] - 1 + most_in), touched_floats(most_out)
        words[RESAMPLER_BANK], words[RESAMPLER_TAPS] = bank.ctypes.data, bank.shape[1]
        words[RESAMPLER_HISTORY], words[RESAMPLER_OUT] = history.ctypes.data, out.ctypes.data
        self._kept += [bank, out]
        self._histories.append(history)

    def reset(self) -> None:
        """As new: silence before the first sample. Not while a stream calls."""
        for history in self._histories:
            history.fill(0.0)
        for stream in self._streams:
            stream[[RESAMPLER_SKIP, RESAMPLER_PHASE, RESAMPLER_HELD]] = 0
