"""`gigmate bench`: figures as lines for people, as JSON for programs; what each machine can tell and no more."""

from __future__ import annotations

import json

import pytest
from gigmate.cli import bench, boundary, main

FIGURES = {
    "machine": {"cores": 2},
    "engine": {"ring": [{"gb_per_s": 9.0, "block_samples": 64}, {"gb_per_s": 12.5, "block_samples": 512}]},
    "model": {"step": {"p50_ms": 12.34567, "rates": [1.0, 2.0]}, "nan": float("nan")},
    "memory": {"peak_mib": None},
}


def test_figures_as_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "measure", lambda seconds: FIGURES)
    assert boundary.run(main.app, "gigmate", ["bench"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["model.step.p50_ms"] == "12.35"
    assert lines["engine.ring[512].gb_per_s"] == "12.5"
    assert lines["model.step.rates"] == "1, 2"
    assert lines["machine.cores"] == "2"


def test_figures_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "measure", lambda seconds: FIGURES)
    assert boundary.run(main.app, "gigmate", ["bench", "--json"]) == 0
    values = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert values["engine"] == FIGURES["engine"]
    assert values["model"]["nan"] is None


def test_seconds_that_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(main.app, "gigmate", ["bench", "--seconds", "0"]) == 2
    assert "1 to 3600" in capsys.readouterr().err


def test_the_native_half_is_measured() -> None:
    from gigmate.engine import benchmark

    names = [name for name, _ in bench.flat({"engine": benchmark.measure()})]
    assert any("ring[" in name for name in names)
    assert any("callback[128]" in name for name in names)
