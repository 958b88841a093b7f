"""The PortAudio port, through PortAudio's own JACK back end on a private server, with both Python bindings."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from gigmate.engine.ports import portaudio_api

from .numbered_run import ROW_STEP

pytestmark = pytest.mark.jack
HERE = Path(__file__).parent


def _available(binding: str) -> bool:
    try:
        portaudio_api._path(binding)
    except (ImportError, OSError):
        return False
    return True


@pytest.fixture(params=["pyaudio", "sounddevice"])
def environment(request: pytest.FixtureRequest, jack_server: Any) -> dict[str, str]:
    if not _available(request.param):
        pytest.skip(f"{request.param} is not installed")
    return {**jack_server.environment, "GIGMATE_PORTAUDIO": request.param}


def _run(environment: dict[str, str], code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # the libraries' chatter is not the musician's business
    return done.stdout


_HEAD = """
import time
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import EngineError
from gigmate.engine.ports import list_devices, open_port, unavailable_reason
"""


def test_numbers_pass_in_order_both_ways(environment: dict[str, str], jack_server: Any, tmp_path: Path) -> None:
    """Heard numbers come in order; played ones are those written at their positions."""
    fields = {"backend": "portaudio", "device": "system", "output_channels": [3]}
    run = subprocess.Popen(
        [sys.executable, str(HERE / "numbered_run.py"), json.dumps(fields), "30"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    player = recorder = None
    try:
        assert json.loads(run.stdout.readline())["outputs"] == ["system:3"]
        ports = _run(environment, "import jack; print([p.name for p in jack.Client('look').get_ports()])")
        assert "PortAudio:out_2" in ports
        player = _peer(environment, "play", "PortAudio:in_0", 100_000)
        recorder = _peer(environment, "record", "PortAudio:out_2", tmp_path / "out.npy")
        for peer in (player, recorder):
            assert peer.stdout.readline() == "ready\n"
        _get_busy(run)
        for peer in (recorder, player):
            peer.stdin.write("\n")
            peer.stdin.flush()
            peer.stdout.readline()
        run.stdin.write("\n")
        run.stdin.flush()
        found = json.loads(run.stdout.readline())
        recorder.stdin.write("\n")
        recorder.stdin.flush()
        assert recorder.stdout.readline() == "saved\n"
        _check(found, tmp_path / "out.npy")
    finally:
        for process in (run, player, recorder):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def test_parts_have_channels_of_their_own_in_step(
    environment: dict[str, str], jack_server: Any, tmp_path: Path
) -> None:
    import numpy as np

    fields = {
        "backend": "portaudio", "device": "system",
        "output_channels": [2, 1], "part_outputs": [["bass", [4]]], "click_channels": [3],
    }  # fmt: skip
    run = subprocess.Popen(
        [sys.executable, str(HERE / "numbered_run.py"), json.dumps(fields), "20"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    recorder = None
    try:
        assert json.loads(run.stdout.readline())["outputs"] == ["system:2", "system:1"]
        recorder = _peer(environment, "recordall", "PortAudio:out_", tmp_path / "all.npz")
        for answer in ("ready", "on", "saved"):
            assert recorder.stdout.readline() == f"{answer}\n"
            if answer == "ready":
                _get_busy(run)
            time.sleep(0.5)
            recorder.stdin.write("\n")
            recorder.stdin.flush()
        run.stdin.write("\n")
        run.stdin.flush()
        assert json.loads(run.stdout.readline())["lost"] is None
        recorded = np.load(tmp_path / "all.npz")
        assert list(recorded["names"]) == [f"PortAudio:out_{place}" for place in range(4)]
        numbers = np.round(recorded["sound"].astype(np.float64) * 2**24).astype(np.int64)
        right, left, click, bass = numbers[:, (numbers[[0, 1, 3]] > 0).all(axis=0)]
        assert left.size > 10_000
        np.testing.assert_array_equal(right - left, ROW_STEP)
        np.testing.assert_array_equal(bass - left, 2 * ROW_STEP)
        assert not click.any()
    finally:
        for process in (run, recorder):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def _get_busy(run: subprocess.Popen[str]) -> None:
    assert run.stdin is not None and run.stdout is not None
    run.stdin.write("\n")
    run.stdin.flush()
    assert run.stdout.readline() == "busy\n"


def _peer(environment: dict[str, str], *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HERE / "jack_peer.py"), *map(str, arguments)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _check(found: dict[str, Any], path: Path) -> None:
    import numpy as np

    # This server keeps the wall clock and the machine may be busy: JACK then repeats or leaves out whole blocks.
    assert found["heard"][1] > 10_000
    assert found["callbacks"] >= 0.95 * found["expected"] > 500
    assert (found["misses"], found["dropped"], found["lost"], found["ended"]) == (0, 0, None, True)
    numbers = np.round(np.load(path).astype(np.float64) * 2**24).astype(np.int64)
    steps = np.diff(numbers[numbers > 0])
    assert steps.size > 50_000
    assert ((steps - 1) % 128 == 0).all()
    assert (steps == 1).mean() > 0.99


def test_devices_are_listed_and_chosen_by_part_of_a_name(environment: dict[str, str]) -> None:
    code = """
