"""The key promise over its whole range, and through a real server: a click on the beat is heard on the beat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from gigmate.cli import boundary
from gigmate.cli.latency.latency_verify import compare
from gigmate.cli.main import latency_app
from gigmate.engine.config import EngineConfig
from gigmate.engine.ports import open_port
from gigmate.engine.ports.loopback import signal_path_of_port
from gigmate.engine.run.click_player import ClickPlayer
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import GridConductor
from gigmate.latency.calibration import FOLDER_VARIABLE, save_calibration

from ..fakes import write_noise

BPM = 240.0
JACK_LOOPS = [
    # rate, block; the loopback is one block long: 0.3 to 46 ms
    (48_000, 128),
    pytest.param(48_000, 16, marks=pytest.mark.slow),
    pytest.param(96_000, 64, marks=pytest.mark.slow),
    pytest.param(44_100, 512, marks=pytest.mark.slow),
    pytest.param(96_000, 2048, marks=pytest.mark.slow),
    pytest.param(44_100, 2048, marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.parametrize("round_trip_ms", [0.0, 13.7, 60.0])
@pytest.mark.parametrize("block", [16, 32, 64, 128, 256, 512, 1024, 2048])
@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_every_rate_block_and_loop_delay(rate_hz: int, block: int, round_trip_ms: float, tmp_path: Path) -> None:
    round_trip = round(round_trip_ms * rate_hz / 1000)
    config = EngineConfig(
        backend="file",
        input_file=str(write_noise(tmp_path / "lead.wav", rate_hz, 2.5)),
        output_file=str(tmp_path / "band.wav"),
        output_channels=(1,),
        block_samples=block,
        realtime=False,
        start_playing=True,
        round_trip_samples=round_trip,
    )
    port = open_port(config)
    with Engine(config, ClickPlayer(), GridConductor(BPM, 4, rate_hz), port) as engine:
        engine.start()
        assert engine.wait(60)
    sound, _ = soundfile.read(tmp_path / "band.wav", dtype="float32")
    # What is played at n is heard with the input at n + round trip.
    heard = compare(sound, rate_hz, BPM, -float(round_trip))
    assert heard["clicks"] >= 5
    assert abs(heard["mean_error_ms"]) * rate_hz / 1000 < 1.0
    assert heard["spread_ms"] * rate_hz / 1000 < 1.0


@pytest.mark.jack
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("rate_hz", "block"), JACK_LOOPS)
def test_through_jack(
    rate_hz: int,
    block: int,
    start_jack: Callable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.delenv("JACK_DEFAULT_SERVER", raising=False)
    server = start_jack(rate_hz=rate_hz, block_samples=block, loopback=2).name
    config = EngineConfig(backend="jack", device="loopback", server_name=server, output_channels=(1,))
    port = open_port(config)
    save_calibration(signal_path_of_port(port, config), float(block), 1.0, "known")
    port.close()
    arguments = ["--backend", "jack", "--device", "loopback", "--server", server, "--verify", "--json"]
    assert boundary.run(latency_app, "gigmate-latency", arguments) == 0
    heard = json.loads(capsys.readouterr().out)
    assert heard["round_trip_samples"] == block
    assert heard["clicks"] >= 3
    assert abs(heard["median_error_ms"]) < 1.0
