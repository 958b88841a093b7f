"""A terminal's screen for tests: plays back what the panel writes, and tells what stands there."""

from __future__ import annotations

import re

_PIECES = re.compile(r"\x1b\[(\d*;?\d*)H|(\x1b\[[?\d;]*[A-Za-z])|(.)", re.S)


class Screen:
    """As much of a terminal as the panel uses: moves, colours that are passed over, and text."""

    def __init__(self, columns: int, rows: int) -> None:
        self._rest = ""
        self.cells = [[" "] * columns for _ in range(rows)]
        self.x = self.y = 0

    def feed(self, text: str) -> None:
        text = self._rest + text
        begun = re.search(r"\x1b(\[[?\d;]*)?$", text)  # a sequence that is still on its way
        self._rest = text[begun.start() :] if begun else ""
        for move, other, character in _PIECES.findall(text[: len(text) - len(self._rest)]):
            if character:
                assert character.isprintable(), repr(character)
                self.cells[self.y][self.x] = character  # out of bounds would have scrolled
                self.x += 1
            elif other == "\x1b[2J":
                self.cells = [[" "] * len(row) for row in self.cells]
            elif not other:
                row, _, column = move.partition(";")
                self.y, self.x = int(row or 1) - 1, int(column or 1) - 1

    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.cells]
