"""Where bars begin, as the conductor tells it: the lines of the last minutes, each at its place in the input.

Knows neither sound nor commands. Positions are samples of the input clock, and may be fractional. Inference thread
only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from ..position import Point

Peek = Callable[[float], Point]
_EXACT_SAMPLES = 1e-3
_MOST_LINES = 512


@dataclass(frozen=True, slots=True)
class BarLine:
    """The beginning of a bar. Any thread."""

    position_samples: float
    bar: int
    beats: int
    """Of the bar that begins here."""


class BarLines:
    """Lines in order, found by walking along the time that is told. Inference thread only."""

    def __init__(self) -> None:
        self._lines: list[BarLine] = []
        self._at: float | None = None
        self._beat_samples = 0.0

    def advance(self, until: float, step: float, peek: Peek) -> list[BarLine]:
        """Walk on to that position, in steps of less than a bar; the lines that were crossed."""
        if self._at is None:
            self._at = until
            return []
        found = []
        while self._at < until:
            there_at = min(self._at + step, until)
            here, there = peek(self._at), peek(there_at)
            if there.beat > here.beat:
                self._beat_samples = (there_at - self._at) / (there.beat - here.beat)
            if there.bar < here.bar or (self._lines and there.bar < self._lines[-1].bar):
                self._lines.clear()  # time was begun anew: its bars have no numbers of before
            elif there.bar > here.bar:
                found.append(BarLine(self._place(self._at, there_at, there.bar, peek), there.bar, there.beats_per_bar))
                self._lines = [*self._lines[-_MOST_LINES:], found[-1]]
            self._at = there_at
        return found

    @staticmethod
    def _place(low: float, high: float, bar: int, peek: Peek) -> float:
        """Where between two positions the bar of that number begins."""
        while high - low > _EXACT_SAMPLES:
            middle = (low + high) / 2
            low, high = (low, middle) if peek(middle).bar >= bar else (middle, high)
        near = round(high)
        return float(near) if abs(high - near) < 2 * _EXACT_SAMPLES else high

    @property
    def beat_samples(self) -> float:
        """Length of a beat where it was walked last; 0 before."""
        return self._beat_samples

    def last(self, position: float) -> BarLine | None:
        """The last line at or before a position."""
        place = bisect_right(self._lines, position, key=lambda line: line.position_samples)
        return self._lines[place - 1] if place else None

    def next(self, position: float) -> BarLine | None:
        """The first line after a position, if it was crossed already."""
        place = bisect_right(self._lines, position, key=lambda line: line.position_samples)
        return self._lines[place] if place < len(self._lines) else None

    def meant(self, position: float) -> BarLine | None:
        """The line that somebody means who presses there: the one just past, up to a beat ago, else the next. None:
        that is still to come."""
        last = self.last(position)
        if last is not None and position - last.position_samples <= self._beat_samples:
            return last
        return self.next(position)

    def between(self, first: float, last: float) -> list[BarLine]:
        """The lines from one position to the other, both included."""
        return [line for line in self._lines if first <= line.position_samples <= last]

    def back(self, line: BarLine, bars: int) -> BarLine | None:
        """The line so many bars before that one, where all between are known."""
        try:
            place = self._lines.index(line)
        except ValueError:
            return None
        return self._lines[place - bars] if place >= bars else None
