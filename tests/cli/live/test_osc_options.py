"""--osc and --osc-to on a whole run: the band is started from the network and tells what it does."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import gigmate.session
import numpy as np
import pytest
import soundfile
from gigmate.cli import boundary, main
from gigmate.cli.live.osc_options import describe, osc_asked
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.player import Controls, HeardFrame, Moment

RATE_HZ = 48_000


class Hum:
    """A band that hums."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, 1280, 640, 0

    def reset(self, seed: int, ahead_frames: int) -> None:
        pass

    def set_ahead(self, ahead_frames: int) -> None:
        pass

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        return np.full((3, self.frame_samples), 0.1, np.float32)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.settimeout(60)
        yield one


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_band_is_driven_and_heard_of_over_osc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listener: socket.socket
) -> None:
    monkeypatch.setattr(gigmate.session, "_shipped_player", lambda weights, seed: Hum())
    soundfile.write(tmp_path / "take.wav", np.zeros(20 * RATE_HZ), RATE_HZ)
    report, port = tmp_path / "report.json", free_port()
    heard: list[bytes] = []

    def drive() -> None:
        """Once the band is there: level, mute, start; and something that is no OSC."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            heard.append(listener.recv(65_535))
            for data in (
                b"rubbish",
                b"/gigmate/level/bass\x00,i\x00\x00\xff\xff\xff\xf4",
                b"/gigmate/mute/keys\x00\x00,T\x00\x00",
                b"/gigmate/start\x00\x00,\x00\x00\x00",
            ):
                out.sendto(data, ("127.0.0.1", port))
            while b"/gigmate/status/state\x00\x00\x00,s\x00\x00playing" not in heard[-1]:
                heard.append(listener.recv(65_535))

    driver = threading.Thread(target=drive)
    driver.start()
    options = ["--input-file", tmp_path / "take.wav", "--output-file", tmp_path / "band.wav", "--duration", "4"]
    options += ["--report", report, "--osc", port, "--osc-to", f"127.0.0.1:{listener.getsockname()[1]}"]
    code = boundary.run(main.live_app, "gigmate-live", [str(option) for option in options])
    driver.join(60)
    assert code == 0
    assert not driver.is_alive()
    figures = json.loads(report.read_text())["osc"]
    assert (figures["received"], figures["posted"], figures["bad"]) == (3, 3, 1)


def test_addresses_are_checked_before_anything_is_loaded() -> None:
    assert osc_asked(None, None) is None
    ask = osc_asked("9000", ["127.0.0.1:9001", "desk:7700"])
    assert ask is not None
    assert describe(ask) == ["OSC in on 127.0.0.1:9000", "OSC out to 127.0.0.1:9001, desk:7700"]
    assert osc_asked("9000", None, True).by_time_tags and not ask.by_time_tags
    with pytest.raises(ConfigError, match="--osc-time-tags belongs to --osc"):
        osc_asked(None, ["127.0.0.1:9001"], True)
    everywhere = osc_asked("0.0.0.0:9000", None)
    assert everywhere is not None
    assert describe(everywhere) == ["OSC in on 0.0.0.0:9000 (open to this network: OSC knows no password)"]
    with pytest.raises(ConfigError, match="--osc-to 9000: give HOST:PORT"):
        osc_asked(None, ["9000"])


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str], listener: socket.socket) -> None:
    options = ["--osc", str(listener.getsockname()[1]), "--input-file", "nowhere.wav"]
    assert boundary.run(main.live_app, "gigmate-live", options) == 1
    assert "give another port to --osc" in capsys.readouterr().err


def test_without_the_library_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == "pythonosc" or name.startswith("gigmate.control.osc"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pythonosc", None)
    with pytest.raises(EngineError, match=r"pip install 'gigmate\[osc\]'"):
        osc_asked("9000", None)
