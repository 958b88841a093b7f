"""The order in which the bars of a sheet are played: repeats, endings, D.C., D.S., coda, fine.

Knows neither chords nor formats. Pure functions, any thread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..engine.charts.chart_jumps import shown
from .sheet import MOST_BARS, Sheet, SheetBar, SheetError

# Marks that are of a bar's beginning: "segno", "coda". Of its end: "to coda", "fine", and the jumps back.
_BACK = re.compile(r"(?P<to>dc|ds)(?: al (?:(?P<how>fine|coda)|ending (?P<ending>[1-9])))?")
_TEXT = re.compile(
    r"\b(?P<to>d\.?\s?[cs]\b\.?|da\s+capo|dal\s+segno)"
    r"(?:\s+(?:(?:al|to|till)\s+)?(?:the\s+)?(?:(?P<how>fine|coda)|(?P<ending>[1-9])(?:st|nd|rd|th)?\s*end\w*))?",
    re.IGNORECASE,
)


def mark_of(text: str) -> str:
    """The mark that a text says ("D.S. al Coda" is "ds al coda"); empty for none."""
    plain = " ".join(text.replace(".", ". ").split()).replace(". c", ".c").replace(". s", ".s")
    plain = re.sub(r"(?i)\b(d)\.\s*(c|s)\b", r"\1.\2", plain)
    match = _TEXT.search(plain)
    if match is not None:
        letters = re.sub(r"[^a-z]", "", match["to"].lower())
        word = "ds" if letters in ("ds", "dalsegno") else "dc"
        if match["ending"]:
            return f"{word} al ending {match['ending']}"
        return f"{word} al {match['how'].lower()}" if match["how"] else word
    low = plain.lower().strip(" .()")
    if re.fullmatch(r"(?:al|to)\s+(?:the\s+)?coda(?:\s*[⊕𝄌])?", low):
        return "to coda"
    return low if low in ("fine", "segno", "coda") else ""


def in_order(sheet: Sheet) -> list[int]:
    """Numbers of the sheet's bars as they are played. Raises SheetError for more than a song has."""
    order = _in_order(sheet)
    missed = next((bar for n, bar in enumerate(sheet.bars) if bar.endings and n not in set(order)), None)
    if missed is not None:
        numbers = ", ".join(map(str, missed.endings))
        sheet.say("missed", f"{missed.place}: ending {numbers} is never played: no repeat leads there")
    return order


def _in_order(sheet: Sheet) -> list[int]:
    bars = sheet.bars
    jump = _jump(sheet)
    if jump is None:
        return _through(bars, 0, len(bars))
    back, match = jump
    first = _through(bars, 0, back + 1)
    start = 0
    if match["to"] == "ds":
        signs = [number for number in range(back + 1) if "segno" in bars[number].marks]
        if not signs:
            sheet.say("segno", f"{bars[back].place}: D.S. without a segno before it is played as D.C.")
        start = signs[-1] if signs else 0
    if match["ending"]:
        return _bounded(first + _to_ending(sheet, start, back, int(match["ending"])))
    leave, coda = _codas(bars, start, back)
    fine = next((number for number in range(start, back + 1) if "fine" in bars[number].marks), None)
    if match["how"] != "fine" and leave is not None and coda is not None:
        tail = _through(bars, coda, len(bars))
        return _bounded(first + _straight(bars, start, leave + 1) + tail)
    if match["how"] == "coda":
        sheet.say("coda", f"{bars[back].place}: {shown(match.group())} lacks a coda sign: played to where it stands")
    elif match["how"] == "fine" and fine is None:
        sheet.say("fine", f"{bars[back].place}: {shown(match.group())} without a Fine: played to where it stands")
    end = back if fine is None or match["how"] == "coda" else fine
    return _bounded(first + _straight(bars, start, end + 1))


