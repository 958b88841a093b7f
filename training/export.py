"""From a checkpoint to a weights file: running average, half precision, training history in the header."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..model import checkpoint


def averaged(run: Path, kind: str, best: bool = False) -> tuple[nn.Module, dict[str, Any]]:
    """The averaged weights of the training in `run` (the last ones, or those with the best `valid`) as a model, and
    what its checkpoint says of it. CheckpointError where there are none of `kind`."""
    path = run / ("best.pt" if best else "last.pt")
    if not path.exists():
        mend = "no `valid` was logged yet; leave --best" if best else "name the folder given to --out"
        raise checkpoint.CheckpointError(f"{run}: no training here ({path.name} is missing); {mend}")
    saved = torch.load(path, map_location="cpu", weights_only=True)
    if saved["kind"] != kind:
        raise checkpoint.CheckpointError(f"{run}: a training of a {saved['kind']}, not of a {kind}")
    model = checkpoint.build(kind, saved["shape"])
    model.load_state_dict(saved["ema"])
    return model.eval(), saved


def export_weights(
    run: Path, kind: str, out: Path, best: bool = False, blend: Path | None = None, share: float = 0.5
) -> None:
    """Write the averaged weights of the training in `run` to `out`.

    With `blend`, every weight is `share` (in (0, 1]) of the training's and the rest of that in the file `blend`,
    which the training began from: fine-tuning on little forgets, and the way back to the start passes through weights
    that do better than both ends (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022).

    Raises CheckpointError, as `averaged`, and for a `blend` of another kind or shape.
    """
    model, saved = averaged(run, kind, best)
    notes = {"steps": saved["step"], "minutes": round(saved["elapsed"] / 60, 1)}
    if blend is not None:
        begun = _blend(model, kind, blend, share)
        notes |= {"blended_with": begun, "share": share}
    checkpoint.save(out, kind, model, saved["shape"], notes)


def _blend(model: nn.Module, kind: str, start: Path, share: float) -> dict[str, Any]:
    """Move the weights of `model` toward those of `start`, in place; the notes of `start`."""
    assert 0.0 < share <= 1.0
    other, header = checkpoint.load(start, kind)
    theirs, ours = other.state_dict(), model.state_dict()
    if {name: value.shape for name, value in ours.items()} != {name: value.shape for name, value in theirs.items()}:
        raise checkpoint.CheckpointError(
            f"{start}: a {kind} of another shape: blend with the weights that it started from"
        )
    for name, value in ours.items():
        if value.is_floating_point():
            value.lerp_(theirs[name], 1.0 - share)
    notes: dict[str, Any] = header["notes"]
    return notes


def complete_folder(out: Path, rest: Path) -> list[Path]:
    """Copy into the folder of `out` the kinds of weights that it lacks, from the folder `rest`; what was copied."""
    copied = []
    for kind in checkpoint.KINDS:
        target, source = out.parent / f"{kind}.safetensors", rest / f"{kind}.safetensors"
        if not target.exists():
            checkpoint.read_header(source)
            shutil.copyfile(source, target)
            copied.append(target)
    return copied
