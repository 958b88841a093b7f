"""Training of the codec on a tiny store: it learns, goes on bit-equal after a stop, keeps tokens valid when tuned."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.model.codec.mdct_codec import CodecConfig, MdctCodec
from gigmate.training.loop import Loop, LoopConfig
from gigmate.training.store import songs_in
from gigmate.training.trainers.codec_trainer import crops, kmeans_start, train_codec

from ..stores import tiny_store

TINY = CodecConfig(
    fine_channels=16, fine_blocks=1, coarse_channels=16, coarse_blocks=1, latent=8, codebooks=2, entries=16
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_store(tmp_path_factory.mktemp("store"), songs=2, seconds=8.0)


def run(store: Path, out: Path, steps: int, **options: object) -> dict:
    config = LoopConfig(out, steps=steps, learning_rate=3e-3, warmup_steps=5, log_steps=5, **options)  # type: ignore[arg-type]
    train_codec(store, config, TINY, batch=2)
    return torch.load(out / "last.pt", weights_only=True)


def test_it_learns(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path, 40)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    errors = [row["mel"] for row in rows if "mel" in row]
    assert errors[-1] < 0.9 * errors[0]


def test_a_stopped_training_goes_on_as_if_it_had_not(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(store, tmp_path / "whole", 8)
    update = Loop.update

    def until_five(self: Loop, *arguments: object) -> None:
        update(self, *arguments)  # type: ignore[arg-type]
        if self.step == 4:
            self._ask_stop()

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "update", until_five)
        run(store, tmp_path / "parts", 8)
    parts = run(store, tmp_path / "parts", 8)
    assert all(torch.equal(parts["model"][name], value) for name, value in whole["model"].items())


def test_codebooks_start_where_the_latents_are() -> None:
    torch.manual_seed(0)
    codec = MdctCodec(TINY).requires_grad_(False)
    centres = torch.randn(16, 8) * 3
    latents = centres[torch.randint(16, (400,))] + 0.01 * torch.randn(400, 8)
    before = (latents - codec.quantizer.codes[0][codec.quantizer.nearest(latents, 0)]).square().mean()
    kmeans_start(codec, latents)
    after = (latents - codec.quantizer.codes[0][codec.quantizer.nearest(latents, 0)]).square().mean()
    assert after < 0.3 * before


def test_crops_sound_and_are_of_the_asked_size(store: Path) -> None:
    made = crops(songs_in(store), np.random.default_rng(0), 5, 1280)
    assert made.shape == (5, 40 * 1280)
    assert bool((made.abs().amax(1) > 0.002).all()) and float(made.abs().max()) <= 1.0
