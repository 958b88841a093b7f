"""Two builds measured in turns: each through its own commands, and what cannot be compared is one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from gigmate.cli.bench import bench_against
from gigmate.cli.bench.bench_against import check_folder, measure_against
from gigmate.engine.errors import ConfigError, EngineError

COMMANDS = """
import json, sys
def main():
    words = sys.argv[1:]
    if words == ["bench", "--help"]:
        print("{workers}")
    elif words[0] == "bench":
        step = {{"p50": {step}, "p99.9": {step}}}
        many = {{"real_time_factor": 6.0, "peak_mib": 50.0}} if "--workers" in words else {{"real_time_factor": 3.0}}
        print(json.dumps({{"model": {{"step_ms": step}}, "streams": many}}))
    elif words[:2] == ["complete", "--help"]:
        print("{sound}")
    elif words[0] == "complete" and ("--sound" in words) != bool("{sound}"):
        sys.exit("a voice that it does not have")
    return 0
main_live = main
"""


def checkout(folder: Path, step_ms: float, sound: str = "", workers: str = "") -> Path:
    (folder / "cli").mkdir(parents=True)
    (folder / "model/weights").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    for package in (folder, folder / "cli"):
        (package / "__init__.py").touch()
    (folder / "cli/main.py").write_text(COMMANDS.format(step=step_ms, sound=sound, workers=workers))
    return folder


def test_the_ratio_is_this_one_to_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_against, "OURS", checkout(tmp_path / "new", 2.0, "--sound WHAT", "--workers N"))
    found = measure_against(checkout(tmp_path / "old", 8.0), tmp_path / "take.flac", 4, rounds=2)
    assert found["step_p50_ms"] == {"other": 8.0, "this": 2.0, "ratio": 0.25}
    assert found["streams_real_time_factor"]["ratio"] == 1.0
    spread = found["streams_in_workers_real_time_factor"]
    assert spread == {"other": 3.0, "this": 6.0, "ratio": 2.0}, "the other one has no processes to spread them over"
    assert found["streams_in_workers_peak_mib"]["this"] == 50.0
    assert found["live_peak_mib"]["this"] > 1.0 and found["rounds"] == 2


def test_a_build_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_against, "OURS", checkout(tmp_path / "new", 2.0))
    broken = checkout(tmp_path / "old", 8.0)
    (broken / "cli/main.py").write_text("def main():\n    raise SystemExit('no such thing')\nmain_live = main\n")
    with pytest.raises(EngineError, match="other: complete"):
        measure_against(broken, tmp_path / "take.flac", 4, rounds=1)


def test_what_is_no_checkout_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no checkout of GigMate"):
        check_folder(tmp_path)
