"""ChordPro: directives, chords in brackets, sections, grids, transposition and capo.

Where only words tell the time, each chord lasts one bar, and that is said. Pure functions, any thread.
"""

from __future__ import annotations

import re

from ..order import mark_of
from ..sheet import ChordReader, Sheet, SheetError, is_chord, section_name
from .bar_lines import BarLines, times_of

_DIRECTIVE = re.compile(r"\s*\{\s*\+?([A-Za-z_]+)(?:-[\w!-]+)?(?:[:\s]([^}]*))?\}\s*")
_CHORD = re.compile(r"\[([^\[\]]*)\]")
_SHORT = {
    "t": "title", "st": "subtitle", "su": "subtitle", "c": "comment", "ci": "comment", "cb": "comment",
    "comment_italic": "comment", "comment_box": "comment", "highlight": "comment", "ns": "new_song",
    "soc": "start_of_chorus", "eoc": "end_of_chorus", "sov": "start_of_verse", "eov": "end_of_verse",
    "sob": "start_of_bridge", "eob": "end_of_bridge", "sot": "start_of_tab", "eot": "end_of_tab",
    "sog": "start_of_grid", "eog": "end_of_grid", "artist": "composer",
}  # fmt: skip
_SECTION_WORD = re.compile(
    r"(?:pre-?\s?|post-?\s?|last\s+|final\s+|\d+(?:st|nd|rd|th)?\s+)?(?:verse|chorus|refrain|bridge|intro|outro|solo|"
    r"interlude|instrumental|coda|ending|tag|vamp|strophe|vers|part|hook|break|middle\s?8?)\b.{0,20}",
    re.IGNORECASE,
)
_UNPLAYED = ("tab", "abc", "ly", "svg", "textblock", "musicxml")
MOST_SONGS = 1000


def looks_like(text: str) -> bool:
    """Whether a text is ChordPro: a directive, or a chord in brackets inside a line of words."""
    for line in text.splitlines():
        match = _DIRECTIVE.fullmatch(line)
        if match is not None and (
            _SHORT.get(match[1].lower(), match[1].lower()) in _KNOWN or match[1][:9] == "start_of_"
        ):
            return True
        found = _CHORD.findall(line)
        if found and "|" not in line and any(is_chord(one) for one in found) and _CHORD.sub("", line).strip():
            return True
    return False


_KNOWN = (
    "title", "subtitle", "composer", "key", "tempo", "time", "capo", "comment", "new_song", "chorus", "transpose",
    "meta",
    "start_of_chorus", "start_of_verse", "start_of_bridge", "start_of_grid", "start_of_tab", "define", "columns",
)  # fmt: skip


