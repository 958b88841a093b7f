"""Paths of sound files: checks, encoding for libraries, and limits of rate and channels."""

from __future__ import annotations

import os
from pathlib import Path

MOST_CHANNELS = 64
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 384_000


def sound_name(path: str | os.PathLike[str]) -> str | bytes:
    """A file's name as soundfile takes it: of itself it refuses those that are not UTF-8, which disks may hold."""
    return os.fspath(path) if os.name == "nt" else os.fsencode(path)


def why_no_recording(path: Path) -> str | None:
    """None for a plain file, which may be read as sound; else one line that says what stands there instead."""
    if path.is_file():
        return None
    if path.is_dir():
        return f"{path}: is a folder: name a recording in it"
    if path.exists():
        return f"{path}: is a pipe or a device: give a file"
    return f"{path}: no such file"
