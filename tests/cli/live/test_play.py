"""`gigmate play`: a band on a server, in time however far away, and there again after the connection was lost."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from gigmate.band import Band
from gigmate.cli import boundary, main
from gigmate.cli.service.remote_player import RemotePlayer, url_of
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.player import Controls, Moment
from gigmate.engine.ports import open_port
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import GridConductor
from gigmate.model.harmony.harmonist import Harmonist

from ..service.service_fakes import RATE_HZ, Echoist, Note, lead, serving


class Clicker(Echoist):
    """A click on every beat that it is told."""

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        out = np.zeros((3, 1280), np.float32)
        beat = 32_000 * 60 / moment.tempo_bpm
        k = np.arange(1280) - self.play_delay_samples
        at = (1.0 - moment.beat_phase) * beat if moment.beat_phase > 0.5 else -moment.beat_phase * beat
        out[0] = 0.5 * np.exp(-0.5 * ((k - at) / 12.0) ** 2)
        return out


class Far:
    """A way to a port of this machine that takes its time; it can be cut."""

    def __init__(self, port: int, delay_s: float) -> None:
        self._port, self._delay_s = port, delay_s
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._lines += [near, far]
                for one, other in ((near, far), (far, near)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        import queue

        waiting: queue.Queue[tuple[float, bytes]] = queue.Queue()

        def deliver() -> None:
            with contextlib.suppress(OSError):
                while data := waiting.get():
                    time.sleep(max(0.0, data[0] - time.monotonic()))
                    other.sendall(data[1])

        threading.Thread(target=deliver, daemon=True).start()
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                waiting.put((time.monotonic() + self._delay_s, data))

    def cut(self) -> None:
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self._lines = []

    def close(self) -> None:
        self._listening.close()
        self.cut()


@contextlib.contextmanager
def far_band(delay_s: float) -> Iterator[Far]:
    with serving(Band(Clicker), idle_s=10.0) as server:
        far = Far(server.port, delay_s)
        try:
            yield far
        finally:
            far.close()


def in_place(sound: np.ndarray, beat_s: float, since_s: float) -> int:
    """How many beats of the sound are where they belong; fails at one that is not."""
    count = 0
    for beat in range(1, int(len(sound) / RATE_HZ / beat_s)):
        at = round(beat * beat_s * RATE_HZ)
        around = sound[at - 2_000 : at + 2_000]
        if at > since_s * RATE_HZ and len(around) == 4_000 and np.abs(around).max() > 0.2:
            assert abs(int(np.argmax(around)) - 2_000) <= 2
            count += 1
    return count


@pytest.mark.parametrize(("delay_s", "depths"), [(0.0, range(1, 4)), (0.04, range(3, 7))])
def test_the_band_is_in_time_however_far_away(delay_s: float, depths: range, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "lead.wav", lead(2.5), RATE_HZ)
    config = EngineConfig(
        backend="file", input_file=str(tmp_path / "lead.wav"), output_file=str(tmp_path / "band.wav"),
        output_channels=(1,), realtime=False, start_playing=True,
    )  # fmt: skip
    with far_band(delay_s) as far:
        player = RemotePlayer(f"127.0.0.1:{far.port}", patience_s=20.0)
        assert player.depth in depths
        assert player.round_trip_s >= 2 * delay_s
        port = open_port(config)
        with Engine(config, player, GridConductor(150, 4, RATE_HZ), port) as engine:
            engine.start()
            assert engine.wait(60)
        report = engine.report()
        player.close()
    assert report["ahead"]["by_stage_ms"]["player"] == pytest.approx(10 + 40 * player.depth)
    assert report["misses"]["episodes"] == 0
    assert report["faults"] == {}
    assert in_place(soundfile.read(tmp_path / "band.wav")[0], 0.4, 0.1 + 0.04 * report["ahead"]["frames"]) >= 3


class Noted(Clicker):
    """Writes what it clicks."""

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        at = (1.0 - moment.beat_phase) % 1.0 * 32_000 * 60 / moment.tempo_bpm
        self.at = round(at) if at < 1280 else -1
        return super().play(moment, controls)

    def notes(self) -> list[Note]:
        return [Note(0, 36, 100, self.at)] if self.at >= 0 else [Note(0, 36, 0, 0)]


class Taken:
    """A sink of notes that keeps them."""

    name = "kept"

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def send(self, message: bytes) -> None:
        self.messages.append(message)

    def look(self) -> bool:
        return False

    def close(self) -> None:
        pass


def far_notes(tmp_path: Path) -> tuple[list[int], Taken, int]:
    """Where a far band's notes were put, what was sent, and how many frames were lost on the way."""
    soundfile.write(tmp_path / "lead.wav", lead(3.0), RATE_HZ)
    config = EngineConfig(
        backend="file", input_file=str(tmp_path / "lead.wav"), output_file=str(tmp_path / "band.wav"),
        output_channels=(1,), realtime=True, start_playing=True, midi_out="kept", wait_for_musician=False,
    )  # fmt: skip
    places: list[int] = []
    with serving(Band(Noted), idle_s=10.0) as server:
        player = RemotePlayer(f"127.0.0.1:{server.port}", patience_s=20.0)
        port, sink = open_port(config), Taken()
        with Engine(config, player, GridConductor(150, 4, RATE_HZ), port, sink) as engine:
            push = engine._bridge.notes.push

            def seen(part: int, position: int, message: bytes) -> bool:
                places.append(position) if message[0] & 0xF0 == 0x90 else None
                return push(part, position, message)

            engine._bridge.notes.push = seen  # type: ignore[method-assign]
            engine.start()
            assert engine.wait(60)
        player.close()
    return places, sink, engine.report()["misses"]["frames"]


