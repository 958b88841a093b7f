"""A chart as ChordPro: sections and grids, as it is played. Pure functions, any thread."""

from __future__ import annotations

import re

from ..library import Song
from .notation import BARS_A_LINE, sections_of


def as_chordpro(song: Song) -> str:
    """The text."""
    chart = song.chart
    sections = list(sections_of(chart))
    metre = sections[0][1][0][0]
    head = [("title", song.title), ("composer", song.composer), ("key", chart.key), ("time", metre)]
    if chart.tempo_bpm:
        head.append(("tempo", f"{chart.tempo_bpm:g}"))
    lines = [f"{{{name}: {_plain(value)}}}" for name, value in head if value]
    for section, bars in sections:
        label = f' label="{_plain(section.name)}"' if section.name else ""
        lines += ["", f"{{start_of_grid{label}}}"]
        shown: list[str] = []
        for each, cells in bars:
            if each != metre:
                if shown:
                    lines.append("| " + " | ".join(shown) + " |")
                    shown = []
                lines.append(f"{{time: {each}}}")
                metre = each
            shown.append(cells)
            if len(shown) == BARS_A_LINE:
                lines.append("| " + " | ".join(shown) + " |")
                shown = []
        if shown:
            lines.append("| " + " | ".join(shown) + " |")
        lines.append("{end_of_grid}")
    return "\n".join([*lines, ""])


def _plain(text: str) -> str:
    return " ".join(re.sub(r'[{}"]', " ", text).split())
