"""MIDI devices on JACK that come and go: connected when they appear, by name where asked, never against the user."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.ports import open_port

from ..fakes import wait_until
from .peers import Peer, config_for

pytestmark = pytest.mark.jack
SOURCE = "../../control/midi_source.py"
PRESS = (0xB0, 64, 127)


def tell(one: Peer, text: str) -> None:
    assert one.process.stdin is not None
    one.process.stdin.write(text + "\n")
    one.process.stdin.flush()
    assert one.line() == "done"


def test_a_device_that_was_not_there_is_heard_and_again_after_replugging(
    jack_server: Any, peer: Callable[..., Peer]
) -> None:
    port = open_port(config_for(jack_server, client_name="gm", connect=False, midi_name="BOARD"))
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    heard: list[tuple[int, ...]] = []

    def reaches(device: Peer) -> bool:
        """Whether a press arrives, tried for as long as finding a device may take."""
        for _ in range(30):
            tell(device, "b0407f")
            time.sleep(0.1)
            heard[:] = [event[1:] for event in bridge.pop_midi_events()]
            if heard:
                return True
        return False

    def wired() -> bool:
        for _ in range(5):
            listed = subprocess.run(["jack_lsp", "-c", "gm:midi_in"], env=env, capture_output=True, text=True)
            if listed.returncode == 0:
                return "board:out" in listed.stdout
            time.sleep(0.5)  # a server on a busy machine does not let every client in
        raise AssertionError(f"jack_lsp: {listed.stderr}")

    env = jack_server.environment
    try:
        other = peer(env, SOURCE, "keys")
        assert other.line() == "ready"
        board = peer(env, SOURCE, "board")
        assert board.line() == "ready"
        assert reaches(board)
        assert heard[0] == PRESS
        tell(other, "b0407f")
        time.sleep(0.3)
        assert bridge.pop_midi_events() == []

        subprocess.run(["jack_disconnect", "board:out", "gm:midi_in"], env=env, check=True, timeout=60)
        time.sleep(2.5)
        assert not wired(), "the user took it out"

        board.end()
        time.sleep(2.5)
        board = peer(env, SOURCE, "board")
        assert board.line() == "ready"
        assert wait_until(wired)
        bridge.pop_midi_events()
        assert reaches(board)
    finally:
        port.close()
