"""The band's notes for those who take its sound in stretches: what begins and what ends in each, at its sample.

Knows no sound. One thread at a time, that of the stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from ..player import PARTS
from .groove_timing import TimedNote


class NoteChange(NamedTuple):
    """A note that begins or ends. Any thread."""

    part: str
    """"drums", "bass" or "keys"."""
    pitch: int
    """MIDI note; of drums a key of General MIDI's percussion."""
    velocity: int
    """1 to 127; 0: the note ends."""
    position_samples: int
    """Of the input and of what is played with it, at the caller's rate."""


class NoteChanges:
    """Notes in as they are made, changes out with the sound that they belong to. One thread at a time."""

    def __init__(self, ratio: float) -> None:
        """`ratio`: samples of the caller's rate for one of the band's."""
        self._ratio = ratio
        self._waiting: list[NoteChange] = []
        self._sounding: dict[tuple[str, int], None] = {}

    def put(self, notes: Iterable[TimedNote]) -> None:
        """Notes as they are heard, in order."""
        for note in notes:
            position = math.floor(note.position_samples * self._ratio)
            self._waiting.append(NoteChange(PARTS[note.part], note.pitch, note.velocity, position))

    def take(self, first: int, end: int, sounds_from: float, over: bool = False) -> tuple[NoteChange, ...]:
        """What changes in the samples from `first` to `end`; `over`: whatever sounds ends there.

        `sounds_from`: where the band was switched on, in its own samples; what begins before that is not heard.
        """
        due = [change for change in self._waiting if change.position_samples < end]
        self._waiting = [change for change in self._waiting if change.position_samples >= end]
        taken: list[NoteChange] = []
        for change in sorted(due, key=lambda one: one.position_samples):  # a part's own order stays
            key = (change.part, change.pitch)
            if change.velocity > 0:
                if change.position_samples < math.floor(sounds_from * self._ratio if sounds_from < math.inf else end):
                    continue
                if key in self._sounding:
                    taken.append(change._replace(velocity=0))
                self._sounding[key] = None
            elif key not in self._sounding:
                continue
            else:
                del self._sounding[key]
            taken.append(change)
        taken = [change._replace(position_samples=max(first, change.position_samples)) for change in taken]
        if over:
            taken += [NoteChange(part, pitch, 0, end) for part, pitch in self._sounding]
            self._sounding.clear()
        return tuple(taken)
