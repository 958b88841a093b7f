"""`gigmate-live` from options to exit code: bad requests by the real command, whole runs on files with a fake band."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gigmate.session
import numpy as np
import pytest
import soundfile
from gigmate.cli import boundary, main
from gigmate.cli.complete import parse_channels
from gigmate.engine.errors import ConfigError
from gigmate.engine.player import (
    PARTS,
    Controls,
    HeardFrame,
    Moment,
)

RATE_HZ = 48_000


class FakeBand:
    """A Player that answers any frame with three sines; frames made are counted, the controls kept."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, 1280, 640, 0
    made_frames = 0
    controls: Controls | None = None

    def reset(self, seed: int, ahead_frames: int) -> None:
        self.made_frames = 0

    def set_ahead(self, ahead_frames: int) -> None:
        pass

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        assert chunk.shape == (self.tail_samples + self.frame_samples,)
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        FakeBand.controls = controls
        n = np.arange(self.frame_samples) + self.made_frames * self.frame_samples
        self.made_frames += 1
        tones_hz = (100.0, 200.0, 400.0)
        return np.stack([0.2 * np.sin(2 * np.pi * f * n / self.sample_rate_hz) for f in tones_hz]).astype(np.float32)


@pytest.fixture
def fake_band(monkeypatch: pytest.MonkeyPatch) -> type[FakeBand]:
    monkeypatch.setattr(gigmate.session, "_shipped_player", lambda weights, seed: FakeBand())
    FakeBand.controls = None
    return FakeBand


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """Three seconds of a quiet pulse, stereo at 48 kHz."""
    return pulse_file(tmp_path / "take.wav", 3)


@pytest.fixture
def long_take(tmp_path: Path) -> Path:
    """Half a minute: runs on it end because something ends them."""
    return pulse_file(tmp_path / "long.wav", 30)


def pulse_file(path: Path, seconds: int) -> Path:
    n = np.arange(seconds * RATE_HZ)
    pulse = 0.1 * np.sin(2 * np.pi * 220 * n / RATE_HZ) * (n % 24_000 < 6_000)
    soundfile.write(path, np.stack([pulse, pulse], axis=1), RATE_HZ)
    return path


