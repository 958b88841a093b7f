"""The plug-in while a clock runs: no host waits, and an engine that is stopped or killed comes back by itself."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from .plugin_host import PORT, bounce, engine_command, lives, peaks, running

MOST_US = 2000.0
"""Of processor time, for a block of 64 samples."""
NOBODY_WAITED_US = 500_000.0
"""By the wall, on a machine in which other programs take turns. The engine is stopped for 5 s: a shell that waited for
it would be held as long."""


def sounding(played: np.ndarray, begin: int, end: int) -> bool:
    return bool(len(peaks(played[2, begin:end])))


def test_stopped_killed_and_started_again(built_plain: tuple[Path, Path], tmp_path: Path) -> None:
    with running(built_plain, engine_command(tmp_path, "clicker"), tmp_path / "out.f32") as host:
        host.say("until 2 60\npace 1\npos 1 0 0 240 4 0\nrun 64 2250\nplayed")  # 3 s
        host.line("unknown played")
        engine = host.engine()
        os.kill(engine, signal.SIGSTOP)
        host.say("run 64 3750\nstopped")  # 5 s
        host.line("unknown stopped")
        os.kill(engine, signal.SIGCONT)
        host.say("run 64 2250\nwent on")  # 3 s
        host.line("unknown went")
        os.kill(engine, signal.SIGKILL)
        host.say("where\nrun 64 375\nhear 60\nrun 64 1500")
        done = host.finish()
    killed = int(done.values("where")[0])
    started, stopped, went_on = (killed - 64 * blocks for blocks in (8250, 6000, 2250))
    played = done.played
    assert sounding(played, started + 48_000, stopped)
    assert not sounding(played, stopped + 4800, went_on - 4800)
    assert sounding(played, went_on + 48_000, killed)
    assert not sounding(played, killed + 4800, killed + 24_000)
    assert sounding(played, done.end[0] - 96_000, done.end[0]), "\n".join(done.said[-20:])
    said = " ".join(done.values("log"))
    assert "does not answer" in said and "answers again" in said and "was ended by signal 9" in said
    # In its place again, each time: the beat is the host's.
    places = peaks(played[2]) - started
    assert np.abs(places - 12_000 * np.round(places / 12_000)).max() <= 1
    assert done.end[2] > 0, "what was missed is counted"
    assert done.end[3] < MOST_US and done.end[4] < NOBODY_WAITED_US


def test_the_engine_ends_with_its_host(built: tuple[Path, Path], tmp_path: Path) -> None:
    with running(built, engine_command(tmp_path, "clicker"), tmp_path / "out.f32") as host:
        host.say("until 2 60")
        host.line("state 2")
        engine = host.engine()
        assert not list(Path("/dev/shm").glob(f"gigmate-{host.pid}-*")), "the memory has no name"
        os.kill(host.pid, signal.SIGKILL)
        end_s = time.monotonic() + 10
        while lives(engine) and time.monotonic() < end_s:
            time.sleep(0.05)
        assert not lives(engine)


def test_cleaning_up_ends_the_engine_and_another_instance_has_its_own(built: tuple[Path, Path], tmp_path: Path) -> None:
    with running(built, engine_command(tmp_path, "clicker"), tmp_path / "out.f32") as host:
        host.say("until 2 60")
        host.line("state 2")
        first = host.engine()
        host.say("restart\nuntil 2 60")
        host.line("state 2")
        assert host.engine() != first and not lives(first)
        host.finish()


@pytest.mark.parametrize("kind", ["exits", "mute"])
def test_an_engine_that_fails_or_hangs_holds_nobody_up(built: tuple[Path, Path], tmp_path: Path, kind: str) -> None:
    script = "pace 1\nrun 64 1500\npace 0\n"
    done = bounce(built, engine_command(tmp_path, kind), tmp_path / "out.f32", script)
    assert not done.played.any()
    assert done.end[3] < 20_000.0
    if kind == "exits":
        assert any("ended with exit code 3: it is started again" in line for line in done.values("log"))


def test_threads_of_the_shell_share_nothing_unguarded(built_threads: tuple[Path, Path], tmp_path: Path) -> None:
    script = "until 2 90\nnoise 0.1\nset {play} 0\nrun 64 50\ntext chart x\ntell\nrun 32 20\nset {play} 1\nrun 64 300\n"
    engine = engine_command(tmp_path, "clicker")
    done = bounce(built_threads, engine, tmp_path / "out.f32", script.format(**PORT) + "restart\nrun 64 10\n")
    assert done.end[0] > 0


def test_texts_are_told_saved_and_restored(built: tuple[Path, Path], tmp_path: Path) -> None:
    chart = tmp_path / "song.chart"
    chart.write_text("key: C\n[Verse]\n| C | F | G | C |\n[Chorus]\n| Am | F | C | G |\n")
    script = f"text preset funk\ntext chart {chart}\nrun 64\nsave\ntext preset rock\ntext chart \nrun 64\nrestore\n"
    script += "tell\nrun 64\nuntil 2 60\n"
    done = bounce(built, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", script)
    assert done.values("kept") == ["urn:gigmate:band#preset funk", f"urn:gigmate:band#chart {chart}"]
    assert done.values("text")[-2:] == ["urn:gigmate:band#preset funk", f"urn:gigmate:band#chart {chart}"]


def test_a_chart_that_is_not_there_is_said(built: tuple[Path, Path], tmp_path: Path) -> None:
    script = f"text chart {tmp_path}/none.chart\nrun 64\nuntil 3 60\npace 1\nrun 64 400\n"
    done = bounce(built, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", script)
    assert any("none.chart" in line for line in done.values("log"))
