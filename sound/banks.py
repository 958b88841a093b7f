"""Banks of instruments on this machine: where they are looked for, what is in them, which one is taken.

Reads the tables of a SoundFont (SF2, and SF3, whose samples are Vorbis) and never its samples, so that what is no bank,
or a damaged one, is said in one line before a library sees it. Any thread; reads files.
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs

from .fluid_library import InstrumentError

VARIABLE = "GIGMATE_SOUNDS"
"""Banks, or folders of them, that come before all others."""
FOLDERS = (
    "/usr/share/sounds/sf3",
    "/usr/share/sounds/sf2",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/usr/local/share/sounds/sf2",
    "/opt/homebrew/share/soundfonts",
    "~/.local/share/soundfonts",
    "~/soundfonts",
)
PACKAGE = "musescore-general-soundfont-small"
ENDINGS = (".sf2", ".sf3")
_LIKED = ("musescore_general", "generaluser", "fluidr3_gm", "fluidr3mono")
"""Beginnings of file names, best first; the reasons are in docs/decisions."""
_MOST_BYTES, _MOST_TABLES = 4 << 30, 64 << 20
_HEADER = struct.Struct("<20sHHHIII")
_RECORD_BYTES = {
    "phdr": 38, "pbag": 4, "pmod": 10, "pgen": 4, "inst": 22, "ibag": 4, "imod": 10, "igen": 4, "shdr": 46,
}  # fmt: skip
_DRUM_BANK = 128
_WHOLE_SET = 128


@dataclass(frozen=True)
class Bank:
    """A bank that holds. Any thread."""

    path: Path
    name: str
    """As its file says."""
    size_bytes: int
    presets: dict[tuple[int, int], str]
    """(bank, program) to the name there; drums are in bank 128."""

    @property
    def programs(self) -> dict[int, str]:
        """Of General MIDI, from 0."""
        return {program: name for (bank, program), name in sorted(self.presets.items()) if bank == 0}

    @property
    def kits(self) -> dict[int, str]:
        """Of drums, from 0."""
        return {program: name for (bank, program), name in sorted(self.presets.items()) if bank == _DRUM_BANK}

    @property
    def general(self) -> bool:
        """Whether it holds all of General MIDI."""
        return len(self.programs) >= _WHOLE_SET and bool(self.kits)


def read_bank(path: Path) -> Bank:
    """The tables of one file. Raises InstrumentError, with the file's name, for what is no bank or is damaged."""
    try:
        status = path.stat()
        return _read(str(path), status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise InstrumentError(f"{path}: {error.strerror}: name a bank that can be read (.sf2 or .sf3)") from None


@lru_cache(maxsize=32)
def _read(name: str, size_bytes: int, _changed_ns: int) -> Bank:
    path = Path(name)
    try:
        with path.open("rb") as file:
            if size_bytes > _MOST_BYTES:
                raise _Damaged("is larger than a bank can be")
            head = file.read(12)
            if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"sfbk":
                raise _Damaged("is no SoundFont bank")
            if struct.unpack("<I", head[4:8])[0] + 8 > size_bytes:
                raise _Damaged("is cut off: it is shorter than it says")
            title, tables = "", {}
            for kind, start, length in _chunks(file, 12, size_bytes):
                if kind != b"LIST" or length < 4:
                    continue
                file.seek(start)
                form = file.read(4)
                if form == b"INFO":
                    title = _title(file, start + 4, start + length)
                elif form == b"pdta":
                    tables = _tables(file, start + 4, start + length)
    except _Damaged as damage:
        raise InstrumentError(f"{path}: {damage}: take another bank") from None
    except (struct.error, ValueError):
        raise InstrumentError(f"{path}: is damaged: take another bank") from None
    try:
        return Bank(path, title or path.stem, size_bytes, _presets(tables))
    except _Damaged as damage:
        raise InstrumentError(f"{path}: {damage}: take another bank") from None


class _Damaged(Exception):
    """What is wrong, to follow the file's name."""


def _chunks(file, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:  # type: ignore[no-untyped-def]
    """(kind, where its content begins, length) of each chunk."""
    while start + 8 <= end:
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            raise _Damaged("is cut off")
        kind, length = head[:4], struct.unpack("<I", head[4:])[0]
        if start + 8 + length > end:
            raise _Damaged("is damaged: a part of it is longer than the file")
        yield kind, start + 8, length
        start += 8 + length
        if length % 2:  # padded to an even place, but not by every program that writes SF3
            file.seek(start)
            start += file.read(1) == b"\0"


def _title(file, start: int, end: int) -> str:  # type: ignore[no-untyped-def]
    for kind, at, length in _chunks(file, start, end):
        if kind == b"INAM":
            file.seek(at)
            return _word(file.read(min(length, 256)))
    return ""


def _word(raw: bytes) -> str:
    text = raw.split(b"\0")[0].decode("latin-1")
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _tables(file, start: int, end: int) -> dict[str, bytes]:  # type: ignore[no-untyped-def]
    if end - start > _MOST_TABLES:
        raise _Damaged("is damaged: its tables are too large")
    tables = {}
    for kind, at, length in _chunks(file, start, end):
        name = kind.decode("latin-1")
        if name in _RECORD_BYTES:
            if length % _RECORD_BYTES[name]:
                raise _Damaged(f"is damaged: its table {name} is no whole number of records")
            file.seek(at)
            tables[name] = file.read(length)
    return tables


def _presets(tables: dict[str, bytes]) -> dict[tuple[int, int], str]:
    """The presets by bank and program; every table must be there, and point into the next one."""
    counts = {name: len(tables.get(name, b"")) // size for name, size in _RECORD_BYTES.items()}
    for name in _RECORD_BYTES:
        if counts[name] < 1:
            raise _Damaged(f"is damaged: its table {name} is missing")
    headers = list(_HEADER.iter_unpack(tables["phdr"]))
    _rising([header[3] for header in headers], counts["pbag"], "phdr")
    _rising([at[0] for at in struct.iter_unpack("<20xH", tables["inst"])], counts["ibag"], "inst")
    for bag, generators, modulators in (("pbag", "pgen", "pmod"), ("ibag", "igen", "imod")):
        places = list(struct.iter_unpack("<HH", tables[bag]))
        _rising([place[0] for place in places], counts[generators], bag)
        _rising([place[1] for place in places], counts[modulators], bag)
    found = {(bank, program): _word(name) for name, program, bank, *_ in headers[:-1]}
    if not found:
        raise _Damaged("holds no instruments")
    return found


def _rising(places: list[int], count: int, table: str) -> None:
    if any(after < before for before, after in itertools.pairwise(places)) or places[-1] > count:
        raise _Damaged(f"is damaged: its table {table} points outside")


def found_banks() -> tuple[list[Bank], list[str]]:
    """The banks of this machine, that which is taken first, and a line for each file that is none."""
    banks: dict[Path, Bank] = {}
    faults: list[str] = []
    for path in _files():
        real = path.resolve()
        if real in banks:
            continue
        try:
            banks[real] = read_bank(path)
        except InstrumentError as error:
            faults.append(str(error))
    order, places = list(banks.values()), (*_named(), own_folder())
    first = [bank for bank in order if any(_is_below(bank.path, place) for place in places)]
    rest = sorted((bank for bank in order if bank not in first), key=_rank)
    return first + rest, faults


def _rank(bank: Bank) -> tuple[bool, int, int]:
    name = bank.path.name.lower()
    liked = next((place for place, start in enumerate(_LIKED) if name.startswith(start)), len(_LIKED))
    return not bank.general, liked, -bank.size_bytes


def usual_bank() -> Bank:
    """The one that is taken where none is named. Raises InstrumentError where there is none."""
    banks, faults = found_banks()
    if banks:
        return banks[0]
    raise InstrumentError(
        faults[0]
        if faults
        else f"no bank of instruments was found: `sudo apt install {PACKAGE}`, or name one in ${VARIABLE}"
    )


def bank_named(text: str) -> Bank:
    """A bank by the path of its file, or by a part of the name of one that was found; empty: the usual one.

    Raises InstrumentError.
    """
    if not text:
        return usual_bank()
    path = Path(text).expanduser()
    if path.suffix.lower() in ENDINGS or os.sep in text:
        return read_bank(path)
    banks, _ = found_banks()
    for bank in banks:
        if text.lower() in (bank.path.stem.lower(), bank.name.lower()) or text.lower() in bank.path.name.lower():
            return bank
    known = ", ".join(bank.path.stem for bank in banks) or "none"
    raise InstrumentError(f"no bank {text!r}: found are {known}")


def own_folder() -> Path:
    """Where banks of the user's own lie: beside the presets ($GIGMATE_CONFIG_DIR says another place)."""
    folder = os.environ.get("GIGMATE_CONFIG_DIR") or platformdirs.user_config_dir("gigmate", appauthor=False)
    return Path(folder) / "sounds"


def _named() -> list[Path]:
    return [Path(place).expanduser() for place in os.environ.get(VARIABLE, "").split(os.pathsep) if place]


def _is_below(path: Path, place: Path) -> bool:
    return place in (path, *path.parents)


def _files() -> Iterable[Path]:
    for place in (*_named(), own_folder(), *(Path(folder).expanduser() for folder in FOLDERS)):
        if place.is_file():
            yield place
        elif place.is_dir():
            try:
                yield from sorted(path for path in place.iterdir() if path.suffix.lower() in ENDINGS)
            except OSError:
                continue
