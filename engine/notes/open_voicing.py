"""Opens the chords of the keys: lower voices go down an octave, so that there is a left hand, and room for the lead.

The generator learnt keys that lie close together around F4, where a guitar plays. Here a chord of three or more notes
that begin together keeps its highest, and the second and the fourth from the top sound an octave lower (what arrangers
call drop 2, and drop 2 and 4). No pitch class comes or goes. A voice stays where it is if it would come below C3, near
the bass, or onto a note that sounds. Knows neither chords nor sound. Inference thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from ..player import PARTS
from .groove_timing import TimedNote

CLOSE_STYLES = frozenset({"reggae", "ska", "funk", "disco"})
"""Their keys are short chords that stay together, up where the bass and the kick are not."""
LOWEST = 48
"""C3: closer intervals below it are mud."""
FROM_BASS = 5
"""A fourth: so far above the bass a voice stays at least."""
_BASS_S = 2.0
"""So long a note of the bass counts: in a line of octaves the keys do not go down between two high ones."""
_WARY = 2
"""Semitones more of both are asked of a chord that follows a closer one: a chord at the edge does not go to and fro."""
_BASS, _KEYS = PARTS.index("bass"), PARTS.index("keys")
_DROPPED = (1, 3)
"""Counted from the top, from 0."""


class OpenVoicing:
    """Notes in their place in, the same with other octaves out. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._bass_samples = _BASS_S * rate_hz
        self._bass: deque[tuple[float, int]] = deque()  # beginnings of the last two seconds
        self._sounding: dict[int, int] = {}  # notes of the keys as they were drawn, and as they sound
        self._open: tuple[bool, ...] = (False,) * len(_DROPPED)  # which voices of the last chord went down

    def frame(self, notes: Sequence[TimedNote], style: str) -> list[TimedNote]:
        """The notes of one frame, in their order. Every note that begins also ends, whatever the style is by then."""
        out: list[TimedNote] = []
        chord: list[TimedNote] = []  # the last that began
        for at, note in enumerate(notes):
            if note.part == _BASS and note.velocity > 0:
                self._bass.append((note.position_samples, note.pitch))
            if note.part != _KEYS:
                out.append(note)
            elif note.velocity == 0:
                out += self._ended(note)
            elif note not in chord:
                chord = [one for one in notes[at:] if one.part == _KEYS and _together(note, one)]
                out += self._begun(chord, style)
        return out

    def reset(self) -> None:
        """What comes next does not go on from what was: no note sounds."""
        self._sounding.clear()
        self._bass.clear()

    def _ended(self, note: TimedNote) -> list[TimedNote]:
        pitch = self._sounding.pop(note.pitch, None)
        return [] if pitch is None else [note._replace(pitch=pitch)]

    def _begun(self, chord: Sequence[TimedNote], style: str) -> list[TimedNote]:
        """The notes of a chord, after the ends of those that they take the place of."""
        position = chord[0].position_samples
        pitches = [note.pitch for note in chord]
        places = self._places(pitches, position) if style not in CLOSE_STYLES else {}
        placed = {pitch: places.get(pitch, pitch) for pitch in pitches}
        taken = set(placed.values())
        over = [drawn for drawn, sounds in self._sounding.items() if drawn in placed or sounds in taken]
        ends = [TimedNote(_KEYS, self._sounding.pop(drawn), 0, position) for drawn in over]
        self._sounding.update(placed)
        return [*ends, *(note._replace(pitch=placed[note.pitch]) for note in chord)]

    def _places(self, pitches: Iterable[int], position: float) -> dict[int, int]:
        """Where voices that go down are to sound."""
        voices = sorted(set(pitches), reverse=True)
        if len(voices) < 3:
            return {}
        while self._bass and self._bass[0][0] < position - self._bass_samples:
            self._bass.popleft()
        lowest = max([LOWEST, *(pitch + FROM_BASS for _, pitch in self._bass)])
        kept = {sounds for drawn, sounds in self._sounding.items() if drawn not in voices}
        places: dict[int, int] = {}
        opened = []
        for number, was_open in zip(_DROPPED, self._open, strict=True):
            target = voices[number] - 12 if number < len(voices) else 0
            goes = target >= lowest + (0 if was_open else _WARY) and target not in kept and target not in voices
            if goes:
                places[voices[number]] = target
            opened.append(goes)
        self._open = tuple(opened)
        return places


def _together(one: TimedNote, other: TimedNote) -> bool:
    return one.velocity > 0 and other.velocity > 0 and one.position_samples == other.position_samples
