"""The parts' notes through a real JACK server: at the sample of their sound, none left hanging, synths in time."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gigmate.engine.commands import Panic, SetMute, SetPrograms, Start, Stop
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import EngineError
from gigmate.engine.ports import open_port
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import GridConductor

from ..fakes import wait_until
from ..note_fakes import Trio
from .peers import Peer, config_for

pytestmark = [pytest.mark.jack, pytest.mark.timeout(300)]
_TRIES = 20
PROGRAMS = (0, 33, 4)


class Log:
    """What `jack_peer.py notelog` wrote down."""

    def __init__(self, path: Path) -> None:
        read = np.load(path)
        self.frames, self._sound = read["frames"], read["sound"]
        self.events: list[list[int]] = json.loads(str(read["events"]))

    @property
    def whole(self) -> bool:
        """Whether the peer heard every cycle."""
        return bool(np.all(np.diff(self.frames) == self._sound.shape[1]))

    def onsets(self, part: int) -> np.ndarray:
        return np.array([event[0] for event in self.events if event[1] == part and event[2] & 0xF0 == 0x90])

    def peaks(self) -> np.ndarray:
        """Frames of the impulses in the sound."""
        frames = (self.frames[:, None] + np.arange(self._sound.shape[1])).ravel()
        sound = np.abs(self._sound.ravel())
        inner = sound[1:-1]
        loud = (inner > 0.1) & (inner >= sound[:-2]) & (inner > sound[2:])
        return frames[1:-1][loud]

    def hanging(self) -> Counter[tuple[int, int]]:
        """What a synth would still have sounding."""
        sounding: Counter[tuple[int, int]] = Counter()
        for _, part, *message in self.events:
            if message[0] & 0xF0 in (0x80, 0x90):
                begins = message[0] & 0xF0 == 0x90
                sounding[part, message[1]] += 1 if begins else -1
        return +sounding


def config_of(server: Any, **more: Any) -> EngineConfig:
    return config_for(server, client_name="gm", start_playing=True, wait_for_musician=False, **more)


def played(
    server: Any, peer: Callable[..., Peer], path: Path, act: Callable[[Engine], None], **more: Any
) -> tuple[Log, bool]:
    """A run, as it was logged; and whether neither the server nor the peer lost anything of it."""
    config = config_of(server, **more)
    port = open_port(config)
    with Engine(config, Trio(), GridConductor(120, 4, port.rate_hz), port) as engine:
        engine.post(SetPrograms(PROGRAMS))
        engine.start()
        log = peer(server.environment, "jack_peer.py", "notelog", "gm", "output_3", path)
        assert log.line() == "ready"
        before = engine.report()
        act(engine)
        after = engine.report()
        assert log.go() == "saved"
        log.end()
    kept = after["lost_samples"] == before["lost_samples"] and after["misses"] == before["misses"]
    heard = Log(path)
    return heard, kept and heard.whole


def test_notes_leave_at_the_sample_of_their_sound(
    start_jack: Callable[..., Any], peer: Callable[..., Peer], tmp_path: Path
) -> None:
    server = start_jack(block_samples=512)
    for _ in range(_TRIES):
        heard, kept = played(server, peer, tmp_path / "log.npz", lambda engine: time.sleep(3.0))
        if kept:
            break
    else:
        pytest.fail(f"this machine lost samples in {_TRIES} tries out of {_TRIES}")
    peaks, onsets = heard.peaks(), heard.onsets(0)
    inside = [onset for onset in onsets if heard.frames[0] + 512 < onset < heard.frames[-1]]
    assert len(inside) >= 4
    for onset in inside:
        assert np.abs(peaks - onset).min() <= 1, (onset, peaks)
    assert {event[2] & 0x0F for event in heard.events if event[1] == 0} == {9}
    assert {event[2] & 0x0F for event in heard.events if event[1] == 1} == {0}
    assert {event[2] & 0x0F for event in heard.events if event[1] == 2} == {1}


def test_who_is_connected_is_told_the_programs_and_a_declared_latency_is_made_up_for(
    start_jack: Callable[..., Any], peer: Callable[..., Peer], tmp_path: Path
) -> None:
    server, early = start_jack(block_samples=512), 120 * 48
    for _ in range(_TRIES):
        heard, kept = played(server, peer, tmp_path / "log.npz", lambda engine: time.sleep(3.0), midi_latency_ms=120.0)
        if kept:
            break
    else:
        pytest.fail(f"this machine lost samples in {_TRIES} tries out of {_TRIES}")
    programs = {(event[1], event[3]) for event in heard.events if event[2] & 0xF0 == 0xC0}
    assert programs == set(enumerate(PROGRAMS))
    peaks, onsets = heard.peaks(), heard.onsets(0)
    inside = [onset for onset in onsets if heard.frames[0] < onset + early < heard.frames[-1] - 512]
    assert len(inside) >= 3
    for onset in inside:
        assert np.abs(peaks - (onset + early)).min() <= 1


def test_no_note_hangs_after_stops_panics_and_mutes(
    start_jack: Callable[..., Any], peer: Callable[..., Peer], tmp_path: Path
) -> None:
    def act(engine: Engine) -> None:
        random = np.random.default_rng(5)
        for _ in range(12):
            time.sleep(float(random.uniform(0.05, 0.5)))
            engine.post([Stop(), Panic(), SetMute("bass"), SetMute("keys"), Stop()][int(random.integers(5))])
            time.sleep(float(random.uniform(0.02, 0.3)))
            engine.post(Start())
        engine.post(Stop())
        assert wait_until(lambda: engine._bridge.gain == 0.0)
        time.sleep(0.1)

    server = start_jack(block_samples=256)
    for _ in range(_TRIES):
        heard, _ = played(server, peer, tmp_path / "log.npz", act)
        if heard.whole:
            break
    else:
        pytest.fail(f"this machine came too late to a cycle in {_TRIES} tries out of {_TRIES}")
    assert len(heard.onsets(0)) > 3
    assert not heard.hanging()


def test_more_latency_than_the_look_ahead_allows_is_one_line(jack_server: Any) -> None:
    config = config_of(jack_server, midi_latency_ms=200.0, round_trip_samples=14_000)
    port = open_port(config)
    with (
        Engine(config, Trio(), GridConductor(120, 4, port.rate_hz), port) as engine,
        pytest.raises(EngineError, match=r"--midi-latency 200: here at most 1\d\d ms can be made up for"),
    ):
        engine.start()


def test_a_server_that_comes_back_finds_the_ports_and_no_old_notes(jack_server: Any) -> None:
    config = config_of(jack_server)
    port = open_port(config)
    with Engine(config, Trio(), GridConductor(120, 4, port.rate_hz), port) as engine:
        engine.start()
        assert wait_until(lambda: engine._bridge.notes.counters().sounding > 0)
        jack_server.kill()
        assert wait_until(lambda: engine.status.state == "away")
        jack_server.start()
        assert wait_until(lambda: engine.status.state == "playing", 30.0)
        sent = engine._bridge.notes.counters().sent
        assert wait_until(lambda: engine._bridge.notes.counters().sent > sent + 2)
        names = [found.name for found in port._client.get_ports("gm:.*_midi")]  # type: ignore[attr-defined]
        assert names == ["gm:drums_midi", "gm:bass_midi", "gm:keys_midi"]
    assert engine._bridge.notes.counters().sounding == 0


def test_the_end_of_the_run_ends_every_note(
    start_jack: Callable[..., Any], peer: Callable[..., Peer], tmp_path: Path
) -> None:
    """Closed in the middle of a bass note: what the log holds ends with All Notes Off on each channel."""
    server = start_jack(block_samples=256)
    config = config_of(server)
    port = open_port(config)
    engine = Engine(config, Trio(), GridConductor(120, 4, port.rate_hz), port)
    with engine:
        engine.start()
        log = peer(server.environment, "jack_peer.py", "notelog", "gm", "output_3", tmp_path / "log.npz")
        assert log.line() == "ready"
        assert wait_until(lambda: engine._bridge.notes.counters().sounding > 1)
    assert engine._bridge.notes.counters().sounding == 0
    assert log.go() == "saved"
    heard = Log(tmp_path / "log.npz")
    if heard.whole:
        assert not heard.hanging()
        assert {tuple(event[1:4]) for event in heard.events if event[2] & 0xF0 == 0xB0 and event[3] == 123} == {
            (0, 0xB9, 123),
            (1, 0xB0, 123),
            (2, 0xB1, 123),
        }
