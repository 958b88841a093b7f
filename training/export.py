"""From a training's checkpoint to a file to ship: the running average, half precision, with its story in the header."""

from __future__ import annotations

from pathlib import Path

import torch

from ..model import checkpoint


def export_weights(run: Path, kind: str, out: Path) -> None:
    """Write the averaged weights of the training in `run` to `out`. CheckpointError where they are not of `kind`."""
    path = run / "last.pt"
    if not path.exists():
        raise checkpoint.CheckpointError(
            f"{run}: no training here (last.pt is missing); name the folder given to --out"
        )
    saved = torch.load(path, map_location="cpu", weights_only=True)
    if saved["kind"] != kind:
        raise checkpoint.CheckpointError(f"{run}: a training of a {saved['kind']}, not of a {kind}")
    model = checkpoint.build(kind, saved["shape"])
    model.load_state_dict(saved["ema"])
    notes = {"steps": saved["step"], "minutes": round(saved["elapsed"] / 60, 1)}
    checkpoint.save(out, kind, model, saved["shape"], notes)
