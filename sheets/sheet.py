"""A lead sheet as another program wrote it: bars with repeat signs, endings and jumps still on them.

Knows no format, and not in which order the bars are played (`order` does). Values; any thread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from ..engine.charts.chart import ChartError
from ..engine.charts.chord_symbol import NO_CHORD, ChordError, ChordSymbol, parse_chord

MOST_BARS = 4000
"""As written, and as played."""
MOST_CHORDS_PER_BAR = 64
MOST_NAME = 40
_MOST_SAID = 12
_NOTHING = ("", "-", "none")
_SILENT = re.compile(r"n\.?\s?c\.?|no\s?chord|tacet|-|x", re.IGNORECASE)


class SheetError(ChartError):
    """A file that is no chart, or holds what cannot be played: one line with the place, and what to do. Any thread."""


@dataclass(slots=True)
class SheetBar:
    """One bar as written."""

    count: int
    """Of its time signature: 6 of 6/8."""
    kind: int
    """8 of 6/8."""
    place: str
    """Where it stands, for whoever reads a remark: "bar 7"."""
    chords: list[tuple[Fraction, ChordSymbol]] = field(default_factory=list)
    """(quarter notes from the bar's beginning, chord), in their order."""
    quarters: Fraction = Fraction(0)
    """How long it is; 0 for as long as its time signature says."""
    section: str = ""
    """The name of the section that begins here."""
    opens: bool = False
    """A repeat begins here."""
    closes: int = 0
    """A repeat ends here, and is played so many times in all."""
    endings: tuple[int, ...] = ()
    """The passes on which it is played; empty: on all."""
    marks: list[str] = field(default_factory=list)
    """Jumps, in the words of `order`."""

    @property
    def length(self) -> Fraction:
        """In quarter notes."""
        return self.quarters or self.nominal

    @property
    def nominal(self) -> Fraction:
        """What its time signature says, in quarter notes."""
        return Fraction(4 * self.count, self.kind)

    def put(self, offset: Fraction, chord: ChordSymbol) -> None:
        """A chord at that place; a later one at the same place counts."""
        if self.chords and self.chords[-1][0] == offset:
            self.chords.pop()
        if len(self.chords) >= MOST_CHORDS_PER_BAR:
            raise SheetError(f"{self.place}: more than {MOST_CHORDS_PER_BAR} chords in one bar: is this a chart?")
        self.chords.append((offset, chord))


@dataclass(slots=True)
class Sheet:
    """One song. One thread at a time."""

    title: str = ""
    composer: str = ""
    key: str = ""
    tempo_bpm: float = 0.0
    """Quarter notes a minute, unless `tempo_of_beats`."""
    tempo_of_beats: bool = False
    style: str = ""
    """As the other program calls it."""
    loops: bool = False
    bars: list[SheetBar] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    """What could not be kept, each kind of it once, with its first place."""
    shift: int = 0
    """Semitones from what is written to what sounds: a capo, a transposing instrument."""

    def say(self, kind: str, text: str) -> None:
        """Remark on something that is not kept; of each kind only the first is said."""
        if kind not in self.said and len(self.said) < _MOST_SAID:
            self.said[kind] = text

    def add(self, bar: SheetBar) -> None:
        """One bar more."""
        if len(self.bars) >= MOST_BARS:
            raise SheetError(f"more than {MOST_BARS} bars: is this one song?")
        self.bars.append(bar)


class ChordReader:
    """Reads the chords of one file, with what is usual in it. One thread at a time."""

    def __init__(self, sheet: Sheet, texts: list[str] | None = None) -> None:
        """`texts` are all that may be chords in it: one on H says that the notation is German."""
        self._sheet = sheet
        self.german = any(is_german(text) for text in texts or ())

    def read(self, text: str, place: str) -> ChordSymbol | None:
        """The chord; where only its beginning can be read that, with a remark; None for what is none."""
        text = text.strip()
        if text.startswith("(") and text.endswith(")"):  # a chord that may be left out
            text = text[1:-1].strip()
        if text.lower() in _NOTHING or _SILENT.fullmatch(text):
            return NO_CHORD
        found = self._whole(text, place)
        if found is not None:
            return found
        try:
            parse_chord(text, self.german)
        except ChordError as error:
            why = str(error)
        if not re.match(r"[A-H]", text):
            self._sheet.say(f"none {text}", f"{place}: {why}; left out")
            return None
        word = re.split(r"[\s(),;]", text, maxsplit=1)[0]  # "C or G", "C (F)": a chord, and words about it
        ends = range(min(len(text) - 1, 24), 0, -1)
        for begin in (word, *(text[:end] for end in ends if text[end - 1] not in " (,;")):
            found = self._whole(begin, place)
            if found is not None:
                self._sheet.say(f"short {text}", f"{place}: {why}; read as {found.name}")
                return found
        return None

    def _whole(self, text: str, place: str) -> ChordSymbol | None:
        for spelling in dict.fromkeys((re.sub(r"\s", "", text), text)):
            try:
                return parse_chord(spelling, self.german)
            except ChordError:
                pass
        if re.match(r"[a-g](?![a-z]{2})", text) and not self.german:
            try:
                chord = parse_chord(text.replace("b", "h", 1) if text[0] == "b" else text, german=True)
            except ChordError:
                return None
            self._sheet.say("lower", f"{place}: {text} in lower case is read as {chord.name}")
            return chord
        return None


def exact_chord(text: str, german: bool = False) -> ChordSymbol | None:
    """The chord, if every letter of the text can be read; None for all else."""
    if not re.match(r"[A-H]|N\.?C", text):
        return None
    try:
        return parse_chord(re.sub(r"\s", "", text), german)
    except ChordError:
        return None


def is_german(text: str) -> bool:
    """Whether it is a chord on H."""
    if not re.match(r"[Hh](?![A-Z])", text):
        return False
    try:
        parse_chord(text, german=True)
    except ChordError:
        return False
    return True


def is_chord(text: str, german: bool = False) -> bool:
    """Whether it reads as a chord, in upper case or with a sign of a chord behind a letter in lower case."""
    return exact_chord(text, german) is not None


def section_name(text: str) -> str:
    """A name that a section may have: printable, without brackets, short."""
    plain = "".join(letter if letter.isprintable() and letter not in "[]|" else " " for letter in text)
    plain = re.sub(r"\s+\(?[x×]\s*[0-9]+\)?\s*$", "", " ".join(plain.split())[:MOST_NAME]).strip(" :")
    return "" if re.fullmatch(r"[0-9]+\s*/\s*[0-9]+", plain) else plain  # no metre is a name
