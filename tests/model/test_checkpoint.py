"""Weights on disk: what cannot be used is said in one line, whoever reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from gigmate.model import checkpoint
from gigmate.model.checkpoint import CheckpointError
from gigmate.model.codec.mdct_codec import MdctCodec
from gigmate.model.configs import CodecConfig
from gigmate.model.listener import Listener
from gigmate.model.loading import load_band
from safetensors.torch import save_file

from .small_band import CODEC, LISTENER, write_small_band


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_band(tmp_path_factory.mktemp("weights"))


def _damaged(weights: Path, tmp_path: Path, name: str) -> Path:
    path = tmp_path / "x.safetensors"
    if name == "absent":
        return path
    if name == "text":
        path.write_text("hello")
    elif name == "truncated":
        path.write_bytes((weights / "codec.safetensors").read_bytes()[:5000])
    elif name == "foreign":
        save_file({"a": torch.zeros(2)}, path)
    elif name == "newer":
        header = json.dumps({"version": 99, "kind": "codec", "config": {}, "notes": {}})
        save_file({"a": torch.zeros(2)}, path, metadata={"gigmate": header})
    elif name == "bad header":
        save_file({"a": torch.zeros(2)}, path, metadata={"gigmate": "{"})
    elif name == "unknown config":
        header = json.dumps({"version": 1, "kind": "codec", "config": {"wings": 2}, "notes": {}})
        save_file({"a": torch.zeros(2)}, path, metadata={"gigmate": header})
    elif name == "missing tensors":
        header = json.dumps({"version": 1, "kind": "codec", "config": CODEC.to_dict(), "notes": {}})
        save_file({"a": torch.zeros(2)}, path, metadata={"gigmate": header})
    elif name == "other kind":
        return weights / "listener.safetensors"
    return path


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("absent", "no such"),
        ("text", "not a readable"),
        ("truncated", "not a readable"),
        ("foreign", "not GigMate's"),
        ("newer", "update GigMate"),
        ("bad header", "damaged"),
        ("unknown config", "does not fit"),
        ("missing tensors", "missing"),
        ("other kind", "contains a listener"),
    ],
)
def test_wrong_weights_are_said_in_one_line(weights: Path, tmp_path: Path, name: str, word: str) -> None:
    with pytest.raises(CheckpointError, match=word) as caught:
        checkpoint.load(_damaged(weights, tmp_path, name), "codec")
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_belong_together(weights: Path, tmp_path: Path) -> None:
    for kind in checkpoint.KINDS:
        (tmp_path / f"{kind}.safetensors").write_bytes((weights / f"{kind}.safetensors").read_bytes())
    other = CodecConfig(**{**CODEC.to_dict(), "codebooks": 2})
    checkpoint.save(tmp_path / "codec.safetensors", "codec", MdctCodec(other), other.to_dict())
    with pytest.raises(CheckpointError, match="same training"):
        load_band(tmp_path, compiled=False)


def test_diverged_weights_are_not_written(tmp_path: Path) -> None:
    model = Listener(LISTENER)
    with torch.no_grad():
        model.tail.bias[0] = float("nan")
    with pytest.raises(CheckpointError, match="diverged"):
        checkpoint.save(tmp_path / "l.safetensors", "listener", model, LISTENER.to_dict())
