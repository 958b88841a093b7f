"""MIDI and transport through a real JACK server: to the sample in and out, and a flood that costs nothing."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gigmate.engine.actions import ACTIONS
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.commands import SetOption
from gigmate.engine.config import EngineConfig
from gigmate.engine.gestures import Binding, BindingTable, Gesture
from gigmate.engine.ports import open_port
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.clocks.jack_transport import reading_of
from gigmate.engine.timing.conductor import Conductor, GridConductor

from ..fakes import Singer, wait_until
from .peers import Peer, config_for

pytestmark = [pytest.mark.jack, pytest.mark.timeout(300)]
_BLOCK_SAMPLES = 128
_LONG_BLOCK_SAMPLES = 512
"""Where a Python peer has to hear every cycle of a whole second, on a machine that may be busy."""
_TRIES = 15
"""How often a measurement is begun again where the machine came too late to a cycle of the server."""


class Log:
    """What `jack_peer.py midilog` wrote down, and where it came too late to hear."""

    def __init__(self, path: Path) -> None:
        read = json.loads(path.read_text())
        self.events: list[list[int]] = read["events"]
        self._blocks = np.array(read["blocks"])

    def heard_all(self, first: int, last: int) -> bool:
        return _read_all(self._blocks, first, last)


def _read_all(blocks: np.ndarray, first: int, last: int, block_samples: int = _BLOCK_SAMPLES) -> bool:
    """Whether a peer that read blocks at these frames read each from the frame `first` to the frame `last`."""
    inside = blocks[(blocks > first - block_samples) & (blocks <= last)]
    return len(inside) > 0 and bool(np.all(np.diff(inside) == block_samples))


def test_messages_go_out_at_their_samples(jack_server: Any, peer: Callable[..., Peer], tmp_path: Path) -> None:
    port = open_port(config_for(jack_server, client_name="gm"))
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    assert bridge.sends_midi
    messages = [(0, b"\xfa"), (0, b"\xf8"), (1, b"\xf8"), (127, b"\xf8"), (128, b"\xf2\x04\x00"), (5_000, b"\xfc")]
    for _ in range(_TRIES):
        log = peer(jack_server.environment, "jack_peer.py", "midilog", "gm:midi_out", tmp_path / "log.json")
        assert log.line() == "ready"
        begin = bridge.position + 9_600
        for offset, message in messages:
            assert bridge.push_midi(begin + offset, message)
        lost = bridge.counters().lost_samples
        assert wait_until(lambda until=begin + 8_000: bridge.position > until)
        time.sleep(0.1)
        assert log.go() == "saved"
        log.end()
        kept = bridge.counters().lost_samples == lost  # else the server's clock and the samples carried part
        heard = Log(tmp_path / "log.json")
        first = heard.events[0][0] if heard.events else 0
        if kept and (not heard.events or heard.heard_all(first - 5_000, first + 6_000)):
            break
    else:
        pytest.fail(f"this machine lost samples in {_TRIES} tries out of {_TRIES}")
    assert [bytes(event[1:]) for event in heard.events] == [message for _, message in messages]
    assert [event[0] - heard.events[0][0] for event in heard.events] == [offset for offset, _ in messages]
    port.close()


def test_the_transport_is_read_with_its_sample(jack_server: Any, peer: Callable[..., Peer]) -> None:
    port = open_port(config_for(jack_server, client_name="gm"))
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    assert wait_until(lambda: bridge.transport() is not None)
    still = bridge.transport()
    assert still is not None
    assert still[1] is False
    master = peer(jack_server.environment, "jack_peer.py", "timebase", 132)
    assert master.line() == "ready"
    assert master.go() == "rolls"

    def read() -> Any:
        found = bridge.transport()
        return None if found is None else reading_of(*found)

    assert wait_until(lambda: read() is not None and read().rolling and read().has_beats)
    first = read()
    lost = bridge.counters().lost_samples
    assert wait_until(lambda: bridge.position > first.position_samples + 24_000)
    second = read()

    def beats(reading: Any) -> float:
        return (reading.bar - 1) * 4 + reading.beat - 1 + reading.tick / reading.ticks_per_beat

    passed = (second.position_samples - first.position_samples) / 48_000 * 132 / 60
    if bridge.counters().lost_samples == lost:
        assert beats(second) - beats(first) == pytest.approx(passed, abs=0.002)
    assert second.tempo_bpm == pytest.approx(132)
    port.close()


def test_a_pedal_starts_the_band_at_the_declared_sample(
    start_jack: Callable[..., Any], peer: Callable[..., Peer], tmp_path: Path
) -> None:
    """By the server's own clock: from the frame of the message to the first frame that sounds."""
    server = start_jack(block_samples=_LONG_BLOCK_SAMPLES)
    table = BindingTable([Binding(Gesture("cc", 64), ACTIONS["toggle"])])
    config = config_for(server, client_name="gm", bindings=table)
    port = open_port(config)
    with Engine(config, Singer(), GridConductor(120, 4, port.rate_hz), port) as engine:
        engine.start()
        time.sleep(1.0)
        foot = peer(server.environment, "jack_peer.py", "press", "gm:midi_in", "b0407f", 77)
        up = peer(server.environment, "jack_peer.py", "press", "gm:midi_in", "b04000", 5)
        assert foot.line() == up.line() == "ready"
        up.go()  # as pedals do when they are plugged in: where it rests
        for _ in range(_TRIES):
            log = peer(server.environment, "jack_peer.py", "framelog", "gm:output_3", tmp_path / "log.npz")
            assert log.line() == "ready"
            presses = [step(engine, foot, up) for _ in range(4)]
            assert log.go() == "saved"
            log.end()
            logged = np.load(tmp_path / "log.npz")
            frames = (logged["frames"][:, None] + np.arange(_LONG_BLOCK_SAMPLES)).ravel()
            loud = np.abs(logged["sound"]) > 1e-7
            whole = [
                (frame, delay)
                for frame, delay, began in presses
                if began and _read_all(logged["frames"], frame, frame + delay + 1_000, _LONG_BLOCK_SAMPLES)
            ]
            for frame, delay in whole:
                first = int(frames[np.flatnonzero(loud & (frames >= frame))[0]]) - frame
                assert delay <= first <= delay + 2, (first, delay)
            if whole:
                return
    pytest.fail(f"this machine lost samples at every press of {_TRIES} tries")


