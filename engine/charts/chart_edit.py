"""Another chord in a chart, wherever its section is played. Pure functions, any thread."""

from __future__ import annotations

from dataclasses import replace

from .chart import Change, Chart, ChartError, Section
from .chord_symbol import ChordSymbol


def with_chord(chart: Chart, bar: int, beat: int, symbol: ChordSymbol) -> Chart:
    """The chart with that chord from a beat on (bars and beats from 1), as long as the one it takes the place of lasts
    within the bar; in every section of that name and length. Raises ChartError for a place that it does not have."""
    if not 1 <= bar <= chart.bars or not 1 <= beat <= chart.beats_of_bar(bar - 1):
        raise ChartError(f"the chart has no bar {bar}, beat {beat}: it has {chart.bars} bars")
    first_bars: list[int] = [0]
    for section in chart.sections:
        first_bars.append(first_bars[-1] + section.bars)
    place = next(n for n in range(len(chart.sections)) if first_bars[n + 1] >= bar)
    own, offset = chart.sections[place], bar - 1 - first_bars[place]
    for n, section in enumerate(chart.sections):
        if n == place or (section.name and _alike(section, own)):
            chart = _with_change(chart, first_bars[n] + offset, beat - 1, symbol)
    return chart


def _alike(one: Section, two: Section) -> bool:
    return (one.name.lower(), one.bars) == (two.name.lower(), two.bars)


def _with_change(chart: Chart, bar: int, beat: int, symbol: ChordSymbol) -> Chart:
    begin = chart.beat_at_bar(bar) + beat
    end = chart.beat_at_bar(bar + 1) if bar + 1 < chart.bars else chart.length_beats
    end = min([change.beat for change in chart.changes if begin < change.beat < end], default=end)
    made = {change.beat: change.chord for change in chart.changes if not begin <= change.beat < end}
    made[begin] = symbol
    if end < chart.length_beats:
        made.setdefault(end, chart.chord_symbol_at(end))
    changes: list[Change] = []
    for at in sorted(made):
        if not changes or changes[-1].chord != made[at]:
            changes.append(Change(at, made[at]))
    return replace(chart, changes=tuple(changes))
