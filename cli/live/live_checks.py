"""What the options of a live run say, checked before anything is opened: numbers, and files."""

from __future__ import annotations

import math
import os
from pathlib import Path

from ...engine.config import EngineConfig, is_folder
from ...engine.errors import ConfigError

BACKENDS = ("auto", "jack", "portaudio", "file")


def check_numbers(backend: str, duration_s: float | None, monitor_db: float | None, round_trip: int | None) -> None:
    """Raise ConfigError for what no run can be asked."""
    if backend not in BACKENDS:
        raise ConfigError(f"--backend {backend}: give one of {', '.join(BACKENDS)}")
    if duration_s is not None and not (math.isfinite(duration_s) and duration_s > 0):
        raise ConfigError(f"--duration {duration_s:g}: give seconds, more than 0")
    if monitor_db is not None and not -60.0 <= monitor_db <= 12.0:
        raise ConfigError(f"--monitor {monitor_db:g}: give a gain from -60 to 12 dB")
    if round_trip is not None and not 0 <= round_trip <= 96_000:
        raise ConfigError(f"--round-trip {round_trip}: give samples from 0 to 96000, as `gigmate latency` measures")


def check_files(config: EngineConfig, report: Path | None, force: bool = False) -> None:
    """Raise ConfigError for files that cannot be read, written or told apart, EngineError for those that are there
    already, unless `force`: none is written over unasked."""
    from ..output_files import check_apart, check_free, check_writable

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
    for option, path in wanted.items():
        if path is not None and not is_folder(str(path)):
            check_free(Path(path), option, force)


def _check_ending(option: str, name: str | None, endings: tuple[str, ...]) -> None:
    """Raise ConfigError for a sound file whose name says that it is something else."""
    if name is None or is_folder(name) or (os.path.exists(name) and not os.path.isfile(name)):
        return
    if not name.lower().endswith(endings):
        raise ConfigError(f"{option} {name}: the file extension sets the format: use {' or '.join(endings)}")