def step(engine: Engine, foot: Peer, up: Peer) -> tuple[int, int, bool]:
    """One step: the server's frame at which it went out, the declared delay, and whether the band began with it and
    nothing was lost or late meanwhile."""

    def state() -> tuple[int, int, int]:
        report = engine.report()
        return report["lost_samples"], report["start_delay_samples"], report["frames"]["late"]

    before, was_playing = state(), engine.status.state == "playing"
    frame = int(foot.go())
    time.sleep(0.2)
    up.go()
    time.sleep(0.5)
    return frame, before[1], engine.status.state == "playing" and not was_playing and state() == before


def test_a_pedal_that_rests_at_127_starts_the_band_when_it_is_stepped_on(
    jack_server: Any, peer: Callable[..., Peer]
) -> None:
    table = BindingTable([Binding(Gesture("cc", 64), ACTIONS["toggle"])])
    port = open_port(config_for(jack_server, client_name="gm", bindings=table))
    with Engine(port.config, Singer(), GridConductor(120, 4, port.rate_hz), port) as engine:
        engine.start()
        time.sleep(1.2)  # it was plugged in later than the band began to listen
        rest = peer(jack_server.environment, "jack_peer.py", "press", "gm:midi_in", "b0407f", 3)
        step = peer(jack_server.environment, "jack_peer.py", "press", "gm:midi_in", "b04000", 3)
        assert rest.line() == step.line() == "ready"
        rest.go()
        time.sleep(0.5)
        assert engine.status.state == "stopped"
        step.go()
        assert wait_until(lambda: engine.status.state == "playing")
        rest.go()
        time.sleep(0.3)
        assert engine.status.state == "playing"
        step.go()
        assert wait_until(lambda: engine.status.state == "stopped")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_flood_of_midi_costs_no_sound(start_jack: Callable[..., Any], peer: Callable[..., Peer]) -> None:
    """10,000 messages a second for a minute, of the kind that gestures are made of: every one read, no miss."""
    server = start_jack(block_samples=256)
    swept = Binding(Gesture("cc", 21), ACTIONS["density"], ends=(0.0, 1.0))
    table = BindingTable([Binding(Gesture("cc", 64), ACTIONS["toggle"]), swept])
    config = config_for(server, client_name="gm", bindings=table, start_playing=True)
    port = open_port(config)
    with Engine(config, Singer(), GridConductor(120, 4, port.rate_hz), port) as engine:
        engine.start()
        sender = peer(server.environment, "jack_peer.py", "flood", "gm:midi_in", 10_000, 60)
        assert sender.line() == "ready"
        time.sleep(3.0)
        before = engine.report()
        sent = int(sender.go())
        time.sleep(0.5)
        report = engine.report()
    assert sent >= 600_000 - 100
    # A cycle that the server itself lost (a busy machine) carries no message to anybody.
    lost_cycles = (report["lost_samples"] - before["lost_samples"]) / 256
    assert sent - 54 * (lost_cycles + 1) * (lost_cycles > 0) <= report["midi"]["events"] <= sent
    assert report["midi"]["dropped"] == 0
    assert report["misses"]["frames"] - before["misses"]["frames"] == 0
    assert report["frames"]["late"] - before["frames"]["late"] == 0
    assert report["step_ms"]["p99"] < 30.0


