"""No note hangs, whatever is done with the band: random evenings of a worker driven by hand, and what a synth hears."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from gigmate.engine.callback.note_streams import CHANNELS
from gigmate.engine.commands import (
    Ending,
    Panic,
    SetControl,
    SetMute,
    SetPresetLevels,
    SetPrograms,
    SetTempo,
    Start,
    Stop,
)
from gigmate.engine.config import EngineConfig
from gigmate.engine.player import PARTS
from hypothesis import given, settings
from hypothesis import strategies as st

from ..fakes import Driven
from ..note_fakes import Trio

OFF = float("-inf")
NEXT_SONG = [
    SetControl("style", "funk"),
    SetPresetLevels((0.0, OFF, -3.0), (False, False, True)),
    SetPrograms((8, 34, 5)),
    SetTempo(140.0),
]


class Evening(Driven):
    """A band with a synth behind it."""

    def __init__(self, latency_ms: float = 0.0) -> None:
        config = EngineConfig(start_playing=True, wait_for_musician=False, midi_latency_ms=latency_ms)
        super().__init__(Trio(), config=config)
        self.bridge.notes.used = True
        self.sounding: Counter[tuple[int, int]] = Counter()
        self.begun = 0
        self.messages: list[bytes] = []

    def callback(self, frames: float = 1.0, heard: np.ndarray | None = None) -> None:
        count = round(frames * self.worker.host_frame)
        for part in range(len(PARTS)):
            for _, message in self.bridge.notes.take_due(part, self.bridge.position, count):
                self.messages.append(message)
                key = (message[0] & 0x0F, message[1])
                if message[0] & 0xF0 == 0x90:
                    self.sounding[key] += 1
                    self.begun += 1
                    assert self.sounding[key] == 1
                elif message[0] & 0xF0 == 0x80:
                    self.sounding[key] -= 1
                    assert self.sounding[key] == 0
        super().callback(frames, heard)

    def do(self, what: str) -> None:
        commands: dict[str, list[Any]] = {
            "start": [Start()],
            "stop": [Stop()],
            "stop_at": [Stop(self.bridge.position)],
            "panic": [Panic()],
            "mute": [SetMute("bass")],
            "song": NEXT_SONG,
            "ending": [Ending()],
        }
        if what == "fail":
            player = self.worker._guard._player
            player.at[len(player.moments)] = lambda: 1 / 0  # type: ignore[attr-defined]
        elif what == "skip":
            self.worker._band.leave_out(self.worker._next)
            self.worker._next += 1
        elif what == "reconnect":
            self.bridge.new_lease()
        elif what == "unread":  # who sends does not for a while
            super().callback(3.0)
            for _ in range(3):
                self.step()
        else:
            if what == "panic":
                self.bridge.set_playing(False)
                self.bridge.notes.panic()
            for command in commands.get(what, []):
                self.commands.post(command)


_WHAT = [
    *("start", "stop", "stop_at", "panic", "mute", "song"),
    *("ending", "fail", "skip", "reconnect", "unread", "wait"),
]
_ACTS = st.lists(
    st.tuples(
        st.sampled_from(_WHAT),
        st.integers(1, 20),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=25)
@given(_ACTS, st.sampled_from([0.0, 60.0]))
def test_whatever_happens_every_note_ends(acts: list[tuple[str, int]], latency_ms: float) -> None:
    evening = Evening(latency_ms)
    evening.run(30)
    for what, frames in acts:
        evening.do(what)
        evening.run(frames)
    evening.do("stop")
    evening.run(4)
    assert evening.begun > 0
    assert not +evening.sounding


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_note_hangs_in_an_hour_of_starts_stops_panics_and_songs() -> None:
    evening, random = Evening(), np.random.default_rng(11)
    acts = [*_WHAT, "start", "start"]
    for _ in range(3600):
        evening.do(acts[int(random.integers(len(acts)))])
        evening.run(25)
        evening.out.clear()
    evening.do("stop")
    evening.run(4)
    assert evening.begun > 1000
    assert not +evening.sounding


def test_a_muted_part_falls_silent_and_the_others_play_on() -> None:
    evening = Evening()
    evening.run(60)
    assert evening.sounding[CHANNELS["bass"], 40] == 1
    evening.do("mute")
    evening.run(8)
    assert evening.sounding[CHANNELS["bass"], 40] == 0
    begun = evening.begun
    evening.run(30)
    assert evening.begun > begun


def test_a_new_song_brings_its_programs() -> None:
    evening = Evening()
    evening.commands.post(SetPrograms((0, 33, 4)))
    evening.run(20)
    evening.do("song")
    evening.run(20)
    programs = [message for message in evening.messages if message[0] == 0xC0 | CHANNELS["bass"]]
    assert list(dict.fromkeys(programs)) == [bytes([0xC0, 33]), bytes([0xC0, 34])]
