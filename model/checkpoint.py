"""Weights on disk: safetensors with the config beside them in the header, version-checked, half precision.

Never unpickles. Knows how to build each kind of model from its config; knows no thread.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ..files.json_text import json_text
from .chord_network import Harmony, HarmonyConfig
from .codec.codec_protocol import TokenCodec
from .codec.mdct_codec import CodecConfig, MdctCodec
from .codec.seanet import SeanetCodec, SeanetConfig
from .generator.generator_config import GeneratorConfig
from .generator.transformer import Generator
from .listener import Listener, ListenerConfig
from .voice import Voice, VoiceConfig

FORMAT_VERSION = 1
"""Raised when weights of one version cannot be read by the code of another."""

SHIPPED = Path(__file__).parent / "weights"
KINDS = ("codec", "listener", "generator", "voice", "harmony")
ARCHITECTURES: dict[str, type[CodecConfig | SeanetConfig]] = {"mdct": CodecConfig, "seanet": SeanetConfig}
"""Of the codec; weights older than the choice are of the first."""


class CheckpointError(Exception):
    """Weights that cannot be used: one line that says which file, what is wrong and what to do. Any thread."""


def save(
    path: Path,
    kind: str,
    model: nn.Module,
    config: dict[str, Any],
    notes: dict[str, Any] | None = None,
    half: bool = True,
) -> None:
    """Write `model` in half precision (or as it is) with its config and free notes (data, minutes, figures).

    Raises CheckpointError for weights that are not finite, and where the file cannot be written.
    """
    header = {
        "gigmate": json_text({"version": FORMAT_VERSION, "kind": kind, "config": config, "notes": notes or {}}),
    }
    state = {}
    for name, value in model.state_dict().items():
        kept = value.half() if half and value.is_floating_point() else value
        if not bool(torch.isfinite(kept.float()).all()):
            raise CheckpointError(f"{path}: {name} does not fit half precision; the training has diverged")
        state[name] = kept.contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: give a file, such as {path / kind}.safetensors")
    try:
        save_file(state, path, metadata=header)
    except SafetensorError as error:  # a full disk, a folder that may not be written to
        raise CheckpointError(f"{path}: cannot be written ({error})") from error


def read_header(path: Path) -> dict[str, Any]:
    """Version, kind, config and notes; raises CheckpointError for a file that is not ours."""
    if not path.exists():
        raise CheckpointError(f"{path}: no such weights: give a folder with the five .safetensors files")
    try:
        with safe_open(path, framework="pt") as file:
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


def build_codec(config: CodecConfig | SeanetConfig) -> TokenCodec:
    """An untrained codec of this shape."""
    return SeanetCodec(config) if isinstance(config, SeanetConfig) else MdctCodec(config)


def build(kind: str, config: dict[str, Any]) -> nn.Module:
    """A fresh model of `kind` from a config as `to_dict` gave it."""
    if kind == "codec":
        return build_codec(codec_config(config))
    if kind == "listener":
        return Listener(ListenerConfig(**{**config, "dilations": tuple(config["dilations"])}))
    if kind == "harmony":
        tuples = {name: tuple(config[name]) for name in ("styles", "look_bars")}
        return Harmony(HarmonyConfig(**{**config, **tuples}))
    if kind == "voice":
        tuples = {name: tuple(config[name]) for name in ("parts", "dilations")}
        return Voice(VoiceConfig(**{**config, **tuples}))
    return Generator(GeneratorConfig(**{**config, "styles": tuple(config["styles"]), "parts": tuple(config["parts"])}))


def load_codec(path: Path) -> TokenCodec:
    """`load` of a codec, without its header."""
    model, _ = load(path, "codec")
    assert isinstance(model, TokenCodec)
    return model


def load(path: Path, kind: str) -> tuple[nn.Module, dict[str, Any]]:
    """The model in float32, in eval mode, and its header; raises CheckpointError with the mend."""
    header = read_header(path)
    if header["kind"] != kind:
        raise CheckpointError(f"{path}: contains a {header['kind']}, not a {kind}: give the file of the {kind}")
    try:
        with torch.random.fork_rng(devices=[]):
            model = build(kind, header["config"])
    except (TypeError, LookupError, ArithmeticError, ValueError, RuntimeError, AttributeError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path}: its config does not fit this version ({why}); update GigMate") from error
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged ({error}); download it again") from error
    expected = model.state_dict()
    missing, extra = sorted(expected.keys() - state.keys()), sorted(state.keys() - expected.keys())
    if missing or extra:
        raise CheckpointError(
            f"{path}: {len(missing)} tensors missing, {len(extra)} unknown (as {(missing + extra)[0]})"
        )
    for name, value in state.items():
        if value.shape != expected[name].shape:
            raise CheckpointError(f"{path}: {name} is {tuple(value.shape)}, config says {tuple(expected[name].shape)}")
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise CheckpointError(f"{path}: {name} contains numbers that are not finite: download the file again")
    model.load_state_dict({n: v.float() if v.is_floating_point() else v for n, v in state.items()})
    return model.eval().requires_grad_(False), header
