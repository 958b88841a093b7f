"""Measured round trips, stored in the config directory of the user: one per device pair, rate and block.

Knows no sound card: a device is a name. A damaged or foreign file is an error in one line, and nothing is lost by
leaving it alone. Any thread; the file is replaced whole.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER_VARIABLE = "GIGMATE_CONFIG_DIR"
FILE_NAME = "latency.json"
_FORMAT = "gigmate latency"
_VERSION = 1
_LONGEST_SAMPLES = 30 * 384_000
_KEPT = 200
"""The oldest are forgotten beyond so many."""


class CalibrationError(Exception):
    """The file cannot be read or written; one line that says what to do."""


@dataclass(frozen=True, slots=True)
class SignalPath:
    """What a measured delay belongs to. Another rate, block or plug is another path."""

    backend: str
    source: str
    """Device that sound goes out to."""
    target: str
    """Device that it comes back by."""
    rate_hz: int
    block_samples: int
    """0 where the device chooses it."""

    @property
    def key(self) -> str:
        return f"{self.backend} | {self.source} > {self.target} | {self.rate_hz} Hz | {self.block_samples}"

    @property
    def text(self) -> str:
        """For a person."""
        device = self.source if self.source == self.target else f"{self.source} to {self.target}"
        return f"{self.backend} {device} at {self.rate_hz} Hz, block {self.block_samples or 'of its own'}"


@dataclass(frozen=True, slots=True)
class Calibration:
    """One saved measurement."""

    round_trip_samples: float
    measured_at: str
    """Date and time, UTC, as 2026-01-31T12:00:00Z."""
    confidence: float = 1.0
    method: str = ""

    @property
    def day(self) -> str:
        return self.measured_at[:10]


def signal_path_of(
    backend: str, outputs: Sequence[str], inputs: Sequence[str], rate_hz: int, block_samples: int, server: str = ""
) -> SignalPath:
    """The path from the first output to the first input; names as "DEVICE:CHANNEL", of which the device counts.

    `server` tells JACK servers apart: what each calls "system" is another card.
    """
    prefix = f"{server}/" if server else ""
    first = [prefix + _device_of(names[0]) if names else "none" for names in (outputs, inputs)]
    return SignalPath(backend, first[0], first[1], int(rate_hz), int(block_samples))


def _device_of(name: str) -> str:
    return name.rpartition(":")[0] or name


def calibration_file() -> Path:
    """Where they are kept: $GIGMATE_CONFIG_DIR, else the user's config directory."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return Path(folder) / FILE_NAME
    import platformdirs

    return Path(platformdirs.user_config_dir("gigmate", appauthor=False)) / FILE_NAME


def load_calibration(signal_path: SignalPath, file: Path | None = None) -> Calibration | None:
    """The measurement for this path, or None. Raises CalibrationError for a file that is not ours or damaged."""
    entry = _read(file or calibration_file()).get(signal_path.key)
    return None if entry is None else _checked(entry, file or calibration_file())


def save_calibration(
    signal_path: SignalPath, round_trip_samples: float, confidence: float, method: str, file: Path | None = None
) -> Path:
    """Keep a measurement; returns where. A damaged file is put aside as `latency.json.damaged` and begun anew.

    Raises CalibrationError where nothing can be written, ValueError for a delay that is none.
    """
    if not (math.isfinite(round_trip_samples) and 0 <= round_trip_samples <= _LONGEST_SAMPLES):
        raise ValueError(f"no round trip: {round_trip_samples} samples")
    path = file or calibration_file()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            entries = _read(path)
        except CalibrationError:
            path.replace(path.with_name(path.name + ".damaged"))
            entries = {}
        entries.pop(signal_path.key, None)
        entries[signal_path.key] = asdict(Calibration(float(round_trip_samples), now, float(confidence), method))
        kept = dict(list(entries.items())[-_KEPT:])
        text = json.dumps({"format": _FORMAT, "version": _VERSION, "ways": kept}, indent=2, allow_nan=False)
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            partial.write_text(text + "\n", encoding="utf-8")
            partial.replace(path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise CalibrationError(
            f"{path}: cannot be written ({error.strerror or error}): set {FOLDER_VARIABLE} to a folder of your own"
        ) from error
    return path


def _read(path: Path) -> dict[str, Any]:
    """All entries, not yet checked. Raises CalibrationError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
        raise _useless(path, reason) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise _useless(path, "it is not a file of measured delays")
    if content.get("version") != _VERSION:
        raise _useless(path, f"it has version {content.get('version')}, not {_VERSION}")
    entries = content.get("ways")
    if not isinstance(entries, dict):
        raise _useless(path, "it is damaged")
    return entries


def _checked(entry: Any, path: Path) -> Calibration:
    try:
        found = Calibration(
            float(entry["round_trip_samples"]),
            str(entry["measured_at"]),
            float(entry.get("confidence", 1.0)),
            str(entry.get("method", "")),
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise _useless(path, "an entry is damaged") from error
    if not 0 <= found.round_trip_samples <= _LONGEST_SAMPLES:
        raise _useless(path, f"it holds a round trip of {found.round_trip_samples} samples")
    return found


def _useless(path: Path, why: str) -> CalibrationError:
    return CalibrationError(f"{path} is not used ({why}): delete it, and measure again with `gigmate latency --save`")
