"""The sound system goes away under a running band, and comes back: JACK, PortAudio, blocks and rates."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from gigmate.engine.ports import portaudio_api

from ..engine.ports.peers import Peer
from .runs import Run

pytestmark = pytest.mark.jack
CEILING = 10 ** (-1 / 20)


def listen_to(start_peer: Callable[..., Peer], environment: dict[str, str], port: str, path: Path) -> np.ndarray:
    """About a second of what a port says."""
    peer = start_peer(environment, "record", port, path)
    assert peer.line() == "ready"
    peer.go()
    time.sleep(1.0)
    assert peer.go() == "saved"
    peer.end()
    return np.load(path)


def check_music(sound: np.ndarray) -> None:
    """The band's sine, whole and below the ceiling."""
    assert sound.size > 10_000
    assert np.isfinite(sound).all()
    assert 0.4 < np.abs(sound).max() <= CEILING
    loud = np.sqrt(np.mean(sound[: sound.size // 480 * 480].reshape(-1, 480) ** 2, axis=1))
    assert np.median(loud) > 0.3


def wires(environment: dict[str, str]) -> set[tuple[str, str]]:
    """Connections of audio ports of our client."""
    found, here = set(), ""
    lines = subprocess.run(["jack_lsp", "-c"], env=environment, capture_output=True, text=True, check=True, timeout=60)
    for line in lines.stdout.splitlines():
        if not line.startswith(" "):
            here = line.strip()
        elif here.startswith("gm:"):
            found.add((here, line.strip()))
    return found


def test_a_jack_server_that_is_killed_and_started_again_finds_the_band_in_its_place(
    jack_server: Any, start_run: Callable[..., Run], start_peer: Callable[..., Peer], tmp_path: Path
) -> None:
    environment, record = jack_server.environment, tmp_path / "take.wav"
    run = start_run(
        environment, backend="jack", client_name="gm", input_channels=[2], output_channels=[3],
        part_outputs=[["keys", [1, 2]]], record_file=str(record),
    )  # fmt: skip
    run.until("playing")
    subprocess.run(["jack_connect", "gm:output_3", "system:playback_4"], env=environment, check=True, timeout=60)
    time.sleep(1.2)
    before = wires(environment)
    assert ("gm:output_3", "system:playback_4") in before
    assert {("gm:keys_1", "system:playback_1"), ("gm:keys_2", "system:playback_2")} <= before
    check_music(listen_to(start_peer, environment, "gm:output_3", tmp_path / "before.npy"))

    jack_server.kill()
    run.until("away", 10)
    away_from = time.perf_counter()
    seconds = run.status["seconds"]
    time.sleep(1.0)
    assert run.status["seconds"] == pytest.approx(seconds + time.perf_counter() - away_from, abs=0.4)
    jack_server.start()
    recovery_s = run.until("playing", 30)
    print(f"recovery: {recovery_s:.2f} s after the server answers")
    assert recovery_s < 5
    assert wires(environment) == before
    check_music(listen_to(start_peer, environment, "gm:output_3", tmp_path / "after.npy"))

    words = run.quit()
    report = words["report"]
    assert words["close_s"] < 5
    assert words["lost"] is None
    assert report["reconnects"]["times"] == 1
    assert report["faults"]["port_lost"] == 1
    assert len([w for w in report["warnings"] if "went away: start it again" in w]) == 1
    channels, rate_hz = soundfile.read(record, dtype="float32")
    assert channels.shape[0] / rate_hz == pytest.approx(report["seconds"], abs=0.3), "the outage is in the recording"
    assert np.isfinite(channels).all()


@pytest.mark.slow
@pytest.mark.parametrize("block_samples", [64, 1024])
def test_a_server_that_comes_back_with_another_block_is_taken(
    block_samples: int, jack_server: Any, start_run: Callable[..., Run]
) -> None:
    run = start_run(jack_server.environment, backend="jack", block_samples=128)
    run.until("playing")
    jack_server.kill()
    run.until("away", 10)
    jack_server.block_samples = block_samples
    jack_server.start()
    run.until("playing", 30)
    time.sleep(0.5)
    report = run.quit()["report"]
    assert report["block_samples"] == block_samples


def pitch_hz(sound: np.ndarray, rate_hz: int) -> float:
    """Of a sine, by the median of its periods: a block that the listener lost is one of many."""
    before, after = sound[:-1].astype(float), sound[1:].astype(float)
    rises = np.flatnonzero((before < 0) & (after >= 0))
    return float(rate_hz / np.median(np.diff(rises + before[rises] / (before[rises] - after[rises]))))


@pytest.mark.parametrize(
    ("before", "after"),
    [((48_000, 128), (44_100, 256)), pytest.param((44_100, 512), (48_000, 64), marks=pytest.mark.slow)],
)
def test_a_server_that_comes_back_with_another_rate_is_converted(
    before: tuple[int, int],
    after: tuple[int, int],
    jack_server: Any,
    start_run: Callable[..., Run],
    start_peer: Callable[..., Peer],
    tmp_path: Path,
) -> None:
    environment, record = jack_server.environment, tmp_path / "take.wav"
    if before != (48_000, 128):
        jack_server.kill()
        jack_server.rate_hz, jack_server.block_samples = before
        jack_server.start()
    run = start_run(environment, backend="jack", client_name="gm", output_channels=[3], record_file=str(record))
    run.until("playing")
    time.sleep(1.2)
    drawn = wires(environment)
    jack_server.kill()
    run.until("away", 10)
    jack_server.rate_hz, jack_server.block_samples = after
    jack_server.start()
    recovery_s = run.until("playing", 30)
    print(f"recovery: {recovery_s:.2f} s after the server answers")
    assert recovery_s < 5
    assert wires(environment) == drawn

    begin_s, seconds = time.perf_counter(), run.status["seconds"]
    sound = listen_to(start_peer, environment, "gm:output_3", tmp_path / "after.npy")
    check_music(sound)
    assert pitch_hz(sound, after[0]) == pytest.approx(200.0, abs=0.2), "in tune"
    time.sleep(3.0)  # the status is renewed a few times a second
    passed_s = time.perf_counter() - begin_s
    assert run.status["seconds"] - seconds == pytest.approx(passed_s, rel=0.04), "and in time"

    words = run.quit()
    report = words["report"]
    assert words["lost"] is None
    assert (report["rate_hz"], report["card_rate_hz"], report["block_samples"]) == (before[0], *after)
    assert report["reconnects"]["times"] == report["faults"]["port_rate"] == 1
    (said,) = (w for w in report["warnings"] if f"came back at {after[0]} Hz" in w)
    assert f"go on at {before[0]} Hz" in said
    least = 2 * after[1] * before[0] / after[0]  # a block in, a block out, and the filters
    assert report["round_trip"]["samples"] > least + 30
    channels, rate_hz = soundfile.read(record, dtype="float32")
    assert rate_hz == before[0]
    assert channels.shape[0] / rate_hz == pytest.approx(report["seconds"], abs=0.3), "one recording, of all"
    assert pitch_hz(channels[:, 1], rate_hz) == pytest.approx(200.0, abs=0.2)


@pytest.mark.slow
def test_a_server_with_a_rate_that_cannot_be_converted_is_not_taken_and_said(
    jack_server: Any, start_run: Callable[..., Run]
) -> None:
    run = start_run(jack_server.environment, backend="jack")
    run.until("playing")
    jack_server.kill()
    run.until("away", 10)
    jack_server.rate_hz = 47_999
    jack_server.start()
    end = time.perf_counter() + 20
    while not any("at 47999 Hz, which cannot" in w for w in run.status["warnings"]) and time.perf_counter() < end:
        time.sleep(0.05)
    assert run.status["state"] == "away"
    jack_server.kill()
    jack_server.rate_hz = 48_000
    jack_server.start()
    run.until("playing", 30)
    report = run.quit()["report"]
    assert len([w for w in report["warnings"] if "restart it with 48000 Hz" in w]) == 1
    assert report["reconnects"]["times"] == 1
    assert "port_rate" not in report["faults"]


def test_a_server_that_never_comes_back_lets_the_run_end(jack_server: Any, start_run: Callable[..., Run]) -> None:
    run = start_run(jack_server.environment, backend="jack")
    run.until("playing")
    jack_server.kill()
    run.until("away", 10)
    words = run.quit()
    assert words["close_s"] < 5
    assert "went away" in words["lost"]


def test_who_does_not_want_to_wait_is_not_kept(jack_server: Any, start_run: Callable[..., Run]) -> None:
    run = start_run(jack_server.environment, backend="jack", reconnect_s=0)
    run.until("playing")
    jack_server.kill()
    words = run.ended()
    assert words["report"]["faults"]["port_lost"] == 1
    assert words["report"]["reconnects"] == {}


@pytest.mark.parametrize("binding", ["sounddevice", pytest.param("pyaudio", marks=pytest.mark.slow)])
def test_a_portaudio_stream_that_dies_with_its_server_comes_back_with_it(
    binding: str, jack_server: Any, start_run: Callable[..., Run], start_peer: Callable[..., Peer], tmp_path: Path
) -> None:
    try:
        portaudio_api._path(binding)
    except (ImportError, OSError):
        pytest.skip(f"{binding} is not installed")
    environment = {**jack_server.environment, "GIGMATE_PORTAUDIO": binding}
    run = start_run(environment, backend="portaudio", device="system", output_channels=[3])
    run.until("playing")
    jack_server.kill()
    run.until("away", 20)
    jack_server.start()
    recovery_s = run.until("playing", 30)
    print(f"recovery: {recovery_s:.2f} s after the server answers")
    assert recovery_s < 8
    check_music(listen_to(start_peer, environment, "PortAudio.*:out_2", tmp_path / "after.npy"))
    words = run.quit()
    assert words["close_s"] < 8
    assert words["lost"] is None
    assert words["report"]["reconnects"]["times"] == 1


@pytest.mark.slow
def test_portaudio_on_a_server_that_comes_back_with_another_rate(
    jack_server: Any, start_run: Callable[..., Run], start_peer: Callable[..., Peer], tmp_path: Path
) -> None:
    environment = jack_server.environment
    run = start_run(environment, backend="portaudio", device="system", output_channels=[3])
    run.until("playing")
    jack_server.kill()
    run.until("away", 20)
    jack_server.rate_hz, jack_server.block_samples = 44_100, 256
    jack_server.start()
    recovery_s = run.until("playing", 30)
    print(f"recovery: {recovery_s:.2f} s after the server answers")
    sound = listen_to(start_peer, environment, "PortAudio.*:out_2", tmp_path / "after.npy")
    check_music(sound)
    assert pitch_hz(sound, 44_100) == pytest.approx(200.0, abs=0.2)
    report = run.quit()["report"]
    assert (report["rate_hz"], report["card_rate_hz"]) == (48_000, 44_100)
    assert report["faults"]["port_rate"] == 1


def click_frames(path: Path) -> np.ndarray:
    """Where each click begins on the server's clock, from a log of frames and sound."""
    log = np.load(path)
    block = log["sound"].size // log["frames"].size
    frames = (log["frames"].astype(np.int64)[:, None] + np.arange(block)).ravel()
    loud = np.flatnonzero(np.abs(log["sound"]) > 0.2)
    first = loud[np.diff(frames[loud], prepend=-(10**9)) > 4_800]
    return frames[first]


_TRIES = 3


@pytest.mark.parametrize("stopped_s", [0.73, pytest.param(5.21, marks=pytest.mark.slow)])
def test_a_process_that_was_stopped_is_in_its_place_within_a_second(
    start_jack: Callable[..., Any],
    start_run: Callable[..., Run],
    start_peer: Callable[..., Peer],
    tmp_path: Path,
    stopped_s: float,
) -> None:
    """By the server's own clock: the beats go on where they would have been if nothing had happened."""
    server = start_jack(block_samples=512)
    for number in range(_TRIES):  # a busy machine may lose a period beside the stop, which is not ours to make up for
        off = off_after_stop(server, start_run, start_peer, tmp_path / f"log{number}.npz", stopped_s)
        if np.abs(off).max() < 480:  # 10 ms
            break
    else:
        pytest.fail(f"{off} samples off, the last of {_TRIES} times")


def off_after_stop(
    server: Any, start_run: Callable[..., Run], start_peer: Callable[..., Peer], path: Path, stopped_s: float
) -> np.ndarray:
    """How far from their place the beats are from a second after a stop on, in samples of the server's clock."""
    run = start_run(server.environment, backend="jack", client_name="gm", output_channels=[3], clicks=True)
    run.until("playing")
    log = start_peer(server.environment, "framelog", "gm:output_3", path)
    assert log.line() == "ready"
    clock = start_peer(server.environment, "clock")
    assert clock.line() == "ready"
    time.sleep(3.0)
    os.kill(run.process.pid, signal.SIGSTOP)
    stopped = int(clock.go())
    time.sleep(stopped_s)
    os.kill(run.process.pid, signal.SIGCONT)
    went_on = int(clock.go())
    time.sleep(4.0)
    assert log.go() == "saved"
    words = run.quit()
    clock.end()
    log.end()
    assert words["lost"] is None
    assert words["report"]["faults"]["stalled"] >= 1
    assert any("this program was stopped for" in line for line in words["report"]["warnings"])
    beats = click_frames(path)
    before = beats[beats < stopped - 4_800]
    after = beats[beats > went_on + 48_000]
    assert before.size >= 3
    assert after.size >= 3
    place = np.median(before % 24_000)
    return (after - place + 12_000) % 24_000 - 12_000


def test_a_process_that_is_stopped_for_seconds_goes_on(
    jack_server: Any, start_run: Callable[..., Run], start_peer: Callable[..., Peer], tmp_path: Path
) -> None:
    environment = jack_server.environment
    run = start_run(environment, backend="jack", client_name="gm", output_channels=[3])
    run.until("playing")
    os.kill(run.process.pid, signal.SIGSTOP)
    time.sleep(5.0)
    os.kill(run.process.pid, signal.SIGCONT)
    time.sleep(1.0)
    run.until("playing", 30)
    check_music(listen_to(start_peer, environment, "gm:output_3", tmp_path / "after.npy"))
    words = run.quit()
    assert words["lost"] is None
    assert words["close_s"] < 5
