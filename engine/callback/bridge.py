"""The bridge between the audio callback and Python: owns all memory that native code touches, and shows its counters.

Knows no port and no model. The callback (engine/callback/audio_callback.py) runs on the port's thread; of the methods
here each says who may call it. No method locks or blocks (but `wait`, which sleeps).
"""

from __future__ import annotations

import math
import struct
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dsp.raw_memory import aligned_words
from ...dsp.ring import Ring
from ..buses import MONO, BusLayout
from . import audio_callback, state_table
from .bus_memory import BusMemory
from .fallback_bar import FallbackMemory
from .note_streams import NoteStreams
from .rate_conversion import Conversion

MAX_CHANNELS = state_table.METERED_CHANNELS
STALL_MS = 100.0
"""So long without a callback is no moment that was lost but a time in which the musician played on."""
RAMP_MS = 20.0


@dataclass(frozen=True, slots=True)
class BridgeCounters:
    """What the callback has counted since the start. Peaks: linear, since they were last read. Any thread."""

    callbacks: int
    samples: int
    in_dropped_samples: int
    """Heard samples that found the in-ring full; the worker reads zeros in their place."""
    miss_samples: int
    miss_blocks: int
    miss_episodes: int
    nonfinite_samples: int
    """Inputs and outputs together."""
    nonfinite_in_samples: int
    nonfinite_out_samples: int
    limited_samples: int
    in_peak: float
    out_peak: float
    block_samples: int
    """Of the last callback."""
    max_block_samples: int
    xruns: int
    lost_samples: int
    """Samples of the server's clock for which no callback came (JACK)."""
    midi_events: int
    midi_dropped: int
    midi_out_late: int
    """Messages that were sent after their sample."""
    midi_out_dropped: int
    """Messages that could not be sent: far too late, or JACK had no room."""


