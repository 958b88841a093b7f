"""The loop of every training: it learns, resumes to the step, keeps the best, refuses what is not its own, reports."""

from __future__ import annotations

import faulthandler
import importlib.util
import inspect
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gigmate.training.errors import TrainingError
from gigmate.training.loop import Loop, LoopConfig
from torch import nn

ROOT = Path(__file__).resolve().parents[2]


def train(
    config: LoopConfig, stop_at: int | None = None, shape: dict[str, Any] | None = None
) -> tuple[Loop, list[float]]:
    """Fit a line with noisy data: every kind of randomness that a training has."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    loop = Loop(config, model, "line", shape or {"size": 16})
    average = torch.zeros(3)
    loop.keep(average=average)
    loop.resume()
    rng = loop.sampler(7)
    losses = []
    for step in loop:
        x = torch.from_numpy(rng.standard_normal((8, 4)).astype(np.float32))
        y = x.sum(1, keepdim=True) + 0.01 * torch.randn(8, 1)
        loss = (model(x) - y).square().mean()
        average += 1.0
        loop.update(loss, {"extra": 1.0})
        losses.append(float(loss.detach()))
        if step + 1 == stop_at:
            loop._ask_stop()
    return loop, losses


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_loss_goes_down_and_the_average_follows(tmp_path: Path) -> None:
    loop, losses = train(LoopConfig(tmp_path, steps=300, learning_rate=1e-2, warmup_steps=10))
    assert np.mean(losses[-20:]) < 0.1 * np.mean(losses[:20])
    weights = loop.model.state_dict()
    assert all(torch.allclose(loop.ema[name], weights[name], atol=0.1) for name in weights)
    assert not same(loop.ema, weights)


def test_a_resumed_training_ends_equal_to_one_that_was_not_interrupted(tmp_path: Path) -> None:
    whole, _ = train(LoopConfig(tmp_path / "whole", steps=60, log_steps=7))
    for stop_at in (13, 40, None):
        parts, _ = train(LoopConfig(tmp_path / "parts", steps=60, log_steps=7), stop_at)
    assert parts.step == whole.step == 60
    assert same(parts.model.state_dict(), whole.model.state_dict())
    assert same(parts.ema, whole.ema)
    assert torch.equal(parts._extra["average"], whole._extra["average"])
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("whole", "parts")]
    figures = [[{k: v for k, v in json.loads(line).items() if k != "minutes"} for line in log] for log in logs]
    assert figures[0] == figures[1]


def test_lines_of_steps_that_are_made_again_are_dropped(tmp_path: Path) -> None:
    train(LoopConfig(tmp_path, steps=10, log_steps=5))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 12, "loss": 1}\n{"step": 14, "lo')
    train(LoopConfig(tmp_path, steps=20, log_steps=5))
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [4, 9, 14, 19]


FORKED = multiprocessing.get_context("fork")
"""A program of ours at once: torch, which takes seconds to import, is there already."""


def train_for_ever(folder: Path) -> None:
    model = nn.Linear(2, 1)
    loop = Loop(LoopConfig(folder, steps=10**9, save_seconds=0.02), model, "line", {})
    loop.resume()
    for _ in loop:
        loop.update(model(torch.ones(1, 2)).square().sum(), {})
        time.sleep(0.005)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_training_goes_on(tmp_path: Path, with_signal: signal.Signals) -> None:
    child = FORKED.Process(target=train_for_ever, args=(tmp_path,))
    child.start()
    waited = time.monotonic()
    while not (tmp_path / "last.pt").exists() and time.monotonic() - waited < 60:
        time.sleep(0.01)
    os.kill(child.pid, with_signal)
    child.join(30)
    assert child.exitcode == (-signal.SIGKILL if with_signal == signal.SIGKILL else 0)
    loop = Loop(LoopConfig(tmp_path, steps=10**9), nn.Linear(2, 1), "line", {})
    assert loop.resume()
    assert loop.step > 0


@pytest.mark.parametrize("change", ["shape", "kind", "damage"])
def test_another_folder_is_refused_in_one_line(tmp_path: Path, change: str) -> None:
    train(LoopConfig(tmp_path, steps=2))
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    kind = "curve" if change == "kind" else "line"
    shape = {"size": 17 if change == "shape" else 16}
    if change == "damage":
        (tmp_path / "last.pt").write_bytes(b"PK\x03\x04 cut")
    loop = Loop(LoopConfig(tmp_path), model, kind, shape)
    with pytest.raises(TrainingError, match="--fresh") as caught:
        loop.resume()
    assert "\n" not in str(caught.value).strip()


def test_fresh_begins_anew(tmp_path: Path) -> None:
    train(LoopConfig(tmp_path, steps=10, log_steps=5))
    loop, losses = train(LoopConfig(tmp_path, steps=5, log_steps=5, fresh=True))
    assert len(losses) == loop.step == 5
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    model = nn.Linear(1, 1)
    loop = Loop(LoopConfig(tmp_path, steps=4), model, "line", {})
    for step in loop:
        loop.update(model(torch.ones(1, 1)).square().sum(), {})
        loop.log(valid=(3.0, 1.0, float("nan"), 2.0)[step])
        if step == 1:
            there = {name: value.clone() for name, value in loop.ema.items()}
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert best["valid"] == 1.0
    assert same(best["ema"], there)
    resumed = Loop(LoopConfig(tmp_path, steps=4), nn.Linear(1, 1), "line", {})
    resumed.resume()
    assert resumed.best == 1.0


def test_a_step_whose_gradient_is_not_finite_changes_nothing(tmp_path: Path) -> None:
    model = nn.Linear(1, 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loop = Loop(LoopConfig(tmp_path, steps=1), model, "line", {})
    for _ in loop:
        loop.update(model(torch.full((1, 1), float("inf"))).sum(), {})
    assert same(model.state_dict(), before)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(TrainingError, match="--device cpu"):
        Loop(LoopConfig(tmp_path, device="cuda"), nn.Linear(1, 1), "line", {})
    with pytest.raises(TrainingError, match="auto, cpu or cuda"):
        Loop(LoopConfig(tmp_path, device="tpu"), nn.Linear(1, 1), "line", {})


def test_everything_in_a_batch_is_moved(tmp_path: Path) -> None:
    loop = Loop(LoopConfig(tmp_path, device="cpu"), nn.Linear(1, 1), "line", {})
    batch = {"a": (torch.ones(1), [torch.zeros(2)]), "b": "word"}
    moved = loop.move(batch)
    assert moved["b"] == "word" and torch.equal(moved["a"][1][0], torch.zeros(2))


def test_tensorboard_gets_the_figures(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    train(LoopConfig(tmp_path / "run", steps=10, log_steps=5, tensorboard=tmp_path / "board"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    assert [event.step for event in events.Scalars("loss")] == [4, 9]


def report_to_clearml(out: Path, home: Path) -> None:
    faulthandler.dump_traceback_later(80, exit=True)  # where it hangs, if it does
    os.environ.update({"CLEARML_OFFLINE_MODE": "1", "HOME": str(home), "CLEARML_CACHE_DIR": str(home)})
    os.chdir(home)
    model = nn.Linear(2, 1)
    loop = Loop(LoopConfig(out, steps=10, log_steps=5, clearml="gigmate"), model, "line", {})
    for _ in loop:
        loop.update(model(torch.ones(1, 2)).square().sum(), {})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
def test_clearml_gets_the_figures_offline(tmp_path: Path) -> None:
    if importlib.util.find_spec("clearml") is None:  # to import it here would be to give it this process's settings
        pytest.skip("clearml is not installed")
    # ClearML's reporting process is forked while its search for a repository holds a pipe open: now and then closing
    # the task then waits for a minute. A thread reports the same figures, and the search is done before the training.
    settings = "sdk.development.report_use_subprocess: false\nsdk.development.vcs_repo_detect_async: false\n"
    (tmp_path / "clearml.conf").write_text(settings)
    child = FORKED.Process(target=report_to_clearml, args=(tmp_path / "run", tmp_path))
    child.start()
    child.join(100)
    assert child.exitcode == 0
    assert (tmp_path / "run" / "log.jsonl").exists()
    assert any(tmp_path.rglob("*offline*"))


def train_one_of_two(out: Path) -> None:
    """What torchrun starts twice."""
    torch.manual_seed(int(os.environ["RANK"]))
    model = nn.Linear(2, 1)
    loop = Loop(LoopConfig(out, steps=20, log_steps=5, device="cpu"), model, "line", {})
    loop.resume()
    rng = loop.sampler(1)
    for _ in loop:
        x = torch.from_numpy(rng.standard_normal((4, 2))).float()
        loop.update((model(x) - x.sum(1, keepdim=True)).square().mean(), {})
    torch.save(model.state_dict(), out.with_name(f"rank{loop.group.rank}.pt"))


def train_as(rank: int, out: Path, port: int) -> None:
    """As torchrun would: its environment, and then the program."""
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in told.items()})
    train_one_of_two(out)


def check_ranks(folder: Path) -> None:
    ranks = [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert same(*ranks)
    assert len((folder / "run" / "log.jsonl").read_text().splitlines()) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ranks = [FORKED.Process(target=train_as, args=(rank, tmp_path / "run", port)) for rank in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(100)
    assert [process.exitcode for process in ranks] == [0, 0]
    check_ranks(tmp_path)


@pytest.mark.slow
def test_two_processes_of_torchrun_train_as_one(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    imports = "import os, sys, torch\nfrom pathlib import Path\nfrom torch import nn\n"
    imports += "from gigmate.training.loop import Loop, LoopConfig\n"
    program.write_text(f"{imports}{inspect.getsource(train_one_of_two)}\ntrain_one_of_two(Path(sys.argv[1]))\n")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(program)]
    done = subprocess.run([*command, str(tmp_path / "run")], capture_output=True, text=True, cwd=ROOT, timeout=110)
    assert done.returncode == 0, done.stderr[-2000:]
    check_ranks(tmp_path)
