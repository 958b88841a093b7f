"""The adversarial finish changes the sound and no token; both architectures train by one recipe and are compared."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from gigmate.cli import boundary, main
from gigmate.model import checkpoint
from gigmate.model.codec import encodec_adapter
from gigmate.model.codec.mdct_codec import CodecConfig
from gigmate.model.codec.seanet import SeanetConfig
from gigmate.training.errors import TrainingError
from gigmate.training.loop import Loop, LoopConfig
from gigmate.training.store import songs_in
from gigmate.training.trainers.adversarial import (
    Balancer,
    Discriminator,
    deceiving_loss,
    feature_loss,
    judge_loss,
)
from gigmate.training.trainers.codec_finish import finish_codec
from gigmate.training.trainers.codec_trainer import train_codec
from gigmate.training.trainers.compare_codecs import compare_codecs

from ..stores import tiny_store

TINY = CodecConfig(
    fine_channels=16, fine_blocks=1, coarse_channels=16, coarse_blocks=1, latent=8, codebooks=3, entries=16
)
TINY_SEANET = SeanetConfig(filters=2, latent=8, codebooks=3, entries=16, lstm_layers=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_store(tmp_path_factory.mktemp("store"), songs=2, seconds=4.0)


@pytest.fixture(scope="module")
def trained(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A codec of a few steps: the folder of its training."""
    out = tmp_path_factory.mktemp("trained")
    train_codec(store, config(out, 3), TINY, batch=2)
    return out


def config(out: Path, steps: int) -> LoopConfig:
    return LoopConfig(out, steps=steps, learning_rate=3e-3, warmup_steps=2, log_steps=2)


def small_judge() -> Discriminator:
    torch.manual_seed(3)
    return Discriminator((256, 128), filters=2)


def rows(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def some_sound(store: Path) -> torch.Tensor:
    audio = songs_in(store)[0].array("audio")[1:3, : 20 * 1280]
    return torch.from_numpy(audio.astype("float32") / 32767.0)


@torch.no_grad()
def test_a_finish_changes_the_sound_and_no_token(store: Path, trained: Path, tmp_path: Path) -> None:
    before = checkpoint.build("codec", torch.load(trained / "last.pt", weights_only=True)["shape"])
    before.load_state_dict(torch.load(trained / "last.pt", weights_only=True)["ema"])
    with torch.enable_grad():
        assert finish_codec(store, config(tmp_path, 6), trained, batch=2, judge=small_judge()) == 1.0
    saved = torch.load(tmp_path / "last.pt", weights_only=True)
    after = checkpoint.build("codec", saved["shape"])
    after.load_state_dict(saved["ema"])
    audio = some_sound(store)
    tokens = before.encode(audio)
    assert torch.equal(after.encode(audio), tokens)
    assert torch.equal(after.quantizer.codes, before.quantizer.codes)
    assert all(
        torch.equal(value, before.encoder.state_dict()[name]) for name, value in after.encoder.state_dict().items()
    )
    assert not torch.allclose(after.decode(tokens), before.decode(tokens), atol=1e-5)
    figures = [value for row in rows(tmp_path) for value in row.values()]
    assert all(math.isfinite(value) for value in figures)
    assert {"judge", "deceiving", "features", "mel", "wave"} <= {name for row in rows(tmp_path) for name in row}
    untaught = small_judge().state_dict()
    assert any(not torch.equal(saved["extra"][f"judge.{name}"], value) for name, value in untaught.items())


def test_a_finish_goes_on_bit_for_bit(
    store: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(out: Path) -> None:
        finish_codec(store, config(out, 5), trained, batch=2, judge=small_judge())

    run(tmp_path / "whole")
    update = Loop.update

    def until_three(self: Loop, *arguments: object) -> None:
        update(self, *arguments)  # type: ignore[arg-type]
        if self.step == 2:
            self._ask_stop()

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "update", until_three)
        run(tmp_path / "parts")
    run(tmp_path / "parts")
    whole, parts = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "parts"))
    assert parts["step"] == whole["step"] == 5
    for where in ("model", "extra"):
        assert all(torch.equal(parts[where][name], value) for name, value in whole[where].items())


