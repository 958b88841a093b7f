"""Sheets of words with the chords in lines above them, as they are typed by hand.

Each chord lasts one bar, unless bar lines or slashes tell otherwise; that is said. Pure functions, any thread.
"""

from __future__ import annotations

import re

from ...engine.charts.chord_symbol import ChordError, parse_chord
from ..order import mark_of
from ..sheet import ChordReader, Sheet, is_chord, is_german, section_name
from .bar_lines import BarLines, times_of
from .chordpro import _SECTION_WORD

_HEADER = re.compile(
    r"\s*(title|artist|by|key|capo|tempo|bpm|time|metre|meter)\s*[:=]?\s+(.+)|\s*(capo)\s*:?\s*(\d+).*", re.IGNORECASE
)
_TAB = frozenset("-|:0123456789hpbxX/\\~.() ")
_FILLERS = ("|", "||", "|:", ":|", "-", "–", "/", ".", "%", "*", "...", "→", ">", ",")
_SMALL_MINOR = re.compile(r"[a-g][#b]?(?:m7?|7)")
"""A minor chord or a seventh as people type them in a hurry."""
_TAGS = re.compile(r"\[/?(?:ch|tab)\]")
"""Around chords and lines in texts that come from Ultimate Guitar."""


def sheet_of(text: str) -> Sheet:
    """One song. Raises SheetError with the line."""
    lines = [line.expandtabs() for line in _TAGS.sub("", text).splitlines()]
    words = [word for line in lines for word in line.split() if is_german(word)]
    sheet = Sheet(tempo_of_beats=True)
    chords = ChordReader(sheet, [word for line in lines if _is_chords(line, bool(words)) for word in line.split()])
    bars = BarLines(sheet, chords)
    for number, line in enumerate(lines, 1):
        _line(sheet, bars, line, f"line {number}", chords.german)
    return sheet


def looks_like(text: str) -> bool:
    """Whether a line of chords is in it."""
    lines = _TAGS.sub("", text).splitlines()
    german = any(is_german(word) for line in lines for word in line.split())
    return any(_is_chords(_split_header(line)[1], german) for line in lines)


def _line(sheet: Sheet, bars: BarLines, text: str, place: str, german: bool) -> None:
    plain = text.strip()
    if not plain or _tab(sheet, plain, place):
        return
    section, rest = _split_header(plain)
    if section:
        bars.section = section
        plain = rest
    if not plain:
        return
    if _is_chords(plain, german):
        _chords(sheet, bars, plain, place)
        return
    mark = mark_of(plain)
    match = _HEADER.fullmatch(plain)
    if mark and len(plain) < 20:
        bars.mark(mark)
    elif match is not None:
        _header(sheet, bars, (match[1] or match[3]).lower(), (match[2] or match[4]).strip())
    elif not sheet.title and not sheet.bars and not section:
        sheet.title = plain


def _tab(sheet: Sheet, text: str, place: str) -> bool:
    if "---" not in text or not _TAB.issuperset(text.lstrip("ABCDEFGabdeg#")):
        return False
    sheet.say("tab", f"{place}: tablature is not read")
    return True


def _split_header(text: str) -> tuple[str, str]:
    """The name of a section and what follows it in the line; ("", text) for none."""
    match = re.fullmatch(r"\s*\[([^\[\]|]+)\]\s*(.*)", text)
    if match is not None and not is_chord(match[1].split()[0] if match[1].split() else ""):
        return section_name(match[1]), match[2]
    match = re.fullmatch(r"\s*\(?([A-Za-z][\w '#./-]{0,30}?)\)?\s*:\s*(?![\w|]*\|?:)(.*)", text)
    if match is not None and _SECTION_WORD.fullmatch(match[1]):
        return section_name(match[1]), match[2]
    plain = text.strip()
    if _SECTION_WORD.fullmatch(plain) and len(plain.split()) <= 3 and not plain.endswith((",", ".", "!", "?")):
        return section_name(plain), ""
    return "", text


def _is_chords(text: str, german: bool) -> bool:
    """Whether every word of the line is a chord or a sign."""
    words = text.replace("|", " | ").split()
    found = 0
    small = 0
    for word in words:
        bare = word.strip("(),*")
        if word in _FILLERS or not bare or times_of(word) is not None or bare in _FILLERS:
            continue
        if is_chord(bare, german):
            found += 1
        elif _SMALL_MINOR.fullmatch(bare) or (german and _is_small(bare)):
            small += 1
        elif not mark_of(word) and not re.fullmatch(r"[:|]+|\d\.", word):
            return False
    return found > 0 or small > 1  # "am" alone is a word


def _is_small(word: str) -> bool:
    """A German minor chord: `a`, `d7`, `fis`."""
    if not re.match(r"[a-h](?:is|es|s)?(?:$|[0-9/])", word):
        return False
    try:
        parse_chord(word, german=True)
    except ChordError:
        return False
    return True


def _chords(sheet: Sheet, bars: BarLines, text: str, place: str) -> None:
    if "|" in text:
        bars.grid(text, place)
        return
    words = [word for word in text.split() if word not in ("-", "–", "*", "→", ">", ",", "...")]
    if "/" in words:
        bars.beats(words, place)
        return
    first = len(sheet.bars)
    for word in words:
        times = times_of(word)
        mark = mark_of(word)
        if times is not None:
            bars.again(first, times)
        elif mark:
            bars.mark(mark)
        elif word == "%":
            bars.grid("| % |", place)
        elif bars.whole(word.strip(","), place):
            sheet.say("words", f"{place}: words tell no bars: there each chord lasts one bar")


def _header(sheet: Sheet, bars: BarLines, name: str, value: str) -> None:
    if name == "title":
        sheet.title = value
    elif name in ("artist", "by"):
        sheet.composer = value
    elif name == "key":
        sheet.key = value
    elif name == "capo":
        steps = re.match(r"\d{1,2}", value)
        if steps is not None:
            sheet.shift = int(steps.group())
            sheet.say("capo", f"capo {steps.group()}: the band plays {steps.group()} semitones above what is written")
    elif name in ("tempo", "bpm"):
        number = re.match(r"\d{2,3}", value)
        sheet.tempo_bpm = float(number.group()) if number is not None else 0.0
    else:
        metre = re.match(r"([1-9][0-9]?)/(2|4|8|16)", value)
        if metre is not None:
            bars.count, bars.kind = int(metre[1]), int(metre[2])
