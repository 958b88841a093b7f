"""Chart files of any format: which it is, the songs in it, and one of them as a chart.

`FILE#3` or `FILE#Title` names a song of a file that holds several. Reads files, writes none; any thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ..engine.charts.chart import Chart, ChartError
from ..engine.charts.chart_headers import near
from ..engine.charts.chart_parser import parse_chart
from .link import is_link
from .readers import abc_tunes, chordpro, ireal_bars, ireal_links, midi_chords, music_xml, words
from .safe_xml import parse_xml, unpack_mxl
from .sheet import Sheet, SheetError
from .sheet_chart import chart_from
from .styles import preset_for

MOST_FILE_BYTES = 16_000_000
MOST_TEXT, MOST_LINE = 4_000_000, 20_000
"""Of charts in plain text, in letters."""
_ENCODING = re.compile(r"(<\?xml[^>]{0,100}?)\s+encoding\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|score-|!DOCTYPE\s+score)")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CHORDPRO = (".cho", ".crd", ".chopro", ".chordpro", ".pro", ".chord")
NOTATION = "the notation of GigMate"
_ELSEWHERE = {
    **dict.fromkeys((".sgu", ".mgu", ".sg1", ".mg1", ".bb"), "Band-in-a-Box keeps its format to itself"),
    **dict.fromkeys((".mscz", ".mscx"), "MuseScore's own files are not read"),
    **dict.fromkeys((".gp", ".gpx", ".gp5", ".gp4", ".gp3", ".ptb"), "tablature is not read"),
    **dict.fromkeys((".sib", ".musx", ".mus", ".dorico"), "files of engraving programs are not read"),
    ".pdf": "a picture of a chart cannot be read",
}
"""Files of programs that can save one of the formats that are read."""


@dataclass(frozen=True, slots=True)
class Song:
    """One song of a file. Any thread."""

    title: str
    composer: str
    style: str
    """As the file says it; empty where it does not."""
    preset: str
    """The preset that is nearest to that; empty for none."""
    chart: Chart


@dataclass(frozen=True, slots=True)
class Entry:
    """A song that has not been read yet. Any thread."""

    title: str
    read: Callable[[], Sheet | Chart]


@dataclass(frozen=True, slots=True)
class SongFile:
    """What a file holds. Any thread."""

    where: str
    format: str
    entries: tuple[Entry, ...]

    def song(self, number: int) -> Song:
        """Song `number` (from 0). Raises ChartError with file and song."""
        entry = self.entries[number]
        try:
            read = entry.read()
            if isinstance(read, Chart):
                return Song(read.title or entry.title, "", "", "", read)
            chart = chart_from(read)
        except ChartError as error:
            named = f" song {number + 1} ({entry.title[:40]})" if len(self.entries) > 1 else ""
            text = str(error)
            raise ChartError(text if text.startswith(self.where) else f"{self.where}{named}: {text}") from None
        return Song(
            chart.title or entry.title, read.composer, read.style, preset_for(read.style, chart.beats_per_bar), chart
        )


def open_songs(source: str | Path) -> tuple[SongFile, list[int]]:
    """The file's songs, and which of them are asked for: all, or that behind the #.

    `source` may be a link of iReal Pro, too. Raises ChartError for a file that cannot be read.
    """
    text = str(source)
    if is_link(text):
        found = _of_text(text, "the link", "")
        return found, list(range(len(found.entries)))
    path, wanted = Path(text), ""
    if not path.exists() and "#" in path.name:
        name, _, wanted = text.rpartition("#")
        path = Path(name)
    found = open_bytes(_read(path), str(path), path.suffix.lower())
    return found, [_number(found, wanted)] if wanted else list(range(len(found.entries)))


def read_chart(source: str | Path) -> Chart:
    """The chart in a file of any format. Raises ChartError, also for a file of several songs that names none."""
    return read_song(source).chart


def read_song(source: str | Path) -> Song:
    """The song in a file of any format. Raises ChartError, also for a file of several songs that names none."""
    found, numbers = open_songs(source)
    if len(numbers) > 1:
        raise ChartError(
            f"{found.where} holds {len(numbers)} songs: name one as {found.where}#3 or {found.where}#Title, or make a "
            f"set list of them with `gigmate charts convert {found.where} evening.yaml`"
        )
    return found.song(numbers[0])


def chart_of_text(text: str, where: str = "chart") -> Chart:
    """The chart in a text that is no file's: our notation, or any format that is text. Raises ChartError.

    Nothing is opened: the name of a file, or a link to one, is no chart.
    """
    if _XML.match(text[:100].encode("utf-8", "replace")):
        # It came as letters: the bytes that it once was in are not those that it has now.
        return _only(open_bytes(_ENCODING.sub(r"\1", text, count=1).encode("utf-8", "replace"), where))
    return _only(_of_text(text.removeprefix("\ufeff"), where, ""))


def chart_of_bytes(data: bytes, name: str = "", where: str = "chart") -> Chart:
    """The chart in a file's bytes; `name` is what the file was called. Raises ChartError."""
    return _only(open_bytes(data, where, Path(name).suffix.lower()))


