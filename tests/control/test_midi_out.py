"""MIDI outputs of the system, through rtmidi's JACK API on a dummy server: a port of our own, and one that is found."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PEERS = HERE.parent / "engine" / "ports" / "jack_peer.py"
pytestmark = [pytest.mark.jack, pytest.mark.timeout(120)]


class Child:
    """A script, running, that answers line by line."""

    def __init__(self, environment: dict[str, str], script: Path, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(script), *map(str, arguments)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, text: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.line()

    def end(self) -> str:
        assert self.process.stdin is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        last = self.line()
        self.process.wait(timeout=30)
        return last


@pytest.fixture
def child() -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def start(*arguments: Any) -> Child:
        children.append(Child(*arguments))
        return children[-1]

    yield start
    for one in children:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_a_port_of_our_own_carries_what_is_sent(jack_server: Any, child: Callable[..., Child], tmp_path: Path) -> None:
    out = child(jack_server.environment, HERE / "midi_out_child.py", "virtual")
    assert out.line() == "open GigMate"
    log = child(jack_server.environment, PEERS, "midilog", "GigMate:GigMate", tmp_path / "log.json")
    assert log.line() == "ready"
    for message in ("90285a", "802800", "c021"):
        assert out.ask(message) == "sent"
    time.sleep(0.3)
    assert log.ask("") == "saved"
    events = json.loads((tmp_path / "log.json").read_text())["events"]
    assert [bytes(event[1:]).hex() for event in events] == ["90285a", "802800", "c021"]
    assert out.end() == "closed"


def test_an_output_is_found_by_name_and_found_again(jack_server: Any, child: Callable[..., Child]) -> None:
    synth = child(jack_server.environment, PEERS, "device", "moog")
    assert synth.line() == "ready"
    out = child(jack_server.environment, HERE / "midi_out_child.py", "MOOG")
    assert "moog_in" in out.line()
    assert out.ask("look") == "back False lost 0"
    synth.end()
    time.sleep(0.5)
    assert out.ask("look") == "back False lost 1"
    assert out.ask("90285a") == "sent"
    synth = child(jack_server.environment, PEERS, "device", "moog")
    assert synth.line() == "ready"
    assert out.ask("look") == "back True lost 1"
    assert out.end() == "closed"


def test_no_such_output_is_said_with_those_that_exist(jack_server: Any, child: Callable[..., Child]) -> None:
    synth = child(jack_server.environment, PEERS, "device", "moog")
    assert synth.line() == "ready"
    line = child(jack_server.environment, HERE / "midi_out_child.py", "korg").line()
    assert line.startswith('error no MIDI output "korg": there are:')
    assert "moog_in" in line
