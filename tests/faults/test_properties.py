"""What must hold for any sequence: frames after overflows, streams after streams, the clock of the stand-in."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from gigmate.dsp.crossfade import Gate, crossfade
from gigmate.dsp.ring import Ring
from gigmate.engine.callback import portaudio_callback, state_table
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.callback.heard_frames import HeardFrames
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.ports.port import PortUnavailable
from gigmate.engine.ports.reconnecting import PortReconnector, SilentClock
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.fakes import DeadPort, wait_until

RATE_HZ = 48_000


@settings(deadline=None, max_examples=60)
@given(
    spare=st.integers(0, 500),
    frame=st.integers(40, 250),
    turns=st.lists(st.tuples(st.integers(1, 200), st.booleans()), min_size=5, max_size=80),
)
def test_frames_stay_in_their_place_whatever_overflows(spare: int, frame: int, turns: list[tuple[int, bool]]) -> None:
    """Each sample says its position; what was lost is silence; and a ring that overflowed is never stuck."""
    bridge = Bridge(RATE_HZ, in_capacity=2 * frame + spare)
    frames, taken = HeardFrames(bridge, frame), []

    def push(count: int) -> None:
        heard = (np.arange(bridge.position, bridge.position + count) + 1).astype(np.float32)[None] * 2.0**-24
        bridge.process_arrays(heard, np.zeros((1, count), np.float32))

    def take() -> None:
        while frames.wait(0.0):
            taken.append(frames.read().copy())

    for count, reads in turns:
        push(count)
        if reads:
            take()
    for _ in range(12):  # whatever was: with a reader that reads it flows again
        take()
        push(frame)
    take()
    sound = np.concatenate(taken) * 2.0**24
    places = np.arange(1, sound.size + 1)
    assert ((sound == places) | (sound == 0)).all()
    assert (sound[-3 * frame :] == places[-3 * frame :]).all()
    assert bridge.position - sound.size < frame


@settings(deadline=None, max_examples=80)
@given(st.lists(st.floats(-1, 1, width=32, allow_subnormal=False), min_size=1, max_size=300), st.booleans())
def test_a_crossfade_of_one_sound_with_itself_is_no_louder_than_allowed(samples: list[float], power: bool) -> None:
    sound = np.array(samples, np.float32)
    faded = crossfade(sound, sound, power)
    assert faded.shape == sound.shape
    assert (np.abs(faded) <= np.abs(sound) * (1.4143 if power else 1.0001) + 1e-7).all()
    silent = np.zeros_like(sound)
    assert (np.abs(crossfade(sound, silent, power)) <= np.abs(sound) + 1e-7).all()


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 100), st.lists(st.tuples(st.integers(0, 90), st.booleans()), min_size=1, max_size=40))
def test_a_gate_never_jumps(ramp: int, turns: list[tuple[int, bool]]) -> None:
    gate = Gate(ramp)
    gains = np.concatenate([[0.0], *(gate.gains(count, opened) for count, opened in turns)])
    assert ((gains >= 0) & (gains <= 1)).all()
    assert np.abs(np.diff(gains)).max(initial=0.0) <= np.pi / 2 / ramp + 1e-6


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 500), st.lists(st.tuples(st.integers(-50, 600), st.integers(0, 300)), max_size=40))
def test_what_a_ring_takes_is_what_was_written_there(capacity: int, turns: list[tuple[int, int]]) -> None:
    ring, played = Ring(capacity), []
    for ahead, count in turns:
        position = max(0, ring.read_index + ahead)
        ring.write_at(position, np.arange(position, position + count, dtype=np.float32) + 1)
        block, missing = ring.take(count // 2)
        played.append(np.where(missing, 0, block))
    sound = np.concatenate([np.zeros(0), *played])
    places = np.arange(1, sound.size + 1)
    assert ((sound == places) | (sound == 0)).all()


def portaudio_call(bridge: Bridge, address: int, heard: np.ndarray) -> tuple[int, np.ndarray]:
    """What a PortAudio stream with that lease does with a block; (its answer, what it plays)."""
    played = np.full(heard.size, 9.0, np.float32)
    tables = np.array([heard.ctypes.data, played.ctypes.data], np.int64)
    place = int(tables.ctypes.data)
    answer = portaudio_callback.portaudio_process.ctypes(place, place + 8, heard.size, 0, 0, address)
    return int(answer), played


def test_a_dead_stream_can_do_nothing_to_the_one_that_follows() -> None:
    bridge = Bridge(RATE_HZ)
    bridge.set_word(state_table.PA_INPUTS, 1)
    bridge.set_word(state_table.PA_OUTPUTS, 1)
    bridge.set_word(state_table.PA_OUT_TOTAL, 1)
    bridge.set_table(state_table.PA_IN_INDEX, [0])
    bridge.set_table(state_table.PA_OUT_INDEX, [0])
    heard = np.full(100, 0.25, np.float32)
    bridge.new_lease()
    first = bridge.stream_address
    assert portaudio_call(bridge, first, heard)[0] == 0
    assert bridge.position == 100
    bridge.new_lease(waiting=True)
    second = bridge.stream_address
    answer, played = portaudio_call(bridge, first, heard)
    assert answer != 0, "it is told to end"
    assert not played.any(), "and plays silence meanwhile, not what its buffer held"
    answer, played = portaudio_call(bridge, second, heard)
    assert (answer, bridge.position) == (0, 100), "one that waits leaves the clock alone"
    assert not played.any()
    bridge.activate_lease()
    portaudio_call(bridge, second, heard)
    assert bridge.position == 200
    portaudio_call(bridge, first, heard)
    assert bridge.position == 200


def test_the_stand_in_keeps_the_wall_clock() -> None:
    bridge = Bridge(RATE_HZ)
    zero_s = time.perf_counter() - 0.5
    silent_clock = SilentClock(bridge)
    silent_clock.start(zero_s)
    time.sleep(0.3)
    silent_clock.stop()
    position = bridge.position
    assert abs(position / RATE_HZ - (time.perf_counter() - zero_s)) < 0.05
    silent_clock.stop()
    assert bridge.position == position, "it ends once"


class Flaky(DeadPort):
    """Comes back at the third asking."""

    can_reconnect = True

    def __init__(self) -> None:
        super().__init__(RATE_HZ)
        self.asked = 0

    def _reopen(self, bridge: Bridge) -> None:
        self.asked += 1
        if self.asked == 1:
            raise PortUnavailable("not yet")
        if self.asked == 2:
            raise RuntimeError("a library in distress")


def test_a_port_is_asked_again_until_it_is_there() -> None:
    port, bridge, fault_log = Flaky(), Bridge(RATE_HZ), FaultLog()
    port.start(bridge)
    watching = PortReconnector(port, bridge, fault_log, patience_s=60.0)
    watching.start()
    port.lose()
    assert wait_until(lambda: watching.away)
    assert wait_until(lambda: watching.report()["times"] == 1, 30)
    assert not watching.away
    assert (port.lost, port.asked) == (None, 3)
    assert bridge.position > 0, "the clock went on"
    assert fault_log.counts() == {"port_lost": 1, "reconnecting": 1}
    assert watching.close()
    assert threading.active_count() < 50


def test_portaudio_takes_the_device_of_the_same_name_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unplugged and plugged in again, it may stand elsewhere in the list; meanwhile another one is the default."""
    from types import SimpleNamespace

    from gigmate.engine.ports import portaudio

    def info(channels: int) -> SimpleNamespace:
        return SimpleNamespace(
            hostApi=0, maxInputChannels=channels, maxOutputChannels=channels, defaultSampleRate=48_000.0,
            defaultLowInputLatency=0.01, defaultLowOutputLatency=0.01,
        )  # fmt: skip

    devices = [(0, "Built-in", info(2), "ALSA"), (1, "Scarlett", info(4), "ALSA"), (2, "Scarlett", info(4), "JACK")]
    monkeypatch.setattr(portaudio, "_names", lambda lib: devices)
    port = portaudio.PortAudioPort.__new__(portaudio.PortAudioPort)
    port._lib, port._api = None, "ALSA"  # type: ignore[assignment]
    chosen = portaudio._Choice(1, "Scarlett", info(4), True)  # type: ignore[arg-type]
    assert port._same(chosen, 3, True).index == 1
    devices[:] = [(0, "Scarlett", info(4), "JACK"), (1, "Built-in", info(2), "ALSA"), (2, "Scarlett", info(4), "ALSA")]
    assert port._same(chosen, 3, True).index == 2
    del devices[2]
    with pytest.raises(PortUnavailable, match='"Scarlett" is not there: plug it in again'):
        port._same(chosen, 3, True)
    devices.append((2, "Scarlett", info(2), "ALSA"))  # another one of that name, with too few channels
    with pytest.raises(PortUnavailable):
        port._same(chosen, 3, True)


def test_patience_ends() -> None:
    port, bridge, fault_log = Flaky(), Bridge(RATE_HZ), FaultLog()
    port._reopen = lambda bridge: (_ for _ in ()).throw(PortUnavailable("gone"))  # type: ignore[method-assign]
    port.start(bridge)
    watching = PortReconnector(port, bridge, fault_log, patience_s=0.3)
    watching.start()
    port.lose()
    assert watching.over.wait(20)
    assert port.lost is not None
    assert watching.close()
