"""Two instances at once in one host: two bands, each with an engine of its own, which ends with it and alone."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from .plugin_host import engine_command, peaks, running

RATE_HZ = 48_000
BPM = (240, 150)


@pytest.fixture(params=["lv2", "clap"])
def built_either(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    built: tuple[Path, Path] = request.getfixturevalue("built" if request.param == "lv2" else "built_clap")
    return built


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def has_ended(pid: int, within_s: float = 10.0) -> bool:
    end_s = time.monotonic() + within_s
    while lives(pid) and time.monotonic() < end_s:
        time.sleep(0.05)
    return not lives(pid)


def longest_silence_s(places: np.ndarray, begin: int, end: int) -> float:
    inside = places[(places >= begin) & (places < end)]
    return float(np.diff([begin, *inside, end]).max()) / RATE_HZ


def test_two_bands_play_two_songs_and_each_ends_with_its_instance(
    built_either: tuple[Path, Path], tmp_path: Path
) -> None:
    script = "".join(f"use {number}\npos 1 0 0 {bpm} 4 0\n" for number, bpm in enumerate(BPM))
    with running(built_either, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", instances=2) as host:
        host.say(script + "use 0\nuntil 3 60\nuse 1\nuntil 3 60\npace 1\nrun 64 1500\nwhere\nboth play")
        host.line("unknown both")
        one, other = host.engines(2)
        os.kill(one, signal.SIGKILL)
        host.say("run 64 1125\nwhere\none plays")  # 1.5 s
        host.line("unknown one")
        assert lives(other)
        host.say(
            "pace 0\nuse 0\nuntil 3 60\nuse 1\nuntil 3 60\npace 1\nrun 64 2250\nwhere\nagain\nuse 0\nclose\nclosed"
        )
        host.line("unknown again")
        before = set(host.engines(2))
        host.line("unknown closed")
        (left,) = host.engines(1)
        assert left in before and all(has_ended(pid) for pid in before - {left})
        host.say("pace 1\nrun 64 750")  # 1 s: the other plays on
        done = host.finish()
        assert has_ended(left)
    both, alone, again = (int(place) for place in done.values("where"))
    bands = [peaks(done.played[2]), peaks(done.others[0][2])]
    for places, bpm in zip(bands, BPM, strict=True):
        beat = RATE_HZ * 60 / bpm
        off = places - beat * np.round(places / beat)
        assert np.abs(off).max() <= 1, "each on its own host's beat"
        assert longest_silence_s(places, both - 48_000, both - 2400) < 0.7
        assert longest_silence_s(places, again - 48_000, again - 2400) < 0.7
    gaps = sorted(longest_silence_s(places, both, alone) for places in bands)
    assert gaps[0] < 0.7 and gaps[1] > 0.9, "one was killed, the other did not notice"
    assert longest_silence_s(bands[1], again, len(done.others[0][2]) - 2400) < 0.7
