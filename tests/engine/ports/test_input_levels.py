"""Which input moves, by a real server: one that somebody plays into, beside silent ones."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gigmate.cli.live.input_watch import InputWatch
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import EngineError
from gigmate.engine.ports.input_levels import input_peaks, moving_input
from gigmate.engine.status import Status

PEER = Path(__file__).with_name("jack_peer.py")
RAMP_SAMPLES = 2**23
"""Numbers that grow to half of full scale in three minutes, and pass -50 dB in the first second."""


@pytest.fixture
def config(start_jack: Callable[..., Any]) -> Any:
    """A server whose client "loopback" has three inputs; somebody plays into the second."""
    server = start_jack(loopback=3)
    peer = subprocess.Popen(
        [sys.executable, str(PEER), "play", "loopback:playback_2", str(RAMP_SAMPLES)],
        env=server.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert peer.stdin is not None and peer.stdout is not None
    assert peer.stdout.readline().strip() == "ready"
    peer.stdin.write("go\n")
    peer.stdin.flush()
    time.sleep(1.5)
    yield EngineConfig(backend="jack", device="loopback", server_name=server.name)
    peer.kill()
    peer.communicate()


@pytest.mark.jack
def test_the_input_that_somebody_plays_into_is_found_and_the_run_says_so(config: EngineConfig) -> None:
    peaks = dict(input_peaks(config))
    assert list(peaks) == [1, 2, 3]
    assert peaks[2] > -50.0 and max(peaks[1], peaks[3]) < -100.0
    found = moving_input(config, left_out=(1,))
    assert found is not None and found[0] == 2
    assert moving_input(config, left_out=(2,)) is None

    status = Status(seconds=3.0, input_db=-120.0)
    watch = InputWatch(config, lambda: status)
    assert watch.news() == []
    time.sleep(0.2)
    assert watch.news() == [], "three seconds are no silence"
    status = replace(status, seconds=7.0)
    lines, until_s = watch.news(), time.monotonic() + 30.0
    while not lines and time.monotonic() < until_s:
        time.sleep(0.05)
        lines = watch.news()
    assert [line.partition(" (")[0] for line in lines] == ["nothing arrives at input 1; input 2 moves"]
    status = replace(status, seconds=100.0)
    assert watch.news() == [], "it is said once"


def test_who_is_heard_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_may_look(*_: object, **__: object) -> None:
        raise AssertionError("somebody looked")

    monkeypatch.setattr("gigmate.engine.ports.input_levels.moving_input", none_may_look)
    statuses = [Status(seconds=1.0, input_db=-20.0), Status(seconds=60.0, input_db=-120.0)]
    watch = InputWatch(EngineConfig(backend="jack"), lambda: statuses.pop(0))
    assert [watch.news(), watch.news()] == [[], []] and len(statuses) == 1
    assert InputWatch(EngineConfig(backend="file", input_file="a.wav"), lambda: statuses[0]).news() == []


def test_a_device_that_lets_nobody_else_in_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise EngineError("the device is in use")

    monkeypatch.setattr("gigmate.engine.ports.input_levels.open_port", busy)
    with pytest.raises(EngineError, match="in use"):
        moving_input(EngineConfig(backend="portaudio"))
    watch = InputWatch(EngineConfig(backend="portaudio"), lambda: Status(seconds=60.0, input_db=-120.0))
    for _ in range(20):
        assert watch.news() == []
        time.sleep(0.01)
