"""Links of iReal Pro (irealb:// and irealbook://), alone or in a page with whole playlists, unpacked to songs.

Knows the outside of a song, not its bars (`ireal_bars` does). Pure functions, any thread. The formats: irealbook is
published by its makers; irealb is known from programs that read it.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from urllib.parse import unquote

from ..sheet import SheetError

MOST_SONGS = 5000
MOST_BODY = 20_000
_LINK = re.compile(
    r"(?:(?<=\")(irealb|irealbook)://([^\"]+)|(?<=')(irealb|irealbook)://([^']+)|(irealb|irealbook)://([^\r\n]+))"
)
"""In double quotes, in single ones, or to the end of the line."""
_PREFIX = "1r34LbKcu7"
_SHORT = (("XyQ", "   "), ("LZ", " |"), ("Kcl", "| x"))
_OPEN_FIELDS = 6


@dataclass(frozen=True, slots=True)
class IrealSong:
    """One song, its bars still in iReal's letters."""

    title: str
    composer: str
    style: str
    key: str
    body: str
    tempo_bpm: float = 0.0
    cut_off: bool = False
    """The link ends within the bars."""


def has_link(text: str) -> bool:
    """Whether a link of iReal Pro is in it."""
    return _LINK.search(text) is not None


def songs_of(text: str) -> list[IrealSong]:
    """All songs of all links in the text. Raises SheetError where there is none, and for what is no song."""
    songs: list[IrealSong] = []
    for match in _LINK.finditer(text):
        kind, link = (part for part in match.groups() if part is not None)
        content = unquote(html.unescape(link), errors="replace").strip()
        found = _scrambled(content) if kind == "irealb" else _plain(content)
        songs += found
        if len(songs) > MOST_SONGS:
            raise SheetError(f"more than {MOST_SONGS} songs: export a smaller playlist")
    if not songs:
        raise SheetError("no song in its iReal Pro link: export it again from iReal Pro (Share, then HTML or a link)")
    return songs


def _scrambled(content: str) -> list[IrealSong]:
    """Title, composer, style and key, each of which may be empty, then the bars, and behind them style of the
    accompaniment, tempo and choruses."""
    songs: list[IrealSong] = []
    head, *pieces = content.split(_PREFIX)
    for piece in pieces:
        own, _, after = piece.partition("===")
        fields = [field.strip() for field in head.split("=")]
        title, composer = (*fields, "")[:2]
        named = [field for field in fields[2:] if field and not re.fullmatch(r"-?[0-9]+", field)]
        if not title or not named:
            raise SheetError(f"song {len(songs) + 1} of the link is cut off: export it again from iReal Pro")
        style, key = named[:2] if len(named) > 1 else ("", named[0])
        body, *behind = own.split("=")
        tempo = behind[1] if len(behind) > 2 else ""
        bpm = float(tempo) if re.fullmatch(r"[0-9]{2,3}", tempo) else 0.0
        songs.append(IrealSong(title, composer, style, key, _bounded(_readable(body), title), bpm, not behind))
        head = after
    return songs


def _plain(content: str) -> list[IrealSong]:
    """Six fields for each song: title, composer, style, key, n, bars."""
    fields = content.split("=")
    songs = []
    for first in range(0, len(fields) - _OPEN_FIELDS + 1, _OPEN_FIELDS):
        title, composer, style, key, _, body = (field.strip() for field in fields[first : first + _OPEN_FIELDS])
        songs.append(IrealSong(title, composer, style, key, _bounded(body, title)))
    return songs


def _bounded(body: str, title: str) -> str:
    if len(body) > MOST_BODY:
        raise SheetError(f"{title[:40]!r} has more than {MOST_BODY} letters: is this one song?")
    return body


def _swapped(body: str) -> str:
    """Blocks of 50 letters, of which some change places: scrambles bars, and done again makes them readable."""
    made = []
    while len(body) > 51:
        block, body = list(body[:50]), body[50:]
        for place in (*range(5), *range(10, 24)):
            block[place], block[49 - place] = block[49 - place], block[place]
        made.append("".join(block))
    return "".join(made) + body


def _readable(body: str) -> str:
    """Bars as they were before they were scrambled, signs for short ones written out."""
    text = _swapped(body)
    for short, long in _SHORT:
        text = text.replace(short, long)
    return text


def scrambled(body: str) -> str:
    """The other way round."""
    return _PREFIX + _swapped(body)
