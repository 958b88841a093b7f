"""Note events: from the note slots of each frame to notes that begin and end.

Knows no model and no sound. A `NoteReader` belongs to one stream; one thread at a time (the inference thread).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .generator.drum_touch import beside
from .generator.score_tokens import (
    DRUM_VOICES,
    FIRST_NOTE,
    LOUDNESS,
    LOUDNESS_CLASSES,
    ONSET_QUARTERS,
    STATE,
    is_onset,
    notes_of,
)

DRUM_KEYS = {"kick": 36, "snare": 38, "side": 37, "closed_hat": 42, "cymbal": 51, "crash": 49, "tom": 45}
"""The key of General MIDI's percussion that stands for each voice."""


class NoteEvent(NamedTuple):
    """A note that begins or ends in a frame. Any thread."""

    part: int
    """The part's row."""
    pitch: int
    """MIDI note; of drums a key of General MIDI's percussion."""
    velocity: int
    """1 to 127; 0: the note ends."""
    offset_samples: int
    """From the frame's beginning, at the player's rate."""


def velocity_of(loudness: int) -> int:
    """The middle of a class of loudness (0 for silence): 8, 24 ... 120."""
    loudness = min(loudness, LOUDNESS_CLASSES)
    return (2 * loudness - 1) * 128 // (2 * LOUDNESS_CLASSES) if loudness > 0 else 0


class NoteReader:
    """Frames of slots in, events out. Every note that begins also ends: by a rest, by a repetition, or by `reset`.

    Inference thread only.
    """

    def __init__(self, drums: int, parts: int, frame_samples: int) -> None:
        """`drums`: the drums' row; -1 where there are none."""
        self._drums, self._frame_samples = drums, frame_samples
        self._sounding: list[set[int]] = [set() for _ in range(parts)]

    def reset(self) -> None:
        """Nothing sounds."""
        for sounding in self._sounding:
            sounding.clear()

    def read(self, frame: Sequence[Sequence[int]], style: str = "") -> list[NoteEvent]:
        """Slots of one frame [parts][SLOTS], as in score_tokens.py (-1 where nobody knows), to its events in order.

        The style says how loud each drum voice is beside the loudest that is struck with it.
        """
        events: list[NoteEvent] = []
        for part, slots in enumerate(frame):
            events += self._hits(part, slots, style) if part == self._drums else self._notes(part, slots)
        return sorted(events, key=lambda event: (event.offset_samples, event.velocity > 0))

    def _begin(self, slots: Sequence[int]) -> int:
        """Where in the frame its notes begin: in the middle of the quarter that it names, else at the beginning."""
        if not is_onset(slots[STATE]):
            return 0
        return self._frame_samples * (2 * slots[STATE] - 1) // (2 * ONSET_QUARTERS)

    def _hits(self, part: int, slots: Sequence[int], style: str) -> list[NoteEvent]:
        sounding = self._sounding[part]
        events = [NoteEvent(part, pitch, 0, 0) for pitch in sorted(sounding)]
        sounding.clear()
        if is_onset(slots[STATE]) and slots[FIRST_NOTE] > 0:
            loudest = max(1, velocity_of(slots[LOUDNESS]))
            voices = [bit for bit in range(len(DRUM_VOICES)) if slots[FIRST_NOTE] >> bit & 1]
            for voice, velocity in zip(voices, beside(loudest, voices, style), strict=True):
                key = DRUM_KEYS[DRUM_VOICES[voice]]
                events.append(NoteEvent(part, key, velocity, self._begin(slots)))
                sounding.add(key)
        return events

    def _notes(self, part: int, slots: Sequence[int]) -> list[NoteEvent]:
        before = self._sounding[part]
        now = {pitch for pitch in notes_of(tuple(slots)) if pitch < 128} if slots[STATE] > 0 else set()
        fresh = now - before
        if is_onset(slots[STATE]) and not fresh:
            fresh = set(now)  # the same notes, struck again
        begin = self._begin(slots)
        events = [NoteEvent(part, pitch, 0, 0) for pitch in sorted(before - now)]
        events += [NoteEvent(part, pitch, 0, begin) for pitch in sorted(before & fresh)]
        velocity = max(1, velocity_of(slots[LOUDNESS]))
        events += [NoteEvent(part, pitch, velocity, begin) for pitch in sorted(fresh)]
        self._sounding[part] = now
        return events
