"""Charts as a page with links of iReal Pro, as they are played. Pure functions, any thread."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from ...engine.charts.chart import Chart
from ...engine.charts.chord_symbol import parse_key
from ..library import Song
from ..readers.ireal_links import scrambled
from ..sheet import SheetError
from .notation import bars_of

_STYLES = {
    "swing": "Medium Swing", "jazz_waltz": "Waltz", "bossa_nova": "Bossa Nova", "samba": "Samba",
    "slow_blues": "Slow Blues",
    "blues_shuffle": "Shuffle", "rock": "Rock", "pop_ballad": "Rock Ballad", "funk": "Funk", "reggae": "Reggae",
    "country_train": "Country", "soul": "Soul",
}  # fmt: skip
_METRES = ("4/4", "3/4", "2/4", "5/4", "6/4", "7/4", "2/2", "3/2", "5/8", "6/8", "7/8", "9/8", "12/8")
_SECTIONS = {"intro": "i", "verse": "v"}
_SPELLINGS = (
    ("6/9", "69"), ("maj7", "^7"), ("maj9", "^9"), ("maj13", "^13"), ("maj", "^"), ("mM7", "-^7"), ("mM9", "-^9"),
    ("m7b5", "h7"), ("ø7", "h7"), ("ø9", "h9"), ("ø", "h"), ("dim7", "o7"), ("dim", "o"),
    ("aug7", "7#5"), ("+7", "7#5"), ("aug", "+"), ("min", "-"),
    ("7sus4", "7sus"), ("9sus4", "9sus"), ("13sus4", "13sus"), ("sus4", "sus"), ("sus2", "2"),
    ("(", ""), (")", ""), (",", ""),
)  # fmt: skip
_QUALITIES = frozenset(
    [
        "5",
        "2",
        "add9",
        "+",
        "o",
        "h",
        "sus",
        "^",
        "-",
        "^7",
        "-7",
        "7",
        "7sus",
        "h7",
        "o7",
        "^9",
        "^13",
        "6",
        "69",
        "^7#11",
        "^9#11",
        "^7#5",
        "-6",
        "-69",
        "-^7",
        "-^9",
        "-9",
        "-11",
        "-7b5",
        "h9",
        "-b6",
        "-#5",
        "9",
        "7b9",
        "7#9",
        "7#11",
        "7b5",
        "7#5",
        "9#11",
        "9b5",
        "9#5",
        "7b13",
        "7#9#5",
        "7#9b5",
        "7#9#11",
        "7b9#11",
        "7b9b5",
        "7b9#5",
        "7b9#9",
        "7b9b13",
        "7alt",
        "13",
        "13#11",
        "13b9",
        "13#9",
        "7b9sus",
        "7susadd3",
        "9sus",
        "13sus",
        "7b13sus",
        "11",
    ]
) | {""}
"""What iReal Pro knows; everything else is written between stars, as a chord of the user's own."""


def as_page(songs: Sequence[Song], where: str) -> str:
    """An HTML page with one link, which opens in iReal Pro."""
    name = Path(where).stem or "GigMate"
    texts = [_song(song) for song in songs]
    link = "irealb://" + quote("===".join([*texts, name] if len(texts) > 1 else texts), safe="")
    titles = "".join(f"<li>{html.escape(song.title)}</li>\n" for song in songs)
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{html.escape(name)}</title></head>\n'
        f'<body><p><a href="{link}">{html.escape(name)}</a></p>\n<ol>\n{titles}</ol>\n</body></html>\n'
    )


def _song(song: Song) -> str:
    chart = song.chart
    style = song.style or _STYLES.get(song.preset, "Medium Swing")
    fields = [_field(text) for text in (song.title, song.composer or "Unknown", style)]
    tempo = round(chart.tempo_bpm)
    return f"{fields[0]}={fields[1]}=={fields[2]}={_key(chart)}=={scrambled(_body(chart))}=={tempo}=0"


def _field(text: str) -> str:
    return " ".join(text.replace("=", " ").split()) or "Untitled"


def _key(chart: Chart) -> str:
    if not chart.key:
        return "C"
    minor = parse_key(chart.key)[1]
    note = re.match(r"[A-G][#b]?", chart.key)
    return (note.group() if note else "C") + ("-" if minor else "")


def _body(chart: Chart) -> str:
    made, metre, first = [], "", 0
    for section in chart.sections:
        bars = bars_of(chart, section, first)
        first += section.bars
        letter = _SECTIONS.get(section.name.lower(), section.name if re.fullmatch(r"[A-D]", section.name) else "")
        head = (
            f"*{letter}" if letter else f"<{section.name.replace('>', ' ').replace('<', ' ')}>" if section.name else ""
        )
        shown = []
        for number, (each, cells) in enumerate(bars):
            if each not in _METRES:
                raise SheetError(f"bar {first - section.bars + number + 1}: iReal Pro has no {each}")
            change = "" if each == metre else f"T{'12' if each == '12/8' else each.replace('/', '')}"
            metre = each
            shown.append(change + _cells(cells))
        made.append(f"[{head}" + "|".join(shown) + "]")
    return "".join(made)[:-1] + "Z"


def _cells(text: str) -> str:
    words = text.split()
    if len(words) == 1:
        return _chord(words[0]) + "   "
    made = []
    for number, word in enumerate(words):
        last = number + 1 == len(words)
        held = not last and words[number + 1] == "."
        made.append(" " if word == "." else _chord(word) + ("" if held or last else ","))
    return "".join(made)


def _chord(name: str) -> str:
    if name == "N.C.":
        return "n"
    root = re.match(r"[A-G](?:bb|##|[b#])?", name)
    if root is None or len(root.group()) > 2:
        raise SheetError(f"iReal Pro cannot write {name}")
    quality, slash, bass = name[root.end() :].partition("/")
    if bass and not bass[0].isalpha():  # 6/9
        quality, slash, bass = name[root.end() :], "", ""
        if quality.count("/") > 1:
            quality, _, bass = quality.rpartition("/")
            slash = "/"
    for ours, theirs in _SPELLINGS:
        quality = quality.replace(ours, theirs)
    quality = re.sub(r"^m(?!a)", "-", quality)
    if quality not in _QUALITIES:
        quality = f"*{quality}*"
    return root.group() + quality + slash + bass
