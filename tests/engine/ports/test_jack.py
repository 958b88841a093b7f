"""The JACK port on a real (dummy) server: exact samples in and out, channels by number, faults in words."""

from __future__ import annotations

import ctypes
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.ports import list_devices, open_port, unavailable_reason

from .numbered_run import ROW_STEP, SCALE
from .peers import Peer, config_for

pytestmark = pytest.mark.jack


def exchange(server: Any, peer: Callable[..., Peer], ports: tuple[str, str], fields: dict[str, Any], path: Path) -> Any:
    """Numbers from one client into a port, the band out of it into another client, while the server free-wheels.

    Returns (what the port's process found, the recording).
    """
    environment, total = server.environment, 200_000
    run = peer(environment, "numbered_run.py", json.dumps(fields), 150)
    head = json.loads(run.line())
    assert "error" not in head, head
    wheel = peer(environment, "jack_peer.py", "freewheel")
    source = peer(environment, "jack_peer.py", "play", ports[0], total)
    sink = peer(environment, "jack_peer.py", "record", ports[1], path)
    for one in (source, sink, wheel):
        assert one.line() == "ready"
    assert run.go() == "busy"
    assert wheel.go() == "done"
    assert sink.go() == "on"
    assert source.go() == "done"
    assert sink.go() == "saved"
    wheel.end()
    found = json.loads(run.go())
    return head, found, np.load(path)


def check_exchange(found: dict[str, Any], recorded: np.ndarray) -> None:
    assert sum(found["heard"]) == 200_001  # each sample once, in order (after a zero, perhaps)
    assert found["heard"][0] in (0, 1)
    assert found["expected"] <= found["callbacks"] + 50  # free-wheeling is no loss
    numbers = np.round(recorded.astype(np.float64) / SCALE).astype(np.int64)
    sounding = numbers[numbers > 0]
    assert sounding.size > 100_000
    assert (np.diff(sounding) == 1).all()  # and so is each that it played, at its own position
    assert found["misses"] == 0
    assert found["dropped"] == 0
    assert found["lost"] is None
    assert found["ended"]


def test_every_sample_passes_once_both_ways(jack_server: Any, peer: Callable[..., Peer], tmp_path: Path) -> None:
    fields = {"backend": "jack", "server_name": jack_server.name, "output_channels": [3], "client_name": "gm"}
    head, found, recorded = exchange(jack_server, peer, ("gm:input_1", "gm:output_3"), fields, tmp_path / "out.npy")
    assert head == {"inputs": ["system:capture_1"], "outputs": ["system:playback_3"], "rate_hz": 48000}
    check_exchange(found, recorded)


def test_parts_have_ports_of_their_own_in_step_to_the_sample(
    jack_server: Any, peer: Callable[..., Peer], tmp_path: Path
) -> None:
    fields = {
        "backend": "jack", "server_name": jack_server.name, "client_name": "gm",
        "output_channels": [1], "part_outputs": [["drums", [2, 3]], ["keys", [4]]],
    }  # fmt: skip
    run = peer(jack_server.environment, "numbered_run.py", json.dumps(fields), 40)
    head = json.loads(run.line())
    assert head == {"inputs": ["system:capture_1"], "outputs": ["system:playback_1"], "rate_hz": 48000}
    wheel = peer(jack_server.environment, "jack_peer.py", "freewheel")
    sink = peer(jack_server.environment, "jack_peer.py", "recordall", "gm:", tmp_path / "all.npz")
    source = peer(jack_server.environment, "jack_peer.py", "play", "gm:input_1", 100_000)
    for one in (source, sink, wheel):
        assert one.line() == "ready"
    listing = ["jack_lsp", "-c", "gm:"]
    said = subprocess.run(listing, env=jack_server.environment, capture_output=True, text=True, check=True).stdout
    wires = [
        line.strip() for line in said.splitlines() if "playback" in line or re.match(r"gm:(output|drums)_\d", line)
    ]
    expected = "gm:output_1 system:playback_1 gm:drums_1 system:playback_2 gm:drums_2 system:playback_3"
    assert wires == [*expected.split(), "system:playback_4"], "and the keys on the last"
    assert run.go() == "busy"
    assert wheel.go() == "done"
    assert sink.go() == "on"
    assert source.go() == "done"
    assert sink.go() == "saved"
    wheel.end()
    found = json.loads(run.go())
    assert (found["misses"], found["lost"]) == (0, None)
    recorded = np.load(tmp_path / "all.npz")
    assert list(recorded["names"]) == ["gm:output_1", "gm:drums_1", "gm:drums_2", "gm:keys_1"]
    numbers = np.round(recorded["sound"].astype(np.float64) / SCALE).astype(np.int64)
    numbers = numbers[:, (numbers > 0).all(axis=0)]
    assert numbers.shape[1] > 50_000
    assert (np.diff(numbers[0]) == 1).all()
    for row in range(4):
        np.testing.assert_array_equal(numbers[row] - numbers[0], row * ROW_STEP)


