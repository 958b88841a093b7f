"""Parses chord charts in plain bar notation: `| Am | F | C G |`, repeats, endings, sections, metre.

Knows nothing of what plays them. Pure functions (`read_chart` reads a file), any thread; docs/sets.md has the notation.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .chart import Chart, ChartError, chart_of
from .chart_bars import Bar, OpenSection, ReadSection, copied
from .chart_headers import (
    CHOICES,
    COMMENT,
    ENTRIES,
    HEADER,
    SECTION,
    HeaderError,
    chosen,
    dotted,
    header_of,
    is_german,
    metre_beats,
    metre_quarters,
    near,
    pickup_beats,
    remarks_on,
    tempo_bpm,
)
from .chart_jumps import Mark, belongs_to_next, played, shown, with_plain_marks, without_marks
from .chart_repeats import Passage, RepeatError
from .chord_symbol import ChordError, ChordSymbol, english_key, parse_chord, parse_key
from .section_settings import AS_IT_IS, SettingError, with_setting
from .section_settings import NAMES as SETTINGS

MOST_BARS = 4000
"""Played once, with all repeats: hours of music."""
MOST_BYTES = 100_000
MOST_TIMES = 99
MOST_NAME = 40
_MOST_CELLS_PER_BEAT = 4

_BAR_LINE = re.compile(r":?\|+:|:\|+\]?|\|+\]|\|+")
_SIGNS = (("‖", "||"), ("𝄆", "|:"), ("𝄇", ":|"))
_TIMES = re.compile(r"\(?\s*(?:[x×]\s*([0-9]{1,9})|([0-9]{1,9})\s*[x×])\s*\)?")
_ENDING = re.compile(r"([1-9])\.(?=\s|$)\s*")
_METRE = re.compile(r"([0-9]{1,2}\s*/\s*[0-9]{1,2})(?=\s|$)\s*")

Read = TypeVar("Read")


def parse_chart(text: str, where: str = "chart") -> Chart:
    """The chart that the text says. `where` begins the error ("song.chart").

    Raises ChartError with the line, the bar in that line, and the nearest right thing.
    """
    if len(text) > MOST_BYTES:
        raise ChartError(f"{where}: too long for a chart ({MOST_BYTES} characters at most): is this the right text?")
    lines = text.splitlines()
    reader = _Reader(where, german=any(is_german(line) for line in lines))
    for number, line in enumerate(lines, 1):
        reader.line(number, line)
    return reader.chart()


def read_chart(path: Path) -> Chart:
    """The chart in a text file. Raises ChartError as `parse_chart` does, and for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ChartError(f"cannot read the chart {path}: {error.strerror}") from None
    try:
        return parse_chart(data.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError:
        raise ChartError(f"{path}: is not a text file: save the chart as plain text in UTF-8") from None


class _Reader:
    def __init__(self, where: str, german: bool) -> None:
        self._where, self._german = where, german
        self._line = 0
        self._bar = 0
        self._headers: dict[str, str] = {}
        self._beats, self._quarters = 4, 1.0
        self._tempo_bpm = 0.0
        self._done: list[ReadSection] = []
        self._pickup_beats = 0
        self._waiting: list[Mark] = []  # marks of the bar to come
        self._pair: list[Bar] = []  # the two newest bars as written
        self._section = OpenSection("", Passage(self._room))
        self._played = 0
        self._last: Bar | None = None

    # ------------------------------------------------------------------------------------------------- lines

    def line(self, number: int, text: str) -> None:
        self._line, self._bar = number, 0
        for sign, plain in _SIGNS:
            text = text.replace(sign, plain)
        text = COMMENT.sub("", text).strip()
        if not text:
            return
        text = with_plain_marks(text)
        section = SECTION.match(text)
        if section is not None:
            self._begin_section(*section.groups())
            return
        header = HEADER.match(text)
        if header is not None and "|" not in text:
            self._header(*header.groups())
            return
        rest, marks = without_marks(text)
        if marks and not rest:
            self._mark(marks)
        else:
            self._bars(text)

    def _header(self, name: str, value: str) -> None:
        entry = name.lower() in ENTRIES
        own = name.lower() in SETTINGS and (self._section.name or not entry)  # `tempo` above all sections is the song's
        if own or (self._section.name and not entry and near(name, SETTINGS)):
            self._setting(name.lower(), value.strip())
            return
        key = self._checked(header_of, name)
        if key in self._headers and not (key == "metre" and self._last is not None):
            raise self._error(f"{key} is given twice")
        value = value.strip()
        if key == "metre":
            self._beats, self._quarters = self._checked(metre_beats, value), metre_quarters(value)
        elif key == "key":
            self._checked(lambda text: parse_key(text, self._german), value)
        elif key == "tempo":
            self._tempo_bpm = self._checked(tempo_bpm, value)
        elif key == "pickup":
            if self._last is not None:
                raise self._error("pickup must come before the first bar")
            self._pickup_beats = self._checked(lambda text: pickup_beats(text, self._beats), value)
        elif key in CHOICES:
            self._checked(lambda text: chosen(key, text), value)
        self._headers[key] = value

    def _setting(self, name: str, value: str) -> None:
        """A line below a section's name: what it asks of the band."""
        section = self._section
        if not section.name:
            raise self._error(f"{name} is of a section: write it below a name such as [Verse]")
        if section.passage.bars:
            raise self._error(f"{name} must come before the first bar of [{section.name}]")
        section.settings = self._checked(lambda text: with_setting(section.settings, name, text), value)

    def _begin_section(self, name: str, rest: str) -> None:
        self._end_section()
        name = name.strip()
        inside = re.fullmatch(r"(.*\S)\s+(\(?[x×]\s*[0-9]+\)?)", name)
        times = 1
        if inside is not None:
            name, times = inside[1], self._times(inside[2]) or 1
        if _METRE.fullmatch(name):
            raise self._error(f"a section cannot be called {name}: a metre belongs in a bar, | {name} Am |")
        if not name or len(name) > MOST_NAME or not name.isprintable():
            raise self._error(f"a section's name has 1 to {MOST_NAME} letters: [Verse]")
        head, bar, tail = rest.partition("|")
        count = self._times(head)
        if count is not None and times == 1:
            times, rest = count, bar + tail
        self._section = OpenSection(name, Passage(self._room), times, self._line)
        if name.lower() == "coda":
            self._waiting.append("coda")
        if rest.strip():
            self._bars(rest)

    # -------------------------------------------------------------------------------------------------- bars

    def _bars(self, text: str) -> None:
        """One line of bars. A repeat may end in another line than it began in; a bar may not."""
        signs = [(match.start(), match.end(), match.group()) for match in _BAR_LINE.finditer(text)]
        if not signs:
            raise self._error(f"no bar line in {text[:30]!r}: write bars between |, and the name of a section in [ ]")
        edges = [(0, 0, ""), *signs, (len(text), len(text), "")]
        pieces = [text[left[1] : right[0]].strip() for left, right in itertools.pairwise(edges)]
        begin = len(self._section.passage.bars)
        plain = all(":" not in sign for _, _, sign in signs)
        for number, piece in enumerate(pieces):
            left, right = edges[number][2], edges[number + 1][2]
            times = self._times(piece)
            cells, marks = without_marks(piece)
            if marks and not cells:
                self._mark(marks)
            elif piece and times is None:
                self._take_bar(cells, marks)
            elif times is not None:
                if number == len(signs) and plain and self._bar:
                    self._again(begin, times)
                elif not left.startswith(":"):
                    raise self._error(f"{piece} must come after :| or at the end of a line without repeat signs")
            elif pieces[number - 1] == "%%" and number:
                pass  # the second of the two bars that it stands for
            elif 0 < number < len(signs) and not left.startswith(":") and not right.startswith("|:"):
                self._bar += 1
                raise self._error(
                    "nothing between two bar lines: write % to repeat the previous bar, N.C. for no chord"
                )
            if right.startswith(":"):
                self._close(self._times(pieces[number + 1]))
            if right.endswith("|:"):
                self._sign(self._section.passage.open)

    def _again(self, begin: int, times: int) -> None:
        self._sign(lambda: self._section.passage.again(begin, times))

    def _close(self, times: int | None) -> None:
        self._sign(lambda: self._section.passage.close(times))

    def _mark(self, marks: list[Mark]) -> None:
        """Marks that stand by themselves: each is of the bar before or of the bar behind."""
        for mark in marks:
            if belongs_to_next(mark):
                self._waiting.append(mark)
            elif self._last is None:
                raise self._error(f"{shown(mark)} before the first bar: write it after the bar that it belongs to")
            else:
                self._last.marks.append(mark)

    def _take_bar(self, cells: str, marks: list[Mark]) -> None:
        self._bar += 1
        if cells == "%%":
            self._two_before(marks)
            return
        match = _ENDING.match(cells)
        if match is not None:
            self._sign(lambda: self._section.passage.ending(int(match[1])))
            cells = cells[match.end() :]
            if not cells:
                raise self._error(f"nothing after {match.group().strip()}")
        if re.fullmatch(r"[A-Za-z ]+:", cells):
            raise self._error(f"write the name of a section in brackets: [{cells[:-1]}]")
        metre = _METRE.match(cells)
        if metre is not None:
            self._beats, self._quarters = self._checked(metre_beats, metre[1]), metre_quarters(metre[1])
            cells = cells[metre.end() :]
            if not cells:
                raise self._error(f"nothing after {metre[1]}: write the bar's chords there, or %")
        if self._pickup_beats and self._last is None:
            self._take_pickup(cells)
            return
        self._add(self._cells(cells.split()), marks)

    def _add(self, bar: Bar, marks: list[Mark]) -> None:
        bar.marks += [*self._waiting, *marks]
        self._waiting.clear()
        self._sign(lambda: self._section.passage.add(bar))
        self._last = bar
        self._pair = [*self._pair[-1:], bar]

    def _two_before(self, marks: list[Mark]) -> None:
        """`%%`: the two bars before, once more."""
        if len(self._pair) < 2:
            raise self._error("%% repeats the previous two bars, and there are fewer")
        first, second = self._pair
        self._add(Bar(first.chords, first.beats, first.beat_quarters), [])
        self._add(Bar(second.chords, second.beats, second.beat_quarters), marks)

    def _take_pickup(self, cells: str) -> None:
        """The first bar is shorter and yours: the chart begins with the first whole one."""
        beats, self._beats = self._beats, self._pickup_beats
        self._last = self._cells(cells.split())
        self._beats, self._pickup_beats = beats, 0

    def _cells(self, words: list[str]) -> Bar:
        beats = self._beats
        if words == ["%"]:
            if self._last is None:
                raise self._error("% repeats the previous bar, and there is none")
            if self._last.beats == beats:
                return Bar(self._last.chords, beats, self._quarters)
            if len(self._last.chords) == 1 and self._last.chords[0][0] == 0:
                return Bar(self._last.chords, beats, self._quarters)
            raise self._error(f"% repeats a bar of {self._last.beats} beats in a bar of {beats}: write its chords")
        if len(words) > beats * _MOST_CELLS_PER_BEAT or (beats % len(words) and len(words) % beats):
            raise self._error(
                f"{len(words)} chords in {beats} beats: write a dot for each further beat of a chord, "
                f"such as | {dotted(words, beats)} |"
            )
        bar: list[tuple[float, ChordSymbol]] = []
        held = self._last.chords[-1][1] if self._last else None
        for number, word in enumerate(words):
            if word not in (".", "/", "%"):
                held = self._checked(lambda text: parse_chord(text, self._german), word)
            elif held is None:
                raise self._error(f"{word} continues the previous chord, and there is none")
            if held is not None and (not bar or bar[-1][1] != held):
                bar.append((number * beats / len(words), held))
        return Bar(tuple(bar), beats, self._quarters)

    def _times(self, text: str) -> int | None:
        """The count that the text is (x3, 3x, (x3)), or None for what is none."""
        match = _TIMES.fullmatch(text.strip())
        if match is None:
            return None
        times = int(match[1] or match[2])
        if not 1 <= times <= MOST_TIMES:
            raise self._error(f"{text.strip()}: give 1 to {MOST_TIMES} times")
        return times

    def _room(self, more: int) -> None:
        self._played += more
        if self._played > MOST_BARS:
            raise RepeatError(f"more than {MOST_BARS} bars with all repeats: is this one song?")

    # ---------------------------------------------------------------------------------------------- sections

    def _end_section(self) -> None:
        section = self._section
        bars = self._sign(section.passage.finish)
        straight = section.passage.straight
        if not bars and section.name:
            known = {done.name: done for done in reversed(self._done)}
            if section.name not in known:
                raise self._error(
                    f"section [{section.name}] has no bars{near(section.name, known)}: write them below it, "
                    "or use the name of an earlier section",
                    section.line,
                )
            again = known[section.name]
            self._sign(lambda: self._room(len(again.bars)))
            bars, straight = copied(again.bars, again.straight)
            self._last = bars[-1]
            self._beats, self._quarters = self._last.beats, self._last.beat_quarters
            self._pair = bars[-2:]
        if bars:
            self._sign(lambda: self._room(len(bars) * (section.times - 1)))
            for bar in bars:
                bar.section = len(self._done)
            settings = section.settings
            if settings == AS_IT_IS:  # those of the first of that name
                settings = next((done.settings for done in self._done if done.name == section.name), settings)
            self._done.append(ReadSection(section.name, bars * section.times, straight, settings))

    def chart(self) -> Chart:
        self._end_section()
        if not self._done:
            raise ChartError(f"{self._where}: it has no bars: write some, such as | Am | F | C G |")
        if self._waiting and self._waiting != ["coda"]:
            raise self._error(f"{shown(self._waiting[0])} after the last bar")
        once = [bar for done in self._done for bar in done.bars]
        straight = [bar for done in self._done for bar in done.straight]
        self._bar = 0
        way = self._sign(lambda: played(once, straight, lambda bar: bar.marks, self._room))
        key = self._headers.get("key", "")
        if key:
            key = english_key(key, self._german)
        names = {chord.name for bar in way for _, chord in bar.chords}
        groups = [(self._done[n], len(list(bars))) for n, bars in itertools.groupby(way, lambda bar: bar.section)]
        return chart_of(
            way,
            [(section.name, count, section.settings) for section, count in groups],
            loops=self._headers.get("end", "loop") == "loop",
            title=self._headers.get("title", ""),
            key=key,
            tempo_bpm=self._tempo_bpm,
            remarks=() if self._german else remarks_on(names, key),
        )

    # ------------------------------------------------------------------------------------------------ errors

    def _error(self, text: str, line: int = 0) -> ChartError:
        bar = f", bar {self._bar}" if self._bar and not line else ""
        return ChartError(f"{self._where} line {line or self._line}{bar}: {text}")

    def _checked(self, read: Callable[[str], Read], value: str) -> Read:
        try:
            return read(value)
        except (ChordError, HeaderError, SettingError) as error:
            raise self._error(str(error)) from None

    def _sign(self, do: Callable[[], Read]) -> Read:
        try:
            return do()
        except RepeatError as error:
            raise self._error(str(error)) from None
