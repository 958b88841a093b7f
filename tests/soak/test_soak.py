"""Hours in minutes: a numbered signal through the whole engine, memory and step time that stay where they are.

`make soak` runs the long ones (GIGMATE_SOAK_SECONDS says how much sound: an hour). A short form of each runs always.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SECONDS = float(os.environ.get("GIGMATE_SOAK_SECONDS", "3600"))
LIVE_SECONDS = float(os.environ.get("GIGMATE_SOAK_LIVE_SECONDS", "600"))
CEILING = 10 ** (-1 / 20)
MIB_PER_HOUR = 8.0
"""More growth than that is a leak; the allocator's own breathing is less."""


def run(script: str, *arguments: object, timeout_s: float, environment: dict[str, str] | None = None) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    figures = {name: found.get(name) for name in ("seconds", "wall_s", "sent", "heard", "played", "memory", "highest")}
    print(json.dumps({**figures, "step_ms": found["report"]["step_ms"], "misses": found["report"]["misses"]}))
    return found


def check_numbers(found: dict[str, Any], seconds: float) -> None:
    """Nothing lost, nothing doubled, nothing late."""
    report = found["report"]
    assert report["misses"] == {"frames": 0, "episodes": 0, "blocks": 0, "samples": 0}, report["faults"]
    assert found["heard"]["breaks"] == 0
    assert found["played"]["breaks"] <= 1000, "the ramp at the start"
    assert found["heard"]["good"] > 0.99 * seconds * 48_000 - 4 * 1920
    assert found["played"]["good"] > 0.99 * seconds * 48_000 - 48_000
    assert report["input"]["dropped_samples"] == 0
    assert {name: report["frames"][name] for name in ("late", "skipped", "failed")} == {
        "late": 0, "skipped": 0, "failed": 0,
    }  # fmt: skip
    assert report["lost_samples"] == 0
    assert report["output"]["limited_samples"] == 0


def check_flat(found: dict[str, Any], seconds: float) -> None:
    """No leak, and steps as quick at the end as at the beginning."""
    assert found["memory"]["mib_per_hour"] < max(MIB_PER_HOUR, 4 * 3600 / seconds), found["memory"]
    if seconds >= 600:
        assert 0.5 < found["report"]["step_ms"]["growth"] < 1.5, found["report"]["step_ms"]


@pytest.mark.jack
def test_a_quarter_minute_through_jack_in_numbers(jack_server: Any) -> None:
    found = run("freewheel.py", jack_server.name, 15, timeout_s=100, environment=jack_server.environment)
    check_numbers(found, 15)


def test_ten_seconds_through_the_file_port_in_numbers() -> None:
    found = run("by_file.py", "numbers", 10, timeout_s=100)
    check_numbers(found, 10)


@pytest.mark.soak
@pytest.mark.jack
@pytest.mark.timeout(SECONDS * 2 + 300)
@pytest.mark.parametrize("block_samples", [128, 1024])
def test_an_hour_through_jack_free_wheeling(block_samples: int, start_jack: Any) -> None:
    server = start_jack(block_samples=block_samples)
    found = run("freewheel.py", server.name, SECONDS, timeout_s=SECONDS * 2 + 200, environment=server.environment)
    check_numbers(found, SECONDS)
    check_flat(found, SECONDS)


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
def test_an_hour_through_the_file_port() -> None:
    found = run("by_file.py", "numbers", SECONDS, timeout_s=SECONDS + 200)
    check_numbers(found, SECONDS)
    check_flat(found, SECONDS)


@pytest.mark.soak
@pytest.mark.timeout(SECONDS * 4 + 600)
def test_an_hour_of_the_real_band_holds_its_memory_and_its_pace() -> None:
    found = run("by_file.py", "shipped", SECONDS, timeout_s=SECONDS * 4 + 500)
    report = found["report"]
    assert report["seconds"] == pytest.approx(SECONDS, abs=0.1)
    assert report["frames"]["failed"] == 0
    assert report["output"]["nonfinite"] == 0
    assert found["finite"]
    assert 0.001 < found["highest"] <= CEILING
    check_flat(found, SECONDS)


@pytest.mark.soak
@pytest.mark.jack
@pytest.mark.timeout(LIVE_SECONDS + 400)
def test_ten_minutes_in_real_time_under_load(jack_server: Any) -> None:
    """The real band on a server that keeps the wall clock, while another thread is busy in pure Python."""
    found = run(
        "under_load.py", jack_server.name, LIVE_SECONDS, timeout_s=LIVE_SECONDS + 300,
        environment=jack_server.environment,
    )  # fmt: skip
    report = found["report"]
    assert report["misses"]["frames"] == 0, report["misses"]
    assert report["callbacks"]["served"] >= 0.999 * report["callbacks"]["expected"]
    assert report["frames"]["skipped"] == report["frames"]["failed"] == 0
    check_flat(found, LIVE_SECONDS)