def test_the_ports_are_wired_by_channel_number(jack_server: Any) -> None:
    port = open_port(config_for(jack_server, input_channels=(2, 1), output_channels=(4, 3), client_name="wired"))
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    try:
        assert port.input_names == ("system:capture_2", "system:capture_1")
        wires = subprocess.run(
            ["jack_lsp", "-c", "wired"], env=jack_server.environment, capture_output=True, text=True, check=True
        ).stdout.split()
        expected = "wired:input_2 system:capture_2 wired:input_1 system:capture_1"
        expected += " wired:output_4 system:playback_4 wired:output_3 system:playback_3 wired:midi_in wired:midi_out"
        assert [
            word for word in wires if not word.startswith("system:midi") and "_midi" not in word
        ] == expected.split()
        assert (port.rate_hz, port.block_samples, port.backend) == (48000, 128, "jack")
        # This dummy server claims one period in and two out.
        assert (port.capture_latency_samples, port.playback_latency_samples) == (128, 256)
    finally:
        port.close()
    assert port.ended.is_set()
    assert port.lost is None


def test_without_connecting_the_ports_only_stand_there(jack_server: Any) -> None:
    port = open_port(config_for(jack_server, connect=False, input_channels=(77,)))
    port.start(Bridge(port.rate_hz))
    assert port.input_names == ("gigmate:input_77",)
    port.close()
    port.close()


