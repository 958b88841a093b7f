"""A sheet as a chart of ours: bars in the order of play, whole bars made of halves, sections by name.

Knows no format. Pure functions, any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..engine.charts.chart import Chart, chart_of, writes_flats
from ..engine.charts.chart_headers import HeaderError, metre_beats, metre_quarters
from ..engine.charts.chord_symbol import ChordError, ChordSymbol, english_key, parse_key, transposed
from .order import in_order
from .sheet import Sheet, SheetBar, SheetError

_LEAST_BPM, _MOST_BPM = 30.0, 300.0
_GRID = Fraction(1, 4)
"""The finest place of a chord that the notation can write, in beats."""


@dataclass(slots=True)
class _Played:
    """One bar as it is played."""

    chords: list[tuple[float, ChordSymbol]]
    beats: int
    beat_quarters: float
    section: str


@dataclass(slots=True)
class _Part:
    """A bar, or what two short ones make together."""

    bar: SheetBar
    quarters: Fraction
    chords: list[tuple[Fraction, ChordSymbol]]
    section: str
    number: int


def chart_from(sheet: Sheet) -> Chart:
    """The chart, with what could not be kept in its remarks. Raises SheetError for a sheet that cannot be played."""
    if not sheet.bars:
        raise SheetError("it has no bars with chords")
    names = _section_names(sheet)
    order = in_order(sheet)
    parts = _joined(sheet, [_part(sheet, number, names[number]) for number in order])
    if not any(chord.root >= 0 for part in parts for _, chord in part.chords):
        raise SheetError("it has no chords: the band would not know what to play")
    key = _key(sheet)
    flats = writes_flats(key) if key else True
    bars = [_played(sheet, part, flats) for part in parts]
    beat = bars[0].beat_quarters if not sheet.tempo_of_beats else 1.0
    tempo = round(sheet.tempo_bpm / beat, 2)
    if tempo and not _LEAST_BPM <= tempo <= _MOST_BPM:
        sheet.say("tempo", f"tempo {tempo:g} is left out: the band plays {_LEAST_BPM:g} to {_MOST_BPM:g} bpm")
        tempo = 0.0
    title = " ".join("".join(one if one.isprintable() else " " for one in sheet.title).split())[:100]
    said = tuple(sheet.said.values())
    return chart_of(
        bars,
        _sections(parts),
        loops=sheet.loops,
        title=title,
        key=key,
        tempo_bpm=tempo,
        remarks=said,
    )


def _part(sheet: Sheet, number: int, section: str) -> _Part:
    bar = sheet.bars[number]
    return _Part(bar, bar.length, list(bar.chords), section, number)


def _section_names(sheet: Sheet) -> list[str]:
    """Of each bar as written the name of the section that it is in."""
    names, name = [], ""
    of_endings = ""
    for number, bar in enumerate(sheet.bars):
        name = bar.section or name
        if bar.endings and 1 in bar.endings:
            of_endings = name
        apart = bar.endings and min(bar.endings) > 1 and number and not sheet.bars[number - 1].endings
        if apart and not bar.section:  # a third ending that stands behind another section
            name = of_endings
        names.append(name)
    return names


def _joined(sheet: Sheet, parts: list[_Part]) -> list[_Part]:
    """Short bars that make a whole one together (before and after a repeat sign, and a pick-up), and no pick-up."""
    made: list[_Part] = []
    held: ChordSymbol | None = None
    pickup = Fraction(0)
    for place, part in enumerate(parts):
        if not made and not place and part.quarters < part.bar.nominal and len(parts) > 1:
            rest = _needs(parts[1])
            if rest != part.quarters:
                held, pickup = (part.chords[-1][1] if part.chords else None), part.quarters
                sheet.say("pickup", f"{part.bar.place} is a pick-up: you play it alone, and the chart begins behind it")
                continue
        before = made[-1] if made else None
        whole = part.bar.nominal
        if (
            before is not None
            and before.quarters < whole
            and before.quarters + part.quarters <= whole
            and before.bar.nominal == whole
        ):
            before.chords += [(before.quarters + offset, chord) for offset, chord in part.chords]
            before.quarters += part.quarters
            continue
        if held is not None and not made and (not part.chords or part.chords[0][0] > 0):
            part.chords.insert(0, (Fraction(0), held))
        made.append(part)
    made = _without_single_beats(sheet, made)
    if pickup and made and made[-1].quarters + pickup == made[-1].bar.nominal:
        made[-1].quarters = made[-1].bar.nominal  # what the pick-up took from the last bar
    return made


def _without_single_beats(sheet: Sheet, parts: list[_Part]) -> list[_Part]:
    """A bar of one beat, which no band counts, is the end of the bar before."""
    made: list[_Part] = []
    for part in parts:
        if made and _metre(sheet, part)[0] == 1:
            sheet.say("single", f"{part.bar.place} has one beat: it is counted with the bar before")
            made[-1].chords += [(made[-1].quarters + offset, chord) for offset, chord in part.chords]
            made[-1].quarters += part.quarters
        else:
            made.append(part)
    return made


def _needs(part: _Part) -> Fraction:
    """What is missing to a whole bar."""
    return part.bar.nominal - part.quarters


def _played(sheet: Sheet, part: _Part, flats: bool) -> _Played:
    beats, quarters = _metre(sheet, part)
    chords: list[tuple[float, ChordSymbol]] = []
    for offset, chord in part.chords:
        at = offset / quarters
        near = Fraction(round(at / _GRID)) * _GRID if (at % 1) * 3 % 1 else at  # thirds of a beat are as good
        if near != at:
            sheet.say("place", f"{part.bar.place}: {chord.name} is moved to the nearest quarter of a beat")
        if near >= beats:
            near = Fraction(beats) - _GRID
        while chords and chords[-1][0] >= near:
            chords.pop()
        chords.append((float(near), transposed(chord, sheet.shift, flats) if sheet.shift % 12 else chord))
    return _Played(chords, beats, float(quarters), part.section)


def _metre(sheet: Sheet, part: _Part) -> tuple[int, Fraction]:
    """Beats of the bar and their length in quarter notes."""
    bar = part.bar
    try:
        text = f"{bar.count}/{bar.kind}"
        beats, quarters = metre_beats(text), Fraction(metre_quarters(text))
    except HeaderError:
        beats, quarters = bar.count, Fraction(4, bar.kind)
        if bar.kind == 16 and bar.count in (6, 9, 12, 15):
            beats, quarters = bar.count // 3, Fraction(3, 4)
    if part.quarters == bar.nominal:
        return beats, quarters
    for length in (quarters, Fraction(1), Fraction(1, 2), Fraction(1, 4)):
        if part.quarters % length == 0:
            return int(part.quarters / length), length
    sheet.say(
        "length", f"{bar.place}: {float(part.quarters):g} quarter notes long, played as a bar of {bar.count}/{bar.kind}"
    )
    return beats, quarters


def _sections(parts: Sequence[_Part]) -> list[tuple[str, int]]:
    """(name, bars) in the order of play: a section begins where one is written, and where another one is jumped to."""
    made: list[tuple[str, int]] = []
    before: _Part | None = None
    for part in parts:
        again = before is not None and part.number <= before.number
        if before is None or part.section != before.section or part.bar.section or (again and part.section):
            made.append((part.section, 0))
        made[-1] = (made[-1][0], made[-1][1] + 1)
        before = part
    return made


def _key(sheet: Sheet) -> str:
    """The key that sounds; empty where the sheet says none that can be read."""
    if not sheet.key:
        return ""
    try:
        key = english_key(sheet.key)
        tonic, minor = parse_key(key)
    except ChordError as error:
        sheet.say("key", f"{error}; the chart has none")
        return ""
    if sheet.shift % 12:
        names = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
        minors = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
        place = (tonic + sheet.shift) % 12
        key = f"{minors[place]}m" if minor else names[place]
    return key
