"""EnCodec's official 24 kHz weights on our streaming layers, checked against the `encodec` package.

The weights are a file that the user has; nothing of the package is needed to run them, and none of its code is here.
The package (an extra: its archive on PyPI carries a non-commercial licence) serves to compare: `reference` builds its
model around the same weights. It imports torchaudio only to read and write files, which nobody here asks it to do:
`package` gives it an empty module by that name meanwhile. Knows no thread and no sound card; not for the live path.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoint import CheckpointError
from ..checkpoint import save as save_checkpoint
from .seanet import SeanetCodec, SeanetConfig

INSTALL = "pip install --no-deps encodec einops"
OFFICIAL = SeanetConfig(
    sample_rate_hz=24_000,
    filters=32,
    ratios=(8, 5, 4, 2),
    latent=128,
    codebooks=32,
    entries=1024,
    scaled_latents=False,
    start="reflect",
)
"""The causal model of 24 kHz: 75 frames a second, .75 kbit/s a codebook."""


# ----------------------------------------------------------------------------------------------------- the weights


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that torch.save wrote, unpickling nothing else. Raises CheckpointError with the mend."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; name the state of EnCodec's 24 kHz model (encodec_24khz-….th)")
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is not one of its own
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path}: torch cannot read it as plain weights ({what}); download it again") from error
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise CheckpointError(f"{path}: contains no model state: give what `torch.save(model.state_dict())` wrote")
    return dict(loaded)


class _Taken:
    """A state from which tensors are taken by name, so that what nobody took can be told."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self._left = dict(state)

    def plain(self, name: str) -> Tensor:
        if name not in self._left:
            raise CheckpointError(f"no tensor {name}: these are not the weights of EnCodec's causal 24 kHz model")
        return self._left.pop(name).float()

    def folded(self, name: str) -> Tensor:
        """The weight that a weight-normed layer works with: its direction at its length (Salimans 2016)."""
        if f"{name}.weight" in self._left:
            return self.plain(f"{name}.weight")
        new = f"{name}.parametrizations.weight.original"  # the spelling of newer torch
        length, direction = (
            (f"{new}0", f"{new}1") if f"{new}0" in self._left else (f"{name}.weight_g", f"{name}.weight_v")
        )
        g, v = self.plain(length), self.plain(direction)
        return v * (g / v.flatten(1).norm(dim=1).view(-1, *[1] * (v.ndim - 1)))

    def left(self) -> list[str]:
        learning = (".inited", ".cluster_size", ".embed_avg")
        return sorted(name for name in self._left if not name.endswith(learning))


def _layers(config: SeanetConfig) -> Iterator[tuple[str, str, str]]:
    """(our name, the package's name, kind) of every layer with weights."""
    stages, lstm = len(config.ratios), bool(config.lstm_layers)
    per_stage = config.residual_layers + 2
    first = {"encoder": 1, "decoder": 2 if lstm else 1}
    for side, at in first.items():
        yield f"{side}.head", f"{side}.model.0", "conv"
        for stage in range(stages):
            base = at + per_stage * stage
            resample = base + config.residual_layers + 1 if side == "encoder" else base + 1
            units = base if side == "encoder" else base + 2
            for unit in range(config.residual_layers):
                ours, theirs = f"{side}.stages.{stage}.units.{unit}", f"{side}.model.{units + unit}"
                yield f"{ours}.first", f"{theirs}.block.1", "conv"
                yield f"{ours}.second", f"{theirs}.block.3", "conv"
                yield f"{ours}.beside", f"{theirs}.shortcut", "conv"
            if side == "encoder":
                yield f"{side}.stages.{stage}.down", f"{side}.model.{resample}", "conv"
            else:
                yield f"{side}.stages.{stage}.up", f"{side}.model.{resample}", "up"
        end = at + per_stage * stages
        if lstm:
            yield f"{side}.lstm.0", f"{side}.model.{end if side == 'encoder' else 1}", "lstm"
        yield f"{side}.tail", f"{side}.model.{end + 1 + (lstm and side == 'encoder')}", "conv"


