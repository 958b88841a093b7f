"""The bars of a song of iReal Pro: cells, bar lines, endings, jumps, staff text, and the chords of that program.

Knows no links (`ireal_links` does). Pure functions, any thread.
"""

from __future__ import annotations

import re
from fractions import Fraction

from ...engine.charts.chart_headers import HeaderError, metre_beats
from ...engine.charts.chord_symbol import NO_CHORD, ChordSymbol
from ..order import mark_of
from ..sheet import ChordReader, Sheet, SheetBar, SheetError, section_name
from .ireal_links import IrealSong

_TOKEN = re.compile(
    r"(?P<text><[^<>]*>)|(?P<time>T[0-9]{2})|(?P<ending>N[0-9])|(?P<alternate>\([^()]*\))|(?P<line>[|\[\]{}Z])"
    r"|(?P<chord>(?:[A-G][b#]?|W)(?:\*[^*]*\*|(?:sus|alt|add|maj|min|dim|aug|[-+^oh0-9#bmMΔøØ°])*)(?:/[A-G][b#]?)?)"
    r"|(?P<section>\*[A-Za-z])|(?P<cell>[nprx ])|(?P<sign>[SQUf])|(?P<layout>Y+|[sl,])"
)
_SECTIONS = {"i": "Intro", "v": "Verse"}
_TWELVE = "12"
_TIMES = re.compile(r"\s*([1-9][0-9]?)\s*x\s*", re.IGNORECASE)
_BLANK, _HOLDS = object(), object()
"""A cell that is empty, and one in which the chord before goes on."""


def sheet_of(song: IrealSong) -> Sheet:
    """The song's bars. Raises SheetError for letters that are no bars."""
    sheet = Sheet(song.title, song.composer, _key(song.key), song.tempo_bpm, True, song.style, loops=True)
    if song.cut_off:
        sheet.say("cut", "the link ends within the song: bars may be missing; export it again from iReal Pro")
    reader = _Reader(sheet)
    place = 0
    while place < len(song.body):
        match = _TOKEN.match(song.body, place)
        if match is None:
            sheet.say("letter", f"bar {len(sheet.bars) + 1}: {song.body[place]!r} means nothing there, and is left out")
            place += 1
            continue
        place = match.end()
        reader.take(str(match.lastgroup), match.group())
    reader.finish()
    return sheet


def _key(text: str) -> str:
    return text[:-1] + "m" if text.endswith("-") else text


