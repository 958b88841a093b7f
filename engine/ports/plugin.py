"""The plug-in port: the other half of a shell that runs in a host, in the memory that both share.

Knows no host and no plug-in interface, only the words of `engine/callback/hosted/plugin_table.py`. A thread of its own
carries blocks, in compiled code; it takes the place of a sound system's callback. One port serves one epoch of the
shell: a stretch of live playing, or one bounce.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...dsp.raw_memory import aligned_words, touched_floats
from ..callback import audio_callback
from ..callback.bridge import Bridge
from ..callback.hosted import plugin_callback
from ..callback.hosted import plugin_table as table
from ..config import EngineConfig
from ..errors import ConfigError, EngineError
from ..player import PARTS
from .port import Neighbours, Port

_NAP_S = 0.0005
_JOIN_S = 2.0
_BEFORE_S = 0.3
"""So much time before its first sample the band of a bounce plays itself into, in silence."""
_LEAD_S = 0.2
"""So much earlier than it is heard the transport is told, where nobody says more: the look-ahead without a clock, and
a frame."""
_MOST_HOLD_S = 1.0


JACK_FIELDS = {
    "frame_rate": 16,
    "frame": 20,
    "valid": 24,
    "bar": 28,
    "beat": 32,
    "tick": 36,
    "beats_per_bar": 48,
    "beat_type": 52,
    "ticks_per_beat": 56,
    "tempo_bpm": 64,
}
"""Where the fields of a jack_position_t begin, in bytes, in which a shell tells the host's transport: the same that
`engine/timing/clocks/jack_transport.py` reads."""


class Epoch(NamedTuple):
    """A stretch of the host's time that one run of the band serves. Any thread."""

    begin: int
    """The shell's position of its first sample."""
    clocked: bool
    """Whether a clock runs; else the host waits for the band."""
    delay_samples: int
    """What is heard is carried so much later than it came, so that the transport is known before."""


class OtherVersionError(EngineError):
    """The shell was built from another version of us. Any thread."""


