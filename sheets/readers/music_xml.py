"""MusicXML: chord symbols, time signatures, repeats, endings and jumps of the part that has the chords.

Notes are counted, not kept. Works on a tree that `safe_xml` has read. Pure functions, any thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element

from ...engine.charts.chord_symbol import NO_CHORD, ChordSymbol
from ..kinds import KINDS, degree_name, name_of
from ..order import mark_of
from ..sheet import ChordReader, Sheet, SheetBar, SheetError, exact_chord, section_name

MOST_NUMBER = 10_000
_ALTERS = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = ("Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#")
_SOUNDS = {"dacapo": "dc", "dalsegno": "ds", "segno": "segno", "coda": "coda", "fine": "fine", "tocoda": "to coda"}
_UNITS = {
    "whole": Fraction(4),
    "half": Fraction(2),
    "quarter": Fraction(1),
    "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4),
}


def sheet_of(root: Element) -> Sheet:
    """The song. Raises SheetError for a tree that is no score."""
    if root.tag not in ("score-partwise", "score-timewise"):
        raise SheetError(f"XML, but no score: its root is <{root.tag[:30]}>")
    sheet = Sheet(_title(root), _composer(root))
    parts = _parts(root)
    if not parts:
        raise SheetError("a score without a part")
    counts = [sum(1 for measure in measures for _ in measure.iter("harmony")) for measures in parts]
    best = counts.index(max(counts))
    if not counts[best]:
        raise SheetError("a score without chord symbols: only the notes are there, and they are no chart")
    if sum(count > 0 for count in counts) > 1:
        sheet.say("parts", f"chord symbols stand in several parts: those of part {best + 1} are taken")
    reader = _Reader(sheet)
    # Repeats, jumps and sections may stand in the first part alone.
    marks = parts[0] if best else []
    for number, measure in enumerate(parts[best]):
        reader.measure(measure, marks[number] if number < len(marks) else None)
    reader.finish()
    return sheet


def _text(root: Element, *paths: str) -> str:
    for path in paths:
        found = root.findtext(path)
        if found and found.strip():
            return " ".join(found.split())
    return ""


def _title(root: Element) -> str:
    title = _text(root, "work/work-title", "movement-title")
    if title:
        return title
    for credit in root.iter("credit"):
        if credit.findtext("credit-type") == "title":
            return _text(credit, "credit-words")
    return ""


def _composer(root: Element) -> str:
    for creator in root.iter("creator"):
        if creator.get("type", "composer") == "composer":
            return " ".join((creator.text or "").split())[:100]
    return ""


def _parts(root: Element) -> list[list[Element]]:
    """The measures of each part, in either order of the format."""
    if root.tag == "score-partwise":
        return [list(part.iter("measure")) for part in root.findall("part")]
    parts: dict[str, list[Element]] = {}
    for measure in root.findall("measure"):
        for part in measure.findall("part"):
            part.attrib.update({key: value for key, value in measure.attrib.items() if key != "id"})
            parts.setdefault(part.get("id", ""), []).append(part)
    return list(parts.values())


def _number(text: str | None, default: int) -> int:
    """A whole number within bounds."""
    try:
        value = int(float((text or "").strip() or default))
    except (ValueError, OverflowError):
        return default
    return value if abs(value) <= MOST_NUMBER else default


class _Reader:
    def __init__(self, sheet: Sheet) -> None:
        self._sheet, self._chords = sheet, ChordReader(sheet)
        self._divisions = 1
        self._count, self._kind = 4, 4
        self._free = False
        self._endings: tuple[int, ...] = ()
        self._repeated = 0  # bars of a measure-repeat sign
        self._bar = SheetBar(4, 4, "")
        self._at = Fraction(0)
        self._end = Fraction(0)

    def measure(self, measure: Element, other: Element | None) -> None:
        """One bar; `other` is the same one of the part that may have the signs."""
        bar = SheetBar(self._count, self._kind, f"bar {measure.get('number') or len(self._sheet.bars) + 1}")
        self._bar, self._at, self._end = bar, Fraction(0), Fraction(0)
        closed = False
        bar.endings = self._endings
        for element in measure:
            closed = self._element(element) or closed
        for element in other if other is not None else ():
            if element.tag in ("barline", "direction", "sound"):
                closed = self._element(element) or closed
        bar.count, bar.kind = self._count, self._kind
        self._measure_length(bar, measure)
        if self._repeated and not bar.chords and len(self._sheet.bars) >= self._repeated:
            bar.chords = list(self._sheet.bars[-self._repeated].chords)
        self._sheet.add(bar)
        self._endings = () if closed else bar.endings

    def _measure_length(self, bar: SheetBar, measure: Element) -> None:
        if not self._end:
            return
        if self._free:
            bar.count, bar.kind = max(1, round(self._end)), 4
        short = self._end < bar.nominal and (measure.get("implicit") == "yes" or not self._sheet.bars or self._short())
        if short or self._end > bar.nominal:
            bar.quarters = self._end

    def _short(self) -> bool:
        """Whether the bar before is a short one too: what it lacks is here."""
        before = self._sheet.bars[-1]
        return before.length < before.nominal and before.length + self._end <= before.nominal

    def _element(self, element: Element) -> bool:
        """One child of a measure; True where an ending ends."""
        tag = element.tag
        if tag == "harmony":
            self._harmony(element)
        elif (tag == "note" and element.find("chord") is None and element.find("grace") is None) or tag == "forward":
            self._move(element)
        elif tag == "backup":
            self._at = max(Fraction(0), self._at - self._duration(element))
        elif tag == "attributes":
            self._attributes(element)
        elif tag == "direction":
            self._direction(element)
        elif tag == "sound":
            self._sound(element)
        elif tag == "barline":
            return self._barline(element)
        return False

    def _duration(self, element: Element) -> Fraction:
        return Fraction(max(0, _number(element.findtext("duration"), 0)), self._divisions)

    def _move(self, element: Element) -> None:
        self._at += self._duration(element)
        self._end = max(self._end, self._at)

    # ------------------------------------------------------------------------------------------------ signs

    def _attributes(self, element: Element) -> None:
        self._divisions = max(1, _number(element.findtext("divisions"), self._divisions))
        key = element.find("key")
        if key is not None and key.find("fifths") is not None:
            place = _number(key.findtext("fifths"), 0) + 7
            if 0 <= place < len(_MAJOR):
                minor = (key.findtext("mode") or "").strip() in ("minor", "dorian", "phrygian", "aeolian")
                name = f"{_MINOR[place]}m" if minor else _MAJOR[place]
                if not self._sheet.key:
                    self._sheet.key = name
                elif self._sheet.key != name:
                    self._sheet.say("keys", f"{self._bar.place}: the key changes to {name}: the chart has the first")
        time = element.find("time")
        if time is not None:
            self._time(time)
        shift = element.find("transpose")
        if shift is not None and not self._sheet.bars:
            self._sheet.shift = _number(shift.findtext("chromatic"), 0) % 12
            if self._sheet.shift:
                self._sheet.say("transpose", "the part is of a transposing instrument: the chart has what sounds")
        for style in element.findall("measure-style/measure-repeat"):
            self._repeated = max(1, _number(style.text, 1)) if style.get("type") == "start" else 0

    def _time(self, time: Element) -> None:
        self._free = time.find("senza-misura") is not None
        counts = [_number(part, 0) for beats in time.findall("beats") for part in (beats.text or "").split("+")]
        kinds = {_number(kind.text, 4) for kind in time.findall("beat-type")}
        if counts and len(kinds) == 1 and 1 <= sum(counts) <= 64 and kinds <= {1, 2, 4, 8, 16}:
            self._count, self._kind = sum(counts), kinds.pop()
        elif not self._free:
            self._sheet.say("time", f"{self._bar.place}: no time signature that can be read: the old one goes on")

    def _barline(self, element: Element) -> bool:
        bar, closed = self._bar, False
        for kind in ("segno", "coda"):
            if element.find(kind) is not None:
                bar.marks.append(kind)
        ending = element.find("ending")
        if ending is not None and ending.get("type") == "start":
            numbers = [_number(one, 0) for one in ending.get("number", "1").replace(" ", ",").split(",") if one]
            bar.endings = tuple(one for one in numbers if 1 <= one <= 9)
        elif ending is not None:
            closed = True
        repeat = element.find("repeat")
        if repeat is not None:
            if repeat.get("direction") == "forward":
                bar.opens = True
            else:
                bar.closes = min(99, max(2, _number(repeat.get("times"), 2)))
        return closed

    def _direction(self, element: Element) -> None:
        for kind in element.findall("direction-type/*"):
            words = " ".join((kind.text or "").split())
            if kind.tag in ("segno", "coda"):
                self._mark(kind.tag)
            elif kind.tag == "rehearsal" and words:
                self._bar.section = section_name(words)
            elif kind.tag == "words" and words:
                mark = mark_of(words)
                if mark:
                    self._mark(mark)
                elif not self._sheet.style and not self._sheet.bars and self._at == 0:
                    self._sheet.style = words[:60]
            elif kind.tag == "metronome" and not self._sheet.tempo_bpm:
                self._metronome(kind)
        for sound in element.findall("sound"):
            self._sound(sound)

    def _metronome(self, element: Element) -> None:
        unit = _UNITS.get((element.findtext("beat-unit") or "").strip())
        if unit is None:
            return
        unit *= Fraction(3, 2) if element.find("beat-unit-dot") is not None else 1
        bpm = _number(element.findtext("per-minute"), 0)
        self._sheet.tempo_bpm = float(unit * bpm)

    def _sound(self, element: Element) -> None:
        tempo = _number(element.get("tempo"), 0)
        if tempo and not self._sheet.tempo_bpm:
            self._sheet.tempo_bpm = float(tempo)
        elif tempo and abs(tempo - self._sheet.tempo_bpm) >= 1 and self._sheet.bars:
            self._sheet.say("tempi", f"{self._bar.place}: the tempo changes: the chart keeps the first one")
        for name, mark in _SOUNDS.items():
            if element.get(name):
                self._mark(mark)

    def _mark(self, mark: str) -> None:
        """A jump is often said twice, by words and by what is to sound: the fuller one counts."""
        for number, there in enumerate(self._bar.marks):
            if there == mark or (there[:2] == mark[:2] and there[:2] in ("dc", "ds")):
                self._bar.marks[number] = max(there, mark, key=len)
                return
        if mark == "coda" and "to coda" in self._bar.marks:
            return  # the sign beside the words
        if mark == "to coda" and "coda" in self._bar.marks:
            self._bar.marks.remove("coda")
        self._bar.marks.append(mark)

    # ----------------------------------------------------------------------------------------------- chords

    def _harmony(self, element: Element) -> None:
        name = _name(element)
        if name is None:
            self._sheet.say("function", f"{self._bar.place}: a chord by its function, not by its root, is left out")
            return
        chord: ChordSymbol | None = NO_CHORD if name == "N.C." else self._read(element, name)
        if chord is not None:
            offset = self._at + Fraction(_number(element.findtext("offset"), 0), self._divisions)
            for there, _ in self._bar.chords:
                if there > offset:  # a second voice goes back in time
                    self._bar.chords = [one for one in self._bar.chords if one[0] < offset]
                    break
            self._bar.put(max(Fraction(0), offset), chord)

    def _read(self, element: Element, name: str) -> ChordSymbol | None:
        """By kind and degrees; where these are nothing that is known, by the text that is printed."""
        kind = element.find("kind")
        text = kind.get("text", "") if kind is not None else ""
        known = kind is not None and (kind.text or "").strip() in KINDS
        spellings = (name, _spell(element, text)) if known or not text else (_spell(element, text), name)
        for one in spellings:
            found = exact_chord(one)
            if found is not None:
                if one == name and not known and element.find("degree") is None:
                    unknown = text or ("" if kind is None else (kind.text or "").strip())
                    self._sheet.say("kind", f"{self._bar.place}: no kind of chord {unknown!r}: read as {found.name}")
                return found
        return self._chords.read(name, self._bar.place)

    def finish(self) -> None:
        """What can be said only at the end."""
        if not self._sheet.bars:
            raise SheetError("a score without measures")


def _note(element: Element | None, what: str) -> str:
    if element is None:
        return ""
    step = (element.findtext(f"{what}-step") or "").strip()
    alter = _number(element.findtext(f"{what}-alter"), 0)
    return step + _ALTERS.get(alter, "") if step in tuple("ABCDEFG") else ""


def _spell(element: Element, quality: str) -> str:
    bass = _note(element.find("bass"), "bass")
    return _note(element.find("root"), "root") + quality + (f"/{bass}" if bass else "")


def _name(element: Element) -> str | None:
    """The chord's name; None for one without a root."""
    kind = (element.findtext("kind") or "").strip()
    if kind == "none":
        return "N.C."
    if not _note(element.find("root"), "root"):
        return None
    degrees = list(_degrees(element))
    return _spell(element, name_of(kind, degrees))


def _degrees(element: Element) -> Iterator[str]:
    for degree in element.findall("degree"):
        value = _number(degree.findtext("degree-value"), 0)
        alter = _number(degree.findtext("degree-alter"), 0)
        kind = (degree.findtext("degree-type") or "add").strip()
        if value:
            yield degree_name(value, alter, kind)
