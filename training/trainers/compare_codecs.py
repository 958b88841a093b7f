"""Compares both codec architectures under one recipe: same data, same minutes, same seed, same judges.

One after the other, so that neither takes the processor from the other. Offline only.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from ...files.json_text import json_text
from ...model import checkpoint
from ...model.codec.mdct_codec import CodecConfig
from ...model.codec.seanet import SeanetConfig
from ..errors import TrainingError
from ..evaluate.codec_quality import speed
from ..export import export_weights
from ..loop import LoopConfig
from .codec_trainer import evaluate_codec, split_songs, train_codec
from .losses import MelDistance

CANDIDATES: dict[str, CodecConfig | SeanetConfig] = {"mdct": CodecConfig(), "seanet": SeanetConfig()}


def compare_codecs(
    data: Path,
    config: LoopConfig,
    batch: int = 12,
    seed: int = 0,
    candidates: dict[str, CodecConfig | SeanetConfig] | None = None,
) -> dict[str, Any]:
    """Train each candidate for the length in `config` (resuming what is there), judge it on the songs held out.

    Below `config.out`: a folder of training each, NAME.safetensors each, and compare.json with what is returned.
    Raises TrainingError where somebody stops a training before its end.
    """
    _, held_out = split_songs(data)
    result: dict[str, Any] = {}
    for name, shape in (candidates or CANDIDATES).items():
        run = config.out / name
        if train_codec(data, dataclasses.replace(config, out=run), shape, batch, seed) < 1.0:
            raise TrainingError(f"{run}: stopped before its end: run the same command again to continue")
        weights = config.out / f"{name}.safetensors"
        export_weights(run, "codec", weights)
        codec = checkpoint.load_codec(weights)
        notes = checkpoint.read_header(weights)["notes"]
        judge = MelDistance(1024, 80, codec.sample_rate_hz)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        result[name] = {
            "minutes": notes["minutes"],
            "steps": notes["steps"],
            "parameters": sum(value.numel() for value in codec.parameters()),
            **evaluate_codec(codec, held_out, judge),
            **speed(codec, frames=25),
        }
        torch.set_num_threads(threads)
    (config.out / "compare.json").write_text(json_text(result, indent=1) + "\n")
    return result