class Bridge:
    """All that one stream needs between its callback and the worker.

    `in_ring`: the callback pushes mono heard samples at its position; the worker reads.
    `out_ring`: the worker does `write_at`, a row for each channel of a bus; the callback takes sample n at position n.
    A bridge serves one stream at a time, from position 0; one that has died may be followed by another (`new_lease`).
    It must outlive every callback: ports keep it alive. Each method says its thread.
    """

    clock_goes_out = False
    """Whether a port without JACK takes `push_midi`'s messages; it says so before the band begins."""

    def __init__(
        self,
        rate_hz: int,
        max_block_samples: int = 8192,
        in_capacity: int | None = None,
        out_capacity: int | None = None,
        ceiling_dbfs: float = -1.0,
        buses: BusLayout = MONO,
    ) -> None:
        """Capacities are in samples; None takes 2 s. Blocks larger than `max_block_samples` are done in pieces.

        `buses`: what each output plays; those that it does not name play its first row.
        """
        self.rate_hz = int(rate_hz)
        self.in_ring = Ring(in_capacity or 2 * self.rate_hz)
        self.out_ring = Ring(out_capacity or 2 * self.rate_hz, buses.rows)
        self._fallback = FallbackMemory(self.rate_hz, rows=buses.rows)
        self._buses = BusMemory(buses, self.rate_hz, ceiling_dbfs, max_block_samples)
        ramp = max(1, round(RAMP_MS * self.rate_hz / 1000))
        self._ramp = np.sin(np.arange(ramp + 1) * (math.pi / 2 / ramp)).astype(np.float32)
        self._ramp[-1] = 1.0
        self._scratch = aligned_words(16)
        self._channels_in, self._channels_out = (aligned_words(MAX_CHANNELS) for _ in range(2))
        self._meters = aligned_words(2 * MAX_CHANNELS + 2).view(np.float64)
        self._midi, self._midi_out = (aligned_words(2 * state_table.MIDI_EVENTS) for _ in range(2))
        self._transport = aligned_words(state_table.POSITION_WORDS)
        self._jack_position = aligned_words(32)
        self.click_ring, self.loop_ring = (Ring(out_capacity or 2 * self.rate_hz) for _ in range(2))
        """The count-in's click and the musician's loop, at output positions, as the out-ring."""
        self._kept_alive: list[object] = []
        self._conversions: dict[int, Conversion] = {}
        words = aligned_words(state_table.STATE_WORDS)
        words[state_table.IN_RING] = self.in_ring.address
        words[state_table.OUT_RING] = self.out_ring.address
        self._buses.fill(words)
        words[state_table.FALLBACK] = self._fallback.address
        words[state_table.MAX_BLOCK] = max_block_samples
        words[state_table.RAMP_TABLE] = self._ramp.ctypes.data
        words[state_table.RAMP_SAMPLES] = ramp
        words[state_table.STALL_SAMPLES] = round(STALL_MS * rate_hz / 1000)
        words[state_table.FLOAT_SCRATCH] = self._scratch.ctypes.data
        words[state_table.JACK_MIDI_EVENT] = self._scratch.ctypes.data + 64
        words[state_table.JACK_LATENCY_RANGE] = self._scratch.ctypes.data + 112
        words[state_table.CHANNELS_IN] = self._channels_in.ctypes.data
        words[state_table.CHANNELS_OUT] = self._channels_out.ctypes.data
        words[state_table.CHANNEL_METERS] = self._meters.ctypes.data
        words[state_table.MIDI_RING] = self._midi.ctypes.data
        words[state_table.CLICK_RING] = self.click_ring.address
        words[state_table.LOOP_RING] = self.loop_ring.address
        words[state_table.MIDI_OUT_RING] = self._midi_out.ctypes.data
        words[state_table.TRANSPORT_TABLE] = self._transport.ctypes.data
        words[state_table.JACK_POSITION] = self._jack_position.ctypes.data
        words[state_table.PLAY_UNTIL_POSITION] = words[state_table.FIRST_SOUND_POSITION] = -1
        self._words = words
        words[state_table.INPUT_NEEDED] = -1
        self.state_address = int(words.ctypes.data)
        self.notes = NoteStreams(self.state_address, self.rate_hz)  # what goes out as MIDI, part by part
        words[state_table.NOTES] = self.notes.address
        self._lease = self._make_lease()

    def _make_lease(self) -> NDArray[np.int64]:
        lease = aligned_words(state_table.LEASE_WORDS)
        lease[state_table.LEASE_STATE] = self.state_address
        self._kept_alive.append(lease)  # a callback that died may come late
        return lease

    # ------------------------------------------------------------------------------------------ for ports

    @property
    def stream_address(self) -> int:
        """Any thread. What the callbacks of a real port are given: the lease of the stream that `new_lease` began."""
        return int(self._lease.ctypes.data)

    def new_lease(self, waiting: bool = False) -> None:
        """Control thread only, before a stream's first callback: a new stream takes the place of the last one.

        What callbacks of the last one still come do nothing from now on. `waiting`: those of the new one play silence
        and leave the clock alone until `activate_lease`, because something else carries it meanwhile.
        """
        audio_callback.write_word.ctypes(self.stream_address, state_table.LEASE_PHASE, state_table.RETIRED)
        self._lease = self._make_lease()
        for word in (
            state_table.SHUTDOWN,
            state_table.RATE_CHANGED,
            state_table.FREEWHEEL,
            state_table.JACK_LAST_FRAME_KNOWN,
        ):
            self.set_word(word, 0)
        self.notes.release()
        self.notes.tell_programs()
        phase = state_table.WAITING if waiting else state_table.ACTIVE
        audio_callback.write_word.ctypes(self.stream_address, state_table.LEASE_PHASE, phase)

    def set_card_rate(self, card_rate_hz: int) -> Conversion | None:
        """Control thread only, after `new_lease`: the new stream's callbacks come at another rate (None: at ours).

        Raises ValueError for a rate that cannot be brought to ours.
        """
        conversion = None
        if card_rate_hz != self.rate_hz:
            conversion = self._conversions.get(card_rate_hz)
            if conversion is None:
                conversion = Conversion(card_rate_hz, self.rate_hz, self.out_ring.rows)
            self._conversions[card_rate_hz] = conversion  # who tries again and again takes no more memory each time
            conversion.reset()
        address = 0 if conversion is None else conversion.address
        audio_callback.write_word.ctypes(self.stream_address, state_table.LEASE_CONVERSION, address)
        return conversion

    def activate_lease(self) -> None:
        """Control thread only, while nothing calls `process`: the waiting stream carries on from here, fading in."""
        self.set_word(state_table.RAMP_INDEX, 0)
        audio_callback.write_word.ctypes(self.stream_address, state_table.LEASE_PHASE, state_table.ACTIVE)

    process_address = int(audio_callback.process.address)
    """void process(int64 state, void **inputs, int64 n_in, void **outputs, int64 n_out, int64 n)"""

    def process(self, in_ptrs: int, n_in: int, out_ptrs: int, n_out: int, n: int) -> None:
        """Audio callback. One block; the pointers address tables of channel addresses (float32 [n])."""
        audio_callback.process.ctypes(self.state_address, in_ptrs, n_in, out_ptrs, n_out, n)

    def process_arrays(self, inputs: NDArray[np.float32], outputs: NDArray[np.float32]) -> None:
        """Audio callback. One block from float32 [channels, n] into float32 [channels, n], contiguous rows."""
        for block in (inputs, outputs):
            if block.ndim != 2 or block.dtype != np.float32 or (block.size and block.strides[1] != 4):
                raise ValueError("process_arrays wants float32 [channels, samples] with contiguous rows")
        if inputs.shape[1] != outputs.shape[1]:
            raise ValueError("inputs and outputs differ in length")
        for table, block in ((self._channels_in, inputs), (self._channels_out, outputs)):
            for channel in range(block.shape[0]):
                table[channel] = block.ctypes.data + channel * block.strides[0]
        self.process(
            self._channels_in.ctypes.data,
            inputs.shape[0],
            self._channels_out.ctypes.data,
            outputs.shape[0],
            inputs.shape[1],
        )

    def set_word(self, word: int, value: int) -> None:
        """Control thread only: a word of the native state (engine/callback/state_table.py names them)."""
        audio_callback.write_word.ctypes(self.state_address, word, value)

    def word(self, word: int) -> int:
        """Any thread. a word of the native state."""
        return int(audio_callback.read_word.ctypes(self.state_address, word))

    def set_table(self, word: int, values: list[int]) -> None:
        """Control thread only, before the callback is told the table's length: int64 whose address goes into a word."""
        table = aligned_words(max(1, len(values)))
        table[: len(values)] = values
        self._kept_alive.append(table)
        self.set_word(word, int(table.ctypes.data))

    # ------------------------------------------------------------------------------------- for the worker

    @property
    def position(self) -> int:
        """Any thread. The clock: samples that the callback has carried."""
        return self.word(state_table.POSITION)

    def set_playing(self, playing: bool, from_position: int = 0) -> None:
        """Inference thread only. Let the band sound (20 ms equal-power ramp), from an output sample on, or fade it out.

        Misses count and are covered only while it sounds.
        """
        if playing:
            if from_position <= self.word(state_table.PLAY_UNTIL_POSITION):
                self.set_word(state_table.PLAY_UNTIL_POSITION, -1)
            self.set_word(state_table.PLAY_FROM_POSITION, int(from_position))
        self.set_word(state_table.PLAYING, int(playing))

    def stop_at(self, position: int) -> None:
        """Inference thread only, while it plays. Let the ramp out begin at an output sample to come."""
        self.set_word(state_table.PLAY_UNTIL_POSITION, int(position))

    @property
    def first_sound_samples(self) -> int:
        """Any thread. Where the first block began in which anything sounded; -1 before."""
        return self.word(state_table.FIRST_SOUND_POSITION)

    @property
    def playing(self) -> bool:
        """Any thread. What `set_playing` last asked for."""
        return self.word(state_table.PLAYING) != 0

    @property
    def nonfinite_in_samples(self) -> int:
        """Any thread. Heard samples that were no numbers."""
        return self.word(state_table.NONFINITE_IN)

    @property
    def gain(self) -> float:
        """Any thread. The ramp's gain now: 0.0 is silent, 1.0 is full."""
        return float(self._ramp[self.word(state_table.RAMP_INDEX)])

    def set_ceiling(self, ceiling_dbfs: float) -> None:
        """Inference thread only. Set the ceiling of the limiters. Raises ValueError above 0 dBFS."""
        self._buses.set_ceiling(ceiling_dbfs)

    def set_fallback_period(self, samples: int) -> None:
        """Inference thread only. A bar in samples; 0 where none is known (a miss then fades out)."""
        self.set_word(state_table.BAR_SAMPLES, max(0, int(samples)))

    def set_input_needed(self, position: int) -> None:
        """Inference thread only. "I can do nothing more before the heard sound reaches this position."

        A port that is not bound to the clock (files, as fast as possible) then keeps exactly in step with the worker.
        """
        self.set_word(state_table.INPUT_NEEDED, int(position))

    def end_turn(self) -> None:
        """Inference thread only. Whatever was asked of it before this turn began has been obeyed."""
        self.set_word(state_table.TURNS, self.word(state_table.TURNS) + 1)

    @property
    def input_needed_samples(self) -> int:
        """Any thread. What `set_input_needed` last said; -1 if never."""
        return self.word(state_table.INPUT_NEEDED)

    def wait(self, timeout_s: float, samples: int = 1) -> bool:
        """Inference thread only. Sleep until the in-ring holds that many samples; False when the time is over first."""
        end = time.perf_counter() + timeout_s
        while self.in_ring.fill_samples < samples:
            left = end - time.perf_counter()
            if left <= 0:
                return False
            time.sleep(min(0.001, left))
        return True

    def pop_midi_events(self) -> list[tuple[int, int, int, int]]:
        """Inference thread only. New MIDI messages as (position, status, data1, data2), in order."""
        read = self.word(state_table.MIDI_READ)
        write = self.word(state_table.MIDI_WRITE)
        if read == write:
            return []
        slots = 2 * (np.arange(read, write) % state_table.MIDI_EVENTS)
        positions, packed = self._midi[slots], self._midi[slots + 1]
        self.set_word(state_table.MIDI_READ, write)
        columns = (positions, packed & 0xFF, packed >> 8 & 0xFF, packed >> 16 & 0xFF)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    @property
    def stalled_samples(self) -> int:
        """Any thread. How far the clock has jumped in all, over times without callbacks."""
        return self.word(state_table.STALLED_SAMPLES)

    def midi_connected(self) -> tuple[int, int]:
        """Inference thread only. How often a source of MIDI was connected to us, and the position when one last was."""
        count = self.word(state_table.MIDI_CONNECTIONS)
        return count, self.word(state_table.MIDI_CONNECTED_POSITION)

    @property
    def sends_midi(self) -> bool:
        """Any thread. Whether there is a port that MIDI goes out of."""
        return self.word(state_table.JACK_MIDI_OUT_PORT) != 0 or self.clock_goes_out

    def push_midi(self, position: int, message: bytes) -> bool:
        """Inference thread only. Send 1 to 3 bytes at an output sample, not before the last ones'. False: no room."""
        write = self.word(state_table.MIDI_OUT_WRITE)
        if write - self.word(state_table.MIDI_OUT_READ) >= state_table.MIDI_EVENTS:
            return False
        slot = 2 * (write % state_table.MIDI_EVENTS)
        self._midi_out[slot] = int(position)
        self._midi_out[slot + 1] = int.from_bytes(message, "little") | len(message) << 24
        self.set_word(state_table.MIDI_OUT_WRITE, write + 1)
        return True

    def transport(self) -> tuple[int, bool, bytes] | None:
        """Inference thread only. The last read (position, rolling, beginning of a jack_position_t), or None."""
        for _ in range(8):
            sequence = self.word(state_table.TRANSPORT_SEQUENCE)
            if sequence == 0:
                return None
            position, state = self.word(state_table.TRANSPORT_POSITION), self.word(state_table.TRANSPORT_STATE)
            table = self._transport.tobytes()
            if sequence % 2 == 0 and self.word(state_table.TRANSPORT_SEQUENCE) == sequence:
                return position, state == 1, table
        return None

    def counters(self, take_peaks: bool = True) -> BridgeCounters:
        """Any thread. The peaks go to whoever asks; `take_peaks=False` leaves them and reports 0."""
        word = self.word
        peaks = [0.0, 0.0]
        if take_peaks:
            peaks = [self._take_peak(state_table.IN_PEAK), self._take_peak(state_table.OUT_PEAK)]
        heard, played = word(state_table.NONFINITE_IN), word(state_table.NONFINITE_OUT)
        return BridgeCounters(
            callbacks=word(state_table.CALLBACKS),
            samples=word(state_table.POSITION),
            in_dropped_samples=word(state_table.IN_DROPPED),
            miss_samples=self._fallback.miss_samples,
            miss_blocks=word(state_table.MISS_BLOCKS),
            miss_episodes=self._fallback.miss_episodes,
            nonfinite_samples=heard + played,
            nonfinite_in_samples=heard,
            nonfinite_out_samples=played,
            limited_samples=word(state_table.LIMITED),
            in_peak=peaks[0],
            out_peak=peaks[1],
            block_samples=word(state_table.LAST_BLOCK),
            max_block_samples=word(state_table.LARGEST_BLOCK),
            xruns=word(state_table.XRUNS),
            lost_samples=word(state_table.LOST_SAMPLES),
            midi_events=word(state_table.MIDI_WRITE),
            midi_dropped=word(state_table.MIDI_DROPPED),
            midi_out_late=word(state_table.MIDI_OUT_LATE),
            midi_out_dropped=word(state_table.MIDI_OUT_DROPPED),
        )

    def take_channel_peaks(self, channels: int) -> tuple[float, ...]:
        """Any thread. The peak of each input channel, linear, since somebody last took it."""
        return tuple(_peak_of(int(self._meters.ctypes.data), channel) for channel in range(channels))

    def channel_energies(self, channels: int) -> tuple[NDArray[np.float64], float, int]:
        """Any thread. Since the beginning: the sum of squares of each input channel, that of their mean, and the
        samples in these sums."""
        sums = self._meters[MAX_CHANNELS : MAX_CHANNELS + channels].copy()
        return sums, float(self._meters[2 * MAX_CHANNELS]), int(self._meters[2 * MAX_CHANNELS + 1])

    def _take_peak(self, word: int) -> float:
        return _peak_of(self.state_address, word)


def _peak_of(address: int, word: int) -> float:
    bits = int(audio_callback.take_word.ctypes(address, word))
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])
