"""Assigns MIDI clock ticks from one cable to trains, when two clocks run at once.

Ticks carry no sender. While they come evenly they are one train. Where they do not, and are explained as several even
trains, each is a line of its own; who said start is the train that begins with it, or whose tick came soonest after.
Knows no band. Positions are samples of the input clock. Inference thread only.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace

from .tick_combs import trains_in
from .tick_line import TickLine

_RECENT_TICKS = 72
_UNEVEN = 0.2
"""Ticks that are so far off on the average (part of a tick) may be those of two clocks."""
_STEADY_TICKS = 24
_STEADY = 0.12
"""What a line said while its ticks were no further off is what it was, if others come between."""
_STEADY_S = 2.0
_SORT_EVERY = 6
_SAME_PACE = 0.04
_OWN_TICK = 0.3
"""A tick no further off than this part of one is its line's."""
_STRAYS = 4.0
"""So many of the last ten or so that no line waited for, and the ticks are sorted anew."""
_NEWBORN_S = 0.002
_NEWBORN_TICKS = 1.5
"""A train that begins no later after a start (in its own ticks) is the one that said it."""
_START_S = 2.5
"""So long after a start its train may yet be found."""


@dataclass(frozen=True, slots=True)
class _Steady:
    position: float
    period: float
    number: int


@dataclass(frozen=True, slots=True)
class _Start:
    position: float
    resume_ticks: int


