"""Files of weights: safetensors with the config in the header, version-checked. No torch: what the stage needs.

Never unpickles. checkpoint.py makes torch models of them and writes them. Any thread.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from .configs import CodecConfig, HarmonyConfig, ListenerConfig, SeanetConfig, VoiceConfig

FORMAT_VERSION = 1
"""Raised when weights of one version cannot be read by the code of another."""

SHIPPED = Path(__file__).parent / "weights"
KINDS = ("codec", "listener", "generator", "voice", "harmony")
ARCHITECTURES: dict[str, type[CodecConfig | SeanetConfig]] = {"mdct": CodecConfig, "seanet": SeanetConfig}
"""Of the codec; weights older than the choice are of the first."""


class CheckpointError(Exception):
    """Weights that cannot be used: one line that says which file, what is wrong and what to do. Any thread."""


def read_header(path: Path) -> dict[str, Any]:
    """Version, kind, config and notes; raises CheckpointError for a file that is not ours."""
    if not path.exists():
        raise CheckpointError(f"{path}: no such weights: give a folder with the five .safetensors files")
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get("gigmate")
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error}); download it again") from error
    if text is None:
        raise CheckpointError(f"{path}: a safetensors file, but not GigMate's; give weights written by gigmate train")
    try:
        header = json.loads(text)
        version, kind = int(header["version"]), header["kind"]
        header["config"] = completed(kind, dict(header["config"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path}: its GigMate header is damaged; download it again") from error
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{path}: weights of format {version}, this GigMate reads format {FORMAT_VERSION}; "
            f"{'update GigMate' if version > FORMAT_VERSION else 'train or fetch newer weights'}"
        )
    if kind not in KINDS:
        raise CheckpointError(f"{path}: weights of an unknown kind, {kind!r}; expected one of {', '.join(KINDS)}")
    return header


def completed(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """A config as this version writes it, from one that an older version wrote."""
    older: dict[str, dict[str, Any]] = {"codec": {"architecture": "mdct"}, "listener": {"expand": 2}}
    return {**older.get(kind, {}), **config}


def codec_config(config: dict[str, Any]) -> CodecConfig | SeanetConfig:
    """The codec's config from what `to_dict` gave; ValueError for an architecture that is not known."""
    config = completed("codec", config)
    if config["architecture"] not in ARCHITECTURES:
        raise ValueError(f"codec architecture {config['architecture']!r}: expected {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[config["architecture"]](**config)


def listener_config(config: dict[str, Any]) -> ListenerConfig:
    """The listener's config from what `to_dict` gave."""
    return ListenerConfig(**{**config, "dilations": tuple(config["dilations"])})


def harmony_config(config: dict[str, Any]) -> HarmonyConfig:
    """The harmony network's config from what `to_dict` gave."""
    return HarmonyConfig(**{**config, **{name: tuple(config[name]) for name in ("styles", "look_bars")}})


def voice_config(config: dict[str, Any]) -> VoiceConfig:
    """The voice's config from what `to_dict` gave."""
    return VoiceConfig(**{**config, **{name: tuple(config[name]) for name in ("parts", "dilations")}})


def read_arrays(path: Path, without: str = "\0") -> dict[str, NDArray[np.float32]]:
    """Every array of the file in float32, but those whose names begin with `without`.

    Raises CheckpointError for a file that cannot be read, and for numbers that are not finite.
    """
    try:
        with safe_open(path, framework="np") as file:
            names = [name for name in file.keys() if not name.startswith(without)]  # noqa: SIM118 - not a dict
            arrays = {name: np.asarray(file.get_tensor(name), np.float32) for name in names}
    except (SafetensorError, OSError, TypeError) as error:
        raise CheckpointError(f"{path}: damaged ({error}); download it again") from error
    for name, value in arrays.items():
        if not np.isfinite(value).all():
            raise CheckpointError(f"{path}: {name} contains numbers that are not finite: download the file again")
    return arrays
