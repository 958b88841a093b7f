"""A song's notes, and the words of the section that is played, as lines. Pure functions, any thread."""

from __future__ import annotations

import re
import textwrap

from .display_text import clean

_HEADING = re.compile(r"\s*\[([^\]]+)\]\s*")


def words_of(notes: str, lyrics: str, section: str) -> list[str]:
    """Notes first; then what stands below the line [SECTION], or all words where they have no such lines."""
    lines = [clean(line) for line in notes.splitlines()]
    texts, name, headed = [], "", False
    for line in lyrics.splitlines():
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            name, headed = heading[1].strip().lower(), True
        else:
            texts.append((name, clean(line)))
    own = [line for of, line in texts if not headed or of == section.lower()]
    while own and not own[-1]:
        own.pop()
    return [*filter(None, lines), *own]


def wrapped(lines: list[str], width: int, most: int) -> list[str]:
    """At most so many lines of at most that width."""
    made: list[str] = []
    for line in lines:
        made += textwrap.wrap(line, max(8, width - 2)) or [""]
    return made[: max(0, most)]