@contextmanager
def when_half_a_second_is_written(path: Path, act: Callable[[], object]) -> Iterator[None]:
    """Run `act` from another thread once the band's WAV holds so much, however slow the machine is."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            if path.exists() and path.stat().st_size > 0.5 * RATE_HZ * 2 * 3:
                act()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def run(*arguments: str | Path) -> int:
    return boundary.run(main.live_app, "gigmate-live", [str(argument) for argument in arguments])


def command(*arguments: str | Path, stdin: int | None = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """The real command, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", "from gigmate.cli.main import main_live; main_live()", *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "JACK_DEFAULT_SERVER": "no-such-server-here"},
    )


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert error.startswith("gigmate-live: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    return error


# -------------------------------------------------------------------------------------------------- bad requests


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input", "0"], "takes channels counted from 1"),
        (["--input", "1,1"], "twice"),
        (["--output", "one"], "--output one"),
        (["--output", ""], "--output"),
        (["--backend", "alsa"], "auto, jack, portaudio, file"),
        (["--rate", "100"], "--rate 100"),
        (["--block", "5"], "--block 5"),
        (["--duration", "-1"], "--duration"),
        (["--duration", "nan"], "--duration"),
        (["--pedal", "CC200"], "CC64 or NOTE36"),
        (["--preset", "polka"], "rock"),
        (["--portaudio", "asio"], "sounddevice"),
        (["--monitor", "99"], "--monitor"),
        (["--fast"], "--input-file"),
        (["--round-trip", "-3"], "--round-trip"),
        (["--rate", "fast"], "--rate"),
        (["--no-such-option"], "--help"),
        (["--seed", "-1"], "--seed"),
        (["--record", "band.mp3"], ".wav"),
        (["--input-file", __file__, "--output-file", "band.mp3"], ".wav or .flac"),
        (["--input-file", __file__, "--output-file", __file__], "the recording itself"),
        (["--input-file", __file__, "--record", __file__], "the recording itself"),
        (["--input-file", __file__, "--report", __file__], "the recording itself"),
        (["--record", "band.wav", "--report", "band.wav"], "already"),
    ],
)
def test_a_request_that_cannot_be(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert words in one_line(capsys)


def test_the_loading_thread_is_known_by_name() -> None:
    assert main._LOADING_THREAD == gigmate.session.LOADING_THREAD


def test_channels() -> None:
    assert parse_channels("--input", "3") == (3,)
    assert parse_channels("--output", "3, 4") == (3, 4)
    with pytest.raises(ConfigError, match="numbers from 1"):
        parse_channels("--input", "1;2")


def broken_preset(folder: Path) -> list[str | Path]:
    path = folder / "mine.yaml"
    path.write_text("name: Mine\ndensty: 0.5\n")
    return ["--preset", path]


def no_sound(folder: Path) -> list[str | Path]:
    path = folder / "take.wav"
    path.write_text("this is no sound")
    return ["--input-file", path]


def no_such_channel(folder: Path) -> list[str | Path]:
    path = folder / "mono.wav"
    soundfile.write(path, np.zeros(4800), RATE_HZ)
    return ["--input-file", path, "--input", "5"]


def wrong_weights(folder: Path) -> list[str | Path]:
    path = folder / "silence.wav"
    soundfile.write(path, np.zeros(4800), RATE_HZ)
    (folder / "weights").mkdir()
    for name in ("codec", "listener", "generator"):
        (folder / "weights" / f"{name}.safetensors").write_bytes(b"no weights at all")
    return ["--input-file", path, "--weights", folder / "weights"]


BAD: list[tuple[Callable[[Path], list[str | Path]], int, list[str]]] = [
    (lambda folder: ["--backend", "jack"], 1, ["no-such-server-here", "start one"]),
    (lambda folder: ["--backend", "portaudio", "--device", "Theremin"], 1, []),
    (lambda folder: ["--device", "Theremin"], 1, ["gigmate devices"]),
    (broken_preset, 2, ["mine.yaml", "densty", "did you mean density?"]),
    (no_sound, 1, ["take.wav"]),
    (no_such_channel, 1, ["channel 5"]),
    (lambda folder: ["--input-file", folder / "gone.wav"], 1, ["gone.wav"]),
    (lambda folder: ["--record", folder / "gone" / "take.wav"], 1, ["--record", "does not exist"]),
    (lambda folder: ["--report", folder], 1, ["--report", "is a folder"]),
    (wrong_weights, 1, ["safetensors"]),
]


@pytest.mark.parametrize(("arguments", "code", "words"), BAD)
def test_bad_input_is_one_line_and_an_exit_code(
    arguments: Callable[[Path], list[str | Path]], code: int, words: list[str], tmp_path: Path
) -> None:
    done = command(*arguments(tmp_path))
    try:
        out, error = done.communicate(timeout=100)
    finally:
        done.kill()
    assert done.returncode == code, error
    assert error.startswith("gigmate-live: ")
    assert error.count("\n") == 1, error
    assert "error in GigMate" not in error
    assert "Traceback" not in out + error
    for word in words:
        assert word in error


# ---------------------------------------------------------------------------------------------------- whole runs


def test_a_run_on_a_file_writes_sound_and_report(
    fake_band: type[FakeBand], take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, record, report = tmp_path / "band.wav", tmp_path / "record.wav", tmp_path / "report.json"
    arguments = ["--input-file", take, "--output-file", out, "--record", record, "--report", report]
    assert run(*arguments, "--preset", "funk", "--fast", "--start-now", "--no-wait") == 0
    sound, rate_hz = soundfile.read(out)
    assert rate_hz == RATE_HZ
    assert abs(len(sound) - 3 * RATE_HZ) <= 8192
    assert 0.05 < np.abs(sound).max() <= 10 ** (-1 / 20)
    values = json.loads(report.read_text())
    for key in ("gigmate", "inputs", "outputs", "rate_hz", "block_samples", "callbacks", "xruns", "misses", "ahead"):
        assert key in values
    assert {"p50", "p99", "p99.9"} <= set(values["step_ms"])
    assert values["callbacks"]["served"] == values["callbacks"]["expected"] > 0
    assert values["misses"]["frames"] == 0
    assert 2.5 < values["seconds_played"] < 3.5
    assert values["seed"] == 0
    assert values["preset"] == "Funk"
    assert values["backend"] == "file"
    assert record.stat().st_size > 1000
    controls = FakeBand.controls
    assert controls is not None
    assert (controls.style, controls.density, controls.top_k) == ("funk", 0.8, 150)
    assert controls.levels_db == (0.0, 0.0, 0.0)
    assert len(controls.levels_db) == len(PARTS)
    printed = capsys.readouterr().out
    assert "hears" in printed
    assert "plays into" in printed
    assert "misses" in printed
    assert str(report) in printed


def test_without_a_start_the_band_is_silent(fake_band: type[FakeBand], take: Path, tmp_path: Path) -> None:
    out = tmp_path / "band.wav"
    assert run("--input-file", take, "--output-file", out, "--fast") == 0
    assert np.abs(soundfile.read(out)[0]).max() == 0.0


def test_a_recording_without_sound_is_no_run(
    fake_band: type[FakeBand], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE_HZ)
    assert run("--input-file", tmp_path / "empty.wav", "--fast") == 1
    assert "empty.wav: contains no sound" in one_line(capsys)


def test_json_lines(fake_band: type[FakeBand], take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--input-file", take, "--fast", "--start-now", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any("note" in line for line in lines)
    assert any(line.get("state") for line in lines)


def test_duration_ends_the_run(fake_band: type[FakeBand], long_take: Path, tmp_path: Path) -> None:
    out = tmp_path / "band.wav"
    assert run("--input-file", long_take, "--output-file", out, "--start-now", "--duration", "0.5") == 0
    assert 0.5 * RATE_HZ <= soundfile.info(out).frames < 28 * RATE_HZ


def test_q_from_a_pipe_ends_the_run(
    fake_band: type[FakeBand], long_take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_fd, write_fd = os.pipe()
    out = tmp_path / "band.wav"
    with os.fdopen(read_fd) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        os.write(write_fd, b" ")
        with when_half_a_second_is_written(out, lambda: os.write(write_fd, b"q")):
            assert run("--input-file", long_take, "--output-file", out, "--no-wait") == 0
    os.close(write_fd)
    sound = soundfile.read(out)[0]
    assert len(sound) < 28 * RATE_HZ
    assert np.abs(sound).max() > 0.05


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_well(name: str, code: int, fake_band: type[FakeBand], long_take: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "band.wav", tmp_path / "report.json"
    number = getattr(signal, name)
    before = signal.signal(number, lambda *_: None)  # should the run end early, the tests go on
    arguments = ["--input-file", long_take, "--output-file", out, "--report", report, "--start-now", "--no-wait"]
    try:
        with when_half_a_second_is_written(out, lambda: os.kill(os.getpid(), number)):
            assert run(*arguments) == code
    finally:
        signal.signal(number, before)
    assert json.loads(report.read_text())["gigmate"]
    sound = soundfile.read(out)[0]
    assert 0.4 * RATE_HZ < len(sound) < 28 * RATE_HZ
    assert np.abs(sound).max() > 0.05
    assert np.abs(sound[-64:]).max() < 0.01  # it went out with a ramp


def test_without_a_sound_system_there_is_a_rehearsal(
    fake_band: type[FakeBand],
    take: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import gigmate.presets.loader

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gigmate.presets.loader, "PERFORMANCE_FILE", take)
    monkeypatch.setattr(gigmate.session, "find_sound_system", lambda config: (None, ["no server", "no device"]))
    assert run("--input", "1", "--output", "3") == 0
    sound, _ = soundfile.read(tmp_path / "gigmate-rehearsal.wav")
    assert np.abs(sound).max() > 0.05
    assert "rehearsal" in capsys.readouterr().out


def test_a_recording_alone_is_a_rehearsal_with_it(
    fake_band: type[FakeBand],
    take: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("--input-file", take, "--no-wait", "--duration", "1.5") == 0
    told = capsys.readouterr().out
    assert "rehearsal: the band begins at once" in told and str(take) in told
    sound, rate_hz = soundfile.read(tmp_path / "gigmate-rehearsal.wav")
    assert np.abs(sound).max() > 0.05
    spectrum = np.abs(np.fft.rfft(sound[:rate_hz, 0])) / rate_hz
    assert spectrum[220] > 3 * spectrum[231], "the recording can be heard in it"
    assert spectrum[100] > 3 * spectrum[111], "and the band"


@pytest.mark.parametrize(
    "option", [["--fast"], ["--record", "r.wav"], ["--report", "r.json"], ["--output-file", "o.wav"]]
)
def test_who_says_what_comes_of_it_gets_that_and_starts_the_band(
    option: list[str], fake_band: type[FakeBand], take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("--input-file", take, "--duration", "0.3", *option) == 0
    assert not (tmp_path / "gigmate-rehearsal.wav").exists()


def test_a_broken_band_is_said(
    monkeypatch: pytest.MonkeyPatch, take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from gigmate.engine.errors import EngineError

    monkeypatch.chdir(tmp_path)

    def broken(weights: object, seed: int) -> None:
        raise EngineError("the band fell off the stage: lift it")

    monkeypatch.setattr(gigmate.session, "_shipped_player", broken)
    assert run("--input-file", take) == 1
    assert "lift it" in one_line(capsys)
