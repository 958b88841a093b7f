"""The files that the options of a live run name, checked before anything is opened."""

from __future__ import annotations

import os
from pathlib import Path

from ...engine.config import EngineConfig, is_folder
from ...engine.errors import ConfigError


def check_files(config: EngineConfig, report: Path | None) -> None:
    """Raise ConfigError for files that cannot be read, written or told apart."""
    from ..output_files import check_apart, check_writable

    wanted = {
        "--record": config.record_file,
        "--report": report,
        "--output-file": config.output_file,
    }
    for option, path in wanted.items():
        if path is not None and not (option == "--record" and is_folder(str(path))):
            check_writable(Path(path), option)
    source = config.input_file
    check_apart(
        None if source is None else Path(source),
        {option: Path(path) for option, path in wanted.items() if path is not None},
    )
    _check_ending("--record", config.record_file, (".wav",))
    _check_ending("--output-file", config.output_file, (".wav", ".flac"))


def _check_ending(option: str, name: str | None, endings: tuple[str, ...]) -> None:
    """Raise ConfigError for a sound file whose name says that it is something else."""
    if name is None or is_folder(name) or (os.path.exists(name) and not os.path.isfile(name)):
        return
    if not name.lower().endswith(endings):
        raise ConfigError(f"{option} {name}: the file extension sets the format: use {' or '.join(endings)}")
