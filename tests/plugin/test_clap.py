"""The plug-in as CLAP: in a host of ours that keeps CLAP's rules, and in one of other people."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from gigmate.engine.errors import EngineError
from gigmate.plugin.clap import build

from ..conftest import IN_CI
from .plugin_host import PORT, bounce, engine_command, peaks

BEAT = 24_000


def number(symbol: str) -> int:
    return list(PORT).index(symbol)


@pytest.mark.parametrize("early", [False, True])
def test_it_is_on_the_hosts_grid(built_clap: tuple[Path, Path], tmp_path: Path, early: bool) -> None:
    script = f"set {PORT['early']} {int(early)}\nrun 64 3\noffline 1\nrun 1000 3\npos 1 4 0 120 4 384000\n"
    script += "run 1\nrun 64 30\nrun 333 40\nrun 2048 50\n"
    before = 3 * 64 + 3000
    done = bounce(built_clap, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", script)
    latency = int(float(done.values("latency")[-1]))
    assert latency == (0 if early else 14_400), done.said
    places = peaks(done.played[2]) - before - latency
    assert list(places) == [BEAT * k for k in range(len(places))] and len(places) >= 4
    assert not done.values("broken"), done.said
    ticks = [int(line.split()[0]) for line in done.values("midi") if line.endswith(" f8")]
    assert len(ticks) > 60, "though every second block has no room for them"


def test_a_bounce_is_the_same_as_that_of_the_other_interface(
    built: tuple[Path, Path], built_clap: tuple[Path, Path], tmp_path: Path
) -> None:
    song = "set {density} 0.5\nset {keys_mute} 1\nset {early} 1\noffline 1\nrun 512 4\npos 1 0 0 120 4 0\nnoise 0.1\n"
    song = song.format(**PORT) + "run 700 40\nset {density} -1\nmidi 5 904060\nrun 333 90\n".format(**PORT)
    engine = engine_command(tmp_path, "improviser")
    lv2 = bounce(built, engine, tmp_path / "lv2.f32", song)
    clap = bounce(built_clap, engine, tmp_path / "clap.f32", song)
    assert np.abs(lv2.played[0]).max() > 0.01
    # The transport is told in other units: the place of a beat differs in its ninth digit.
    assert np.abs(lv2.played - clap.played).max() < 1e-4


def test_parameters_are_saved_and_restored_and_half_a_state_is_refused(
    built_clap: tuple[Path, Path], tmp_path: Path
) -> None:
    chosen = {"preset": 3, "density": 0.25, "keys_mute": 1, "seed": 77, "drums_level": -6}
    script = "".join(f"set {PORT[name]} {value}\n" for name, value in chosen.items()) + "run 64\nsave\n"
    script += "".join(f"set {PORT[name]} 0\n" for name in chosen) + "run 64\nrestore\nsave\n"
    done = bounce(built_clap, "/nowhere/gigmate", tmp_path / "out.f32", script)
    kept = done.values("kept")
    assert kept[: len(PORT)] == kept[len(PORT) :]
    for name, value in chosen.items():
        assert f"{number(name)} {value:g}" in kept
    assert not done.values("broken") and done.values("rescan") == ["1"]


def test_a_trigger_comes_up_again_and_latency_changes_by_a_restart(
    built_clap: tuple[Path, Path], tmp_path: Path
) -> None:
    script = (
        f"run 64\nset {PORT['fill']} 1\nrun 64 3\nset {PORT['early']} 0\nrun 64 3\nset {PORT['early']} 1\nrun 64 3\n"
    )
    done = bounce(built_clap, "/nowhere/gigmate", tmp_path / "out.f32", script)
    assert done.values("up") == [str(number("fill"))]
    assert done.values("latency") == ["0", "changed", "14400", "changed", "0"], done.said
    assert not done.values("broken")


def test_values_out_of_all_range_do_no_harm(built_clap: tuple[Path, Path], tmp_path: Path) -> None:
    script = "".join(f"set {port} {value}\n" for port in PORT.values() for value in ("1e300", "-1e300", "nan", "inf"))
    script += (
        "midi 63 ffffff\nmidi 5000 904040\npos 1 -5 -3 -120 0 -900\nrun 64\npos 1 2000000000 0.5 1e9 65535 4e18 65535\n"
    )
    done = bounce(built_clap, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", script + "run 64 3\nsave\n")
    assert f"{number('band_level')} 12" in done.values("kept")
    assert not done.values("broken")


def test_threads_share_nothing_unguarded(built_clap_threads: tuple[Path, Path], tmp_path: Path) -> None:
    script = (
        "until 2 90\nnoise 0.1\nset {play} 0\nrun 64 50\nsave\nset {play} 1\nrun 64 100\nrestore\nrestart\nrun 64 10\n"
    )
    engine = engine_command(tmp_path, "clicker")
    done = bounce(built_clap_threads, engine, tmp_path / "out.f32", script.format(**PORT))
    assert done.end[0] > 0 and not done.values("broken")


def test_qtractors_scanner_finds_it(tmp_path: Path) -> None:
    library = build(tmp_path, "/nowhere/gigmate")
    scanners = [*Path("/usr/lib").glob("*/qtractor/qtractor_plugin_scan"), *Path("/usr/lib").glob("qtractor/*_scan")]
    if not scanners:
        found = shutil.which("qtractor_plugin_scan")
        if found is None:
            if IN_CI:
                pytest.fail("qtractor must be there in CI: apt install qtractor")
            pytest.skip("no qtractor here: apt install qtractor")
        scanners = [Path(found)]
    told = f"CLAP:{library}\n"
    done = subprocess.run([scanners[0]], input=told, capture_output=True, text=True, timeout=30, check=False)
    assert f"CLAP|GigMate|2:2|1:1|{len(PORT)}:0|" in done.stdout, done.stdout + done.stderr


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match=r"cannot be written .*--to"):
        build(tmp_path / "file", "/nowhere/gigmate")
