"""Programs and devices on a real JACK server are told apart, for what comes by MIDI and for what goes out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.ports import open_port
from gigmate.engine.ports.port import Neighbours
from gigmate.engine.run.lookahead import PortFacts

from ..fakes import wait_until
from .peers import Peer, config_for


@pytest.mark.jack
@pytest.mark.timeout(300)
def test_programs_and_devices_are_told_apart(jack_server: Any, peer: Callable[..., Peer]) -> None:
    port = open_port(config_for(jack_server, client_name="gm"))
    port.start(Bridge(port.rate_hz))
    assert (port.midi_in_from, port.midi_out_to) == (Neighbours(), Neighbours())
    program = peer(jack_server.environment, "jack_peer.py", "midi", "gm:midi_in", "f8@0")
    assert program.line() == "ready"
    assert wait_until(lambda: port.midi_in_from == Neighbours(programs=True))
    device = peer(jack_server.environment, "jack_peer.py", "device", "box")
    assert device.line() == "ready"
    assert wait_until(lambda: port.midi_in_from == Neighbours(devices=True, programs=True)), (
        "devices connect themselves"
    )
    subprocess.run(
        ["jack_connect", "gm:midi_out", "peer-device:box_in"], env=jack_server.environment, check=True, timeout=60
    )
    assert wait_until(lambda: port.midi_out_to == Neighbours(devices=True))
    device.end()
    assert wait_until(lambda: port.midi_in_from == Neighbours(programs=True))
    follower = peer(jack_server.environment, "jack_peer.py", "follow", "gm:midi_out")
    assert follower.line() == "ready"
    assert wait_until(lambda: port.midi_out_to == Neighbours(programs=True))
    port.close()


def test_what_a_program_sends_stands_for_what_is_heard_a_round_trip_later() -> None:
    facts = PortFacts(1024, 3072, 1024)
    assert (facts.heard_after_samples(from_program=False), facts.heard_after_samples(from_program=True)) == (1024, 3072)
    assert facts.midi_out_before_samples == 3072, "nobody is there yet"
    assert PortFacts(1024, 3072, 1024, midi_out_to=Neighbours(devices=True)).midi_out_before_samples == 1024
    to_program = PortFacts(1024, 3072, 1024, midi_out_to=Neighbours(programs=True))
    assert to_program.midi_out_before_samples == 3072
    both = PortFacts(1024, 3072, 1024, midi_out_to=Neighbours(devices=True, programs=True))
    assert both.midi_out_before_samples == 1024
