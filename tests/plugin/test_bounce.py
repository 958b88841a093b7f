"""Bouncing in a host of ours: on its grid to the sample, the same twice, at any rate, with blocks of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .plugin_host import PORT, bounce, engine_command, peaks

BLOCKS = (1, 64, 333, 8192, 65536, 0, 100, 1024)


def blocks(total: int) -> str:
    lines, left, turn = [], total, 0
    while left > 0:
        count = min(left, BLOCKS[turn % len(BLOCKS)])
        lines.append(f"run {count}")
        left -= count
        turn += 1
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("rate_hz", "early"),
    [
        (44_100, False),
        (48_000, True),
        *(pytest.param(*row, marks=pytest.mark.slow) for row in ((88_200, False), (96_000, True), (192_000, False))),
    ],
)
def test_the_band_is_on_the_hosts_grid(built: tuple[Path, Path], tmp_path: Path, rate_hz: int, early: bool) -> None:
    before, beat = 3000, rate_hz * 60 // 100
    script = f"set {PORT['early']} {int(early)}\noffline 1\nrun 1000 3\npos 1 4 0 100 4 1000000\n" + blocks(6 * beat)
    done = bounce(built, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", script, rate_hz)
    latency = int(float(done.values("latency")[-1]))
    assert latency == (0 if early else round(0.3 * rate_hz))
    for row in (0, 1, 2, 3):  # the mix, and drums by themselves
        places = (peaks(done.played[row]) - before - latency) / beat
        assert np.abs(places - np.round(places)).max() * beat <= 1.0
        assert np.array_equal(np.round(places), np.arange(len(places))), "from the first beat on"
        assert len(places) >= 4
    assert done.end[2] == 0, "a bounce waits: it misses nothing"


def test_the_same_bounce_twice_is_the_same_whatever_came_before(built: tuple[Path, Path], tmp_path: Path) -> None:
    song = "pos 1 0 0 120 4 0\nnoise 0.1\nrun 700 30\nset {density} 1\nset {keys_mute} 1\nrun 700 40\nmidi 5 904060\n"
    song = song.format(**PORT) + "run 333 90\npos 0 4 0 120 4 0\nnoise 0\nrun 512 40\n"
    song = f"set {PORT['density']} 0\nset {PORT['keys_mute']} 0\nset {PORT['early']} 0\noffline 1\n" + song
    engine, length = engine_command(tmp_path, "improviser"), 700 * 70 + 333 * 90 + 512 * 40
    alone = bounce(built, engine, tmp_path / "alone.f32", song)
    twice = bounce(built, engine, tmp_path / "twice.f32", song + "run 64 100\n" + song)
    first, second = twice.played[:, :length], twice.played[:, length + 6400 :]
    assert np.abs(first[0]).max() > 0.01
    assert np.array_equal(alone.played, first)
    assert np.array_equal(first[:, 14_400 + 3000 :], second[:, 14_400 + 3000 :])


def test_a_bounce_does_not_depend_on_the_hosts_blocks(built: tuple[Path, Path], tmp_path: Path) -> None:
    """Nor on how often the host says where it is, as long as it says the same: Ardour does in every block, and rounds
    to ticks; jalv only where something changes."""
    bpm, length = 97.0, 96_000
    told_often, at = "", 0
    for count in [272, *[1024] * 93, 496]:
        beats = round(at / 48_000 * bpm / 60 * 1920) / 1920
        told_often += f"pos 1 {beats // 4:.0f} {beats % 4:.9f} {bpm} 4 {at}\nrun {count}\n"
        at += count
    told_once = f"pos 1 0 0 {bpm} 4 0\n"
    scripts = [told_often, told_once + "run 64 1500\n", told_once + blocks(length), told_once + "run 16000 6\n"]
    engine, played = engine_command(tmp_path, "improviser"), []
    for number, script in enumerate(scripts):
        begin = f"set {PORT['early']} 1\noffline 1\nrun {300 * number} 1\nnoise 0.1\n"
        done = bounce(built, engine, tmp_path / f"{number}.f32", begin + script)
        played.append(done.played[:, 300 * number :])
    assert all(one.shape[1] == length for one in played)
    assert np.abs(played[0][0]).max() > 0.01
    for other in played[1:]:
        assert np.array_equal(played[0], other)


def test_after_a_relocation_it_is_on_the_new_grid(built: tuple[Path, Path], tmp_path: Path) -> None:
    script = f"set {PORT['early']} 0\noffline 1\npos 1 0 0 120 4 0\nrun 480 250\n"  # 5 beats
    script += "pos 1 8 0.5 120 4 792000\nrun 480 300\n"  # half a beat into bar 9
    done = bounce(built, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", script)
    places, moved = peaks(done.played[2]) - 14_400, 480 * 250
    before, after = places[places < moved - 2400], places[places > moved + 2400]
    assert list(before) == [24_000 * k for k in range(5)]
    assert len(after) >= 4
    assert set((after - moved) % 24_000) == {12_000}


def test_notes_and_clock_go_out_with_the_sound(built: tuple[Path, Path], tmp_path: Path) -> None:
    script = "offline 1\npos 1 0 0 120 4 0\nrun 512 400\n"
    done = bounce(built, engine_command(tmp_path, "clicker"), tmp_path / "out.f32", script)
    ticks = [int(line.split()[0]) for line in done.values("midi") if line.endswith(" f8")]
    assert len(ticks) > 100
    assert set(np.diff(ticks)) == {1000}, "24 ticks for each beat of 24000 samples"
    assert {tick % 1000 for tick in ticks} == {0}


def test_no_engine_is_silence_and_a_message_and_no_endless_wait(built: tuple[Path, Path], tmp_path: Path) -> None:
    done = bounce(built, "/nowhere/gigmate", tmp_path / "out.f32", "run 64\nsleep 200\noffline 1\nrun 512 100\n")
    assert not done.played.any()
    assert done.end[1] == 4
    (line,) = [text for text in done.values("log") if "/nowhere/gigmate" in text][:1]
    assert "install gigmate" in line
