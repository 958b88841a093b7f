"""Songs as a set list: presets by their styles, charts inside. Pure functions, any thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..library import Song
from ..sheet import SheetError
from .notation import as_notation

MOST_SONGS = 500
"""Of a set list (presets/setlist.py)."""


def as_set_list(songs: Sequence[Song], where: str) -> str:
    """YAML, as docs/sets.md has it."""
    if len(songs) > MOST_SONGS:
        raise SheetError(f"{len(songs)} songs: a set list holds {MOST_SONGS}; export a smaller playlist")
    lines = [f"name: {_quoted(Path(where).stem)}", "songs:"]
    for song in songs:
        lines.append(f"  - title: {_quoted(song.title)}")
        if song.preset:
            lines.append(f"    preset: {song.preset}")
        if song.chart.key:
            lines.append(f"    key: {_quoted(song.chart.key)}")
        notes = ", ".join(text for text in (song.composer, song.style) if text)
        if notes:
            lines.append(f"    notes: {_quoted(notes)}")
        lines.append("    chart: |")
        lines += [f"      {line}".rstrip() for line in as_notation(song.chart).splitlines()]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    """A YAML string in double quotes."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)[:100]
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
