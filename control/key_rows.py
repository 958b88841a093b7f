"""The table of keys as rows of styled text: two keys side by side where both are short. Pure functions, any thread."""

from __future__ import annotations

from .keys import KEY_TABLE

_SHOWN_COLUMNS = 10


def key_rows(width: int) -> list[tuple[tuple[str, str], ...]]:
    """Rows of (text, style) of at most `width` columns where the texts allow it."""
    half = (width + 1) // 2
    rows: list[tuple[tuple[str, str], ...]] = []
    room = False  # whether the last row is half empty
    for key in KEY_TABLE:
        cells = ((f" {key.shown:<{_SHOWN_COLUMNS - 1}}", "bold"), (key.text, ""))
        short = _SHOWN_COLUMNS + len(key.text) <= half
        if short and room:
            rows[-1] = (*rows[-1][:-1], (f"{rows[-1][-1][0]:<{half - _SHOWN_COLUMNS}}", ""), *cells)
        else:
            rows.append(cells)
        room = short and not room
    return rows