class SharedMemory:
    """The memory of one shell, mapped. Any thread; who writes which word says the table."""

    def __init__(self, descriptor: int) -> None:
        """Raises EngineError for memory that is none of a shell's, OtherVersionError for that of another version."""
        try:
            self._map = mmap.mmap(descriptor, 0)
        except (OSError, ValueError) as error:
            raise EngineError(f"descriptor {descriptor} is no memory of a plug-in ({error})") from error
        self._bytes = np.frombuffer(self._map, np.uint8)
        self.address = int(self._bytes.ctypes.data)
        if len(self._bytes) < 8 * table.SHARED_WORDS or self.word(table.SHARED_MAGIC) != table.MAGIC:
            raise EngineError(f"descriptor {descriptor} is no memory of a plug-in")
        if self.word(table.SHARED_LAYOUT) != table.LAYOUT or self.word(table.SHARED_SIZE) > len(self._bytes):
            raise OtherVersionError(
                "the plug-in was built from another version of gigmate: build it again (make plugin)"
            )
        self.rate_hz = self.word(table.SHARED_RATE)

    def word(self, word: int) -> int:
        """Any thread. A word of the table."""
        return int(audio_callback.read_word.ctypes(self.address, word))

    def set_word(self, word: int, value: int) -> None:
        """The thread that the table names as the word's writer."""
        audio_callback.write_word.ctypes(self.address, word, value)

    def text(self, number: int) -> str | None:
        """Any thread. What the shell was told; None while it is being written."""
        before = self.word(table.TEXT_SEQUENCE + number)
        raw = bytes(self._text(number))
        if before % 2 or self.word(table.TEXT_SEQUENCE + number) != before:
            return None
        return raw.split(b"\0", 1)[0].decode("utf-8", "replace")

    def set_message(self, text: str) -> None:
        """Control thread only. What the host is to show the user."""
        word = table.TEXT_SEQUENCE + table.MESSAGE_TEXT
        sequence = self.word(word)
        raw = text.encode()[: table.TEXT_BYTES - 1]
        self.set_word(word, sequence + 1)
        self._text(table.MESSAGE_TEXT)[: len(raw) + 1] = np.frombuffer(raw + b"\0", np.uint8)
        self.set_word(word, sequence + 2)

    def _text(self, number: int) -> np.ndarray:
        begin = self.word(table.SHARED_TEXTS) + number * table.TEXT_BYTES
        return self._bytes[begin : begin + table.TEXT_BYTES]

    def next_epoch(self) -> Epoch | None:
        """Control thread only, while no port carries: the next epoch, whose event is taken; None: there is none yet."""
        if not plugin_callback.skip_events.ctypes(self.address, 0):
            return None
        slot = self.word(table.EVENT_READ) % table.EVENTS
        begin = self.word(table.SHARED_EVENTS) + 8 * table.EVENT_WORDS * slot
        event = self._bytes[begin : begin + 8 * table.EVENT_WORDS].view(np.int64)
        at, lockstep, delay = (int(event[word]) for word in (table.EVENT_AT, table.EVENT_VALUE, table.EVENT_MORE))
        self.set_word(table.EVENT_READ, self.word(table.EVENT_READ) + 1)
        return Epoch(at, lockstep == 0, max(0, delay))

    def first_parameters(self) -> dict[int, float]:
        """Control thread only, after `next_epoch`: the parameters with which it begins, which nobody takes here. What
        comes as a change soon after may be among them."""
        found: dict[int, float] = {}
        for number in range(self.word(table.EVENT_READ), self.word(table.EVENT_WRITE)):
            begin = self.word(table.SHARED_EVENTS) + 8 * table.EVENT_WORDS * (number % table.EVENTS)
            event = self._bytes[begin : begin + 8 * table.EVENT_WORDS]
            words = event.view(np.int64)
            if words[table.EVENT_KIND] == table.EPOCH_EVENT:
                break
            if words[table.EVENT_KIND] == table.PARAMETER_EVENT:
                found.setdefault(int(words[table.EVENT_VALUE]), float(event.view(np.float64)[table.EVENT_MORE]))
        return found

    def attach(self, process_id: int) -> None:
        """Control thread only. From now on an epoch can be taken: what came before is forgotten."""
        while plugin_callback.skip_events.ctypes(self.address, 1):
            pass
        plugin_callback.skip_heard.ctypes(self.address, self.word(table.SHELL_POSITION))
        self.set_word(table.ENGINE_ATTACHED, process_id)


