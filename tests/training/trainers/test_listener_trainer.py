"""Training of the listener on a tiny store: it learns, goes on bit-equal after a stop, exports its running average."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.model import checkpoint
from gigmate.model.listener import Listener, ListenerConfig
from gigmate.training.errors import TrainingError
from gigmate.training.export import complete_folder, export_weights
from gigmate.training.loop import LoopConfig
from gigmate.training.trainers.listener_data import pulse_targets
from gigmate.training.trainers.listener_trainer import moment_loss, train_listener, widen

from ..stores import tiny_store

TINY = ListenerConfig(channels=16, dilations=(1, 2))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_store(tmp_path_factory.mktemp("store"))


def run(store: Path, out: Path, steps: int, **options: object) -> dict:
    config = LoopConfig(out, steps=steps, learning_rate=3e-3, warmup_steps=5, log_steps=5, **options)  # type: ignore[arg-type]
    train_listener(store, config, TINY, batch=2, frames=100)
    return torch.load(out / "last.pt", weights_only=True)


def test_it_learns(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path, 60)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.8 * losses[0]


def test_a_stopped_training_goes_on_as_if_it_had_not(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(store, tmp_path / "whole", 12)
    from gigmate.training.loop import Loop

    update = Loop.update

    def until_seven(self: Loop, *arguments: object) -> None:
        update(self, *arguments)  # type: ignore[arg-type]
        if self.step == 6:
            self._ask_stop()

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "update", until_seven)
        assert run(store, tmp_path / "parts", 12)["step"] == 7
    parts = run(store, tmp_path / "parts", 12)
    assert parts["step"] == 12
    for kind in ("model", "ema"):
        assert all(torch.equal(parts[kind][name], whole[kind][name]) for name in whole[kind])


def test_the_running_average_is_what_is_exported(store: Path, tmp_path: Path) -> None:
    saved = run(store, tmp_path / "run", 10)
    out = tmp_path / "weights" / "listener.safetensors"
    export_weights(tmp_path / "run", "listener", out)
    model, header = checkpoint.load(out, "listener")
    assert header["notes"]["steps"] == 10
    for name, value in model.state_dict().items():
        expected = saved["ema"][name]
        assert torch.equal(value, expected.half().float() if expected.is_floating_point() else expected)
    with pytest.raises(checkpoint.CheckpointError, match=r"best\.pt"):
        export_weights(tmp_path / "run", "listener", out, best=True)
    with pytest.raises(checkpoint.CheckpointError, match="not of a codec"):
        export_weights(tmp_path / "run", "codec", out)
    with pytest.raises(checkpoint.CheckpointError, match=r"is a folder: give a file, such as .*listener"):
        export_weights(tmp_path / "run", "listener", out.parent)
    copied = {path.name for path in complete_folder(out, checkpoint.SHIPPED)}
    assert copied == {f"{kind}.safetensors" for kind in ("codec", "generator", "voice", "harmony")}


def test_weights_are_a_place_to_start_from(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "first", 10)
    out = tmp_path / "listener.safetensors"
    export_weights(tmp_path / "first", "listener", out)
    began, _ = checkpoint.load(out, "listener")
    tuned = run(store, tmp_path / "tuned", 0, start=out)
    assert all(torch.equal(tuned["model"][name], value) for name, value in began.state_dict().items())
    with pytest.raises(TrainingError, match="another shape"):
        train_listener(store, LoopConfig(tmp_path / "other", steps=1, start=out), ListenerConfig(channels=8))


def test_fine_tuned_weights_are_blended_with_their_start(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "first", 4)
    start, out = tmp_path / "start.safetensors", tmp_path / "listener.safetensors"
    export_weights(tmp_path / "first", "listener", start)
    tuned = run(store, tmp_path / "tuned", 6, start=start)
    began, _ = checkpoint.load(start, "listener")
    export_weights(tmp_path / "tuned", "listener", out, blend=start, share=0.25)
    blended, header = checkpoint.load(out, "listener")
    assert header["notes"]["share"] == 0.25
    assert header["notes"]["blended_with"]["steps"] == 4
    moved = 0.0
    for name, value in blended.state_dict().items():
        expected = 0.75 * began.state_dict()[name] + 0.25 * tuned["ema"][name]
        torch.testing.assert_close(value, expected, rtol=1e-3, atol=1e-4)
        moved = max(moved, float((value - began.state_dict()[name]).abs().max()))
    assert moved > 1e-3
    other = Listener(ListenerConfig(channels=8))
    checkpoint.save(start, "listener", other, other.config.to_dict())
    with pytest.raises(checkpoint.CheckpointError, match="another shape"):
        export_weights(tmp_path / "tuned", "listener", out, blend=start)


def test_a_store_too_small_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="contains no songs"):
        train_listener(tmp_path, LoopConfig(tmp_path / "run"))
    one = tiny_store(tmp_path / "one", songs=1)
    with pytest.raises(TrainingError, match="at least 2"):
        train_listener(one, LoopConfig(tmp_path / "run"))


def test_widened_weights_answer_as_before_and_can_be_taught(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "first", 4)
    narrow_at, wide_at = tmp_path / "listener.safetensors", tmp_path / "wide.safetensors"
    export_weights(tmp_path / "first", "listener", narrow_at)
    widen(narrow_at, TINY.expand + 3, wide_at)
    (narrow, _), (wide, header) = (checkpoint.load(path, "listener") for path in (narrow_at, wide_at))
    assert header["config"]["expand"] == TINY.expand + 3 and header["notes"]["steps"] == 4
    x = torch.randn(1, 50, TINY.heard_size)
    torch.testing.assert_close(wide.whole(x), narrow.whole(x))
    shape = replace(TINY, expand=TINY.expand + 3)
    train_listener(store, LoopConfig(tmp_path / "on", steps=3, start=wide_at), shape, batch=2, frames=100)
    taught = torch.load(tmp_path / "on" / "last.pt", weights_only=True)["model"]["blocks.0.down.weight"]
    assert taught[:, TINY.expand * TINY.channels :].abs().max() > 0
    with pytest.raises(ValueError, match="are fewer"):
        widen(wide_at, TINY.expand, tmp_path / "narrow.safetensors")


def test_a_beat_said_late_costs_and_one_at_its_moment_does_not() -> None:
    target = torch.from_numpy(pulse_targets(np.array([10.1, 20.13, 30.19, 40.22]), 60, 4)).flatten()[None]
    said = torch.logit(target.clamp(1e-6, 1 - 1e-6))
    at_its_moment = float(moment_loss(said, target))
    assert all(float(moment_loss(said.roll(shift, 1), target)) > at_its_moment + 0.3 for shift in (-1, 1))
    skewed = said.clone()
    skewed[target > 0.85] += 0.5
    assert float(moment_loss(skewed, target)) > at_its_moment
    nothing = torch.full_like(said, -9.0)
    assert moment_loss(nothing, target) < 1e-3
    assert torch.isfinite(moment_loss(said, torch.zeros_like(target)))
