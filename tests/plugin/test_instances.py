"""Two instances at once in one host: two bands, each with an engine of its own, which ends with it and alone."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from .plugin_host import engine_command, lives, peaks, running

RATE_HZ = 48_000
BPM = (240, 150)


@pytest.fixture(params=["lv2", "clap"])
def built_either(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    built: tuple[Path, Path] = request.getfixturevalue("built" if request.param == "lv2" else "built_clap")
    return built


def has_ended(pid: int, within_s: float = 10.0) -> bool:
    end_s = time.monotonic() + within_s
    while lives(pid) and time.monotonic() < end_s:
        time.sleep(0.05)
    return not lives(pid)


def test_two_bands_play_two_songs_and_each_ends_with_its_instance(
    built_either: tuple[Path, Path], tmp_path: Path
) -> None:
    both_sound = "".join(f"use {number}\nhear 60\n" for number in (0, 1))
    script = "".join(f"use {number}\npos 1 0 0 {bpm} 4 0\n" for number, bpm in enumerate(BPM)) + "run 64\npace 1\n"
    with running(built_either, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", instances=2) as host:
        host.say(script + both_sound + "both sound")
        host.line("unknown both")
        one, other = host.engines(2)
        os.kill(one, signal.SIGKILL)
        host.say("run 64 750\none sounds\n" + both_sound + "both again\nuse 0\nclose\nclosed")  # after 1 s
        host.line("unknown one")
        assert lives(other) and not lives(one)
        host.line("unknown both")
        before = set(host.engines(2))
        assert other in before
        host.line("unknown closed")
        (left,) = host.engines(1)
        assert left in before and all(has_ended(pid) for pid in before - {left})
        host.say("use 1\nhear 10")
        done = host.finish()
        assert has_ended(left)
    assert done.values("heard") == ["1"] * 5, "\n".join(done.values("log"))
    for played, bpm in zip((done.played, *done.others), BPM, strict=True):
        places, beat = peaks(played[2]), RATE_HZ * 60 / bpm
        assert np.abs(places - beat * np.round(places / beat)).max() <= 1, "each on its own host's beat"
    assert any("was ended by signal 9" in line for line in done.values("log"))