def test_a_drum_machine_on_jack_follows_the_band(jack_server: Any, peer: Callable[..., Peer], tmp_path: Path) -> None:
    config = config_for(jack_server, client_name="gm", start_playing=True, wait_for_musician=False)
    port = open_port(config)
    log = None
    with Engine(config, Singer(), GridConductor(120, 4, port.rate_hz), port) as engine:
        engine.start()
        log = peer(jack_server.environment, "jack_peer.py", "midilog", "gm:midi_out", tmp_path / "log.json")
        assert log.line() == "ready"
        lost = port._bridge.counters().lost_samples  # type: ignore[union-attr]
        time.sleep(2.0)
        assert log.go() == "saved"
        kept = port._bridge.counters().lost_samples == lost  # type: ignore[union-attr]
    heard = Log(tmp_path / "log.json")
    ticks = [event[0] for event in heard.events if event[1] == 0xF8]
    assert len(ticks) > 48
    if kept:
        gaps = [b - a for a, b in itertools.pairwise(ticks) if heard.heard_all(a, b)]
        assert len(gaps) > 24
        np.testing.assert_array_equal(gaps, 1000)


def test_a_conductor_takes_a_transport_from_the_server(jack_server: Any, peer: Callable[..., Peer]) -> None:
    config = config_for(jack_server, client_name="gm")
    port = open_port(config)
    with Engine(config, Singer(), Conductor(float(port.rate_hz)), port) as engine:
        engine.start()
        master = peer(jack_server.environment, "jack_peer.py", "timebase", 96)
        assert master.line() == "ready"
        assert master.go() == "rolls"
        assert wait_until(lambda: engine.status.time_source == "transport")
        assert wait_until(lambda: abs(engine.status.tempo_bpm - 96) < 0.01)
        master.end()
        assert wait_until(lambda: engine.status.time_source != "transport")


def test_a_hand_on_jack_leads_and_is_let_go_of_when_its_port_goes(jack_server: Any, peer: Callable[..., Peer]) -> None:
    config = config_for(jack_server, client_name="gm", start_playing=True, wait_for_musician=False)
    port = open_port(config)
    with Engine(config, Singer(), Conductor(float(port.rate_hz), 120.0), port) as engine:
        for name, value in (("chords", "midi"), ("chords_hold", "held"), ("chords_split", 59)):
            engine.post(SetOption(name, value))
        engine.start()
        hand = peer(
            jack_server.environment, "jack_peer.py", "midi", "gm:midi_in", "903450@3", "903750@40", "914830@50",
            "903c50@60", "903050@90",
        )  # fmt: skip
        assert hand.line() == "ready"
        assert wait_until(lambda: engine.status.hand == "held, B3 and down")
        hand.go()
        assert wait_until(lambda: engine.status.chord_played == "C")
        assert engine.status.chord_source == "hand"
        time.sleep(1.0)
        assert engine.status.chord_source == "hand", "its keys are down"
        hand.end()
        assert wait_until(lambda: engine.status.chord_source != "hand")


def test_the_click_has_a_port_of_its_own(jack_server: Any) -> None:
    port = open_port(config_for(jack_server, client_name="gm", click_channels=(4,)))
    bridge = Bridge(port.rate_hz)
    port.start(bridge)
    (wire,) = port._client.get_all_connections("gm:click_4")  # type: ignore[attr-defined]
    assert wire.name == "system:playback_4"
    assert EngineConfig().click_channels == ()
    port.close()


def test_machine_control_on_jack_starts_and_stops_the_band(jack_server: Any, peer: Callable[..., Peer]) -> None:
    config = config_for(jack_server, client_name="gm", wait_for_musician=False)
    port = open_port(config)
    with Engine(config, Singer(), Conductor(float(port.rate_hz), 120.0, listen=False), port) as engine:
        engine.start()
        for message, state, source in (
            ("f07f7f06440601210018000000f7", "stopped", ""),  # locate: 01:00:24:00 at 25 frames a second
            ("f07f7f0602f7", "playing", "mtc"),
            ("f07f7f0601f7", "stopped", ""),
        ):
            desk = peer(jack_server.environment, "jack_peer.py", "midi", "gm:midi_in", f"{message}@3")
            assert desk.line() == "ready"
            desk.go()
            assert wait_until(lambda state=state: engine.status.state == state)
            assert wait_until(lambda source=source: engine.status.time_source == source or not source)
            if source:
                assert engine.status.beat > 0
            desk.end()
