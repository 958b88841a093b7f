"""A batch over folders by processes of this machine: nothing lost, nothing twice, whoever is killed; resumed; said."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.cli import boundary, main
from gigmate.cli.batch import local_pool
from gigmate.cli.batch.local_pool import LocalPool
from gigmate.cli.batch.work import Task
from gigmate.cli.complete_job import Completion
from gigmate.engine.errors import EngineError


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Two folders, with a result of an earlier run, a hidden file and something that is no sound."""
    noise = np.random.default_rng(0).standard_normal(4000).astype(np.float32) * 0.05
    folder = tmp_path / "music"
    for name in ("a/one.wav", "a/two.flac", "b/c/three.wav", "a/one-band.wav", "b/.hidden.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, noise, 8000)
    (folder / "b" / "notes.txt").write_text("no sound")
    return folder


@pytest.fixture
def quick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes as separate as spawned ones, from a server that has imported everything once for all of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([
        "gigmate.cli.batch.local_pool", "gigmate.band", "gigmate.engine.run.accompaniment", "gigmate.sound.midi_file",
        "gigmate.model.loading", "gigmate.model.accompanist", "gigmate.model.native.stream", "gigmate.show",
    ])  # fmt: skip
    monkeypatch.setattr(local_pool.multiprocessing, "get_context", lambda method: context)


def results(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def complete(*options: object) -> int:
    return boundary.run(main.app, "gigmate", ["complete", *map(str, options)])


@pytest.mark.usefixtures("quick_workers")
def test_a_folder_is_completed_once_and_only_what_is_missing_afterwards(
    music: Path, tmp_path: Path, tiny_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = [music, "-o", out, "--no-wait", "--jobs", "2", "--weights", tiny_weights]
    assert complete(*options) == 0
    assert results(out) == ["a/one-band.wav", "a/two-band.wav", "b/c/three-band.wav"]
    said = capsys.readouterr()
    assert "3 recordings" in said.out
    assert [line.split(":")[0] for line in said.err.splitlines() if " of " in line] == ["1 of 3", "2 of 3", "3 of 3"]
    (out / "a" / "two-band.wav").unlink()
    before = (out / "a" / "one-band.wav").stat().st_mtime_ns
    assert complete(*options) == 0
    assert "1 recordings" in (said := capsys.readouterr()).out and "2 were done before" in said.out
    assert (out / "a" / "one-band.wav").stat().st_mtime_ns == before


@pytest.mark.usefixtures("quick_workers")
def test_one_that_is_no_sound_fails_and_the_others_are_done(
    music: Path, tiny_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "a" / "broken.wav").write_bytes(b"RIFF no sound")
    assert complete(music / "a", music / "b", "--no-wait", "--jobs", "1", "--weights", tiny_weights, "--force") == 1
    said = capsys.readouterr().out
    assert "3 recordings" in said and "1 failed" in said and "broken.wav" in said
    assert (music / "b" / "c" / "three-band.wav").exists(), "beside the recording"


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (["--jobs", "0"], 2, "--jobs 0"),
        (["--midi", "x.mid"], 2, "one by one"),
        (["--jobs", "2", "--cluster", "tcp://127.0.0.1:1"], 2, "one of them"),
        (["--start", "-1"], 2, "start"),
    ],
)
def test_what_cannot_be_asked_of_several(
    music: Path, options: list[str], code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complete(music, *options) == code
    assert word in capsys.readouterr().err
    assert not list(music.rglob("t*-band.wav"))


def test_empty_folders_and_results_of_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert complete(tmp_path) == 1
    assert "no recordings" in capsys.readouterr().err
    for name in ("a.wav", "a.flac"):
        soundfile.write(tmp_path / name, np.zeros(100, np.float32), 8000)
    assert complete(tmp_path) == 2
    assert "would both be" in capsys.readouterr().err
    assert complete(tmp_path / "a.wav", "--jobs", "2") == 2


def tasks_of(music: Path, out: Path, weights: Path, count: int = 6) -> list[Task]:
    return [
        Task(Completion(music / "a" / "one.wav", out / f"{number}.wav", ahead_frames=1), str(weights))
        for number in range(count)
    ]


def test_a_worker_that_is_killed_costs_nothing(music: Path, tmp_path: Path, tiny_weights: Path) -> None:
    """Killed after its first result: what it had is done by another, each task is told once, nothing half stays."""
    out, lines = tmp_path / "out", []
    out.mkdir()
    tasks = tasks_of(music, out, tiny_weights)
    pool = LocalPool(2)
    told = []
    try:
        for event in pool.run(tasks, lines.append):
            if event is None:
                continue
            told.append(event[0].target)
            assert event[1].error is None
            if len(told) == 1:
                os.kill(pool._workers[0].process.pid or 0, signal.SIGKILL)
    finally:
        pool.close()
    assert sorted(told) == sorted(task.target for task in tasks)
    assert results(out) == sorted(path.name for path in told)
    assert all("ended by signal 9" in line for line in lines)


@pytest.mark.usefixtures("quick_workers")
def test_a_file_over_which_workers_die_fails_and_the_others_go_on(
    music: Path, tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault follows the file, not whoever works beside it."""
    out = tmp_path / "out"
    out.mkdir()
    tasks = tasks_of(music, out, tiny_weights, 3)
    killing = {str(tasks[1].target)}

    real = local_pool.wait

    def wait(pipes: list[object], timeout: float) -> list[object]:
        for worker in pool._workers:
            if worker.task is not None and str(worker.task.target) in killing:
                worker.process.kill()
                worker.process.join()
                return [worker.pipe]
        return list(real(pipes, timeout))  # type: ignore[arg-type]

    monkeypatch.setattr(local_pool, "wait", wait)
    pool = LocalPool(2)
    try:
        found = {event[0].target: event[1] for event in pool.run(tasks, lambda line: None) if event is not None}
    finally:
        pool.close()
    assert "as did one before" in (found[tasks[1].target].error or "")
    assert found[tasks[0].target].error is None and found[tasks[2].target].error is None


@pytest.mark.usefixtures("quick_workers")
def test_weights_that_cannot_be_used_end_the_batch(music: Path, tmp_path: Path) -> None:
    pool = LocalPool(1)
    try:
        with pytest.raises(EngineError):
            list(pool.run(tasks_of(music, tmp_path, tmp_path / "nothing", 1), lambda line: None))
    finally:
        pool.close()


def test_a_signal_ends_it_and_the_next_one_goes_on(music: Path, tmp_path: Path, tiny_weights: Path) -> None:
    for number in range(12):
        soundfile.write(music / f"more{number}.wav", np.zeros(16_000, np.float32), 8000)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "gigmate", "complete", str(music), "-o", str(out), "--no-wait", "--jobs", "1",
               "--weights", str(tiny_weights)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    killer = threading.Timer(100, process.kill)
    killer.start()
    said = process.stderr.readline()
    assert said.startswith("1 of 15")
    process.terminate()
    said += process.stderr.read()
    killer.cancel()
    assert process.wait(30) == 128 + signal.SIGTERM
    done = re.search(r"(\d+) of 15 are done; give the same command to go on", said)
    assert done is not None and len(results(out)) == int(done[1]) < 15
