"""Finds each beat of musical time once, frame by frame, though time ahead is a guess that may still shift a little.

Knows points alone. Inference thread only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ...position import Point

Peek = Callable[[float], Point]
_HAIR = 1e-6


class BeatLine(NamedTuple):
    """A beat that falls into a frame. Any thread."""

    position_samples: float
    """Of the input, together with which it is heard."""
    beat: int
    """Its number, as points count."""
    bar: int | None
    """Number of the bar that begins there; None within a bar."""


class BeatLines:
    """The beats of frames that follow one another. Inference thread only."""

    def __init__(self) -> None:
        self._last: int | None = None

    def find(self, start: float, end: float, peek: Peek) -> BeatLine | None:
        """The beat in the frame from `start` to `end`, and never again; None: there is none.

        A beat that shifted from the end of the last frame to before this one counts as at its beginning.
        """
        line = self.look(start, end, peek)
        if line is not None:
            self._last = line.beat
        return line

    def look(self, start: float, end: float, peek: Peek) -> BeatLine | None:
        """The same, without remembering it: for a frame that is still to come."""
        here, there = peek(start), peek(end)
        if there.beat <= here.beat:
            return None
        beat = math.ceil(here.beat - _HAIR)
        last = self._last
        if last is not None and here.beat > last - 1:  # else time was begun anew
            slipped = last + 1 < here.beat < last + 1 + (there.beat - here.beat)
            beat = last + 1 if slipped else max(last + 1, beat)
        if beat >= there.beat - _HAIR:
            return None
        share = max(0.0, beat - here.beat) / (there.beat - here.beat)
        begins = next((point for point in (here, there) if point.bar_beat == beat), None)
        return BeatLine(start + share * (end - start), beat, None if begins is None else begins.bar)