def _jump(sheet: Sheet) -> tuple[int, re.Match[str]] | None:
    """The bar that jumps back, and how; the first where there are more."""
    found = []
    for number, bar in enumerate(sheet.bars):
        for mark in bar.marks:
            match = _BACK.fullmatch(mark)
            if match is not None:
                found.append((number, match))
    if not found:
        return None
    if len(found) > 1:
        place = sheet.bars[found[1][0]].place
        sheet.say("jumps", f"{place}: a second {shown(found[1][1].group())}: only the first jump back is played")
    return found[0]


def _codas(bars: Sequence[SheetBar], start: int, back: int) -> tuple[int | None, int | None]:
    """Where it is left, and where the coda begins. Two coda signs alone are the one and the other."""
    leave = next((number for number in range(start, back + 1) if "to coda" in bars[number].marks), None)
    signs = [number for number, bar in enumerate(bars) if "coda" in bar.marks]
    if leave is None and len(signs) > 1:
        leave, signs = signs[0] - 1, signs[1:]
        if leave < start:
            leave = None
    coda = next((number for number in signs if number > back), signs[-1] if signs else None)
    return leave, coda if leave is None or coda is None or coda > leave else None


def _through(bars: Sequence[SheetBar], start: int, end: int) -> list[int]:
    """With all repeats."""
    made: list[int] = []
    begin, passes, number = start, 1, start
    in_endings = False
    while number < end:
        bar = bars[number]
        if in_endings and not bar.endings:  # the repeat is over
            begin, passes, in_endings = number, 1, False
        if bar.opens and number != begin:
            begin, passes, in_endings = number, 1, False
        if bar.endings:
            in_endings = True
            if passes not in bar.endings:
                number += 1
                continue
        made.append(number)
        _bounded(made)
        if bar.closes:
            if passes < _passes(bars, number, begin):
                number, passes, in_endings = begin, passes + 1, False
                continue
            if not bar.endings:
                begin, passes = number + 1, 1
        number += 1
    return made


def _group(bars: Sequence[SheetBar], begin: int, number: int) -> list[tuple[int, ...]]:
    """The endings of the repeat that bar `number` is in."""
    low = high = number
    while low > begin and bars[low - 1].endings:
        low -= 1
    while high + 1 < len(bars) and bars[high + 1].endings and not bars[high + 1].opens:
        high += 1
    return [bar.endings for bar in bars[low : high + 1]]


def _passes(bars: Sequence[SheetBar], number: int, begin: int) -> int:
    """How often the repeat that bar `number` closes is played in all."""
    bar = bars[number]
    if not bar.endings:
        return bar.closes
    numbers = {one for endings in _group(bars, begin, number) for one in endings}
    most = max(numbers)
    return max(2, most) if most == 1 else most


def _straight(bars: Sequence[SheetBar], start: int, end: int) -> list[int]:
    """Without repeats: of each only the last ending."""
    made: list[int] = []
    for number in range(start, end):
        endings = bars[number].endings
        if endings and max(one for group in _group(bars, 0, number) for one in group) not in endings:
            continue
        made.append(number)
    return made


def _to_ending(sheet: Sheet, start: int, back: int, ending: int) -> list[int]:
    """Without repeats up to the first ending, and from the asked one on, which may stand behind another section."""
    bars = sheet.bars
    fork = next((number for number in range(start, len(bars)) if bars[number].endings), None)
    into = next((number for number in range(start, len(bars)) if ending in bars[number].endings), None)
    if fork is None or into is None:
        sheet.say(
            "ending", f"{bars[back].place}: jumps to ending {ending}, and there is none: played to where it stands"
        )
        return _straight(bars, start, back + 1)
    end = into
    while end < len(bars) and (ending in bars[end].endings or into > back):
        end += 1
    return [*range(start, fork), *range(into, end)]


def _bounded(made: list[int]) -> list[int]:
    if len(made) > MOST_BARS:
        raise SheetError(f"more than {MOST_BARS} bars with all repeats: is this one song?")
    return made
