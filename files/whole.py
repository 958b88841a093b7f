"""Files that are written whole or not at all: a reader never finds half of one. Pure functions. Any thread."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """The bytes into a file, which keeps what it held until all are there. Raises OSError.

    A device or a pipe is written to, never replaced.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
