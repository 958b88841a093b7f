"""The memory of the notes that go out as MIDI: one ring for each part, what sounds of it, and what is asked of it.

Knows no port and no thread: the compiled half is note_callback.py. Each method says who may call it; none locks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dsp.raw_memory import aligned_words
from ..player import PARTS
from . import audio_callback, note_callback, state_table

CHANNELS = {"drums": 9, "bass": 0, "keys": 1}
"""The MIDI channel of each part, from 0: musicians call them 10, 1 and 2."""
LATEST_MS = 50.0
"""A note that would begin later than this is left out."""
_RESERVED = 2 * 128 + 16
"""Room in a ring that is kept for the ends of notes."""


@dataclass(frozen=True, slots=True)
class NoteCounters:
    """Of all parts together, since the start. Any thread."""

    sent: int
    late: int
    dropped: int
    sounding: int


class NoteStreams:
    """Every part's notes on their way out. Each method says its thread."""

    def __init__(self, state_address: int, rate_hz: int) -> None:
        """`state_address`: of the stream's words, which say where the band is switched on and off."""
        self._kept: list[NDArray[np.int64]] = []
        self._rings: list[NDArray[np.int64]] = []
        self._words: list[NDArray[np.int64]] = []
        self.used = False
        """Whether anybody sends what is pushed here: set by whoever does, before the band begins."""
        for part in PARTS:
            words = aligned_words(state_table.NOTES_WORDS)
            ring, held = aligned_words(2 * state_table.NOTE_EVENTS), aligned_words(128)
            due = aligned_words(2 * state_table.NOTES_MOST_DUE)
            words[state_table.NOTES_STREAM] = state_address
            words[state_table.NOTES_RING] = ring.ctypes.data
            words[state_table.NOTES_HELD] = held.ctypes.data
            words[state_table.NOTES_DUE] = due.ctypes.data
            words[state_table.NOTES_CHANNEL] = CHANNELS[part]
            words[state_table.NOTES_LATEST] = round(LATEST_MS * rate_hz / 1000)
            self._kept += [held, due]
            self._rings.append(ring)
            self._words.append(words)
        self._due = [self._kept[2 * row + 1] for row in range(len(PARTS))]
        table = aligned_words(len(PARTS))
        table[:] = [words.ctypes.data for words in self._words]
        self._kept.append(table)
        self.address = int(table.ctypes.data)
        """Of the table that the stream's words point to."""

    def push(self, part: int, position: int, message: bytes) -> bool:
        """Inference thread only. Send 2 or 3 bytes at an output sample, not before the last ones. False: no room.

        What begins a note leaves room for what ends one.
        """
        write = self._word(part, state_table.NOTES_WRITE)
        room = state_table.NOTE_EVENTS - (write - self._word(part, state_table.NOTES_READ))
        if room <= (_RESERVED if message[0] & 0xF0 == 0x90 else 0):
            return False
        slot = 2 * (write % state_table.NOTE_EVENTS)
        self._rings[part][slot] = int(position)
        self._rings[part][slot + 1] = int.from_bytes(message, "little") | len(message) << 24
        self._set_word(part, state_table.NOTES_WRITE, write + 1)
        return True

    def set_lead(self, part: int, samples: int) -> None:
        """Inference thread only. A part's messages are sent so much before the band's sound of the same moment."""
        self._set_word(part, state_table.NOTES_LEAD, int(samples))

    def release(self, part: int | None = None) -> None:
        """Any thread. End at once whatever sounds of a part, or of all."""
        self._raise(state_table.NOTES_RELEASE, part)

    def panic(self) -> None:
        """Any thread. The same for all parts, with All Notes Off and All Sound Off behind it."""
        self._raise(state_table.NOTES_PANIC, None)

    def tell_programs(self, part: int | None = None) -> None:
        """Any thread. Send the program once more, if there was one."""
        self._raise(state_table.NOTES_TELL_PROGRAM, part)

    @property
    def asked(self) -> bool:
        """Any thread. Whether something was asked for that nobody has sent yet."""
        flags = (state_table.NOTES_RELEASE, state_table.NOTES_PANIC)
        return any(self._word(part, flag) for part in range(len(PARTS)) for flag in flags)

    def take_due(self, part: int, position: int, count: int) -> list[tuple[int, bytes]]:
        """One thread at a time, the one that sends: a part's messages of `count` samples, as (offset, message)."""
        many = int(note_callback.due.ctypes(int(self._words[part].ctypes.data), position, count))
        rows = self._due[part][: 2 * many].tolist()
        return [(rows[at], rows[at + 1].to_bytes(8, "little")[: rows[at + 1] >> 24]) for at in range(0, 2 * many, 2)]

    def counters(self) -> NoteCounters:
        """Any thread."""

        def total(word: int) -> int:
            return sum(self._word(part, word) for part in range(len(PARTS)))

        return NoteCounters(
            sent=total(state_table.NOTES_SENT),
            late=total(state_table.NOTES_LATE),
            dropped=total(state_table.NOTES_DROPPED),
            sounding=total(state_table.NOTES_SOUNDING),
        )

    def _raise(self, flag: int, part: int | None) -> None:
        for row in range(len(PARTS)) if part is None else (part,):
            self._set_word(row, flag, 1)

    def _word(self, part: int, word: int) -> int:
        return int(audio_callback.read_word.ctypes(int(self._words[part].ctypes.data), word))

    def _set_word(self, part: int, word: int, value: int) -> None:
        audio_callback.write_word.ctypes(int(self._words[part].ctypes.data), word, value)
