"""`gigmate latency` on a private server whose loopback is one block long, and claims to be three."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gigmate.cli import boundary
from gigmate.cli.latency.latency_verify import compare
from gigmate.cli.main import app, latency_app
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import EngineError
from gigmate.engine.ports import open_port
from gigmate.engine.ports.loopback import calibrated
from gigmate.latency.calibration import FOLDER_VARIABLE

pytestmark = pytest.mark.jack


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "config"))
    monkeypatch.delenv("JACK_DEFAULT_SERVER", raising=False)
    return tmp_path / "config"


def run(*arguments: str) -> int:
    return boundary.run(latency_app, "gigmate-latency", list(arguments))


@pytest.mark.timeout(400)
def test_the_truth_beside_the_claim_and_the_live_engine_takes_the_truth(
    start_jack: Callable, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    server = start_jack(loopback=2).name
    device = ("--backend", "jack", "--device", "loopback", "--server", server)
    config = EngineConfig(backend="jack", device="loopback", server_name=server, output_channels=(1,))
    port = open_port(config)
    assert calibrated(config, port)[1].startswith("as the driver claims")
    port.close()

    assert run(*device, "--json", "--save", "--plot", str(tmp_path / "loop.png")) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["delay_samples"] == pytest.approx(128.0, abs=0.01)
    assert figures["burst_samples"] == pytest.approx(128.0, abs=0.01)
    assert figures["claimed"]["round_trip_samples"] == 384
    assert figures["claim_error_samples"] == pytest.approx(256.0, abs=0.01)
    assert figures["polarity"] == 1
    assert (tmp_path / "loop.png").stat().st_size > 1000

    port = open_port(config)
    used, source, warning = calibrated(config, port)
    port.close()
    assert used.round_trip_samples == 128
    assert source.startswith("measured on ")
    assert warning is None

    # The whole live engine, through the same cable: in place with what was measured.
    assert run(*device, "--verify", "--json") == 0
    heard = json.loads(capsys.readouterr().out)
    assert heard["round_trip_samples"] == 128
    assert abs(heard["median_error_ms"]) < 1.0
    assert heard["clicks"] >= 3

    Path(figures["saved"]).write_text("{")
    port = open_port(config)
    used, _, warning = calibrated(config, port)
    port.close()
    assert used.round_trip_samples is None
    assert warning is not None
    assert "damaged" in warning


@pytest.mark.timeout(400)
def test_another_plug_and_no_plug(start_jack: Callable, capsys: pytest.CaptureFixture) -> None:
    server = start_jack(loopback=2).name
    quick = ("--backend", "jack", "--server", server, "--max-delay", "0.3", "--json")
    assert run(*quick, "--device", "loopback", "--input", "2") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["cause"] == "wrong channel"
    assert "comes back on input 1, not on input 2" in said.err
    assert said.err.count("\n") == 1
    assert run(*quick[:-1], "--device", "loopback", "--input", "2") == 1
    assert "looking for it on input 1" in capsys.readouterr().err
    assert run(*quick, "--device", "system") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["cause"] == "no cable"
    assert "connect the two with a cable" in said.err


@pytest.mark.parametrize(
    "wrong",
    [
        ("--method", "guess"),
        ("--input", "1,2"),
        ("--input", "0"),
        ("--repeats", "0"),
        ("--backend", "file"),
        ("--max-delay", "60"),
    ],
)
def test_what_cannot_be_asked_is_one_line(wrong: tuple[str, ...], capsys: pytest.CaptureFixture) -> None:
    assert boundary.run(app, "gigmate", ["latency", *wrong]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_server_is_one_line(capsys: pytest.CaptureFixture) -> None:
    assert run("--backend", "jack", "--server", "gigmate-no-such-server") == 1
    assert "no JACK server" in capsys.readouterr().err


def test_our_delay_is_told_to_the_neighbours_and_told_again_when_it_changes(start_jack: Callable) -> None:
    server = start_jack()
    port = open_port(EngineConfig(backend="jack", server_name=server.name, output_channels=(1,)))
    try:
        port.own_delay_samples = 100
        port.start(Bridge(port.rate_hz))

        def capture_latency() -> int:
            listed = subprocess.run(
                ["jack_lsp", "-l", "gigmate:output_1"],
                env=server.environment,
                capture_output=True,
                text=True,
                check=True,
            )
            line = next(line for line in listed.stdout.splitlines() if "capture latency" in line)
            return int(line.split("[")[1].split()[0])

        def comes_to(wanted: int) -> bool:
            return any(capture_latency() == wanted for _ in range(50))

        heard = port.capture_latency_samples
        assert heard > 0
        assert comes_to(heard + 100)
        port.own_delay_samples = 250
        assert comes_to(heard + 250)
        port.own_delay_samples = -10_000
        assert comes_to(0), "earlier than the input cannot be said: 0 is the nearest"
        assert port.capture_latency_samples == heard, "our own claim does not come back to us"
    finally:
        port.close()


def test_comparing_needs_clicks() -> None:
    import numpy as np

    with pytest.raises(EngineError, match="do not come back"):
        compare(np.random.default_rng(1).normal(0, 0.01, 200_000).astype(np.float32), 48_000, 150.0)
    with pytest.raises(EngineError, match="do not come back"):
        compare(np.zeros(200_000, np.float32), 48_000, 150.0)