def test_a_stage_does_not_go_on_in_anothers_folder(store: Path, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="another folder"):
        finish_codec(store, config(trained, 6), trained, batch=2, judge=small_judge())
    train_codec(store, config(tmp_path, 1), TINY, batch=2)
    with pytest.raises(TrainingError, match="another stage"):
        finish_codec(store, config(tmp_path, 6), trained, batch=2, judge=small_judge())


def test_a_balanced_gradient_has_the_shares_it_was_given() -> None:
    torch.manual_seed(0)
    sound = torch.randn(3, 500, requires_grad=True)
    balancer = Balancer({"loud": 3.0, "soft": 1.0, "absent": 4.0})
    losses = {"loud": 1e4 * sound[:, :250].square().sum(), "soft": 1e-3 * sound[:, 250:].abs().sum()}
    gradient = balancer.gradient(losses, sound)
    lengths = [float(part.norm(dim=1).mean()) for part in (gradient[:, :250], gradient[:, 250:])]
    assert lengths == pytest.approx([3 / 8, 1 / 8], rel=1e-3)
    broken = {"loud": (sound.sum() - sound.sum()).sqrt()}  # its gradient is not a number
    assert bool(torch.isfinite(balancer.gradient(broken, sound)).all())
    assert bool(torch.isfinite(balancer.lengths).all())


def test_the_judge_learns_to_tell_and_its_losses_are_right() -> None:
    judge = small_judge()
    torch.manual_seed(0)
    true, made = 0.3 * torch.randn(4, 2000), torch.zeros(4, 2000)
    optimizer = torch.optim.Adam(judge.parameters(), 5e-3)
    first = float(judge_loss(judge(true), judge(made)).detach())
    for _ in range(30):
        optimizer.zero_grad()
        judge_loss(judge(true), judge(made)).backward()
        optimizer.step()
    assert float(judge_loss(judge(true), judge(made)).detach()) < 0.7 * first
    assert float(deceiving_loss(judge(true)).detach()) < float(deceiving_loss(judge(made)).detach())
    assert float(feature_loss(judge(true), judge(true)).detach()) == 0


def test_both_candidates_train_and_are_compared(store: Path, tmp_path: Path) -> None:
    shapes: dict[str, CodecConfig | SeanetConfig] = {"mdct": TINY, "seanet": TINY_SEANET}
    result = compare_codecs(store, config(tmp_path, 4), batch=2, candidates=shapes)
    assert json.loads((tmp_path / "compare.json").read_text()) == result
    for name, shape in shapes.items():
        assert checkpoint.load_codec(tmp_path / f"{name}.safetensors").config == shape
        assert result[name]["steps"] == 4
        assert math.isfinite(result[name]["drums_mel_db"])


def test_seanet_learns_by_the_same_recipe(store: Path, tmp_path: Path) -> None:
    shape = dataclasses.replace(TINY_SEANET, lstm_layers=0)
    train_codec(store, config(tmp_path, 24), shape, batch=2)
    errors = [row["mel"] for row in rows(tmp_path) if "mel" in row]
    assert errors[-1] < 0.97 * errors[0]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--architecture", "wavelet"], "mdct or seanet"),
        (["--finish", "3"], "--from"),
        (["--finish", "-1", "--from", "shipped"], "--finish -1"),
        (["--finish", "3", "--from", "shipped", "--architecture", "mdct"], "is used; leave it out"),
        (["--from", "shipped", "--architecture", "seanet"], "are mdct"),
    ],
)
def test_wrong_requests_are_said_in_one_line(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], word: str
) -> None:
    code = boundary.run(
        main.app, "gigmate", ["train", "codec", "--data", str(store), "--out", str(tmp_path / "run"), *options]
    )
    captured = capsys.readouterr().err
    assert code == 2 and word in captured and captured.count("\n") == 1


def test_importing_what_is_no_state_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state.th").write_bytes(b"hello")
    code = boundary.run(
        main.app,
        "gigmate",
        ["train", "import-encodec", str(tmp_path / "state.th"), str(tmp_path / "codec.safetensors")],
    )
    assert code == 1 and "state.th" in capsys.readouterr().err
    assert encodec_adapter.OFFICIAL.frame_samples == 320
