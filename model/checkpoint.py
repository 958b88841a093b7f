"""Weights on disk: safetensors with the config beside them in the header, version-checked, half precision.

Never unpickles. Knows how to build each kind of model from its config; knows no thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ..files.json_text import json_text
from .codec.codec_protocol import TokenCodec
from .codec.mdct_codec import MdctCodec
from .codec.seanet import SeanetCodec
from .configs import CodecConfig, HarmonyConfig, ListenerConfig, SeanetConfig, VoiceConfig
from .generator.generator_config import GeneratorConfig
from .generator.transformer import Generator
from .harmony.chord_network import Harmony
from .listener import Listener
from .voice import Voice
from .weights_file import (
    ARCHITECTURES,
    FORMAT_VERSION,
    KINDS,
    SHIPPED,
    CheckpointError,
    codec_config,
    completed,
    read_header,
)

__all__ = [
    "ARCHITECTURES",
    "FORMAT_VERSION",
    "KINDS",
    "SHIPPED",
    "CheckpointError",
    "build",
    "build_codec",
    "codec_config",
    "completed",
    "load",
    "load_codec",
    "read_header",
    "save",
]


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
