"""Builds gigmate.clap: the shell as a CLAP plug-in, one library and no description beside it.

Any thread, one at a time for one folder. Raises EngineError for what is missing: one line with the mend.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..engine.errors import EngineError
from .library import compile_library

NAME = "gigmate.clap"
ID = "org.gigmate.band"


def default_folder() -> Path:
    """Where a user's CLAP plug-ins lie."""
    return Path.home() / ".clap"


def build(folder: Path, command: str) -> Path:
    """Build the library into a folder for plug-ins; what stood there is replaced when the new one is whole. Its path."""
    library = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".gigmate-", dir=folder) as made:
            compile_library(Path(made) / NAME, "clap", command)
            os.replace(Path(made) / NAME, library)
    except OSError as error:
        raise EngineError(f"{library}: cannot be written ({error.strerror}): give another folder with --to") from error
    return library
