"""From a training's checkpoint to a file to ship: the running average, half precision, with its story in the header."""

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


def export_weights(run: Path, kind: str, out: Path, best: bool = False) -> None:
    """Write the averaged weights of the training in `run` to `out`. Raises CheckpointError, as `averaged`."""
    model, saved = averaged(run, kind, best)
    notes = {"steps": saved["step"], "minutes": round(saved["elapsed"] / 60, 1)}
    checkpoint.save(out, kind, model, saved["shape"], notes)


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