def codec_of(state: Mapping[str, Tensor], config: SeanetConfig = OFFICIAL) -> SeanetCodec:
    """Our codec with the weights of the package's model: weight norms folded in, codebooks in one tensor.

    Raises CheckpointError for a state that is not of this shape.
    """
    taken, ours = _Taken(state), {}
    for name, theirs, kind in _layers(config):
        if kind == "lstm":
            for layer in range(config.lstm_layers):
                for tensor in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    ours[f"{name}.lstm.{tensor}_l{layer}"] = taken.plain(f"{theirs}.lstm.{tensor}_l{layer}")
            continue
        inner = f"{theirs}.conv.conv" if kind == "conv" else f"{theirs}.convtr.convtr"
        ours[f"{name}.conv.weight"] = taken.folded(inner)
        ours[f"{name}.conv.bias" if kind == "conv" else f"{name}.bias"] = taken.plain(f"{inner}.bias")
    books = [taken.plain(f"quantizer.vq.layers.{i}._codebook.embed") for i in range(config.codebooks)]
    ours["quantizer.codes"] = torch.stack(books)
    if taken.left():
        raise CheckpointError(
            f"{len(taken.left())} extra tensors (such as {taken.left()[0]}): these are the weights of another model"
        )
    with torch.random.fork_rng(devices=[]):
        codec = SeanetCodec(config)
    for name, value in codec.state_dict().items():
        if ours[name].shape != value.shape:
            raise CheckpointError(f"{name} is {tuple(ours[name].shape)}, the 24 kHz model has {tuple(value.shape)}")
    codec.load_state_dict(ours)
    return codec.eval().requires_grad_(False)


def import_weights(source: Path, out: Path) -> SeanetCodec:
    """Write the official weights of `source` as a codec of ours, in full precision. Raises CheckpointError."""
    try:
        codec = codec_of(read_state(source))
    except CheckpointError as error:
        text = str(error)
        raise CheckpointError(text if text.startswith(str(source)) else f"{source}: {text}") from error
    save_checkpoint(out, "codec", codec, OFFICIAL.to_dict(), {"from": source.name}, half=False)
    return codec


# ----------------------------------------------------------------------------------------------------- the package


def package() -> types.ModuleType:
    """The `encodec` package, imported without torchaudio. Raises CheckpointError with the command that installs it."""
    if sys.modules.get("encodec") is not None:
        return sys.modules["encodec"]
    empty = types.ModuleType("torchaudio")
    spared = "torchaudio" not in sys.modules
    if spared:
        sys.modules["torchaudio"] = empty
    try:
        return importlib.import_module("encodec")
    except ImportError as error:
        raise CheckpointError(f"the encodec package is not there ({error}): {INSTALL}") from error
    finally:
        if spared and sys.modules.get("torchaudio") is empty:
            del sys.modules["torchaudio"]  # who really wants it later shall find the real one


def reference(state: Mapping[str, Tensor] | None = None) -> Any:
    """The package's own causal 24 kHz model around `state` (None: as it makes it, untrained), in eval mode."""
    model = package().EncodecModel.encodec_model_24khz(pretrained=False)
    if state is not None:
        model.load_state_dict(dict(state))
    return model.eval().requires_grad_(False)


@torch.no_grad()
def difference(codec: SeanetCodec, model: Any, audio: Tensor) -> tuple[float, float]:
    """How far we are from the package on audio [B, N]: share of tokens that differ, greatest difference of samples
    (both decode the package's tokens)."""
    model.bandwidth = None
    tokens = model.encode(audio.unsqueeze(1))[0][0]
    wanted = model.decode([(tokens, None)])[:, 0]
    share = float((codec.encode(audio) != tokens).float().mean())
    return share, float((codec.decode(tokens) - wanted).abs().max())
