"""Lines of bars in plain text: `| Am . C . | G | % |`, as grids of ChordPro and sheets of words with chords have them.

Knows no directive and no header. One thread at a time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from ...engine.charts.chart_headers import HeaderError, metre_beats
from ...engine.charts.chord_symbol import ChordSymbol, transposed
from ..order import mark_of
from ..sheet import ChordReader, Sheet, SheetBar, SheetError, section_name

MOST_TIMES = 99
_LINE = re.compile(r"(:?\|+\]?:?(?:[1-9](?:[,-][1-9])*>?(?=\s|$))?\.?|\[:|:\])")
_TIMES = re.compile(r"\(?\s*(?:[x×]\s*([0-9]{1,2})|([0-9]{1,2})\s*[x×])\s*\)?", re.IGNORECASE)
_HELD = (".", "/", "-", "–", "~")


class BarLines:
    """Puts bars into a sheet. One thread at a time."""

    def __init__(self, sheet: Sheet, chords: ChordReader) -> None:
        self._sheet, self._chords = sheet, chords
        self.count, self.kind = 4, 4
        self.section = ""
        """Begins with the next bar."""
        self.shift = 0
        """Semitones that chords are moved while they are read."""
        self._opens = False
        self._endings: tuple[int, ...] = ()
        self._marks: list[str] = []

    # -------------------------------------------------------------------------------------------------- lines

    def grid(self, text: str, place: str) -> None:
        """One line with bar lines."""
        self._endings = ()
        first = len(self._sheet.bars)
        pieces = _LINE.split(text.strip())  # cells, line, cells, line, ..., cells
        for number in range(0, len(pieces), 2):
            words = pieces[number].split()
            inside = 0 < number < len(pieces) - 1
            sign = pieces[number + 1] if number + 1 < len(pieces) else ""
            times = times_of(" ".join(words))
            if times is not None:
                if sign or len(pieces) > number:
                    self._count(times, first, pieces[number - 1] if number else "")
            elif inside or (words and self._plays(words)):
                self._cells(words, place)
            if sign:
                self._line(sign)

    def beats(self, words: Sequence[str], place: str) -> None:
        """Chords with a slash for each further beat, without bar lines."""
        beats = self._beats()
        cells: list[str] = []
        for word in words:
            cells.append(word)
            if len(cells) == beats:
                self._cells(cells, place)
                cells = []
        if cells:
            self._cells([*cells, *["."] * (beats - len(cells))], place)

    def whole(self, word: str, place: str) -> bool:
        """A chord that lasts one bar; False for what is none."""
        chord = self._read(word, place)
        if chord is None:
            return False
        self._bar(place).put(Fraction(0), chord)
        return True

    def again(self, first: int, times: int) -> None:
        """The bars from that number on, so many times in all."""
        self.copy(self._sheet.bars[first:] * (times - 1))

    def copy(self, bars: Sequence[SheetBar], place: str = "") -> None:
        """These bars once more, as they were."""
        for bar in bars:
            more = SheetBar(bar.count, bar.kind, place or bar.place, list(bar.chords), bar.quarters)
            more.opens, more.closes, more.endings = bar.opens, bar.closes, bar.endings
            more.section, self.section = self.section or bar.section, ""
            self._sheet.add(more)

    # --------------------------------------------------------------------------------------------------- bars

    def _plays(self, words: Sequence[str]) -> bool:
        """Whether what stands before the first or behind the last line is a bar, and not a remark in the margin."""
        return all(word in _HELD or word in ("%", "%%") or self._chord_or_none(word) is not None for word in words)

    def _chord_or_none(self, word: str) -> ChordSymbol | None:
        return ChordReader(Sheet()).read(word, "") if re.match(r"[A-H]|N\.?C", word) else None

    def _line(self, sign: str) -> None:
        bars = self._sheet.bars
        if sign.startswith(":") and bars:
            bars[-1].closes = bars[-1].closes or 2
            self._endings = ()
        numbers = re.findall(r"[1-9]", sign)
        if numbers:
            first, last = int(numbers[0]), int(numbers[-1])
            self._endings = tuple(range(first, last + 1)) if "-" in sign else tuple(int(one) for one in numbers)
        elif sign.startswith("||") or sign.endswith((".", "]")):
            self._endings = ()
        if (sign.rstrip(".").endswith(":") and len(sign) > 1) or sign == "[:":
            self._opens, self._endings = True, ()

    def _count(self, times: int, first: int, sign: str) -> None:
        """`x3` behind a repeat is its count, at the end of a line it plays the line so often."""
        bars = self._sheet.bars
        if sign.startswith(":") and bars:
            bars[-1].closes = times
        elif len(bars) > first:
            self.again(first, times)

    def _cells(self, words: list[str], place: str) -> None:
        kept = []
        for word in words:
            mark = mark_of(word)
            if mark:
                self._mark(mark)
            else:
                kept.append(word)
        where = f"{place}, bar {len(self._sheet.bars) + 1}"
        if kept[:1] in (["%"], ["%%"]) and all(word in _HELD for word in kept[1:]):
            self._percent(kept[0], where)
            return
        bar = self._bar(where)
        starts = _starts(len(kept), self._beats())
        for offset, word in zip(starts, kept, strict=True):
            if word in _HELD or word == "%":
                continue
            for one in word.split("~"):
                chord = self._read(one, where)
                if chord is not None:
                    bar.put(bar.nominal * offset, chord)

    def _percent(self, word: str, place: str) -> None:
        back = len(word)
        if len(self._sheet.bars) < back:
            raise SheetError(f"{place}: {word} repeats what is before it, and there is nothing")
        for bar in self._sheet.bars[-back:]:
            more = self._bar(place)
            more.chords = [(offset, chord) for offset, chord in bar.chords if offset < more.nominal]

    def _mark(self, mark: str) -> None:
        if mark in ("segno", "coda"):
            self._marks.append(mark)
        elif self._sheet.bars:
            self._sheet.bars[-1].marks.append(mark)

    def mark(self, mark: str) -> None:
        """A jump that stands by itself."""
        self._mark(mark)

    def _bar(self, place: str) -> SheetBar:
        bar = SheetBar(self.count, self.kind, place, section=section_name(self.section), opens=self._opens)
        bar.endings, bar.marks = self._endings, self._marks
        self.section, self._opens, self._marks = "", False, []
        self._sheet.add(bar)
        return bar

    def _read(self, word: str, place: str) -> ChordSymbol | None:
        chord = self._chords.read(_bare(word), place)
        if chord is None or not self.shift % 12:
            return chord
        return transposed(chord, self.shift)

    def _beats(self) -> int:
        try:
            return metre_beats(f"{self.count}/{self.kind}")
        except HeaderError:
            return self.count


def _bare(word: str) -> str:
    """Without the brackets around an optional chord."""
    word = word.strip("*,")
    return word[1:-1] if word[:1] == "(" and word[-1:] == ")" else word


def times_of(text: str) -> int | None:
    """The count that the text is (x3, 3x, (x3)); None for what is none."""
    match = _TIMES.fullmatch(text.strip())
    times = int(match[1] or match[2]) if match else 0
    return times if 1 <= times <= MOST_TIMES else None


def _starts(cells: int, beats: int) -> list[Fraction]:
    """Where so many cells begin, in parts of the bar: evenly, or the first ones longer by a beat."""
    if not cells:
        return []
    if beats % cells == 0 or cells % beats == 0 or cells > beats:
        return [Fraction(number, cells) for number in range(cells)]
    spans = [beats // cells + (number < beats % cells) for number in range(cells)]
    return [Fraction(sum(spans[:number]), beats) for number in range(cells)]
