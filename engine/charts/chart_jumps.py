"""Jumps in a chart: D.C., D.S., Segno, To Coda, Coda and Fine.

Knows neither text nor chords: a bar is whatever it is given, with the marks on it. Pure functions, any thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from .chart_repeats import RepeatError

Mark = Literal["segno", "to coda", "coda", "fine", "dc", "ds", "dc al fine", "dc al coda", "ds al fine", "ds al coda"]
Bar = TypeVar("Bar")

_SIGNS = (("𝄋", " segno "), ("𝄌", " coda "), ("⊕", " coda "))
_MARK = re.compile(
    r"(?<![^\s|])(?:(?P<back>d\.?\s?[cs]\.?|da\s+capo|dal\s+segno)(?:\s+al\s+(?P<to>fine|coda))?"
    r"|(?P<mark>to\s+coda|segno|coda|fine))(?![^\s|])",
    re.IGNORECASE,
)
_AT_THE_BEGINNING = ("segno", "coda")


def with_plain_marks(text: str) -> str:
    """The line with words for the signs of segno and coda."""
    for sign, word in _SIGNS:
        text = text.replace(sign, word)
    return text


def without_marks(cells: str) -> tuple[str, list[Mark]]:
    """A bar's text without the marks in it, and these, in their order."""
    marks: list[Mark] = []

    def take(match: re.Match[str]) -> str:
        marks.append(_name(match))
        return " "

    return _MARK.sub(take, cells).strip(), marks


def belongs_to_next(mark: Mark) -> bool:
    """Whether a mark that stands by itself is of the bar behind it; the others are of the bar before."""
    return mark in _AT_THE_BEGINNING


def played(
    once: Sequence[Bar], straight: Sequence[Bar], marks_of: Callable[[Bar], Sequence[Mark]], room: Callable[[int], None]
) -> list[Bar]:
    """All bars in the order in which they are played.

    `once` are the bars with their repeats, `straight` those without (each repeat once, with its last ending), as they
    are played after a jump back. `room(n)` is asked before n more bars are played.

    Raises RepeatError for marks that do not go together.
    """
    back = _only(straight, marks_of, lambda mark: mark[:2] in ("dc", "ds"), "D.C. or D.S.")
    if back is None:
        _nothing_left_over(straight, marks_of)
        return list(once)
    word = next(mark for mark in marks_of(straight[back]) if mark[:2] in ("dc", "ds"))
    fine = _only(straight, marks_of, lambda mark: mark == "fine", "Fine")
    leave, coda = _codas(straight, marks_of)
    start = 0
    if word.startswith("ds"):
        segno = _only(straight, marks_of, lambda mark: mark == "segno", "Segno")
        if segno is None or segno > back:
            raise RepeatError("D.S. without a Segno before it: write Segno where it goes back to, or D.C.")
        start = segno
    first = list(once[: 1 + max(index for index, bar in enumerate(once) if bar is straight[back])])
    if word.endswith("coda") or (not word.endswith("fine") and fine is None and coda is not None):
        if leave is None or coda is None or not start <= leave <= back < coda:
            raise RepeatError(
                f"{shown(word)}: write To Coda where it leaves, and Coda after the jump, where it goes on"
            )
        tail = once[next(index for index, bar in enumerate(once) if bar is straight[coda]) :]
        again = [*straight[start : leave + 1], *tail]
    else:
        if word.endswith("fine") and (fine is None or not start <= fine <= back):
            raise RepeatError(f"{shown(word)} without a Fine before it: write Fine in the bar on which the song ends")
        again = list(straight[start : (back if fine is None else fine) + 1])
        if len(straight) > back + 1:
            raise RepeatError(f"bars after {shown(word)} that nothing leads to: write To Coda and Coda")
    room(len(first) + len(again) - len(once))
    return first + again


def _codas(straight: Sequence[Bar], marks_of: Callable[[Bar], Sequence[Mark]]) -> tuple[int | None, int | None]:
    """Where it is left for the coda, and where the coda begins. The sign alone, written twice, is the one, then the
    other."""
    leave = _only(straight, marks_of, lambda mark: mark == "to coda", "To Coda")
    signs = [index for index, bar in enumerate(straight) if "coda" in marks_of(bar)]
    if leave is None and len(signs) == 2:
        leave, signs = signs[0], signs[1:]
    if len(signs) > 1:
        raise RepeatError("more than one Coda: a chart has one")
    return leave, signs[0] if signs else None


def _only(
    straight: Sequence[Bar], marks_of: Callable[[Bar], Sequence[Mark]], wanted: Callable[[Mark], bool], name: str
) -> int | None:
    found = [index for index, bar in enumerate(straight) if any(wanted(mark) for mark in marks_of(bar))]
    if len(found) > 1:
        raise RepeatError(f"more than one {name}: a chart has one")
    return found[0] if found else None


def _nothing_left_over(straight: Sequence[Bar], marks_of: Callable[[Bar], Sequence[Mark]]) -> None:
    """Without a jump back marks mean nothing, but a Fine or a To Coda is waiting for one."""
    for bar in straight:
        for mark in marks_of(bar):
            if mark in ("fine", "to coda"):
                raise RepeatError(f"{shown(mark)}, and no D.C. or D.S.: write it where the song goes back")


def _name(match: re.Match[str]) -> Mark:
    if match["mark"]:
        return " ".join(match["mark"].lower().split())  # type: ignore[return-value]
    back = re.sub(r"[^a-z]", "", match["back"].lower())
    word = "ds" if back in ("ds", "dalsegno") else "dc"
    return f"{word} al {match['to'].lower()}" if match["to"] else word  # type: ignore[return-value]


def shown(word: str) -> str:
    """A mark as musicians write it: "D.S. al Coda"."""
    return " ".join({"dc": "D.C.", "ds": "D.S.", "al": "al"}.get(part, part.title()) for part in word.split())