class _Reader:
    def __init__(self, sheet: Sheet) -> None:
        self._sheet, self._chords = sheet, ChordReader(sheet)
        self._count, self._kind = 4, 4
        self._cells: list[object] = []
        self._full = False  # something begins in the bar
        self._marks: list[str] = []
        self._jump = ""  # is taken at the end of the passage, wherever in it the words stand
        self._section, self._opens, self._times = "", False, 0
        self._endings: tuple[int, ...] = ()
        self._last: ChordSymbol | None = None
        self._repeats, self._owed = "", False  # x or r in this bar; the second bar of an r comes now

    def take(self, kind: str, text: str) -> None:
        """One token."""
        if kind == "chord":
            self._chord(text)
        elif kind == "cell":
            self._cell(text)
        elif kind == "line":
            self._line(text)
        elif kind == "text":
            self._text(text[1:-1])
        elif kind == "time":
            self._time(text[1:])
        elif kind == "ending":
            number = int(text[1])
            self._endings = (number or max(self._endings, default=0) + 1,)
        elif kind == "section":
            if self._full:
                self._end_bar()
            self._endings = ()
            self._section = _SECTIONS.get(text[1].lower(), text[1].upper())
        elif kind == "alternate":
            self._sheet.say("alternate", f"{self._place()}: the alternate chord {text} is left out")
        elif kind == "sign":
            self._sign(text)

    def finish(self) -> None:
        """Whatever is open is a bar too."""
        self._end_bar()
        self._take_jump()
        if self._marks and self._sheet.bars:
            self._sheet.bars[-1].marks += self._marks
        bars = self._sheet.bars
        marks = [mark for bar in bars for mark in bar.marks]
        jumps = [mark for mark in marks if mark[:2] in ("dc", "ds")]
        codas = [number for number, bar in enumerate(bars) if "coda" in bar.marks]
        if not jumps and codas and (len(codas) > 1 or "to coda" in marks) and codas[-1] > 0:
            word = "ds" if any("segno" in bar.marks for bar in bars[: codas[-1]]) else "dc"
            bars[codas[-1] - 1].marks.append(f"{word} al coda")
            self._sheet.say(
                "implied", f"bar {codas[-1] + 1}: a coda without D.C. or D.S.: it is played the second time round"
            )
            jumps = [word]
        for number, bar in enumerate(bars[1:], 1):
            if not jumps and bar.endings and min(bar.endings) > 1 and not bars[number - 1].endings:
                jumps = [f"dc al ending {min(bar.endings)}"]
                bars[number - 1].marks += jumps
                self._sheet.say("implied", f"{bar.place}: ending {min(bar.endings)} apart: it is played after a D.C.")
        if jumps:
            self._sheet.loops = False
        for number, bar in enumerate(bars):
            # In iReal a second ending runs to the next double line; what a repeat closes was given its count there.
            if bar.closes and bar.endings and number + 1 == len(bars):
                bar.closes = 0

    def _place(self) -> str:
        return f"bar {len(self._sheet.bars) + 1}"

    def _chord(self, text: str) -> None:
        self._full = True
        if text.startswith("W"):
            bass = text.partition("/")[2]
            if bass and self._last is not None and self._last.root >= 0:
                name = self._last.name
                if self._last.bass != self._last.root:
                    name = name[: name.rfind("/")]
                self._cells.append(self._read(f"{name}/{bass}") or _HOLDS)
            else:
                self._cells.append(_HOLDS)
            return
        self._cells.append(self._read(text.replace("*", "")) or _HOLDS)

    def _read(self, text: str) -> ChordSymbol | None:
        chord = self._chords.read(_common(text), self._place())
        self._last = chord or self._last
        return chord

    def _cell(self, letter: str) -> None:
        if letter in "xr":
            self._repeats, self._full = letter, True
        elif letter == "n":
            self._last, self._full = NO_CHORD, True
            self._cells.append(NO_CHORD)
        else:
            self._full = self._full or letter == "p"
            self._cells.append(_HOLDS if letter == "p" else _BLANK)

    def _line(self, sign: str) -> None:
        ended = self._end_bar()
        bars = self._sheet.bars
        if sign == "}" and bars:
            bars[-1].closes = self._times or 2
            self._times = 0
        elif sign == "{":
            self._opens = True
        if sign in "{}[]Z" and (ended or sign in "{["):
            self._endings = ()
            self._take_jump()

    def _take_jump(self) -> None:
        if self._jump and self._sheet.bars:
            self._sheet.bars[-1].marks.append(self._jump)
            self._jump = ""

    def _text(self, text: str) -> None:
        text = re.sub(r"^\*[0-9]{2}", "", text).strip()
        times = _TIMES.fullmatch(text)
        mark = mark_of(text)
        if times is not None:
            self._times = int(times[1])
        elif mark in ("segno", "coda"):
            self._marks.append(mark)
        elif mark[:2] in ("dc", "ds"):
            self._jump = mark
        elif mark:
            self._marks.append(mark)
        elif text and text != "13 measures":
            self._sheet.say("text", f"{self._place()}: the text {section_name(text)!r} is not shown")

    def _time(self, digits: str) -> None:
        count, kind = (12, 8) if digits == _TWELVE else (int(digits[0]), int(digits[1]))
        if kind not in (2, 4, 8) or not count:
            raise SheetError(f"{self._place()}: no time signature T{digits}")
        if self._full:
            self._end_bar()
        self._count, self._kind = count, kind

    def _sign(self, sign: str) -> None:
        if sign == "S":
            self._marks.append("segno")
        elif sign == "Q":
            left = any("to coda" in bar.marks for bar in self._sheet.bars)
            self._marks.append("to coda" if self._full and not left else "coda")
        elif sign == "U":
            self._sheet.say("end", f"{self._place()}: the END of the last chorus is not kept: end the song yourself")
        else:
            self._sheet.say("fermata", f"{self._place()}: the fermata is left out: the band plays on in time")

    def _end_bar(self) -> bool:
        """Close the bar, if something is in it."""
        owed, self._owed = self._owed, False
        if not self._full:
            self._cells.clear()
            if owed:
                self._again(2)
            return owed
        if owed and self._repeats != "r":
            self._again(2)  # the sign of two bars stood alone
        if self._repeats == "r":
            self._again(2)
            self._owed = True
        elif self._repeats == "x" and not any(isinstance(cell, ChordSymbol) for cell in self._cells):
            self._again(1)
        else:
            bar = self._bar()
            for offset, cell in _timed(self._cells, bar):
                bar.put(offset, cell)
            self._sheet.add(bar)
        self._cells.clear()
        self._full, self._repeats = False, ""
        return True

    def _bar(self) -> SheetBar:
        bar = SheetBar(self._count, self._kind, self._place(), section=self._section, opens=self._opens)
        bar.endings, bar.marks = self._endings, self._marks
        self._section, self._opens, self._marks = "", False, []
        return bar

    def _again(self, back: int) -> None:
        """The bar so many bars before, once more."""
        if len(self._sheet.bars) < back:
            raise SheetError(f"{self._place()}: repeats the bar before, and there is none")
        earlier = self._sheet.bars[-back]
        bar = self._bar()
        bar.chords = [(offset, chord) for offset, chord in earlier.chords if offset < bar.nominal]
        self._sheet.add(bar)


