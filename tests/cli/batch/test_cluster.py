"""A batch by a Dask cluster on loopback, with a worker killed in the middle; and addresses where there is none."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.cli import boundary, main


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for number in range(2):
        soundfile.write(folder / f"{number}.wav", np.zeros(4000, np.float32), 8000)
    return folder


def test_it_is_an_extra(music: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from gigmate.cli import extras

    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert boundary.run(main.app, "gigmate", ["complete", str(music), "--cluster", "tcp://127.0.0.1:1"]) == 1
    assert "pip install 'gigmate[cluster]'" in capsys.readouterr().err


def test_addresses_that_are_none_and_schedulers_that_do_not_answer(
    music: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    from gigmate.cli.batch import cluster

    monkeypatch.setattr(cluster, "_OPEN_S", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    for address, code, word in (("somewhere", 2, "such as tcp://"), (nobody, 1, "no scheduler answers")):
        assert boundary.run(main.app, "gigmate", ["complete", str(music), "--cluster", address]) == code
        assert word in capsys.readouterr().err


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(tiny_weights: Path) -> None:
    """The script that measures it: four workers, one killed, then the command itself."""
    import json
    import subprocess
    import sys

    pytest.importorskip("distributed")
    script = Path(__file__).parents[2] / "stage" / "batch_killed.py"
    done = subprocess.run(
        [sys.executable, str(script), "--files", "24", "--seconds", "1", "--cluster", "--weights", str(tiny_weights)],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    for name in ("worker_killed", "command_killed"):
        row = found[name]
        assert (row["missing"], row["besides"], row["exit_code"]) == (0, 0, 0), row
    assert found["worker_killed"]["told_twice"] == 0
    assert found["command_killed"]["done_again"] == 0
