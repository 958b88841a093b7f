"""`gigmate bench`: figures as lines for people, as JSON for programs; what each machine can tell and no more."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time

import numpy as np
import pytest
from gigmate.band import Band
from gigmate.cli import boundary, main
from gigmate.cli.bench import bench_command, bench_workers
from gigmate.engine.errors import EngineError
from gigmate.engine.player import Controls, Moment

from ..service.service_fakes import Echoist

FIGURES = {
    "machine": {"cores": 2},
    "engine": {"ring": [{"gb_per_s": 9.0, "block_samples": 64}, {"gb_per_s": 12.5, "block_samples": 512}]},
    "model": {
        "frame_ms": 40.0,
        "step_ms": {"p50": 8.0, "p99": 10.0},
        "step": {"p50_ms": 12.34567, "rates": [1.0, 2.0]},
        "nan": float("nan"),
    },
    "memory": {"peak_mib": None},
}


def test_figures_as_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench_command, "measure", lambda seconds: FIGURES)
    assert boundary.run(main.app, "gigmate", ["bench"]) == 0
    verdict, *raw = capsys.readouterr().out.splitlines()
    assert verdict == "5.0 times real time: plays with 75 % to spare"
    lines = dict(line.split(maxsplit=1) for line in raw)
    assert "verdict" not in lines
    assert lines["model.step.p50_ms"] == "12.35"
    assert lines["engine.ring[512].gb_per_s"] == "12.5"
    assert lines["model.step.rates"] == "1, 2"
    assert lines["machine.cores"] == "2"


def test_figures_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench_command, "measure", lambda seconds: FIGURES)
    assert boundary.run(main.app, "gigmate", ["bench", "--json"]) == 0
    values = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert values["engine"] == FIGURES["engine"]
    assert values["model"]["nan"] is None
    assert set(values) == {*FIGURES, "verdict"} and "plays with 75 % to spare" in values["verdict"]


def test_seconds_that_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(main.app, "gigmate", ["bench", "--seconds", "0"]) == 2
    assert "1 to 3600" in capsys.readouterr().err


def test_the_native_half_is_measured() -> None:
    from gigmate.engine.callback import callback_benchmark

    names = [name for name, _ in bench_command.flat({"engine": callback_benchmark.measure()})]
    assert any("ring[" in name for name in names)
    assert any("callback[128]" in name for name in names)


class Turns(Echoist):
    """Players that share one core, each frame for so long."""

    turn = threading.Lock()
    takes_s = 0.0

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        with self.turn:
            time.sleep(self.takes_s)
            return super().play(moment, controls)


def test_streams_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench_command, "_load", lambda: Band(Turns))
    monkeypatch.setattr(Turns, "takes_s", 0.04)
    assert boundary.run(main.app, "gigmate", ["bench", "--streams", "3", "--seconds", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {"verdict", "machine", "streams"}
    assert "cannot play 3 at once" in figures["verdict"]
    streams = figures["streams"]
    assert streams["streams"] == 3
    assert 0.0 < streams["real_time_factor"] <= 1.05, "one core that takes 40 ms for each frame of 40 ms"
    assert streams["behind_most_ms"] > 1000.0
    assert streams["slowest_behind_ms"] >= streams["fastest_behind_ms"]
    assert 0.0 < streams["late_share"] <= 1.0
    assert boundary.run(main.app, "gigmate", ["bench", "--streams", "0"]) == 2
    assert "1 to 256" in capsys.readouterr().err


def test_a_stream_that_fails_ends_the_measurement() -> None:
    from gigmate.cli.bench.bench_streams import measure_streams

    class Broken(Echoist):
        def play(self, moment: Moment, controls: Controls) -> np.ndarray:
            raise RuntimeError("no")

    with pytest.raises(EngineError, match="the model failed"):
        measure_streams(Band(Broken), 3, 1.0)


def test_workers_are_for_streams_and_no_more_than_they(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--workers", "2"], ["--streams", "2", "--workers", "3"], ["--streams", "2", "--workers", "0"]):
        assert boundary.run(main.app, "gigmate", ["bench", *words]) == 2
        assert "at most as many processes" in capsys.readouterr().err


def test_streams_in_two_processes_beside_one(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "--streams", "2", "--workers", "2", "--seconds", "1", "--json"]
    assert boundary.run(main.app, "gigmate", words) == 0
    figures = json.loads(capsys.readouterr().out)
    one, two = figures["workers"]["in_1"], figures["workers"]["in_2"]
    assert (one["streams"], two["streams"], two["workers"]) == (2, 2, 2)
    assert figures["streams"] == two
    assert two["peak_mib"] > one["peak_mib"] > 50.0
    assert "in one process" in figures["verdict"] and "in 2 processes" in figures["verdict"]
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_workers, "work", os.abort)  # called with arguments that it does not take: it ends
    with pytest.raises(EngineError, match="a process of the benchmark ended"):
        bench_workers.measure_workers(2, 2, 1.0)
    assert not multiprocessing.active_children()
