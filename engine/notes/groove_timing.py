"""Brings the onsets of notes to where the band's groove wants them: the grid of the beat, swung, with the style's feel.

The generator draws onsets in quarters of a frame (10 ms), so that what it means is known to 5 ms at best. Here each one
is moved towards the nearest place of the grid, by 15 ms at most, and keeps a share of its own deviation. Never changes
the order of a part's onsets; each note's end moves with its beginning. Knows no sound. Inference thread only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..player import PARTS, NoteEvent
from ..position import Point
from ..style_priors import NO_GROOVE, STYLE_GROOVES, StyleGroove, swing_share

MOST_MS = 15.0
"""No onset is moved further."""
KEPT = 0.25
"""The share of its deviation from the grid that a note keeps: most of that is the generator's coarse time."""
_REACH_MS = 24.0
"""Notes further from every place than this stand where they were meant to: grace notes, flams, rolls."""
_APART_MS = 36.0
"""Places closer than this could be taken for each other."""
_SHORTEST_MS = 5.0
"""A note lasts so long at least, however its beginning was moved."""
_SLOW_BEAT_S = 0.4
"""Where a beat is longer than this, its eighths are divided by three, and its sixteenths by two."""


class TimedNote(NamedTuple):
    """A note that begins or ends at a place in the input, together with which it is heard. Any thread."""

    part: int
    """The row among PARTS."""
    pitch: int
    """MIDI note; of drums a key of General MIDI's percussion."""
    velocity: int
    """1 to 127; 0: the note ends."""
    position_samples: float


class NoteFrame(NamedTuple):
    """Where the events of a frame belong. Any thread."""

    start_samples: float
    """Of the input, at the host rate: offsets count from here."""
    samples: int
    """Length of the frame, at the host rate."""
    ratio: float
    """Host samples of one of the player's."""
    style: str
    in_time: bool
    """Whether there is a beat to stand on."""


class GrooveTiming:
    """Frames of events in, notes in their place out. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._last = [-math.inf] * len(PARTS)  # the last onset of each part
        self._sounding: dict[tuple[int, int], tuple[float, float]] = {}  # by how much it was moved, and where it is

    def frame(self, events: Sequence[NoteEvent], frame: NoteFrame, peek: Callable[[float], Point]) -> list[TimedNote]:
        """The notes of one frame in order of time. They may lie up to `MOST_MS` outside of it."""
        if not events:
            return []
        begun: dict[tuple[int, int], tuple[float, float, float]] = {}
        for event in events:
            if event.velocity > 0:
                drawn = frame.start_samples + event.offset_samples * frame.ratio
                place = max(drawn + self._shift(drawn, event.part, frame, peek), self._last[event.part])
                self._last[event.part] = place
                begun[event.part, event.pitch] = (drawn, place - drawn, place)
        notes = []
        for event in events:
            key = (event.part, event.pitch)
            if event.velocity > 0:
                notes.append(TimedNote(*key, event.velocity, begun[key][2]))
            else:
                drawn = frame.start_samples + event.offset_samples * frame.ratio
                notes.append(TimedNote(*key, 0, self._end(key, drawn, begun.get(key))))
        for key, (_, shift, place) in begun.items():
            self._sounding[key] = (shift, place)
        return sorted(notes, key=lambda note: (note.position_samples, note.velocity > 0))

    def reset(self) -> None:
        """What comes next does not go on from what was."""
        self._last = [-math.inf] * len(PARTS)
        self._sounding.clear()

    def _end(self, key: tuple[int, int], drawn: float, again: tuple[float, float, float] | None) -> float:
        """Where a note ends: it is as long as it was drawn, and over where it begins `again`."""
        shift, began = self._sounding.pop(key, (0.0, -math.inf))
        place = max(drawn + shift, began + _SHORTEST_MS * self._rate_hz / 1000.0)
        if again is not None and again[0] >= drawn:
            place = min(place, again[2])
        return place

    def _shift(self, drawn: float, part: int, frame: NoteFrame, peek: Callable[[float], Point]) -> float:
        """By how much an onset is moved, in samples."""
        if not frame.in_time:
            return 0.0
        groove = STYLE_GROOVES.get(frame.style, NO_GROOVE)
        here, there = peek(drawn), peek(drawn + frame.samples)
        if there.beat <= here.beat:
            return 0.0
        per_beat = frame.samples / (there.beat - here.beat)
        late = groove.late_ms[part] * self._rate_hz / 1000.0
        beat_s = per_beat / self._rate_hz
        beat = here.beat - late / per_beat
        places = grid_of(round(beat_s, 2), here.beat_quarters, groove)
        within = beat - math.floor(beat)
        nearest = min(places, key=lambda place: abs(place - within))
        off = (nearest - within) * per_beat
        if abs(off) > _REACH_MS * self._rate_hz / 1000.0:
            return 0.0
        most = MOST_MS * self._rate_hz / 1000.0
        return min(max((1.0 - KEPT) * off, -most), most)


@lru_cache(maxsize=256)
def grid_of(beat_s: float, beat_quarters: float, groove: StyleGroove) -> tuple[float, ...]:
    """The places within a beat, 0 to 1 (the next beat), that a note of this style may be meant for, in order.

    The style's own come first; finer ones are left out where they would stand too close to them to be told apart.
    """
    apart = _APART_MS / 1000.0 / max(beat_s, 1e-3)
    if beat_quarters != 1.0:  # a dotted quarter
        levels = [[n / 3 for n in range(4)], [n / 6 for n in range(7)]]
    else:
        share = swing_share(60.0 / max(beat_s, 1e-3), groove)
        levels = [[_swung(n / 2, share, groove.swing_grid_beats) for n in range(3)]]
        levels.append([_swung(n / 4, share, groove.swing_grid_beats) for n in range(5)])
        levels.append([1 / 3, 2 / 3])
        if beat_s > _SLOW_BEAT_S:
            levels += [[n / 6 for n in range(7)], [n / 8 for n in range(9)]]
    kept: list[float] = []
    for level in levels:
        kept += [place for place in level if all(abs(place - other) >= apart for other in kept)]
    return tuple(sorted(kept))


def _swung(beat: float, share: float, grid_beats: float) -> float:
    """A straight place as it is swung: of two notes of `grid_beats` each the first takes `share` of their time."""
    pair = 2.0 * grid_beats
    whole, part = divmod(beat / pair, 1.0)
    bent = part * 2.0 * share if part < 0.5 else share + (part - 0.5) * 2.0 * (1.0 - share)
    return (whole + bent) * pair