config = EngineConfig(backend="portaudio", device="JACK audio")
print([(d.name, d.inputs, d.outputs, d.rate_hz, d.default) for d in list_devices("portaudio", config)])
port = open_port(config)
print(port.rate_hz, port.input_names, port.output_names, port.binding, unavailable_reason("portaudio"))
port.close()
"""
    listed, opened = _run(environment, _HEAD + code).splitlines()
    assert "('system', 4, 4, 48000, True)" in listed
    assert opened == f"48000 ('system:1',) ('system:1', 'system:2') {environment['GIGMATE_PORTAUDIO']} None"


def test_what_cannot_be_is_said(environment: dict[str, str]) -> None:
    code = """
for fields in (dict(device="zither"), dict(input_channels=(9,)), dict(output_channels=(9,)), dict(rate_hz=44100)):
    try:
        open_port(EngineConfig(backend="portaudio", **{"device": "system", **fields}))
    except EngineError as error:
        print(type(error).__name__, error)
"""
    lines = _run(environment, _HEAD + code).splitlines()
    assert lines[0].startswith('EngineError no PortAudio device is called "zither": there are "system"')
    assert lines[1] == 'EngineError "system" has inputs 1 to 4: there is no input 9'
    assert lines[2] == 'EngineError "system" has outputs 1 to 4: there is no output 9'
    assert lines[3].startswith('ConfigError "system" does not run at 44100 Hz')


def test_a_server_that_dies_is_said_and_nothing_hangs_or_aborts(environment: dict[str, str], jack_server: Any) -> None:
    code = """
port = open_port(EngineConfig(backend="portaudio", device="system"))
port.start(Bridge(port.rate_hz))
print("runs", flush=True)
print(port.ended.wait(20), port.lost)
begin = time.perf_counter()
port.close()
print(time.perf_counter() - begin < 8)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", _HEAD + code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "runs\n"
    jack_server.kill()
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    lines = output.splitlines()
    assert lines == ["True the JACK server that PortAudio plays through went away: start it again", "True"]


def test_a_binding_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(portaudio_api.ConfigError, match="pyaudio or sounddevice"):
        portaudio_api.Library.load("alsa")

    def missing(binding: str) -> str:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(portaudio_api, "_path", missing)
    monkeypatch.setattr(portaudio_api.Library, "_loaded", {})
    monkeypatch.delenv("GIGMATE_PORTAUDIO", raising=False)
    with pytest.raises(portaudio_api.EngineError, match="apt install libportaudio2"):
        portaudio_api.Library.load(None)


def test_the_structures_have_the_size_of_c() -> None:
    if sys.platform != "win32" and ctypes.sizeof(ctypes.c_void_p) == 8:
        assert ctypes.sizeof(portaudio_api.DeviceInfo) == 72
        assert ctypes.sizeof(portaudio_api.HostApiInfo) == 32
        assert ctypes.sizeof(portaudio_api.StreamParameters) == 32
