"""The position in the chart: it begins on a bar line, advances bar by bar, and jumps on bar lines.

Knows a chart by its shape (engine/charts/chart.py makes them) and time as points. Whole bars are counted, so that the
chart's bar lines are the band's, whatever metre each of them counts in; a chart that changes its metre says that of
each bar. Inference thread only.
"""

from __future__ import annotations

import math
from typing import Any, Protocol, cast

from ..errors import ConfigError
from ..position import Point
from .chart import Section

Written = tuple[int, tuple[float, ...]]
"""Root (-1: no chord is to sound) and pitch classes."""


class Rooted(Protocol):
    """A chord that somebody foretells. Any thread."""

    @property
    def root(self) -> int: ...


class ChartPosition:
    """A chart, and the bar of musical time on which its first one lies. Inference thread only."""

    def __init__(self) -> None:
        self._chart: Any = None
        self.rewind()

    def rewind(self) -> None:
        """Before the song."""
        self._origin: int | None = None  # number of the bar that is the chart's first
        self._begins_at: float | None = None  # place of the first bar line, where no bar was known yet
        self._wanted: tuple[float, str] | None = None  # beat of the chart to be at on the next bar line, its section
        self._asked_bar: int | None = None
        self._followed: int | None = None  # the first one's number, as a clock or transport last had it
        self._taken = False  # a chart was taken under way, and begins on the next bar line
        self._stays = False  # where it lies when the band comes in
        self._beat = 0.0
        """Of the chart, where it was last asked for."""

    @property
    def known(self) -> bool:
        """Whether there is a chart."""
        return self._chart is not None

    @property
    def chart(self) -> Any:
        """The chart itself; None without one."""
        return self._chart

    def exchange(self, chart: object) -> None:
        """The same song with other chords: it goes on where it is."""
        self._chart = chart

    def planned(self, point: Point, count: int) -> tuple[str, ...]:
        """So many bars from that of a point on (see `planned_bar`); fewer where the chart ends."""
        chart, made = self._chart, []
        here = 0 if self._origin is None or self._begins_at is not None else max(0, point.bar - self._origin)
        for step in range(count):
            bar = here + step
            if self._wanted is not None and step:
                bar = round(chart.bar_at_beat(self._wanted[0])) + step - 1
            if not chart.loops and bar >= chart.bars:
                break
            begin = chart.beat_at_bar(bar)
            names = [str(chart.symbol_at(begin + beat)) for beat in range(chart.beats_of_bar(bar))]
            made.append(planned_bar(bar % chart.bars + 1, names))
        return tuple(made)

    @property
    def beats_per_bar(self) -> int:
        """Of the chart's first bar; 0 without one."""
        return int(self._chart.beats_per_bar) if self._chart is not None else 0

    @property
    def tempo_bpm(self) -> float:
        """As the chart says it; 0 where it says none, and without a chart."""
        return 0.0 if self._chart is None else float(self._chart.tempo_bpm)

    @property
    def section(self) -> str:
        """Where the song is; empty without a chart."""
        return str(self._chart.section_at(self._beat)) if self._chart is not None else ""

    def bass_in(self, beats: float) -> int:
        """Bass of the chord so many beats after where the song is; -1 without a chord."""
        return -1 if self._chart is None else int(self._chart.chord_symbol_at(self._beat + beats).bass)

    @property
    def symbol(self) -> str:
        """The chord as it is written where the song is."""
        return str(self._chart.symbol_at(self._beat)) if self._chart is not None else ""

    @property
    def next_section(self) -> str:
        """Waits for the next bar line; empty for nothing."""
        return self._wanted[1] if self._wanted is not None else ""

    @property
    def section_bar(self) -> int | None:
        """Number of the bar of musical time with which the next section begins; None where that is not known."""
        chart, origin = self._chart, self._origin
        if self._wanted is not None:
            return None if self._asked_bar is None else self._asked_bar + 1
        if chart is None or origin is None or self._begins_at is not None:
            return None
        after = chart.next_section(self._beat)
        if after is None:
            return None
        rounds = math.floor((self._beat + 1e-6) / chart.length_beats) if chart.loops else 0
        beats = rounds * chart.length_beats + after[1]
        if beats <= self._beat + 1e-6:
            beats += chart.length_beats
        return origin + round(chart.bar_at_beat(beats))

    def section_of_bar(self, bar: int) -> Section | None:
        """The section of that bar of musical time; None without a chart, and in a bar that belongs to another chart."""
        chart, origin = self._chart, self._origin
        if chart is None:
            return None
        if self._wanted is not None:
            if self._asked_bar is not None and bar > self._asked_bar:
                first = round(chart.bar_at_beat(self._wanted[0]))
                return cast(Section, chart.section_of_bar(first + bar - self._asked_bar - 1))
            if self._taken:
                return None
        if origin is None or self._begins_at is not None:
            return cast(Section, chart.section_of_bar(round(chart.bar_at_beat(self._beat))))
        return cast(Section, chart.section_of_bar(bar - origin))

    @property
    def round_bar(self) -> int | None:
        """Number of the bar with which a chart that goes round begins anew; None where that is not known."""
        chart, origin = self._chart, self._origin
        if chart is None or origin is None or self._begins_at is not None or self._wanted is not None:
            return None
        if not chart.loops:
            return None
        return origin + (math.floor((self._beat + 1e-6) / chart.length_beats) + 1) * int(chart.bars)

    @property
    def end_bar(self) -> int | None:
        """Number of the bar on whose downbeat the song ends; None where the chart goes round."""
        chart = self._chart
        if chart is None or self._origin is None or self._begins_at is not None or chart.loops:
            return None
        return self._origin + int(chart.bars)

    def metre_of(self, bar: int) -> int | None:
        """Beats of that bar of musical time, by a chart that changes its metre.

        None where all bars are alike, before the song, and in a bar that belongs to another chart.
        """
        chart, origin = self._chart, self._origin
        if chart is None or origin is None or not chart.metres:
            return None
        if self._wanted is not None:
            if self._asked_bar is not None and bar > self._asked_bar:
                return int(chart.beats_of_bar(round(chart.bar_at_beat(self._wanted[0])) + bar - self._asked_bar - 1))
            if self._taken:
                return None
        return int(chart.beats_of_bar(bar - origin))

    @property
    def placed(self) -> bool:
        """Whether the song has begun, on a bar that stays."""
        return self._origin is not None and self._begins_at is None

    def take(self, chart: object | None) -> None:
        """Another chart, or none. Where a song is under way it begins at the next bar line."""
        under_way = self._origin is not None
        self._chart = chart
        self._beat = 0.0
        self._wanted, self._asked_bar, self._taken = None, None, False
        if chart is not None and under_way:
            self._wanted, self._taken = (0.0, self.section), True

    def lie(self, chart: object | None, first: int, stays: bool) -> None:
        """Another chart or none, whose first bar is that one of musical time, at once. `stays`: also when the band
        comes in next."""
        self._chart, self._origin, self._begins_at, self._followed = chart, first, None, None
        self._wanted, self._asked_bar, self._taken = None, None, False
        self._stays = stays

    def quarters_of_beat(self, bar: int) -> float:
        """Length of a beat in quarter notes in that bar of musical time: 1.5 in 6/8; 1 without a chart."""
        return 1.0 if self._chart is None else float(self._chart.quarters_of_beat(bar - (self._origin or 0)))

    def bar_of_beat(self, beat: float) -> int:
        """Number of the chart's bar whose first beat is nearest to that one of the song."""
        return 0 if self._chart is None else round(self._chart.bar_at_beat(beat))

    def follow(self, first: int, anew: bool) -> None:
        """By who leads, the chart's first bar is that bar of musical time. Who has jumped goes on from there, until the
        song begins, or is moved, `anew`."""
        if self.placed and (anew or self._origin == self._followed):
            self._origin = self._followed = first
            if anew:
                self._wanted, self._asked_bar, self._taken = None, None, False

    def begin(self, point: Point, known: bool, first: int | None = None) -> None:
        """The song begins on the bar line nearest to that point, or on that bar; `known`: whether bars are known."""
        stays, self._stays = self._stays, False
        if stays and self._origin is not None:
            return
        self._origin = point.bar + (point.bar_phase > 0.5) if first is None else first
        self._followed = first
        self._begins_at = None if known else point.position_samples
        self._wanted, self._asked_bar, self._taken = None, None, False

    def jump(self, name: str) -> None:
        """Go to the section of that name on the next bar line; an empty name: to the one after this one.

        Raises ConfigError where there is no chart or no such section.
        """
        if self._chart is None:
            raise ConfigError("there is no chart: give the song one to jump to its sections")
        if name:
            start = self._chart.section_start(name)
            if start is None:
                raise ConfigError(f"the chart has no section {name!r}")
            self._wanted = (float(start), name)
        else:
            after = self._chart.next_section(self._beat)
            if after is None:
                raise ConfigError("the chart has no section after this one")
            self._wanted = (float(after[1]), str(after[0]))
        self._asked_bar = None

    def chord(self, point: Point, known: bool, sure: bool, beat_samples: float) -> Written | None:
        """What is written for that point, None without a chart. Points are asked for in order.

        Until bars are `known` the song stands on its first one; from then on it is counted back to where it began, anew
        for each point until the bars are `sure` too.
        """
        counted = self._begins_at is None
        if known and self._begins_at is not None and beat_samples > 0:
            if self._chart is not None:
                bars = self._chart.bar_at_beat((point.position_samples - self._begins_at) / beat_samples)
                self._origin = round(point.bar + point.bar_phase - bars)
            self._begins_at = None if sure else self._begins_at
            counted = True
        if self._wanted is not None and self._origin is not None:
            self._jump_on(point)
        if self._chart is None:
            return None
        if self._origin is not None and counted:
            self._beat = float(self._chart.beat_at_bar(point.bar - self._origin + point.bar_phase))
        elif self._origin is None:
            self._beat = self._wanted[0] if self._wanted is not None else 0.0
        return cast(Written, self._chart.chord_at(self._beat))

    def _jump_on(self, point: Point) -> None:
        """Be elsewhere from the next bar line on."""
        assert self._wanted is not None
        if self._asked_bar is None:
            self._asked_bar = point.bar
        elif point.bar != self._asked_bar:
            self._origin = point.bar - round(self._chart.bar_at_beat(self._wanted[0]))
            self._wanted, self._asked_bar, self._taken = None, None, False


def planned_bar(number: int, names: list[str]) -> str:
    """ "5: Am . F ." for a bar by its number, from 1, and the chord of each of its beats; empty where none is known."""
    cells = [name if name and (n == 0 or name != names[n - 1]) else "." for n, name in enumerate(names)]
    return f"{number}: {' '.join(cells)}"
