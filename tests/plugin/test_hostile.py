"""The plug-in in hosts that say nonsense, and with engines that are not what they should be.

Silence or the right sound, a message, and no host that is held up or falls over."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from .plugin_host import PORT, bounce, engine_command, peaks, running

NONSENSE = ("nan", "inf", "-inf", "1e300", "-1e300", "0", "-7.5", "0.1")


def nonsense() -> str:
    """Each field of a transport that rolls by turns as no host should say it, in blocks of sizes that no host has."""
    lines, sane = [], ["1", "3", "1.5", "120", "4", "96000", "4"]
    for field in range(1, len(sane)):
        for number, value in enumerate(NONSENSE):
            said = [*sane[:field], value, *sane[field + 1 :]]
            lines.append(f"pos {' '.join(said)}\nmidi 4000000000 904040\nrun {(0, 1, 37, 1023)[number % 4]}")
    for port in (PORT["round_trip"], PORT["density"]):
        lines += [f"set {port} {value}\nrun 64" for value in (*NONSENSE, "0")]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("face", ["lv2", "clap"])
def test_after_a_transport_of_nonsense_the_band_is_on_the_grid(
    face: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    built: tuple[Path, Path] = request.getfixturevalue("built" if face == "lv2" else "built_clap")
    script = f"set {PORT['early']} 1\noffline 1\nrun 64\n{nonsense()}pos 0 0 0 0 4 0\nrun 480 2\nwhere\n"
    script += "pos 1 0 0 120 4 0\nrun 65536\nrun 1\nrun 8191\nwhere\npos 1 7 0.5 120 4 684000\nrun 1000 72\n"
    done = bounce(built, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", script)
    begin, jump = (int(place) for place in done.values("where"))
    assert np.isfinite(done.played).all()
    places = peaks(done.played[2])
    assert list(places[(places >= begin) & (places < jump - 2400)] - begin) == [0, 24_000, 48_000]
    after = places[places >= jump + 2400] - jump
    assert len(after) >= 2 and set(after % 24_000) == {12_000}, "half a beat on, where it was put back to"
    assert not done.values("broken"), done.said


def test_opened_and_closed_many_times_nothing_is_left(built: tuple[Path, Path], tmp_path: Path) -> None:
    with running(built, "/nowhere/gigmate", tmp_path / "out.f32") as host:
        host.say("restart\nuntil 4 30\nready")
        host.line("unknown ready")
        before = len(os.listdir(f"/proc/{host.pid}/fd")), len(os.listdir(f"/proc/{host.pid}/task"))
        host.say("restart\nrun 64\n" * 10 + "until 4 30\nagain")
        host.line("unknown again")
        assert (len(os.listdir(f"/proc/{host.pid}/fd")), len(os.listdir(f"/proc/{host.pid}/task"))) == before
        host.finish()


def test_an_engine_of_another_version_says_what_to_do(built: tuple[Path, Path], tmp_path: Path) -> None:
    script = "sleep 500\nuntil 0 60\nrun 64\n"
    done = bounce(built, engine_command(tmp_path, "other"), tmp_path / "out.f32", script)
    assert not done.played.any()
    assert any("is of another version: build the plug-in again" in line for line in done.values("log")), done.said


def test_an_engine_that_is_killed_while_it_starts_is_started_again(built: tuple[Path, Path], tmp_path: Path) -> None:
    with running(built, engine_command(tmp_path, "mute"), tmp_path / "out.f32") as host:
        host.say("run 64\nstarts")
        first = host.engine()
        os.kill(first, signal.SIGKILL)
        host.say("until 0 30\n")
        host.line("state 0")
        host.say("until 1 30\n")
        host.line("state 1")
        second = host.engine()
        os.kill(second, signal.SIGKILL)
        done = host.finish()
    assert second != first and not done.played.any()
    assert any("ended by signal 9: it is started again" in line for line in done.values("log"))


def test_without_memory_there_is_no_instance_and_a_line_that_says_so(
    built_plain: tuple[Path, Path], tmp_path: Path
) -> None:
    def no_more_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

    told = [str(built_plain[0]), str(built_plain[1]), "48000", str(tmp_path / "out.f32")]
    done = subprocess.run(
        told, input="run 64\n", capture_output=True, text=True, preexec_fn=no_more_files, timeout=60, check=False
    )
    assert done.returncode == 1 and "no instance" in done.stdout
    assert "no memory to share with the band" in done.stdout


def test_a_state_that_is_cut_off_or_too_long_leaves_nothing_of_another_song(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    script = "text preset funk\nrun 64\nsave\ntext preset rock\nrun 64\nrestore\nrestore\nsave\nspoil\nrestore\nsave\n"
    script += f"text preset {'x' * 2000}\nrun 64\nsave\n"
    done = bounce(built, "/nowhere/gigmate", tmp_path / "out.f32", script)
    presets = [line.partition(" ")[2] for line in done.values("kept") if "#preset" in line]
    assert presets == ["funk", "funk", "", ""]
