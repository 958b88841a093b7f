"""OSC that goes out: the status in packets that fit, and each beat once, when it falls."""

from __future__ import annotations

import dataclasses
import random
import socket
import time
from collections.abc import Callable

import pytest
from gigmate.control.osc import LOCAL_HOST, Osc
from gigmate.control.osc_wire import (
    Beat,
    BeatAnnouncer,
    Message,
    messages_of,
    status_packets,
    status_values,
)
from gigmate.engine.status import Status
from pythonosc.osc_bundle import OscBundle


def test_status_goes_out_and_beats_as_they_fall(opened: Callable[..., Osc]) -> None:
    begin_s = time.monotonic()

    def status() -> Status:
        beats = (time.monotonic() - begin_s) * 4.0  # 240 bpm
        return Status(
            state="playing", bar=int(beats // 4) + 1, beat=int(beats % 4) + 1, beat_phase=beats % 1, tempo_bpm=240.0,
            preset="Rock", muted=(False, True, False), input_db=float("-inf"), warnings=("ä",),
        )  # fmt: skip

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((LOCAL_HOST, 0))
        listener.settimeout(30)
        osc = opened(tell=[listener.getsockname()])
        osc.begin(lambda command: None, status)
        seen: dict[str, list[tuple[object, ...]]] = {}
        packets = 0
        while time.monotonic() - begin_s < 2.5:
            data = listener.recv(65_535)
            packets += 1
            assert len(data) <= 1500
            contents = list(OscBundle(data)) if OscBundle.dgram_is_bundle(data) else messages_of(data)
            for one in contents:
                arguments = one.arguments if isinstance(one, Message) else one.params
                seen.setdefault(one.address, []).append(tuple(arguments))
    for field in dataclasses.fields(Status):
        assert f"/gigmate/status/{field.name}" in seen
    assert seen["/gigmate/status/state"][0] == ("playing",)
    assert len(seen["/gigmate/status/state"]) <= 4  # once a second, as it does not change
    assert seen["/gigmate/status/muted"][0] == (False, True, False)
    assert seen["/gigmate/status/input_db"][0] == (-120.0,)
    assert len(seen["/gigmate/status/beat_phase"]) <= 2.5 * 20 + 3
    beats = [(bar - 1) * 4 + beat for beat, bar, _, _ in seen["/gigmate/beat"]]  # type: ignore[operator]
    assert beats == list(range(beats[0], beats[0] + len(beats)))  # each once, in order
    assert len(beats) >= 5
    assert seen["/gigmate/beat"][0][2:] == (4, 240.0)


def test_nobody_there_is_counted_and_said_once(opened: Callable[..., Osc]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind((LOCAL_HOST, 0))
        address = gone.getsockname()
    osc = opened(tell=[address])
    osc.begin(lambda command: None, Status)
    time.sleep(0.5)
    assert len(osc.news()) <= 1
    osc.close()


def test_the_status_fits_into_the_networks_frames() -> None:
    status = Status(warnings=tuple(f"warning number {i} with its mend" for i in range(20)))
    packets = list(status_packets(status_values(status)))
    assert len(packets) > 1
    sent = [message.address for data in packets for message in messages_of(data)]
    assert sent == [f"/gigmate/status/{field.name}" for field in dataclasses.fields(Status)]


def told(tempo_bpm: float, seconds: float, step_s: float, late_s: float = 0.0, meter: int = 4) -> list[float]:
    """Times at which beats are said, in beats, when the snapshot is renewed every `step_s`, each a little late."""
    announcer, said, now_s = BeatAnnouncer(), [], 0.0
    chance = random.Random(3)
    snapshot = Status()
    next_s = 0.0
    while now_s < seconds:
        if now_s >= next_s:
            beats = now_s * tempo_bpm / 60
            next_s = now_s + step_s + chance.random() * late_s
            snapshot = Status(
                bar=int(beats // meter) + 1, beat=int(beats % meter) + 1, beats_per_bar=meter,
                beat_phase=beats % 1.0, tempo_bpm=tempo_bpm,
            )  # fmt: skip
        for beat in announcer.beats(snapshot, now_s):
            said.append(now_s * tempo_bpm / 60)
            assert (beat.bar - 1) * meter + beat.beat - 1 == round(said[-1])
        now_s += 0.002
    return said


@pytest.mark.parametrize("tempo_bpm", [45.0, 120.0, 200.0, 290.0])
@pytest.mark.parametrize("meter", [3, 4, 7])
def test_beats_fall_when_they_fall(tempo_bpm: float, meter: int) -> None:
    said = told(tempo_bpm, 20.0, 0.04, 0.02, meter)
    assert [round(beats) for beats in said] == list(range(1, len(said) + 1))
    assert len(said) >= int(20.0 * tempo_bpm / 60) - 1
    late_s = [(beats - round(beats)) * 60 / tempo_bpm for beats in said]
    assert max(late_s) < 0.004
    assert min(late_s) > -0.001


def test_beats_that_are_counted_anew_are_not_said_twice() -> None:
    announcer = BeatAnnouncer()
    said: list[Beat] = []
    for i in range(4000):
        now_s = i * 0.005
        beats = now_s * 2.0
        shifted = beats + (2 if now_s > 10.2 else 0)  # the downbeat is found elsewhere, in the middle of a beat
        said += announcer.beats(
            Status(bar=int(shifted // 4) + 1, beat=int(shifted % 4) + 1, beat_phase=shifted % 1, tempo_bpm=120.0), now_s
        )
    assert len(said) == 39
    assert announcer.beats(Status(), 99.0) == []
    assert announcer.due_s is None
