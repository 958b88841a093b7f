"""What the band played, as notes in musical time, with the beats and sections that it followed.

Knows no file format and no sound: events of a player (engine/player.py) in, notes with a beginning and an end out.
Grows with the music; for pieces that are played to their end. Inference thread only.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..player import PARTS, NoteEvent
from ..position import Point

_AUDIBLE = 0.05
"""A note that begins where the band's gain is lower than this is not heard: -26 dB."""


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


class PlayedSection(NamedTuple):
    """A section of a chart that began. Any thread."""

    time_s: float
    text: str


class Score(NamedTuple):
    """What was played, and along which beats. Any thread."""

    notes: tuple[PlayedNote, ...] = ()
    beats: tuple[PlayedBeat, ...] = ()
    sections: tuple[PlayedSection, ...] = ()


NO_SCORE = Score()


class FrameTime(NamedTuple):
    """Where a frame is heard. Any thread."""

    start_samples: float
    """Of what it plays: note events count from here."""
    ratio: float
    """Host samples of one of the player's."""
    gains: NDArray[np.float32] | None
    """Of the band's entrances and exits over the frame's sound; None: it is at its level."""
    gains_from_samples: float
    """Where the first of them is heard."""

    def gain_at(self, position_samples: float) -> float:
        """The band's gain at a moment of this frame or a little beyond."""
        if self.gains is None:
            return 1.0
        place = min(max(math.floor(position_samples - self.gains_from_samples), 0), len(self.gains) - 1)
        return float(self.gains[place])


class _Ended(NamedTuple):
    """A note with its end, in host samples."""

    part: int
    pitch: int
    velocity: int
    start: float
    end: float


class ScoreLog:
    """Frames in, a score out. Every note that began has an end. Inference thread only."""

    def __init__(self) -> None:
        self._notes: list[_Ended] = []
        self._sounding: dict[tuple[int, int], tuple[int, float]] = {}
        self._points: list[Point] = []
        self._sections: list[tuple[float, str]] = []

    def frame(self, events: Sequence[NoteEvent], time: FrameTime, levels_db: tuple[float, ...]) -> None:
        """The notes of one frame. A part whose level is -inf is not heard."""
        for event in events:
            at = time.start_samples + event.offset_samples * time.ratio
            self._end(event.part, event.pitch, at)
            heard = levels_db[event.part] > -math.inf and time.gain_at(at) > _AUDIBLE
            if event.velocity > 0 and heard:
                self._sounding[event.part, event.pitch] = (event.velocity, at)
        gains = time.gains
        if gains is not None and gains[-1] <= 0.0 and self._sounding:
            self.end_all(time.gains_from_samples + float(np.argmax(gains <= 0.0)))

    def follow(self, point: Point, section: str) -> None:
        """Where in the music the band is at a later position than the last."""
        if not self._points or point.position_samples > self._points[-1].position_samples:
            self._points.append(point)
        if section != (self._sections[-1][1] if self._sections else ""):
            self._sections.append((point.position_samples, section))

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