class TickSorter:
    """Ticks and starts in; the line that leads, and how many others there are. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.leader = TickLine(rate_hz)
        """The train that is followed."""
        self.started = False
        """Whether the leader has said start or continue."""
        self.reset()

    def reset(self) -> None:
        """Forget every line. What was said of start stays."""
        self.leader.forget(pace_too=True)
        self._others: list[TickLine] = []
        self._recent: deque[float] = deque(maxlen=_RECENT_TICKS)
        self._steady: _Steady | None = None
        self._start: _Start | None = None
        self._since_sorted = 0
        self._strays = 0.0

    @property
    def others_bpm(self) -> tuple[float, ...]:
        """Tempi of the trains that are set aside."""
        return tuple(60.0 * self._rate_hz / (24.0 * line.period) for line in self._others if line.period > 0)

    def say_start(self, position: float, resume_ticks: int) -> None:
        """Somebody has said start, or continue: the tick that comes next is that place of the song."""
        lines = [self.leader, *self._others]
        if self._others and not self.started:
            lines.sort(key=lambda line: self._next_tick(line, position))
            self.leader, self._others = lines[0], lines[1:]
            self._steady = None
        self._start = None if self.started else _Start(position, resume_ticks)
        self.leader.resume_ticks = resume_ticks
        self.started = True

    def _next_tick(self, line: TickLine, position: float) -> float:
        if line.period <= 0:
            return math.inf
        return line.position + math.ceil((position - line.position) / line.period) * line.period

    def add(self, position: float) -> None:
        """One tick of whichever train."""
        lost = self.leader.close_gaps(position)
        if lost:
            self._shift(lost)
        for line in self._others:
            line.close_gaps(position)
        self._recent.append(position)
        self._since_sorted += 1
        if not self._others:
            self.leader.add(position)
            if self.leader.uneven <= _UNEVEN:
                self._remember()
            elif self._since_sorted >= _SORT_EVERY:
                self._sort()
            return
        self._others = [line for line in self._others if not line.silent(position)]
        if self._others and self.leader.silent(position):
            self.leader, self._others, self.started = self._others[0], self._others[1:], False
        self._share(position)
        if self._strays > _STRAYS and self._since_sorted >= _SORT_EVERY:
            self._sort()

    def pass_gap(self, samples: float) -> None:
        """The port lost so many samples. If the whole server stood still no tick went with them: the next one says."""
        for line in (self.leader, *self._others):
            line.gaps.append(samples)

    def _shift(self, samples: float) -> None:
        """What was remembered lies so much further back than its positions say, which stood still meanwhile."""
        self._recent = deque((position - samples for position in self._recent), maxlen=_RECENT_TICKS)
        if self._steady is not None:
            self._steady = replace(self._steady, position=self._steady.position - samples)
        if self._start is not None:
            self._start = replace(self._start, position=self._start.position - samples)

    def line_at(self, position: float) -> tuple[float, float, float, float] | None:
        """(position, ticks, period, confidence) of the leader's line; None while there is none to follow."""
        line = self.leader
        if line.silent(position) or line.silent(line.last):
            return None
        if self._others or line.uneven <= _UNEVEN:
            return (line.position, float(line.number), line.period, line.confidence) if line.sure else None
        steady = self._steady
        if steady is None or position - steady.position > _STEADY_S * self._rate_hz:
            return (line.position, float(line.number), line.period, line.confidence) if self._one_at_last() else None
        return steady.position, float(steady.number), steady.period, 0.5

    def _one_at_last(self) -> bool:
        """Ticks that no two trains explain are of one that is very uneven: better than none."""
        return len(self._recent) == _RECENT_TICKS

    def _remember(self) -> None:
        line = self.leader
        if line.met >= _STEADY_TICKS and line.uneven <= _STEADY:
            self._steady = _Steady(line.position, line.period, line.number)

    def _share(self, position: float) -> None:
        """Give a tick to the line that was waiting for it."""
        best, least = None, math.inf
        for line in (self.leader, *self._others):
            if position - line.last < 0.5 * line.period:
                continue
            ticks = max(1, round((position - line.position) / line.period))
            miss = abs(position - line.position - ticks * line.period)
            if miss < min(least, _OWN_TICK * line.period):
                best, least = line, miss
        self._strays = 0.9 * self._strays + (best is None)
        if best is not None:
            best.add(position)

    # ------------------------------------------------------------------------------------------------- sorting

    def _sort(self) -> None:
        """Look whether what came of late is of several trains."""
        self._since_sorted, self._strays = 0, 0.0
        trains = trains_in(self._recent, self._rate_hz)
        if len(trains) < 2 or _one_in_pieces(trains):
            return
        lines = [self._line_of(train) for train in trains]
        old = self._steady if not self._others else self._of_leader()
        leader = self._same(lines, old)
        born = None if self._start is None else self._born_with(trains, lines, self._start)
        if born is not None and self._start is not None:
            self._start = None
            leader = born
        elif leader is None:
            leader = lines[0]
        if born is None:
            leader.song_tick = self.leader.song_tick
            leader.resume_ticks = self.leader.resume_ticks
        self.leader, self._others = leader, [line for line in lines if line is not leader]
        self._steady = None

    def _of_leader(self) -> _Steady:
        line = self.leader
        return _Steady(line.position, line.period, line.number)

    def _line_of(self, train: list[float]) -> TickLine:
        line = TickLine(self._rate_hz, self.leader.number)
        for place in train:
            line.add(place)
        return line

    def _same(self, lines: list[TickLine], old: _Steady | None) -> TickLine | None:
        """The one that goes on as the old line did, with its numbers."""
        if old is None or old.period <= 0:
            return None
        for line in lines:
            ticks = (line.position - old.position) / old.period
            same_pace = abs(line.period / old.period - 1.0) < _SAME_PACE
            if same_pace and abs(ticks - round(ticks)) < _OWN_TICK:
                line.number = old.number + round(ticks)
                return line
        return None

    def _born_with(self, trains: list[list[float]], lines: list[TickLine], start: _Start) -> TickLine | None:
        """The train that began when somebody said start; its first tick is the place that was said."""
        if self._recent[-1] - start.position > _START_S * self._rate_hz:
            return None
        for train, line in zip(trains, lines, strict=True):
            since = train[0] - start.position
            others_before = self._recent[0] < train[0] - _NEWBORN_TICKS * line.period
            if others_before and -_NEWBORN_S * self._rate_hz <= since <= _NEWBORN_TICKS * line.period:
                first = line.number - (len(train) - 1)
                line.song_tick = first - start.resume_ticks
                return line
        return None


def _one_in_pieces(trains: list[list[float]]) -> bool:
    """Whether they are every second (or third) tick of one even train."""
    periods = [(train[-1] - train[0]) / (len(train) - 1) for train in trains]
    if max(periods) > 1.03 * min(periods):
        return False
    period = sum(periods) / len(periods)
    places = sorted((train[-1] / period) % 1.0 for train in trains)
    gaps = [(b - a) % 1.0 for a, b in zip(places, [*places[1:], places[0]], strict=True)]
    return max(abs(gap - 1.0 / len(trains)) for gap in gaps) < 0.12
