"""The main job on a real server: a recording is played into `gigmate-live`, what comes out is recorded and judged.

Slow: two minutes for each way to the server (GIGMATE_STAGE_SECONDS says otherwise), while in the same process another
thread is busy in pure Python; then ten minutes (GIGMATE_STAGE_LONG_SECONDS) as a musician has it, without that thread,
with instruments and with the neural voice.
Timings count here, so nothing else heavy may run beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

SECONDS = float(os.environ.get("GIGMATE_STAGE_SECONDS", "120"))
LONG_SECONDS = float(os.environ.get("GIGMATE_STAGE_LONG_SECONDS", "600"))
PEER = Path(__file__).with_name("peer.py")
LIVE = "from gigmate.cli.main import main_live; main_live()"
BUSY_LIVE = """
import sys, threading
def busy():
    n = 0
    while True:
        n = (n * 1103515245 + 12345) % 2**31
threading.Thread(target=busy, daemon=True).start()
from gigmate.cli.main import main_live
main_live()
"""


@contextmanager
def peer(environment: dict[str, str], *arguments: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, str(PEER), *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.stdin.close()
        process.wait(timeout=30)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 2 + 120)
@pytest.mark.parametrize("way", ["jack", "sounddevice", "pyaudio"])
def test_a_band_plays_along_for_two_minutes(way: str, jack_server: Any, tmp_path: Path) -> None:
    play_along(way, SECONDS, BUSY_LIVE, jack_server, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(LONG_SECONDS * 2 + 120)
@pytest.mark.parametrize(("sound", "most_ms"), [("instruments", 70.0), ("neural", 100.0)])
def test_ten_minutes_on_jack_are_never_late(sound: str, most_ms: float, jack_server: Any, tmp_path: Path) -> None:
    """At a short look-ahead, in both kinds of sound; what was heard at the end is what was asked for, and the limiter
    had little to do."""
    report = play_along("jack", LONG_SECONDS, LIVE, jack_server, tmp_path, "--sound", sound)
    assert report["ahead"]["ms"] <= most_ms, report["ahead"]
    assert report["ahead"]["grown"] == 0, report["ahead"]
    assert [name == "neural" for name in report["sounds"].values()] == [sound == "neural"] * 3, report["sounds"]
    assert "no_instrument" not in report["faults"], report["warnings"]
    limited = report["output"]["limited_samples"] / (report["seconds_played"] * report["rate_hz"])
    assert limited < 0.01, f"{limited:.2%} of the samples are changed by the limiter"


def play_along(way: str, seconds: float, program: str, jack_server: Any, tmp_path: Path, *more: str) -> dict[str, Any]:
    """Run the band for so long beside its two peers, check its promises, and return its report."""
    sound, rate_hz = soundfile.read(Path(__file__).parents[2] / "presets" / "performance.flac", dtype="float32")
    soundfile.write(tmp_path / "in.wav", soxr.resample(sound, rate_hz, 48_000), 48_000, subtype="FLOAT")
    report, record = tmp_path / "report.json", tmp_path / "record.wav"
    options = ["--duration", str(seconds), "--report", str(report), "--record", str(record), "--start-now", "--json"]
    options += ["--input", "1", "--output", "3", *more]
    if way == "jack":
        options += ["--backend", "jack"]
    else:
        options += ["--backend", "portaudio", "--portaudio", way, "--device", "system", "--block", "128"]
    if "GIGMATE_STAGE_WEIGHTS" in os.environ:
        options += ["--weights", os.environ["GIGMATE_STAGE_WEIGHTS"]]
    live = subprocess.Popen(
        [sys.executable, "-c", program, *options],
        env=jack_server.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert live.stdout is not None
    for line in live.stdout:  # until the sound flows, which makes the ports connectable
        if json.loads(line).get("state") == "playing":
            break
    ports = subprocess.run(["jack_lsp"], env=jack_server.environment, capture_output=True, text=True, check=True).stdout
    ours = [line for line in ports.splitlines() if not line.startswith("system:") and "midi" not in line.lower()]
    hears = next(line for line in ours if "in" in line.split(":")[1])
    plays = next(line for line in reversed(ours) if "out" in line.split(":")[1])
    with (
        peer(jack_server.environment, "record", plays, str(tmp_path / "out.wav")),
        peer(jack_server.environment, "play", hears, str(tmp_path / "in.wav")),
    ):
        _, errors = live.communicate(timeout=seconds + 90)
    assert live.returncode == 0, errors
    found: dict[str, Any] = json.loads(report.read_text())
    check(found, *soundfile.read(tmp_path / "out.wav", dtype="float32"))
    return found


def check(report: dict[str, Any], heard: np.ndarray, rate_hz: int) -> None:
    """The promises of a run on stage, and that what a third client heard is a band."""
    figures = {name: report[name] for name in ("callbacks", "misses", "xruns", "step_ms", "ahead", "faults")}
    print(json.dumps(figures))
    calls = report["callbacks"]
    assert calls["served"] >= 0.999 * calls["expected"], calls
    assert report["misses"]["frames"] == 0, figures
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 10 ** (-1.0 / 20) + 1e-6
    seconds = len(heard) // rate_hz
    levels = np.sqrt(np.mean(heard[: seconds * rate_hz].reshape(seconds, rate_hz) ** 2, axis=1))
    assert np.mean(20 * np.log10(levels + 1e-9) > -45) > 0.7, "the band is silent most of the time"
