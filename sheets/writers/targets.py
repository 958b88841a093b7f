"""Which writer a file's name asks for. Pure functions, any thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..library import Song
from ..sheet import SheetError
from .ireal import as_page
from .notation import as_notation
from .set_list import as_set_list

_MANY: dict[str, Callable[[Sequence[Song], str], str]] = {
    ".yaml": as_set_list,
    ".yml": as_set_list,
    ".html": as_page,
    ".irealb": as_page,
}
_ONE: dict[str, Callable[[Song], str]] = {
    "": lambda song: as_notation(song.chart),
    ".chart": lambda song: as_notation(song.chart),
    ".txt": lambda song: as_notation(song.chart),
}


def text_for(songs: Sequence[Song], suffix: str, where: str) -> str:
    """The songs in the format of that suffix. Raises SheetError: no such format, or one that holds one song only."""
    if suffix in _MANY:
        return _MANY[suffix](songs, where)
    if suffix not in _ONE:
        known = ", ".join(one for one in (*_ONE, *_MANY) if one)
        raise SheetError(f"no format {suffix}: give a name that ends in {known}")
    if len(songs) > 1 and suffix:
        raise SheetError(f"{where} holds {len(songs)} songs, and {suffix} one: name one as {where}#3, or write a .yaml")
    return "\n".join(_ONE[suffix](song) for song in songs)
