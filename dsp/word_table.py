"""Declared tables of 64-bit words in memory that compiled code and Python share: each word's offset, and its page.

Knows no thread and no sound: a table says in words who writes what. An offset is computed from the order of
declaration, as a plain int, which numba compiles in as a constant. Any thread; tables are made at import.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CACHE_LINE_WORDS = 16
"""128 bytes: one line on some machines, a pair that is fetched together on the others."""


@dataclass(frozen=True, slots=True)
class Word:
    """One declared word, or several side by side that hold a table of their own. Any thread."""

    name: str
    offset: int
    words: int
    kind: str
    """int64, float64, flag, address (of what), or the name of a table."""
    writer: str
    unit: str
    """"" for what has none."""
    meaning: str


class WordTable:
    """The words of one structure, in the order of declaration.

    Main thread only, at import; what it gave (`size`, the offsets) is fixed from then on.
    """

    def __init__(self, title: str, about: str) -> None:
        self.title = title
        self.about = about
        self.declared: list[Word] = []
        self._writer = ""
        self._next = 0

    def writer(self, who: str) -> None:
        """What is declared from here on is written by them, and stands on cache lines of its own."""
        self._next = -(-self._next // CACHE_LINE_WORDS) * CACHE_LINE_WORDS
        self._writer = who

    def word(self, name: str, kind: str, meaning: str, unit: str = "", words: int = 1) -> int:
        """Declare the next word; returns its offset, in words. Raises ValueError for a name that there is already."""
        if any(known.name == name for known in self.declared):
            raise ValueError(f"{self.title}: the word {name} is declared twice")
        offset = self._next
        self.declared.append(Word(name, offset, words, kind, self._writer, unit, meaning))
        self._next += words
        return offset

    @property
    def size(self) -> int:
        """Words in whole cache lines, so that two structures never share one."""
        return -(-self._next // CACHE_LINE_WORDS) * CACHE_LINE_WORDS


def as_markdown(tables: Iterable[WordTable]) -> str:
    """One section for each table."""
    lines = []
    for table in tables:
        lines += [f"## {table.title}", "", table.about, "", f"{table.size} words.", ""]
        lines += ["| Offset | Name | Type | Unit | Written by | Meaning |", "|---|---|---|---|---|---|"]
        for word in table.declared:
            cells = (str(word.offset), f"`{word.name.lstrip('_')}`", word.kind, word.unit, word.writer, word.meaning)
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)