def _only(found: SongFile) -> Chart:
    if len(found.entries) > 1:
        titles = ", ".join(entry.title for entry in found.entries[:3])
        raise ChartError(f"{found.where}: {len(found.entries)} songs ({titles[:90]} ...): give one of them alone")
    return found.song(0).chart


def open_bytes(data: bytes, where: str, suffix: str = "") -> SongFile:
    """The songs in a file's bytes. `where` begins the errors; `suffix` (".abc") helps where the bytes do not tell."""
    if suffix in _ELSEWHERE:
        raise ChartError(f"{where}: {_ELSEWHERE[suffix]}: save it as MusicXML there (or MIDI), and give that")
    if data[:4] == b"MThd" or (data[:4] == b"RIFF" and data[8:12] == b"RMID"):
        return SongFile(where, "MIDI", (Entry(Path(where).stem, _later(midi_chords.sheet_of, data)),))
    if data[:2] == b"PK":
        return SongFile(where, "MusicXML", (Entry(Path(where).stem, lambda: _of_xml(unpack_mxl(data))),))
    if data[:2] in _UTF16:
        text = data.decode("utf-16", errors="replace")
        if not _XML.match(text[:100].encode()):  # a text, as Windows saves it
            return _of_text(text, where, suffix)
    if _XML.match(data) or data[:2] in _UTF16:
        return SongFile(where, "MusicXML", (Entry(Path(where).stem, lambda: _of_xml(data)),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"\0" in data[:1000]:
            raise ChartError(f"{where}: is no chart that is read here: see docs/charts.md for the formats") from None
        text = data.decode("cp1252", errors="replace")  # what older programs on Windows wrote
    return _of_text(text, where, suffix)


def _of_text(text: str, where: str, suffix: str) -> SongFile:
    if ireal_links.has_link(text):
        try:
            songs = ireal_links.songs_of(text)
        except SheetError as error:
            raise ChartError(f"{where}: {error}") from None
        entries = tuple(Entry(song.title, _later(ireal_bars.sheet_of, song)) for song in songs)
        return SongFile(where, "iReal Pro", entries)
    _check(text, where)
    if suffix == ".abc" or (suffix != ".chart" and abc_tunes.looks_like(text)):
        return SongFile(where, "ABC", _several(abc_tunes, text, where))
    if suffix in _CHORDPRO or (suffix != ".chart" and chordpro.looks_like(text)):
        return SongFile(where, "ChordPro", _several(chordpro, text, where))
    if suffix != ".chart" and "|" not in text and words.looks_like(text):
        return SongFile(where, "words with chords", (Entry(Path(where).stem, _later(words.sheet_of, text)),))
    if suffix in (".txt", ".crd") and not _is_notation(text) and words.looks_like(text):
        return SongFile(where, "words with chords", (Entry(Path(where).stem, _later(words.sheet_of, text)),))
    return SongFile(where, NOTATION, (Entry(Path(where).stem, lambda: parse_chart(text, where)),))


def _of_xml(data: bytes) -> Sheet:
    return music_xml.sheet_of(parse_xml(data))


def _is_notation(text: str) -> bool:
    """Whether it reads as ours; a sheet of words has lines without bars."""
    try:
        parse_chart(text, "")
    except ChartError:
        return False
    return True


def _check(text: str, where: str) -> None:
    """Refuse what no musician typed before anything searches in it."""
    if len(text) > MOST_TEXT or max(map(len, text.splitlines()), default=0) > MOST_LINE:
        most = f"{MOST_TEXT // 1_000_000} MB of text, or a line of more than {MOST_LINE} letters"
        raise ChartError(f"{where}: more than {most}: is this a chart?")


def _several(reader: ModuleType, text: str, where: str) -> tuple[Entry, ...]:
    try:
        songs = reader.songs_of(text)
    except SheetError as error:
        raise ChartError(f"{where}: {error}") from None
    if not songs:
        raise ChartError(f"{where}: there is no song in it")
    return tuple(Entry(title or Path(where).stem, _later(reader.sheet_of, song)) for title, song in songs)


def _later(read: Callable[..., Sheet], *given: object) -> Callable[[], Sheet]:
    return lambda: read(*given)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise ChartError(f"cannot read the chart {path}: {error.strerror}") from None
    if len(data) > MOST_FILE_BYTES:
        raise ChartError(f"{path}: more than {MOST_FILE_BYTES // 1_000_000} MB: is this a chart?")
    return data


def _number(found: SongFile, wanted: str) -> int:
    titles = [entry.title for entry in found.entries]
    if wanted.strip().isdigit() and 1 <= int(wanted) <= len(titles):
        return int(wanted) - 1
    low = wanted.strip().lower()
    same = [number for number, title in enumerate(titles) if title.lower() == low]
    same = same or [number for number, title in enumerate(titles) if low in title.lower()]
    if len(same) == 1:
        return same[0]
    if same:
        raise ChartError(
            f"{found.where}: {len(same)} songs are called {wanted!r}: give a number, {found.where}#{same[0] + 1}"
        )
    raise ChartError(f"{found.where}: no song {wanted!r}{near(wanted, titles)}: it holds {len(titles)}")