class PluginPort(Port):
    """One epoch of a shell. Control thread only; the properties may be read by any thread."""

    backend = "plugin"

    def __init__(
        self, config: EngineConfig, shared: SharedMemory, epoch: Epoch, hurry: Callable[[], object] = lambda: None
    ) -> None:
        """`hurry` raises the priority of the thread that calls it, which carries the blocks."""
        super().__init__(config)
        if len(config.played_channels) != table.OUT_ROWS:
            raise ConfigError(f"a plug-in plays {table.OUT_ROWS} channels, not {len(config.played_channels)}")
        self.shared = shared
        self._begin, self._clocked, self._delay = epoch
        self._hurry = hurry
        self.rate_hz = shared.rate_hz
        self.block_samples = shared.word(table.SHELL_BLOCK) or 256
        self.input_names = ("left", "right")
        self.output_names, self.part_output_names = config.buses.split(config.buses.port_names)
        self.midi_in_from = Neighbours(devices=True)
        self.midi_out_to = Neighbours(programs=True)
        self.notes_out_to = (Neighbours(programs=True),) * len(PARTS)
        self.note_names = ("the host's MIDI",)
        self._libc = ctypes.CDLL(None)
        self._words = aligned_words(table.CARRIER_WORDS)
        self._heard = touched_floats(table.IN_ROWS * table.PIECE)
        self._played = touched_floats(table.OUT_ROWS * table.PIECE)
        self._parameters = aligned_words(2 * table.PARAMETERS)
        self._nap = np.array([0, round(_NAP_S * 1e9)], np.int64)
        self._thread = threading.Thread(target=self._run, name="gigmate-plugin-audio", daemon=True)
        self._follow_shell()

    def follow(self, ahead_samples: int) -> None:
        """Control thread only, often: what the shell holds back, and how early the band has to know the transport."""
        if self._clocked:
            self._follow_shell()
            lead = min(self._delay, ahead_samples)
            audio_callback.write_word.ctypes(int(self._words.ctypes.data), table.CARRIER_LEAD, lead)
        self.block_samples = self.shared.word(table.SHELL_BLOCK) or self.block_samples

    def _follow_shell(self) -> None:
        most = round(_MOST_HOLD_S * self.rate_hz)
        hold, loop = (self.shared.word(word) for word in (table.SHELL_HOLD, table.SHELL_LOOP))
        self.playback_latency_samples = min(max(0, hold), most)
        self.capture_latency_samples = 0
        self.transport_delay_samples = min(max(0, loop), most)
        self.playback_latency_samples += self.transport_delay_samples

    def take_parameters(self) -> list[tuple[int, float]]:
        """Control thread only. Changes since the last call, (number, value) in order; `obeyed` says that it is done."""
        read, write = self._word(table.PARAMETER_READ), self._word(table.PARAMETER_WRITE)
        values = self._parameters.view(np.float64)
        slots = [2 * (number % table.PARAMETERS) for number in range(read, write)]
        return [(int(self._parameters[slot]), float(values[slot + 1])) for slot in slots]

    def obeyed(self, changes: int) -> None:
        """Control thread only. So many changes more have been posted to the engine."""
        read = self._word(table.PARAMETER_READ) + changes
        audio_callback.write_word.ctypes(int(self._words.ctypes.data), table.PARAMETER_READ, read)

    @property
    def over(self) -> bool:
        """Any thread. Whether a new epoch waits, or nothing is carried any more."""
        return self._word(table.CARRIER_ENDED) != 0 or self._stopped_s is not None

    def _word(self, word: int) -> int:
        return int(audio_callback.read_word.ctypes(int(self._words.ctypes.data), word))

    def _start(self, bridge: Bridge) -> None:
        words, shared = self._words, self.shared
        bridge.notes.used = bridge.clock_goes_out = True
        words[table.CARRIER_LEASE] = bridge.stream_address
        words[table.CARRIER_SHARED] = shared.address
        words[table.CARRIER_SLEEP] = ctypes.cast(self._libc.nanosleep, ctypes.c_void_p).value or 0
        words[table.CARRIER_NAP] = self._nap.ctypes.data
        words[table.CARRIER_HEARD] = self._heard.ctypes.data
        words[table.CARRIER_PLAYED] = self._played.ctypes.data
        words[table.CARRIER_PARAMETERS] = self._parameters.ctypes.data
        words[table.CARRIER_DELAY] = self._delay
        words[table.CARRIER_LOCKSTEP] = int(not self._clocked)
        words[table.CARRIER_LEAD] = round(min(_LEAD_S * self.rate_hz, self._delay))
        first = self._begin
        if self._clocked:  # what was heard while the band got ready is over
            first = max(first, shared.word(table.SHELL_POSITION) - self._delay)
        # Where nobody waits for it, the band plays itself into time before, so that it is there at the first sample.
        words[table.CARRIER_BASE] = first if self._clocked else first - round(_BEFORE_S * self.rate_hz)
        words[table.CARRIER_FROM] = first
        words[table.TURNS_SEEN] = -1
        plugin_callback.skip_heard.ctypes(shared.address, first)
        if not self._clocked:
            plugin_callback.rewind_played.ctypes(shared.address, first - shared.word(table.SHELL_HOLD))
        self._thread.start()
        shared.set_word(table.ENGINE_SERVES, first)

    def _run(self) -> None:
        if self._clocked:
            self._hurry()
        carry = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(plugin_callback.carry_blocks.address)
        carry(int(self._words.ctypes.data))  # which lets go of the interpreter lock
        self.ended.set()

    def _stop(self) -> None:
        audio_callback.write_word.ctypes(int(self._words.ctypes.data), table.CARRIER_QUIT, 1)
        self.shared.set_word(table.ENGINE_SERVES, -1)
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def _close(self) -> None:
        self._stop()