def songs_of(text: str) -> list[tuple[str, str]]:
    """(title, text) of each song. Raises SheetError for more than a songbook has."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        match = _DIRECTIVE.fullmatch(line)
        if match is not None and _SHORT.get(match[1].lower(), match[1].lower()) == "new_song":
            parts.append([])
        else:
            parts[-1].append(line)
    songs = ["\n".join(part) for part in parts if "".join(part).strip()]
    if len(songs) > MOST_SONGS:
        raise SheetError(f"more than {MOST_SONGS} songs")
    return [(_title(song), song) for song in songs]


def _title(text: str) -> str:
    match = re.search(r"^\s*\{\s*(?:title|t)\s*:\s*([^}]*)\}", text, re.MULTILINE | re.IGNORECASE)
    return match[1].strip() if match else ""


def sheet_of(text: str) -> Sheet:
    """One song. Raises SheetError with the line."""
    sheet = Sheet(tempo_of_beats=True)
    reader = _Reader(sheet, ChordReader(sheet, [word for inside in _CHORD.findall(text) for word in inside.split()]))
    for number, line in enumerate(text.splitlines(), 1):
        reader.line(line, f"line {number}")
    return sheet


class _Reader:
    def __init__(self, sheet: Sheet, chords: ChordReader) -> None:
        self._sheet, self._chords = sheet, chords
        self._bars = BarLines(sheet, chords)
        self._inside = ""  # grid, tab ...
        self._chorus: tuple[int, int] = (0, 0)
        self._began = ("", 0)
        self._capo = 0
        self._transpose = 0

    def line(self, text: str, place: str) -> None:
        """One line."""
        if text.lstrip().startswith("#"):
            return
        match = _DIRECTIVE.fullmatch(text)
        if match is not None:
            name = match[1].lower()
            self._directive(_SHORT.get(name, name), (match[2] or "").strip(" \t:"), place)
        elif self._inside in _UNPLAYED:
            return
        elif self._inside == "grid":
            if text.strip():
                self._bars.grid(re.sub(r"\|s\b.*", "", text), place)
        else:
            self._words(text, place)

    def _words(self, text: str, place: str) -> None:
        if "[" in _CHORD.sub("", text):
            self._sheet.say("bracket", f"{place}: a [ that nothing closes: no chord is read there")
        found = [one.strip() for one in _CHORD.findall(text) if one.strip() and not one.startswith("*")]
        found = [one.strip('"') for one in found]
        if not found:
            return
        rest = _CHORD.sub(" ", text)
        if "|" in found or "|" in rest:
            cells = re.sub(r"[^|:\[\]\s]+(?![^\[]*\])", " ", re.sub(r"\[\*[^\]]*\]", "", text))
            self._bars.grid(_CHORD.sub(r" \1 ", cells), place)
            return
        if "/" in found or re.fullmatch(r"[\s/]*/[\s/]*", rest):
            words = re.findall(r"\[([^\[\]]*)\]|(/)", text)
            self._bars.beats([chord or slash for chord, slash in words], place)
            return
        first = len(self._sheet.bars)
        for one in found:
            times = times_of(one)
            if times is not None:
                self._bars.again(first, times)
            elif one == "%":
                self._bars.grid("| % |", place)
            elif self._bars.whole(one, place):
                self._sheet.say("words", f"{place}: words tell no bars: there each chord lasts one bar")

    def _directive(self, name: str, value: str, place: str) -> None:
        if name == "meta":
            name, _, value = value.partition(" ")
            name, value = _SHORT.get(name.lower(), name.lower()), value.strip()
        if name.startswith("start_of_"):
            self._begin(name.removeprefix("start_of_"), value, place)
        elif name.startswith("end_of_"):
            self._end(name.removeprefix("end_of_"))
        elif name == "chorus":
            first, last = self._chorus
            if first == last:
                self._sheet.say("chorus", f"{place}: the chorus again, and there was none")
            self._bars.section = value or "Chorus"
            self._bars.copy(self._sheet.bars[first:last], place)
        elif name == "comment":
            self._comment(value)
        elif name == "title":
            self._sheet.title = self._sheet.title or value
        elif name == "composer":
            self._sheet.composer = self._sheet.composer or value
        elif name in ("key", "tempo", "time", "capo", "transpose", "style", "genre"):
            self._set(name, value, place)

    def _set(self, name: str, value: str, place: str) -> None:
        if name == "key":
            self._sheet.key = self._sheet.key or value
        elif name in ("style", "genre"):
            self._sheet.style = value
        elif name == "tempo" and re.fullmatch(r"[0-9]{2,3}(?:\.[0-9]+)?(?:\s*bpm)?", value):
            if not self._sheet.tempo_bpm:
                self._sheet.tempo_bpm = float(value.split()[0].removesuffix("bpm"))
            else:
                self._sheet.say("tempi", f"{place}: the tempo changes to {value}: the chart has the first")
        elif name == "time" and re.fullmatch(r"[1-9][0-9]?/(1|2|4|8|16)", value.replace(" ", "")):
            count, kind = value.replace(" ", "").split("/")
            self._bars.count, self._bars.kind = int(count), int(kind)
        elif name in ("capo", "transpose") and re.fullmatch(r"[+-]?[0-9]{1,2}", value):
            self._shift(name, int(value), place)
        elif name == "transpose" and not value:
            self._shift(name, 0, place)
        else:
            self._sheet.say(name, f"{place}: {name} {value!r} cannot be read, and is left out")

    def _shift(self, name: str, steps: int, place: str) -> None:
        if name == "capo":
            self._capo = steps
            self._sheet.say("capo", f"{place}: capo {steps}: the band plays {steps} semitones above what is written")
        else:
            self._transpose = steps
        if self._sheet.bars:
            self._bars.shift = self._capo + self._transpose - self._sheet.shift
        else:
            self._sheet.shift = self._capo + self._transpose

    def _begin(self, name: str, value: str, place: str) -> None:
        label = re.sub(r'.*label\s*=\s*"([^"]*)".*', r"\1", value) if "label" in value else value
        if name in _UNPLAYED:
            self._inside = name
            self._sheet.say(name, f"{place}: a block of {name} is not read")
            return
        if name == "grid":
            self._inside = "grid"
            if not re.search(r"shape|^\d", value) and label:
                self._bars.section = label
            return
        self._bars.section = section_name(label) or name.replace("_", " ").title()
        self._began = (name, len(self._sheet.bars))

    def _end(self, name: str) -> None:
        if name == self._inside:
            self._inside = ""
        elif name == "chorus" and self._began[0] == "chorus":
            self._chorus = (self._began[1], len(self._sheet.bars))

    def _comment(self, value: str) -> None:
        mark = mark_of(value)
        if mark:
            self._bars.mark(mark)
        elif _SECTION_WORD.fullmatch(value.strip(" :")):
            self._bars.section = section_name(value)