def test_a_device_is_part_of_a_name(jack_server: Any) -> None:
    found = {device.name: (device.inputs, device.outputs) for device in list_devices("jack", config_for(jack_server))}
    assert found == {"system": (4, 4)}
    port = open_port(config_for(jack_server, device="SYS", output_channels=(2,)))
    assert port.output_names == ("system:playback_2",)
    port.close()
    with pytest.raises(EngineError, match='no input 1 of "piano" on JACK: the inputs are system:capture_1'):
        open_port(config_for(jack_server, device="piano"))


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"input_channels": (9,)}, EngineError, "no input 9 on JACK: the inputs are system:capture_1, .*capture_4"),
        ({"output_channels": (1, 9)}, EngineError, "no output 9 on JACK: the outputs are system:playback_1"),
        ({"rate_hz": 44100}, ConfigError, "runs at 48000 Hz, not 44100"),
        ({"block_samples": 64}, ConfigError, "blocks of 128, not 64"),
        ({"server_name": "no-such-server"}, EngineError, 'no JACK server "no-such-server" answers: start'),
    ],
)
def test_what_cannot_be_is_said(jack_server: Any, fields: dict[str, Any], kind: type, words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        open_port(config_for(jack_server, **fields))
    assert isinstance(caught.value, ConfigError) is (kind is ConfigError)
    assert "\n" not in str(caught.value)
    # Nothing was left behind: the same name is free.
    port = open_port(config_for(jack_server, connect=False))
    assert port.input_names == ("gigmate:input_1",)
    port.close()


def test_auto_takes_a_server_that_answers(jack_server: Any) -> None:
    assert unavailable_reason("jack", config_for(jack_server)) is None
    port = open_port(config_for(jack_server, backend="auto"))
    assert port.backend == "jack"
    port.close()


def test_python_in_the_way_costs_no_callback(start_jack: Callable[..., Any]) -> None:
    """Once with a thread that computes in Python, once with the interpreter lock held all the time."""
    server = start_jack(block_samples=256)
    port = open_port(config_for(server))
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    stop = threading.Event()

    def be_busy() -> None:
        number = 0
        while not stop.is_set():
            number += 1

    busy = threading.Thread(target=be_busy)
    busy.start()
    time.sleep(1.5)
    stop.set()
    busy.join()
    assert bridge.counters().callbacks >= 0.95 * port.callbacks_expected > 200
    if sys.platform != "win32":
        before = bridge.counters().callbacks
        ctypes.PyDLL(None).usleep(900_000)  # PyDLL keeps the lock
        assert bridge.counters().callbacks - before >= 0.9 * 0.9 * 48000 / 256
    port.close()


def test_midi_comes_stamped_with_its_sample(jack_server: Any, peer: Callable[..., Peer]) -> None:
    port = open_port(config_for(jack_server, client_name="gm"))
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    messages = ("b0407f@3", "c005@50", "f07e7f0601f7@60", "b04000@127")
    sender = peer(jack_server.environment, "jack_peer.py", "midi", "gm:midi_in", *messages)
    assert sender.line() == "ready"
    assert bridge.pop_midi_events() == []
    sender.go()
    time.sleep(0.5)
    events = bridge.pop_midi_events()
    assert [event[1:] for event in events] == [(0xB0, 64, 127), (0xC0, 5, 0), (0xB0, 64, 0)]  # not the long one
    first = events[0][0]
    assert [event[0] - first for event in events] == [0, 47, 124]
    assert first % 128 == 3
    assert bridge.counters().midi_events == 3
    assert bridge.pop_midi_events() == []
    port.close()


def test_a_block_size_that_changes_is_followed(jack_server: Any) -> None:
    port = open_port(config_for(jack_server))
    bridge = Bridge(port.rate_hz, max_block_samples=256)
    port.start(bridge)
    for block in (1024, 64):
        subprocess.run(
            ["jack_bufsize", str(block)], env=jack_server.environment, capture_output=True, check=False, timeout=100
        )
        end = time.perf_counter() + 5
        while port.block_samples != block and time.perf_counter() < end:
            time.sleep(0.02)
        assert port.block_samples == block
    port.close()  # before the figures are read: a callback between two of them would part them
    counters = bridge.counters()
    assert counters.samples == bridge.in_ring.write_index + counters.in_dropped_samples
    assert counters.max_block_samples == 1024


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "stop"])
def test_a_server_that_goes_away_is_said_and_closing_does_not_hang(jack_server: Any, how: int) -> None:
    port = open_port(config_for(jack_server))
    port.start(Bridge(port.rate_hz))
    time.sleep(0.2)
    assert port.lost is None
    jack_server.kill(how)  # with us attached: `stop` of the fixture would close our port first
    assert port.ended.wait(3.0)
    assert port.lost == f'the JACK server "{jack_server.name}" went away: start it again'
    before = time.perf_counter()
    port.close()
    assert time.perf_counter() - before < 8.0
    jack_server.start()
    again = open_port(config_for(jack_server))
    again.start(Bridge(again.rate_hz))
    time.sleep(0.2)
    assert again.callbacks_expected > 10
    again.close()


def test_a_program_that_forgets_to_close_still_ends(jack_server: Any) -> None:
    code = (
        "import sys, time\n"
        "from gigmate.engine.callback.bridge import Bridge\n"
        "from gigmate.engine.config import EngineConfig\n"
        "from gigmate.engine.ports import open_port\n"
        f"port = open_port(EngineConfig(backend='jack', server_name='{jack_server.name}'))\n"
        "port.start(Bridge(port.rate_hz))\n"
        "del port\n"
        "time.sleep(0.3)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
