"""What the band played, as notes in musical time, with the beats and sections that it followed.

Knows no file format and no sound: notes as they are heard (engine/notes) in, notes with a beginning and an end out.
Grows with the music; for pieces that are played to their end. Inference thread only.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..notes.groove_timing import TimedNote
from ..player import PARTS
from ..position import Point


class PlayedNote(NamedTuple):
    """One note, in seconds of the input together with which it is heard. Any thread."""

    part: str
    """"drums", "bass" or "keys"."""
    pitch: int
    """MIDI note; of drums a key of General MIDI's percussion."""
    velocity: int
    """1 to 127."""
    start_s: float
    end_s: float


class PlayedBeat(NamedTuple):
    """One beat that the band followed. Any thread."""

    time_s: float
    number: int
    """Its place in the bar, from 1."""
    beats_per_bar: int


class PlayedChord(NamedTuple):
    """A chord that the band began to play by. Any thread."""

    time_s: float
    text: str
    """As the chart writes it, else root and third as heard ("Am", "F#")."""


class PlayedSection(NamedTuple):
    """A section of a chart that began. Any thread."""

    time_s: float
    text: str


class Score(NamedTuple):
    """What was played, and along which beats. Any thread."""

    notes: tuple[PlayedNote, ...] = ()
    beats: tuple[PlayedBeat, ...] = ()
    sections: tuple[PlayedSection, ...] = ()
    chords: tuple[PlayedChord, ...] = ()


NO_SCORE = Score()


class _Ended(NamedTuple):
    """A note with its end, in host samples."""

    part: int
    pitch: int
    velocity: int
    start: float
    end: float


class ScoreLog:
    """Notes in, a score out. Every note that began has an end. Inference thread only."""

    def __init__(self) -> None:
        self._notes: list[_Ended] = []
        self._sounding: dict[tuple[int, int], tuple[int, float]] = {}
        self._points: list[Point] = []
        self._sections: list[tuple[float, str]] = []
        self._chords: list[tuple[float, str]] = []

    def take(self, notes: Iterable[TimedNote]) -> None:
        """What is heard, in order of time: notes that begin, and their ends."""
        for note in notes:
            self._end(note.part, note.pitch, note.position_samples)
            if note.velocity > 0:
                self._sounding[note.part, note.pitch] = (note.velocity, note.position_samples)

    def follow(self, point: Point, section: str, chord: str = "") -> None:
        """Where in the music the band is at a later position than the last, and by which chord it plays there."""
        if not self._points or point.position_samples > self._points[-1].position_samples:
            self._points.append(point)
        if section != (self._sections[-1][1] if self._sections else ""):
            self._sections.append((point.position_samples, section))
        if chord != (self._chords[-1][1] if self._chords else ""):
            self._chords.append((point.position_samples, chord))

    def end_all(self, position_samples: float) -> None:
        """Whatever sounds ends there."""
        for part, pitch in tuple(self._sounding):
            self._end(part, pitch, position_samples)

    def score(self, from_samples: float, to_samples: float, rate_hz: float) -> Score:
        """What begins within these bounds, cut to them; notes that still sound are left out."""
        notes = [note for note in self._notes if from_samples <= note.start < to_samples]
        return Score(
            tuple(
                PlayedNote(PARTS[n.part], n.pitch, n.velocity, n.start / rate_hz, min(n.end, to_samples) / rate_hz)
                for n in sorted(notes, key=lambda note: (note.start, note.part, note.pitch))
            ),
            tuple(
                PlayedBeat(at / rate_hz, number, beats_per_bar)
                for at, number, beats_per_bar in self._beats()
                if 0.0 <= at < to_samples
            ),
            tuple(
                PlayedSection(max(0.0, at) / rate_hz, name) for at, name in self._sections if name and at < to_samples
            ),
            tuple(PlayedChord(max(0.0, at) / rate_hz, name) for at, name in self._chords if name and at < to_samples),
        )

    def _beats(self) -> Iterator[tuple[float, int, int]]:
        """(position_samples, place in the bar from 1, beats per bar) of each beat between the points."""
        for before, after in itertools.pairwise(self._points):
            for beat in range(math.floor(before.beat) + 1, math.floor(after.beat) + 1):
                share = (beat - before.beat) / (after.beat - before.beat)
                at = before.position_samples + share * (after.position_samples - before.position_samples)
                bar = after if beat >= after.bar_beat else before
                yield at, (beat - round(bar.bar_beat)) % max(1, bar.beats_per_bar) + 1, bar.beats_per_bar

    def _end(self, part: int, pitch: int, position_samples: float) -> None:
        begun = self._sounding.pop((part, pitch), None)
        if begun is not None and position_samples > begun[1]:
            self._notes.append(_Ended(part, pitch, *begun, position_samples))
