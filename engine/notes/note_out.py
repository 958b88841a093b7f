"""Sends what the band plays as MIDI: every part on a channel of its own, each message at its output sample.

Knows no port and no system's MIDI: it fills the rings of `NoteStreams`. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..callback.note_streams import CHANNELS, NoteStreams
from ..player import PARTS
from .groove_timing import MOST_MS, TimedNote

_EARLIEST_ONSET_MS = 5.0
"""The middle of a frame's first quarter: no onset is drawn before it, and none moved further than from there."""


class NoteOut:
    """The notes of one run on their way out. Inference thread only."""

    def __init__(self, notes: NoteStreams, rate_hz: int, latency_ms: float) -> None:
        """`latency_ms`: of the instrument that plays them, which is made up for."""
        self._notes = notes
        self._latency = round(latency_ms * rate_hz / 1000.0)
        self._earlier = round((MOST_MS - _EARLIEST_ONSET_MS) * rate_hz / 1000.0)
        self._last = [-(1 << 62)] * len(PARTS)
        self._programs: tuple[int, ...] = ()
        self.dropped = 0
        """Messages for which there was no room."""

    @property
    def before_samples(self) -> int:
        """How long before its own moment a frame has to be made for this."""
        return self._latency + self._earlier if self._notes.used else 0

    def send(self, notes: Iterable[TimedNote], before: Sequence[int], round_trip_samples: int) -> None:
        """Notes as they are heard, in order; each part's are sent `before` samples ahead of their place in the input.

        What leaves us at that place less the round trip is heard there.
        """
        if not self._notes.used:
            return
        for part, samples in enumerate(before):
            self._notes.set_lead(part, samples + self._latency - round_trip_samples)
        for note in notes:
            channel = CHANNELS[PARTS[note.part]]
            position = round(note.position_samples) - before[note.part] - self._latency
            if note.velocity > 0:
                self._push(note.part, position, bytes([0x90 | channel, note.pitch, note.velocity]))
            elif not self._push(note.part, position, bytes([0x80 | channel, note.pitch, 0])):
                self._notes.release(note.part)

    def set_programs(self, programs: tuple[int, ...], position: int) -> None:
        """General MIDI programs of the parts, 0 to 127; others than before are sent behind what was sent already.

        `position`: the present output sample.
        """
        if programs != self._programs and self._notes.used:
            self._programs = programs
            for part, program in enumerate(programs):
                self._push(part, position, bytes([0xC0 | CHANNELS[PARTS[part]], program]))

    def _push(self, part: int, position: int, message: bytes) -> bool:
        self._last[part] = max(position, self._last[part])
        pushed = self._notes.push(part, self._last[part], message)
        self.dropped += not pushed
        return pushed
