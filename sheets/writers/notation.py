"""A chart in the notation of docs/sets.md, as it is played: repeats written out, a section that comes again by name.

Pure functions, any thread.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.charts.chart import Chart, ChartError, Section
from ...engine.charts.chart_parser import parse_chart
from ...engine.charts.section_settings import SectionSettings
from ..sheet import SheetError

BARS_A_LINE = 4
MOST_CELLS_PER_BEAT = 4


def cells(chart: Chart, first_beat: float, beats: int) -> str:
    """One bar, in cells as short as its chords need."""
    changes = [change.beat - first_beat for change in chart.changes if 0 < change.beat - first_beat < beats - 1e-6]
    if not changes:
        return chart.symbol_at(first_beat)
    finest = (
        count
        for count in range(1, MOST_CELLS_PER_BEAT + 1)
        if all(abs(at * count - round(at * count)) < 1e-6 for at in changes)
    )
    per_beat = next(finest, MOST_CELLS_PER_BEAT)
    starts = {round(at * per_beat) for at in changes} | {0}
    count = beats * per_beat
    shared = beats % len(starts) == 0 or len(starts) % beats == 0
    even = shared and count % len(starts) == 0 and all(at % (count // len(starts)) == 0 for at in starts)
    step = count // len(starts) if even else 1
    return " ".join(
        chart.symbol_at(first_beat + cell / per_beat) if cell in starts else "." for cell in range(0, count, step)
    )


def bars_of(chart: Chart, section: Section, first: int) -> list[tuple[str, str]]:
    """(time signature, cells) of each bar of a section whose first bar has that number."""
    made = []
    for bar in range(first, first + section.bars):
        beats = chart.beats_of_bar(bar)
        made.append((signature(beats, chart.quarters_of_beat(bar)), cells(chart, chart.beat_at_bar(bar), beats)))
    return made


def signature(beats: int, beat_quarters: float) -> str:
    """ "6/8" for two beats of a dotted quarter. Raises SheetError for what has none."""
    for kind, each in ((4, 1.0), (2, 2.0), (8, 0.5), (16, 0.25)):
        if beat_quarters == each:
            return f"{beats}/{kind}"
    for kind, each in ((8, 1.5), (16, 0.75)):
        if beat_quarters == each:
            return f"{3 * beats}/{kind}"
    raise SheetError(f"beats of {beat_quarters:g} quarter notes have no time signature")


def sections_of(chart: Chart) -> Iterator[tuple[Section, list[tuple[str, str]]]]:
    """Each section with its bars."""
    first = 0
    for section in chart.sections:
        yield section, bars_of(chart, section, first)
        first += section.bars


def as_notation(chart: Chart) -> str:
    """The text, which reads as the same chart. Raises SheetError for a chart that the notation has no words for."""
    head = [f"{name}: {value}" for name, value in (("title", _line(chart.title)), ("key", chart.key)) if value]
    metre = signature(chart.beats_per_bar, chart.beat_quarters)
    head.append(f"metre: {metre}")
    if chart.tempo_bpm:
        head.append(f"tempo: {chart.tempo_bpm:g}")
    if not chart.loops:
        head.append("end: stop")
    body: list[str] = []
    written: dict[str, tuple[list[tuple[str, str]], SectionSettings]] = {}
    named = any(section.name for section in chart.sections)
    groups: list[tuple[str, tuple[list[tuple[str, str]], SectionSettings], int]] = []
    for section, bars in sections_of(chart):
        name = section.name or ("Part" if named else "")
        group = (bars, section.settings)
        if groups and groups[-1][:2] == (name, group) and name:
            groups[-1] = (name, group, groups[-1][2] + 1)
        else:
            groups.append((name, group, 1))
    for name, group, times in groups:
        bars, settings = group
        first = written.get(name)
        if first != group or not name:
            said = settings.lines() if first is None or settings != first[1] else []
            body += ["", f"[{name}]", *said] if name else []
            body += _lines(bars, metre)
            times -= 1
        # A name alone plays the first section of that name, as often as it was written there: it is written once.
        if written.setdefault(name, group) != group:
            body += times * ["", f"[{name}]", *settings.lines(), *_lines(bars, bars[-1][0])]
        elif times:
            body += times * ["", f"[{name}]"]  # with x2 it would be one section of twice the length
        metre = bars[-1][0]
    text = "\n".join([*head, *([""] if not named else []), *body, ""])
    _verify(chart, text)
    return text


def _line(text: str) -> str:
    """What may stand behind a name in the head: no comment, no bar line."""
    return " ".join(text.replace("#", "♯").replace("|", "/").split())


def _lines(bars: list[tuple[str, str]], metre: str) -> list[str]:
    lines = []
    for first in range(0, len(bars), BARS_A_LINE):
        shown = []
        for each, text in bars[first : first + BARS_A_LINE]:
            shown.append(text if each == metre else f"{each} {text}")
            metre = each
        lines.append("| " + " | ".join(shown) + " |")
    return lines


def _verify(chart: Chart, text: str) -> None:
    """Whoever converts trusts the text: it must read as what was read."""
    try:
        read = parse_chart(text, "the chart")
    except ChartError as error:
        raise SheetError(f"the notation cannot write it: {error}") from None
    same = (read.length_beats, read.metres, len(read.changes)) == (chart.length_beats, chart.metres, len(chart.changes))
    pairs = zip(read.changes, chart.changes, strict=True) if same else ()
    if not same or any(one.chord != two.chord or abs(one.beat - two.beat) > 1 / 8 for one, two in pairs):
        raise SheetError("the notation cannot write its bars or its chords")
    if [one.settings for one in read.sections] != [one.settings for one in chart.sections]:
        raise SheetError("the notation cannot write what its sections ask of the band")
