"""ABC: tunes with chord symbols; their bars, lengths of notes, repeats, endings and jumps.

Melodies are counted, not kept. Knows the notation as its standard 2.1 describes it. Pure functions, any thread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from ...engine.charts.chord_symbol import ChordSymbol
from ..order import mark_of
from ..sheet import ChordReader, Sheet, SheetBar, SheetError, section_name

MOST_TUNES = 5000
_FIELD = re.compile(r"([A-Za-z+]):\s*(.*)")
_TOKEN = re.compile(
    r'(?P<quote>"[^"]*")|(?P<inline>\[[A-Za-z]:[^\]]*\])|(?P<mark>![^!\s]+!|\+[a-zA-Z.]+\+)|(?P<grace>\{[^{}]*\})'
    r"|(?P<line>::|:\|+:?|\|+:|:+\||\[\||\|\]|\|+|:)(?P<ending>\s*\[?[1-9][0-9,-]*)?|(?P<volta>\[[1-9][0-9,-]*)"
    r"|(?P<tuplet>\([2-9](?::[0-9]*)*)|(?P<chord>\[[^\]\[|:]*\](?P<times>[0-9]*/*[0-9]*))"
    r"|(?P<note>(?:[_^=]*[A-Ga-g][,']*|[xz])(?P<length>[0-9]*/*[0-9]*))|(?P<rest>[ZX](?P<bars>[0-9]*))"
    r"|(?P<broken>[<>]+)|(?P<overlay>&)|(?P<sign>[SO])|(?P<skip>.)"
)
_TUPLET_BEATS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_MODES = {"min": "m", "m": "m", "aeo": "m", "dor": "m", "phr": "m", "loc": "m"}
_MARKS = {
    "segno": "segno",
    "coda": "coda",
    "fine": "fine",
    "D.C.": "dc",
    "D.S.": "ds",
    "dacapo": "dc",
    "dacoda": "to coda",
}


def looks_like(text: str) -> bool:
    """Whether a tune of ABC is in it: a number, and a key behind it."""
    return re.search(r"^X:\s*\d", text, re.MULTILINE) is not None and re.search(r"^K:", text, re.MULTILINE) is not None


def songs_of(text: str) -> list[tuple[str, str]]:
    """(title, text) of each tune. Raises SheetError for more than a book has."""
    head, *tunes = re.split(r"^(?=X:)", text, flags=re.MULTILINE)
    common = "\n".join(line for line in head.splitlines() if re.match(r"[LMQ]:", line))
    if len(tunes) > MOST_TUNES:
        raise SheetError(f"more than {MOST_TUNES} tunes")
    made = []
    for tune in tunes or [text]:
        body = re.split(r"\n\s*\n", tune.strip(), maxsplit=1)[0]
        title = re.search(r"^T:\s*(.*)", body, re.MULTILINE)
        made.append((title[1].strip() if title else "", f"{common}\n{body}" if common else body))
    return made


def sheet_of(text: str) -> Sheet:
    """One tune. Raises SheetError with the bar."""
    lines = [re.sub(r"(?<!\\)%.*", "", line) for line in text.splitlines()]
    voice = _voice(lines)
    quotes = [quote for line in lines for quote in re.findall(r'"([^"]*)"', line)]
    sheet = Sheet(tempo_of_beats=False, loops=True)
    reader = _Reader(sheet, ChordReader(sheet, [quote for quote in quotes if quote[:1] not in tuple("^_<>@")]))
    now = ""
    for line in lines:
        match = _FIELD.match(line)
        if match is not None and not line.startswith("|"):
            name, value = match.groups()
            if name == "V":
                now = (value.split() or [""])[0]
            elif name not in "wWsr":
                reader.field(name, value.strip())
        elif line.strip() and (not voice or now in ("", voice) or re.match(r"\[V:", line)):
            reader.music(line, voice)
    reader.finish()
    if voice:
        sheet.say("voice", f"several voices: the chords of voice {voice} are taken")
    return sheet


def _voice(lines: list[str]) -> str:
    """The voice with the most chords; empty where there are no voices."""
    counts: dict[str, int] = {}
    now = ""
    for line in lines:
        match = re.match(r"V:\s*(\S+)", line)
        if match is not None:
            now = match[1]
            counts.setdefault(now, 0)
            continue
        for inline, quote in re.findall(r'\[V:\s*(\S+?)\s*\]|"([A-H][^"]*)"', line):
            now = inline or now
            counts[now] = counts.get(now, 0) + bool(quote)
    counts.pop("", None)
    return max(counts, key=lambda one: counts[one]) if len(counts) > 1 else ""


class _Reader:
    def __init__(self, sheet: Sheet, chords: ChordReader) -> None:
        self._sheet, self._chords = sheet, chords
        self._count, self._kind = 4, 4
        self._free = False
        self._unit = Fraction(0)  # quarter notes of a note without a number
        self._at = Fraction(0)
        self._found: list[tuple[Fraction, ChordSymbol]] = []
        self._marks: list[str] = []
        self._section, self._opens, self._double = "", False, False
        self._endings: tuple[int, ...] = ()
        self._tuplet: tuple[int, Fraction] = (0, Fraction(1))
        self._factor = Fraction(1)  # of the note behind a broken rhythm
        self._last = Fraction(0)  # length of the note before
        self._sounds = False
        self._kept = Fraction(0)  # where the bar was when an overlay began
        self._tempo = ""
        self._off = False  # in a voice that is not taken

    # ------------------------------------------------------------------------------------------------- fields

    def field(self, name: str, value: str) -> None:
        """A line of the head, or one between lines of music."""
        if name == "T":
            self._sheet.title = self._sheet.title or value
        elif name == "C":
            self._sheet.composer = self._sheet.composer or value
        elif name == "R":
            self._sheet.style = self._sheet.style or value
        elif name == "M":
            self._metre(value)
        elif name == "L":
            match = re.match(r"(\d{1,3})/(\d{1,3})", value)
            if match is not None and int(match[1]) and int(match[2]):
                self._unit = Fraction(4 * int(match[1]), int(match[2]))
        elif name == "Q":
            self._read_tempo(value)
        elif (name == "P" and self._sheet.bars) or (name == "P" and self._started):
            self._end_bar()
            self._section, self._endings = section_name(value), ()
        elif name == "P":
            self._sheet.say("parts", f"the order of parts, P:{value[:20]}, is not kept: they are played as they stand")
        elif name == "K":
            self._key(value)

    @property
    def _started(self) -> bool:
        return bool(self._sheet.key) or self._sounds

    def _metre(self, value: str) -> None:
        plain = {"C": "4/4", "C|": "2/2"}.get(value, value)
        match = re.match(r"\(?([\d+ ]+)\)?/(\d{1,2})", plain)
        self._free = match is None
        if match is not None:
            count = sum(int(one) for one in match[1].replace(" ", "").split("+") if one.isdigit())
            if 1 <= count <= 64 and int(match[2]) in (1, 2, 4, 8, 16):
                self._count, self._kind = count, int(match[2])

    def _read_tempo(self, value: str) -> None:
        match = re.search(r"(\d{1,2})/(\d{1,2})[^=]*=\s*(\d{1,3})", value)
        if match is not None and int(match[2]):
            self._sheet.tempo_bpm = float(Fraction(4 * int(match[1]), int(match[2])) * int(match[3]))
        elif re.fullmatch(r"\d{2,3}", value):
            self._sheet.tempo_bpm = float(int(value) * (self._unit or Fraction(1)))

    def _key(self, value: str) -> None:
        match = re.match(r"([A-G][#b]?)\s*([A-Za-z]*)", value)
        if match is None or self._sheet.key:
            if match is not None and match.group().strip() != self._sheet.key:
                self._sheet.say("keys", f"{self._place()}: the key changes: the chart keeps the first one")
            return
        self._sheet.key = match[1] + _MODES.get(match[2].lower()[:3], "")

    # -------------------------------------------------------------------------------------------------- music

    def music(self, line: str, voice: str) -> None:
        """One line of notes."""
        for match in _TOKEN.finditer(line):
            kind = str(match.lastgroup)
            if match["inline"] and match["inline"].startswith("[V:"):
                self._off = bool(voice) and match["inline"][3:-1].split()[0] != voice
            elif not self._off:
                self._token(match, kind)

    def _token(self, match: re.Match[str], kind: str) -> None:
        if match["quote"]:
            self._quote(match["quote"][1:-1])
        elif match["inline"]:
            self.field(match["inline"][1], match["inline"][3:-1].strip())
        elif match["mark"]:
            self._mark(match["mark"][1:-1])
        elif match["sign"]:
            self._marks.append("segno" if match["sign"] == "S" else "coda")
        elif match["line"]:
            self._line(match["line"], (match["ending"] or "").strip(" ["))
        elif match["volta"]:
            self._endings = _numbers(match["volta"][1:])
        elif match["tuplet"]:
            self._begin_tuplet(match["tuplet"][1:])
        elif match["chord"]:
            inner = re.search(r"[A-Ga-gxz][,']*(\d*/*\d*)", match["chord"])
            self._note(_length(inner[1] if inner else "") * _length(match["times"]))
        elif match["note"]:
            self._note(_length(match["length"]))
        elif match["rest"]:
            self._rest(int(match["bars"] or 1))
        elif match["broken"]:
            self._break(match["broken"])
        elif match["overlay"]:
            self._kept = max(self._kept, self._at)
            self._at = Fraction(0)

    def _quote(self, text: str) -> None:
        if text[:1] in tuple("^_<>@"):
            mark = mark_of(text[1:])
            if mark:
                self._mark(mark)
            return
        for one in re.split(r"[;\n]|\s{2,}", text):
            mark = mark_of(one)
            chord = None if mark or not one.strip() else self._chords.read(one, self._place())
            if mark:
                self._mark(mark)
            if chord is not None and self._found and self._found[-1][0] == self._at:
                self._sheet.say("alternate", f"{self._place()}: the alternate chord {chord.name} is left out")
            elif chord is not None:
                self._found.append((self._at, chord))
                return

    def _mark(self, name: str) -> None:
        mark = _MARKS.get(name) or mark_of(name)
        if mark and mark not in self._marks:
            self._marks.append(mark)

    def _note(self, times: Fraction) -> None:
        self._sounds = True
        length = times * self._note_unit() * self._factor
        self._factor = Fraction(1)
        left, each = self._tuplet
        if left:
            length *= each
            self._tuplet = (left - 1, each)
        self._last = length
        self._at += length

    def _note_unit(self) -> Fraction:
        if not self._unit:  # by the standard: 1/16 where the metre is below 3/4, else 1/8
            short = Fraction(self._count, self._kind) < Fraction(3, 4) and not self._free
            self._unit = Fraction(1, 4) if short else Fraction(1, 2)
        return self._unit

    def _break(self, signs: str) -> None:
        small = Fraction(1, 2 ** min(len(signs), 4))
        first, second = (2 - small, small) if signs[0] == ">" else (small, 2 - small)
        self._at += self._last * (first - 1)
        self._factor = second

    def _begin_tuplet(self, text: str) -> None:
        parts = [int(part) if part else 0 for part in text.split(":")][:3]
        notes = parts[0]
        into = parts[1] if len(parts) > 1 and parts[1] else 0
        if not into:
            compound = self._kind == 8 and self._count % 3 == 0
            into = _TUPLET_BEATS.get(notes, 3 if compound else 2)
        self._tuplet = (parts[2] if len(parts) > 2 and parts[2] else notes, Fraction(into, notes))

    def _rest(self, bars: int) -> None:
        for number in range(min(bars, 200)):
            if number:
                self._end_bar()
            self._sounds = True
            self._at = Fraction(4 * self._count, self._kind)

    def _line(self, sign: str, ending: str) -> None:
        if sign == ":":
            return
        self._end_bar()
        bars = self._sheet.bars
        if sign.startswith(":") and bars:
            bars[-1].closes = max(2, 1 + len(re.match(r":+", sign).group()))  # type: ignore[union-attr]
            if sign == "::":
                bars[-1].closes = 2
        if sign.startswith(":") or "||" in sign or "]" in sign or "[" in sign:
            self._endings = ()
        if sign.endswith(":"):
            self._opens, self._endings = True, ()
        # A repeat that nothing opens goes back to the last double line (ABC 2.1, 4.8).
        self._double = sign in ("||", "|]", "[|")
        if ending:
            self._endings = _numbers(ending)

    def _end_bar(self) -> None:
        length = max(self._at, self._kept)
        if not self._sounds:
            for _, chord in self._found[-1:]:
                self._found = [(Fraction(0), chord)]
            return
        opens = self._opens or (self._double and not self._endings)
        bar = SheetBar(self._count, self._kind, self._place(), section=self._section, opens=opens)
        self._double = False
        if self._free:
            bar.count, bar.kind = max(1, round(length)), 4
        bar.quarters = length if length != bar.nominal else Fraction(0)
        bar.endings, bar.marks = self._endings, self._marks
        for offset, chord in self._found:
            bar.put(offset, chord)
        self._sheet.add(bar)
        self._found, self._marks, self._section, self._opens = [], [], "", False
        self._at = self._kept = Fraction(0)
        self._sounds, self._tuplet, self._factor = False, (0, Fraction(1)), Fraction(1)

    def finish(self) -> None:
        """Whatever is open is a bar too."""
        self._end_bar()
        bars = self._sheet.bars
        if self._marks and bars:
            bars[-1].marks += self._marks
        _end_endings(bars)
        if any(mark[:2] in ("dc", "ds") for bar in bars for mark in bar.marks):
            self._sheet.loops = False

    def _place(self) -> str:
        return f"bar {len(self._sheet.bars) + 1}"


def _end_endings(bars: Sequence[SheetBar]) -> None:
    """A last ending that nothing ends is as long as the first: `|1 ... :|2 ... |` and a repeat of its own behind it."""
    first, number = 0, 0
    while number < len(bars):
        endings = bars[number].endings
        end = number
        while (
            end < len(bars) and endings and bars[end].endings == endings and (end == number or not bars[end - 1].closes)
        ):
            end += 1
        if endings and 1 in endings:
            first = end - number
        elif endings and first and end - number > first and bars[end - 1].closes:
            for bar in bars[number + first : end]:
                bar.endings = ()
        number = max(end, number + 1)


def _numbers(text: str) -> tuple[int, ...]:
    """(1, 2, 3) of "1-3" and of "1,2,3"."""
    made: list[int] = []
    for part in re.split(r",", text):
        ends = [int(one) for one in re.findall(r"\d{1,2}", part)]
        if ends:
            made += range(ends[0], min(ends[-1], 9) + 1)
    return tuple(made)


def _length(text: str) -> Fraction:
    """Of "3/2", "/", "//", "2"."""
    match = re.fullmatch(r"(\d{0,3})(/*)(\d{0,3})", text)
    if match is None:
        return Fraction(1)
    above, slashes, below = match.groups()
    value = Fraction(int(above or 1))
    if below and int(below):
        return value / int(below)
    return value / 2 ** min(len(slashes), 8)
