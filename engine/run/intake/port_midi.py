"""MIDI messages of the audio callback as commands: clock, transport, time code, and the keys of a hand that leads.

Knows neither pedals nor what a command does. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...callback.bridge import Bridge
from ...callback.state_table import LOST_SAMPLES, MORE_MIDI
from ...commands import ClockGap, ClockTick, ClockTransport, Command, HandMessage, SystemMessage
from ...fault_kinds import FaultKind
from ...fault_log import FaultLog
from ...harmony.chord_hand import NOTE_MESSAGES
from ...ports.port import Neighbours
from ...timing.clocks.system_pieces import SystemPieces

MidiEvent = tuple[int, int, int, int]
NOBODY = Neighbours()
TRANSPORT = {0xF2: "locate", 0xFA: "start", 0xFB: "continue", 0xFC: "stop"}
_CLOCK = 0xF8
_OF_SYSTEM = (0xF0, 0xF1, MORE_MIDI)


class PortMidi:
    """One port's messages. Inference thread only."""

    def __init__(self, bridge: Bridge, fault_log: FaultLog) -> None:
        self._bridge, self._fault_log = bridge, fault_log
        self._system = SystemPieces()
        self._lost_samples = 0

    def commands(self, events: Sequence[MidiEvent], source: Neighbours) -> Iterator[Command]:
        """What events, (position, status, data1, data2) each, mean, in place for whoever sent them."""
        # Where our clock has jumped over a loss, what came after it is in its place already.
        lost = self._bridge.word(LOST_SAMPLES) - self._bridge.stalled_samples
        if lost > self._lost_samples:  # just before these events, most likely: they are looked for all the time
            yield ClockGap(lost - self._lost_samples)
            self._lost_samples = lost
        if source.programs and source.devices and any(status == _CLOCK for _, status, _, _ in events):
            self._fault_log.fault(FaultKind.MIDI_MIXED)
        for position, status, low, high in events:
            if status == _CLOCK:
                yield ClockTick(position, source.programs)
            elif status in _OF_SYSTEM:
                for message in self._system.take(status, low, high):
                    yield SystemMessage(message, position, source.programs)
            elif status in TRANSPORT:
                yield ClockTransport(TRANSPORT[status], position, low | high << 7, source.programs)
            elif status & 0xF0 in NOTE_MESSAGES:
                yield HandMessage(status, low, high, position)
