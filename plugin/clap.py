"""Builds gigmate.clap: the shell as a CLAP plug-in, one library and no description beside it.

Any thread, one at a time for one folder. Raises EngineError for what is missing: one line with the mend.
"""

from __future__ import annotations

from pathlib import Path

from .library import compile_library, install

NAME = "gigmate.clap"


def default_folder() -> Path:
    """Where a user's CLAP plug-ins lie."""
    return Path.home() / ".clap"


def build(folder: Path, command: str) -> Path:
    """Build the library into a folder for plug-ins; it replaces what stood there when it is whole. Its path."""
    return install(folder, lambda new: compile_library(new / NAME, "clap", command)) / NAME
