"""Letters to be read from across a stage: text drawn as rows of blocks, in the largest size that fits.

Knows neither terminals nor states. Pure functions, any thread. The letters are five squares high, and ours.
"""

from __future__ import annotations

from dataclasses import dataclass

_GLYPHS = {
    " ": ("  ", "  ", "  ", "  ", "  "),
    "A": (" ## ", "#  #", "####", "#  #", "#  #"),
    "B": ("### ", "#  #", "### ", "#  #", "### "),
    "C": (" ###", "#   ", "#   ", "#   ", " ###"),
    "D": ("### ", "#  #", "#  #", "#  #", "### "),
    "E": ("####", "#   ", "### ", "#   ", "####"),
    "F": ("####", "#   ", "### ", "#   ", "#   "),
    "G": (" ###", "#   ", "# ##", "#  #", " ###"),
    "H": ("#  #", "#  #", "####", "#  #", "#  #"),
    "I": ("###", " # ", " # ", " # ", "###"),
    "J": ("  ##", "   #", "   #", "#  #", " ## "),
    "K": ("#  #", "# # ", "##  ", "# # ", "#  #"),
    "L": ("#   ", "#   ", "#   ", "#   ", "####"),
    "M": ("#   #", "## ##", "# # #", "#   #", "#   #"),
    "N": ("#   #", "##  #", "# # #", "#  ##", "#   #"),
    "O": (" ## ", "#  #", "#  #", "#  #", " ## "),
    "P": ("### ", "#  #", "### ", "#   ", "#   "),
    "Q": (" ## ", "#  #", "#  #", "# ##", " ###"),
    "R": ("### ", "#  #", "### ", "# # ", "#  #"),
    "S": (" ###", "#   ", " ## ", "   #", "### "),
    "T": ("#####", "  #  ", "  #  ", "  #  ", "  #  "),
    "U": ("#  #", "#  #", "#  #", "#  #", " ## "),
    "V": ("#   #", "#   #", "#   #", " # # ", "  #  "),
    "W": ("#   #", "#   #", "# # #", "## ##", "#   #"),
    "X": ("#   #", " # # ", "  #  ", " # # ", "#   #"),
    "Y": ("#   #", " # # ", "  #  ", "  #  ", "  #  "),
    "Z": ("####", "   #", " ## ", "#   ", "####"),
    "0": (" ## ", "#  #", "#  #", "#  #", " ## "),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("### ", "   #", " ## ", "#   ", "####"),
    "3": ("### ", "   #", " ## ", "   #", "### "),
    "4": ("#  #", "#  #", "####", "   #", "   #"),
    "5": ("####", "#   ", "### ", "   #", "### "),
    "6": (" ## ", "#   ", "### ", "#  #", " ## "),
    "7": ("####", "   #", "  # ", " #  ", " #  "),
    "8": (" ## ", "#  #", " ## ", "#  #", " ## "),
    "9": (" ## ", "#  #", " ###", "   #", " ## "),
    "#": (" # # ", "#####", " # # ", "#####", " # # "),
    "/": ("   #", "  # ", "  # ", " #  ", "#   "),
    "-": ("   ", "   ", "###", "   ", "   "),
    "+": ("   ", " # ", "###", " # ", "   "),
    ".": (" ", " ", " ", " ", "#"),
    "(": (" #", "# ", "# ", "# ", " #"),
    ")": ("# ", " #", " #", " #", "# "),
    "a": ("    ", " ###", "#  #", "#  #", " ###"),
    "b": ("#   ", "#   ", "### ", "#  #", "### "),
    "d": ("   #", "   #", " ###", "#  #", " ###"),
    "g": (" ###", "#  #", " ###", "   #", " ## "),
    "i": ("#", " ", "#", "#", "#"),
    "j": (" #", "  ", " #", " #", "# "),
    "m": ("     ", "#### ", "# # #", "# # #", "# # #"),
    "o": ("    ", " ## ", "#  #", "#  #", " ## "),
    "s": ("    ", " ###", "##  ", "  ##", "### "),
    "u": ("    ", "#  #", "#  #", "#  #", " ###"),
}
"""Lower case only for what chord names hold: maj, dim, aug, sus, add."""
_HIGH = 5


@dataclass(frozen=True, slots=True)
class _Size:
    """Columns and rows of one square; of half a row, two squares share a cell. Any thread."""

    columns: int
    rows: float


_SIZES = tuple(_Size(columns, rows) for columns, rows in ((6, 3), (4, 2), (2, 1), (1, 1), (1, 0.5)))


def big_letters(text: str, columns: int, rows: int, blocks: bool = True) -> list[str]:
    """`text` in the largest size that fits `columns` and `rows`: lines of one width; none where no size fits.

    `blocks`: whether the terminal can show more than ASCII. Characters without a letter of ours give none as well.
    """
    glyphs = [_GLYPHS.get(character) or _GLYPHS.get(character.upper()) for character in text]
    if not glyphs or None in glyphs:
        return []
    squares = [" ".join(glyph[line] for glyph in glyphs if glyph is not None) for line in range(_HIGH)]
    for size in _SIZES:
        if len(squares[0]) * size.columns > columns or _HIGH * size.rows > rows:
            continue
        if size.rows < 1:
            return _halves(squares) if blocks and rows > _HIGH // 2 else []
        ink = "█" if blocks else "#"
        wide = ["".join(square * size.columns for square in line).replace("#", ink) for line in squares]
        return [line for line in wide for _ in range(int(size.rows))]
    return []


def _halves(squares: list[str]) -> list[str]:
    """Two rows of squares in each line of text."""
    signs = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    padded = [*squares, " " * len(squares[0])]
    return [
        "".join(signs[upper == "#", lower == "#"] for upper, lower in zip(*padded[line : line + 2], strict=True))
        for line in range(0, _HIGH, 2)
    ]
