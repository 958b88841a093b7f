"""Ableton Link: a session is followed and led, starts and stops are shared; with the real library where it is there."""

from __future__ import annotations

import builtins
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.player import HeardFrame
from gigmate.engine.position import Point
from gigmate.engine.timing.clocks.link_clock import LinkClock
from gigmate.engine.timing.clocks.link_session import LinkReading, LinkSession
from gigmate.engine.timing.conductor import Conductor

RATE = 48_000
FRAME = 1920


@dataclass
class StandIn:
    """A session whose time a test says."""

    reading: LinkReading = field(default_factory=lambda: LinkReading(0.0, 0.0, 0.0, 120.0, False, 1))
    quantum: float = 4.0
    said: list[tuple[str, float]] = field(default_factory=list)

    def at(self, at_s: float, tempo_bpm: float, beat: float) -> None:
        self.reading = replace(self.reading, at_s=at_s, beat=beat, phase=beat % self.quantum, tempo_bpm=tempo_bpm)

    def read(self) -> LinkReading:
        return self.reading

    def set_quantum(self, quarters: float) -> None:
        self.quantum = quarters

    def set_tempo(self, tempo_bpm: float) -> None:
        self.said.append(("tempo", tempo_bpm))
        self.reading = replace(self.reading, tempo_bpm=tempo_bpm)

    def force_beat(self, beat: float) -> None:
        self.said.append(("beat", beat))

    def set_playing(self, playing: bool) -> None:
        self.said.append(("playing", playing))
        self.reading = replace(self.reading, playing=playing)


def steady(tempo_bpm: float, beats_per_bar: int = 4) -> Any:
    def here(position: float) -> Point:
        beat = position / RATE * tempo_bpm / 60.0
        bar = int(beat // beats_per_bar)
        return Point(position, beat, float(bar * beats_per_bar), bar, beats_per_bar)

    return here


def followed(tempo_bpm: float, first_beat: float, seconds: float = 12.0) -> tuple[Conductor, LinkClock, StandIn]:
    session = StandIn()
    clock = LinkClock(session, "follow", RATE, lambda at_s: at_s * RATE)
    conductor = Conductor(RATE, 100.0, listen=False)
    conductor.follow(clock)
    for frame in range(round(seconds * RATE / FRAME)):
        end = (frame + 1) * FRAME
        tremble = 0.0005 * (frame % 3 - 1)  # of reading the clock
        session.at(end / RATE + tremble, tempo_bpm, first_beat + (end / RATE + tremble) * tempo_bpm / 60.0)
        clock.read(conductor.peek, True, True)
        conductor.hear(HeardFrame(), end, FRAME)
        conductor.moment(end + 4 * FRAME)
    return conductor, clock, session


@pytest.mark.parametrize(("tempo_bpm", "first"), [(117.0, 0.0), (140.0, 2.6), (96.0, 1001.25)])
def test_a_session_is_followed_in_tempo_beat_and_bar(tempo_bpm: float, first: float) -> None:
    conductor, _, session = followed(tempo_bpm, first)
    position = 12.0 * RATE
    point = conductor.peek(position)
    theirs = first + 12.0 * tempo_bpm / 60.0
    assert conductor.tempo_bpm == pytest.approx(tempo_bpm, rel=1e-6)
    assert conductor.entrance_cue().source == "link" and session.quantum == 4.0
    beside = (point.beat - theirs + 0.5) % 1.0 - 0.5
    assert abs(beside) * 60.0 / tempo_bpm < 0.001, "within a millisecond of the session's beat"
    assert (point.beat - point.bar_beat - theirs % 4 + 2.0) % 4.0 - 2.0 == pytest.approx(0.0, abs=0.01)


def test_alone_the_session_is_put_where_the_band_is() -> None:
    session = StandIn(LinkReading(2.0, 0.5, 0.5, 120.0, False, 0))
    clock = LinkClock(session, "follow", RATE, lambda at_s: at_s * RATE)
    clock.read(steady(90.0, 3), True, False)
    assert clock.anchor(0.0) is None and session.quantum == 3.0
    assert ("beat", pytest.approx(0.0)) in session.said  # 2 s at 90 are three beats: a bar
    assert ("tempo", pytest.approx(90.0)) in session.said


def test_a_session_that_is_led_is_drawn_to_the_band_gently() -> None:
    session = StandIn()
    session.at(2.0, 120.0, 0.2)  # the band is on its beat 4, a bar: we are 0.2 behind them
    clock = LinkClock(session, "lead", RATE, lambda at_s: at_s * RATE)
    clock.read(steady(120.0), True, True)
    told = dict(session.said)
    assert "beat" not in told, "others' beat is not torn"
    assert told["tempo"] == pytest.approx(120.0 * 0.97)
    assert clock.anchor(0.0) is None
    session.at(2.0, 120.0, 1.5)
    clock.read(steady(120.0), True, True)
    assert ("beat", 0.0) in session.said, "too far to be drawn"


def test_starts_and_stops_are_shared() -> None:
    session = StandIn()
    clock = LinkClock(session, "follow", RATE, lambda at_s: at_s * RATE)
    here = steady(120.0)
    clock.read(here, True, True)
    assert ("playing", True) in session.said
    joined = clock.starts
    session.reading = replace(session.reading, playing=False)
    clock.read(here, True, True)
    assert clock.stopped
    session.reading = replace(session.reading, playing=True)
    clock.read(here, True, True)
    assert not clock.stopped and clock.starts == joined + 1
    clock.read(here, True, False)
    assert session.said[-1] == ("playing", False) and not clock.stopped, "our own stop is no stop of theirs"


def test_a_missing_extra_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def without(name: str, *more: Any, **words: Any) -> Any:
        if name == "aalink":
            raise ImportError(name)
        return there(name, *more, **words)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EngineError, match=r"pip install 'gigmate\[link\]'"):
        LinkSession()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="give follow or lead"):
        EngineConfig(link="both")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="leave out --fast"):
        EngineConfig(link="follow", realtime=False)


def test_two_peers_of_the_real_library_agree() -> None:
    pytest.importorskip("aalink")
    one, other = LinkSession(101.0), LinkSession(140.0)
    try:
        end_s = time.monotonic() + 20
        while one.read().peers < 1 and time.monotonic() < end_s:
            time.sleep(0.1)
        time.sleep(1.0)
        mine, theirs = one.read(), other.read()
        assert mine.peers >= 1
        assert mine.tempo_bpm == pytest.approx(theirs.tempo_bpm, abs=0.01)
        passed = (theirs.at_s - mine.at_s) * mine.tempo_bpm / 60.0
        beside = (theirs.phase - mine.phase - passed + 2.0) % 4.0 - 2.0
        assert abs(beside) * 60.0 / mine.tempo_bpm < 0.003
    finally:
        one.close()
        other.close()
        other.close()