def test_a_far_bands_notes_are_as_much_in_time_as_its_sound(tmp_path: Path) -> None:
    for _ in range(3):  # what a busy machine loses is covered, and is not what this is about
        places, sink, lost = far_notes(tmp_path)
        if not lost:
            break
    beats = {round(place / (0.4 * RATE_HZ)) for place in places}
    assert len(beats) >= 4
    assert all(abs(place - round(place / (0.4 * RATE_HZ)) * 0.4 * RATE_HZ) <= 2 for place in places)
    assert bytes([0x99, 36, 100]) in sink.messages
    sounding = [message[0] & 0xF0 for message in sink.messages if message[0] & 0xF0 in (0x80, 0x90)]
    assert sounding.count(0x80) == sounding.count(0x90)


def test_a_cut_connection_is_covered_and_comes_back(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "lead.wav", lead(5.0), RATE_HZ)
    config = EngineConfig(
        backend="file", input_file=str(tmp_path / "lead.wav"), output_file=str(tmp_path / "band.wav"),
        output_channels=(1,), realtime=True, start_playing=True,
    )  # fmt: skip
    with far_band(0.005) as far:
        player = RemotePlayer(f"http://127.0.0.1:{far.port}")
        port = open_port(config)
        with Engine(config, player, GridConductor(240, 4, RATE_HZ), port) as engine:
            engine.start()
            assert not engine.wait(1.5)
            far.cut()
            assert engine.wait(60)
        report = engine.report()
        assert player.reconnections >= 1
        player.close()
    assert report["misses"]["episodes"] >= 1
    assert report["callbacks"]["served"] == pytest.approx(report["callbacks"]["expected"], abs=2)
    sound = soundfile.read(tmp_path / "band.wav")[0]
    assert in_place(sound[-2 * RATE_HZ :], 0.25, 0.0) >= 3, "it is in time again"


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    read, reads = Harmonist.read, []

    def counted(self: Harmonist, *values: Any) -> Any:
        reads.append(values)
        return read(self, *values)

    monkeypatch.setattr(Harmonist, "read", counted)
    soundfile.write(tmp_path / "lead.wav", lead(1.5), RATE_HZ)
    out, report = tmp_path / "band.wav", tmp_path / "report.json"
    arguments = [
        "--input-file",
        tmp_path / "lead.wav",
        "--output-file",
        out,
        "--report",
        report,
        "--fast",
        "--start-now",
        "--no-wait",
        "--sound",
        "neural",  # tiny weights strike no notes in so short a time
    ]
    with serving(token="sesame") as server:
        call = ["play", server.ws, *map(str, arguments)]
        assert boundary.run(main.app, "gigmate", call) == 1
        assert "token" in capsys.readouterr().err
        monkeypatch.setenv("GIGMATE_TOKEN", "sesame")
        assert boundary.run(main.app, "gigmate", call) == 0
    assert "there and back" in capsys.readouterr().out
    assert np.abs(soundfile.read(out)[0]).max() > 0.01
    assert json.loads(report.read_text())["misses"]["episodes"] == 0
    assert reads, "chords are read here, by half-beats, as they are where the band is at home"


def test_it_has_the_charts_and_the_remote_of_live(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "lead.wav", lead(1.5), RATE_HZ)
    (tmp_path / "blues.chart").write_text("tempo: 240\n\n| E7 | A7 |\n")
    out, report = tmp_path / "band.wav", tmp_path / "report.json"
    monkeypatch.setenv("GIGMATE_TOKEN", "sesame-of-the-server")
    with serving(token="sesame-of-the-server") as server:
        call = [
            "play", server.ws, "--input-file", tmp_path / "lead.wav", "--output-file", out, "--report", report,
            "--fast", "--start-now", "--no-wait", "--sound", "neural", "--chart", tmp_path / "blues.chart",
            "--monitor", "0", "--web", "0",
        ]  # fmt: skip
        assert boundary.run(main.app, "gigmate", list(map(str, call))) == 0
        assert boundary.run(main.app, "gigmate", [*map(str, call), "--set", "none.yaml"]) == 2
    said = capsys.readouterr()
    assert "remote on http://127.0.0.1:" in said.out and "with your token" not in said.out
    assert "--set and --chart" in said.err
    assert "web" in json.loads(report.read_text())
    sound = soundfile.read(out)[0]
    assert np.abs(sound).max() > 0.2, "the recording is mixed in"


def test_nobody_there_is_one_line() -> None:
    with pytest.raises(EngineError, match="gigmate serve") as caught:
        RemotePlayer("127.0.0.1:9")
    assert "\n" not in str(caught.value)


def test_addresses() -> None:
    assert url_of("band.local:8000") == "ws://band.local:8000/player"
    assert url_of("https://example.org/gig/") == "wss://example.org/gig/player"
    assert url_of("ws://[::1]:8000") == "ws://[::1]:8000/player"
    for bad in ("ftp://x", "ws://", "ws://host:port", "ws://[::1", "ws://host:99999", "ws://me:word@host"):
        with pytest.raises(ConfigError, match="address"):
            url_of(bad)
