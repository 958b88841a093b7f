"""Output files: checked before anything starts, written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..engine.errors import ConfigError, EngineError
from ..files.json_text import json_text
from ..files.whole import write_whole

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

MIDI_SUFFIXES = (".mid", ".midi")


def check_writable(path: Path, option: str) -> None:
    """Raise EngineError if a file cannot be written at `path`; the musician hears of it before the gig, not after.

    Makes nothing: an existing file keeps its content.
    """
    folder = path.parent
    if path.is_dir():
        raise EngineError(f"{option} {path}: is a folder: give a file in it")
    if not folder.is_dir():
        raise EngineError(f"{option} {path}: the folder {folder} does not exist: create it first")
    target = path if path.exists() else folder
    if not os.access(target, os.W_OK):
        raise EngineError(
            f"{option} {path}: no permission to write there: choose another place or change its permissions"
        )


def check_free(path: Path, option: str, force: bool) -> None:
    """Where a file with something in it stands at `path`, ask on a terminal whether to write over it, unless `force`.
    Raises ConfigError where that is not wanted, or nobody can be asked."""
    if force or not path.is_file() or path.stat().st_size == 0:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        print(f"{option} {path}: is there already. Write over it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise ConfigError(f"{option} {path}: is there already: choose another name, or write over it with --force")


def check_output(path: Path, option: str, force: bool) -> None:
    """Both: that a file can be written there, and that none is written over that nobody gave up. Raises EngineError."""
    check_writable(path, option)
    check_free(path, option, force)


def check_apart(read: Path | None, written: Mapping[str, Path]) -> None:
    """Raise ConfigError where the recording that is read (None: there is none) would be written over, or a file twice.

    `written`: each file by what asks for it, such as an option.
    """
    asked: list[tuple[str, Path]] = []
    for what, path in written.items():
        if read is not None and is_same_file(path, read):
            raise ConfigError(f"{what} {path}: is the recording itself: choose another name")
        for other, earlier in asked:
            if is_same_file(path, earlier):
                raise ConfigError(f"{what} {path}: is already written by {other}: choose another name")
        asked.append((what, path))


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both names mean one file, there or not yet. A device or a pipe is not kept, and so never one."""
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return one.resolve() == other.resolve()


@contextlib.contextmanager
def claimed(path: Path, option: str) -> Iterator[None]:
    """Hold a file that will be written as long as this lasts. Raises EngineError while another program holds it so.

    What was not there before and was not written after all is not left behind. Where files have no locks, nothing is
    held.
    """
    if fcntl is None or (path.exists() and not path.is_file()):
        yield
        return
    made = not path.exists()
    with open(path, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineError(f"{option} {path}: another GigMate is writing to it: choose another file") from None
        except OSError:  # a file system without locks
            made = False
        yield
        if made and path.exists() and path.stat().st_size == 0:
            path.unlink()


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write `values` to `path` in one go: a reader never finds half a file. Raises OSError."""
    write_whole(path, (json_text(values, indent=2) + "\n").encode())
