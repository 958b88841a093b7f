"""Which writer a file's name asks for. Pure functions, any thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..library import Song, open_bytes
from ..sheet import SheetError
from .chordpro import as_chordpro
from .ireal import as_page
from .music_xml import as_music_xml
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
    ".cho": as_chordpro,
    ".chopro": as_chordpro,
    ".pro": as_chordpro,
    ".musicxml": as_music_xml,
    ".xml": as_music_xml,
}


def is_known(suffix: str) -> bool:
    """Whether something can be written for a name that ends so."""
    return suffix in _MANY or suffix in _ONE


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


def lost(songs: Sequence[Song], text: str, where: str, suffix: str) -> list[str]:
    """What a program that reads the text finds changed: of each song the first chord that is not as it was."""
    if suffix in (".yaml", ".yml"):
        return []
    read = open_bytes(text.encode(), where, suffix or ".chart")
    lines = []
    for number, song in enumerate(songs[: len(read.entries)]):
        again = read.song(number).chart
        for before, after in zip(song.chart.changes, again.changes, strict=False):
            one, two = before.chord, after.chord
            if (one.root, one.bass, one.pitch_classes) != (two.root, two.bass, two.pitch_classes):
                bar = int(song.chart.bar_at_beat(before.beat)) + 1
                lines.append(f"bar {bar}: {one.name} is written as {two.name}: the format has no such chord")
                break
        asking = next((one for one in song.chart.sections if one.settings.given()), None)
        if asking is not None and not any(one.settings.given() for one in again.sections):
            names = ", ".join(asking.settings.given())
            lines.append(
                f"[{asking.name}]: {names} is left out: only .chart and .yaml say what a section asks of the band"
            )
    return lines
