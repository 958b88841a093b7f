"""The chords of the bars to come, and what was put right in them by hand: in the chart, or in what is foretold.

Knows a chart by its position and time as points; whoever foretells is asked. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..commands import ReplaceChord, UndoChord
from ..errors import ConfigError
from ..position import Point
from .chart import Chart
from .chart_edit import with_chord
from .chart_position import ChartPosition, Rooted, planned_bar
from .chord_symbol import ChordSymbol, parse_chord

Foretell = Callable[[float], str]
"""The name of the chord that is expected on a beat; empty where none is."""
_FORETOLD_BEATS = 8
_REMEMBERED = 64


class Corrected(NamedTuple):
    """A chart that was put right by hand. Any thread."""

    written: Chart
    """As it was when its song began."""
    now: Chart


class ChordPlan:
    """What is planned, and corrected. Inference thread only."""

    def __init__(self, position: ChartPosition) -> None:
        self._position = position
        self.corrected: Corrected | None = None
        """The chart that was put right last, another value after each correction. From any thread."""
        self._written: Chart | None = None
        self.forget()

    def forget(self) -> None:
        """Another count of bars."""
        self._charts: list[object] = []  # as they were before each correction
        self._corrected: object = None  # the last of them
        self._heard: list[tuple[int, int, ChordSymbol]] = []  # (bar from 0, beat from 0, chord), oldest first

    def bars(self, point: Point, count: int, foretell: Foretell) -> tuple[str, ...]:
        """From the running bar on, as in "5: Am . F ." (Status.planned); fewer where the chart ends, or where nothing
        is foretold so far ahead."""
        if self._position.known:
            return self._position.planned(point, count)
        made = []
        metre = point.beats_per_bar
        for bar in range(min(count, _FORETOLD_BEATS // metre + 1)):
            names = []
            for beat in range(metre):
                at = point.bar_beat + bar * metre + beat
                if at + 1.0 <= point.beat or at > point.beat + _FORETOLD_BEATS:
                    names.append("")
                    continue
                pinned = self.heard_at(point.bar + bar, beat, 0)
                names.append(pinned.name if pinned is not None else foretell(max(at, point.beat) + 0.25))
            made.append(planned_bar(point.bar + bar + 1, names))
        return tuple(made)

    def obey(self, command: ReplaceChord | UndoChord) -> None:
        """Put a chord right, or take that back. Raises ConfigError for what cannot be."""
        if self._position.chart is not self._corrected:  # another song
            self._charts, self._written = [], self._position.chart
        if isinstance(command, ReplaceChord):
            self._replace(command.bar, command.beat, command.name)
        else:
            self._undo()
        self._corrected = self._position.chart
        if self._written is not None and self._position.known:
            self.corrected = Corrected(self._written, self._position.chart)

    def _replace(self, bar: int, beat: int, name: str) -> None:
        """Another chord in a bar as `bars` numbers them. Raises ConfigError for no such bar, and for no chord."""
        symbol = parse_chord(name)
        if self._position.known:
            chart = self._position.chart
            self._position.exchange(with_chord(chart, bar, beat, symbol))
            self._charts = [*self._charts[-_REMEMBERED:], chart]
        else:
            self._heard = [*self._heard[-_REMEMBERED:], (bar - 1, beat - 1, symbol)]

    def _undo(self) -> None:
        """Take the last correction back. Raises ConfigError where there is none."""
        if self._position.known and self._charts:
            self._position.exchange(self._charts.pop())
        elif not self._position.known and self._heard:
            self._heard.pop()
        else:
            raise ConfigError("no chord was replaced: there is nothing to take back")

    def bass_in(self, beats: float, point: Point, foretell: Callable[[float], Rooted]) -> int:
        """Bass of the chord so many beats after the point whose chord was asked for last, the root of one that is
        foretold; -1 for none."""
        if self._position.known:
            return self._position.bass_in(beats)
        return int(foretell(point.beat + beats).root)

    def heard_at(self, bar: int, beat: float, loop_bars: int) -> ChordSymbol | None:
        """What was put right for that beat (from 0) of what is only foretold, and in every round of a known loop."""
        found = None
        for pinned, from_beat, symbol in self._heard:
            same = bar == pinned or (loop_bars > 0 and bar > pinned and (bar - pinned) % loop_bars == 0)
            if same and beat >= from_beat:
                found = symbol
        return found