def _common(text: str) -> str:
    """A chord of iReal in the spelling of ours: "h" is half-diminished, "^" a triangle, "o" a circle."""
    root = re.match(r"[A-G][b#]?", text)
    assert root is not None
    quality, slash, bass = text[root.end() :].partition("/")
    quality = quality.replace("h7", "ø7").replace("h9", "ø9").replace("h", "ø")
    quality = re.sub(r"^-b6$", "m(addb6)", quality)
    quality = re.sub(r"^-#5$", "m#5", quality)
    quality = re.sub(r"^(13|9|7)(.*)sus$", r"\1sus4\2", quality)
    return root.group() + quality + slash + bass


def _timed(cells: list[object], bar: SheetBar) -> list[tuple[Fraction, ChordSymbol]]:
    """Chords with their places. iReal gives each chord the beats of its cells, and makes them fit the bar."""
    while cells and cells[0] is _BLANK:  # the first chord of a bar is on its first beat
        cells = cells[1:]
    starts = [number for number, cell in enumerate(cells) if isinstance(cell, ChordSymbol)]
    if not starts:
        return []
    try:
        beats = metre_beats(f"{bar.count}/{bar.kind}")
    except HeaderError:
        beats = bar.count
    units = beats if len(cells) <= beats or beats == bar.count else bar.count
    if units % len(cells) == 0 or len(cells) % units == 0:
        return [(bar.nominal * number / len(cells), cells[number]) for number in starts]  # type: ignore[misc]
    spans = [end - start for start, end in zip(starts, [*starts[1:], len(cells)], strict=True)]
    lead = starts[0]
    while lead + sum(spans) > max(units, len(spans)):
        if lead:
            lead -= 1
        else:
            spans[spans.index(max(spans))] -= 1
    while lead + sum(spans) < units:
        spans[spans.index(min(spans))] += 1
    units = lead + sum(spans)
    made, at = [], lead
    for start, span in zip(starts, spans, strict=True):
        made.append((bar.nominal * at / units, cells[start]))
        at += span
    return made  # type: ignore[return-value]
