"""MIDI inputs of the system: real messages through rtmidi's JACK API on a dummy server, and parsing without one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest
from gigmate.control.midi import TimestampFilter, event_of, plain_name
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent


class Child:
    """A script beside this file, running; its lines wait in a queue."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / arguments[0]), *arguments[1:]],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def line(self, timeout_s: float = 60.0) -> str:
        try:
            return self._lines.get(timeout=timeout_s)
        except Empty:
            self.process.kill()
            raise AssertionError(f"nothing was said: {self.process.communicate()[1]}") from None

    def quiet(self, seconds: float = 0.3) -> bool:
        try:
            raise AssertionError(self._lines.get(timeout=seconds))
        except Empty:
            return True

    def send(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        assert self.line(300.0) == "done"

    def end(self) -> str:
        """Let it end; returns what it says last."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)
        last = ""
        while True:
            try:
                last = self._lines.get(timeout=0.5)
            except Empty:
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
        for stream in (one.process.stdin, one.process.stdout, one.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def source(jack_server: Any, child: Callable[..., Child]) -> Callable[..., Child]:
    def start(name: str = "pedalboard") -> Child:
        one = child(jack_server.environment, "midi_source.py", name)
        assert one.line() == "ready"
        return one

    return start


@pytest.mark.jack
def test_real_messages_become_commands(jack_server: Any, source: Any, child: Callable[..., Child]) -> None:
    board = source()
    listener = child(jack_server.environment, "midi_listener.py")
    assert listener.line() == "open ['pedalboard:out']"
    board.send("b04000")  # as pedals do when they are plugged in: where it rests
    board.send("b0407f")
    assert listener.line() == "Toggle(at_sample=-1)"
    board.send("b04000 903c40 b0417f e00010 f0010203f7")
    assert listener.quiet()
    board.send("992464 992400")
    assert listener.line() == "Fill()"
    board.send("c304")
    assert listener.line() == "StepPreset(by=1)"
    board.send("fa f8 f8 f8 fc f20102 fb")
    assert [listener.line() for _ in range(4)] == [
        f"ClockTransport(action='{action}', at_sample=-1, sixteenths={sixteenths}, from_program=False)"
        for action, sixteenths in (("start", 0), ("stop", 0), ("locate", 257), ("continue", 0))
    ]
    said = json.loads(listener.end())
    assert said["counts"]["ClockTick"] == 3
    assert said["lost"] == 0
    assert said["close_s"] < 2.0


@pytest.mark.jack
def test_an_input_is_lost_and_found_by_name(jack_server: Any, source: Any, child: Callable[..., Child]) -> None:
    board = source()
    listener = child(jack_server.environment, "midi_listener.py", "PEDALB")
    assert listener.line() == "open ['pedalboard:out']"
    other = source("keyboard")
    other.send("b0407f")
    assert listener.quiet(1.5)
    board.end()
    assert listener.line() == "news MIDI input pedalboard:out is gone: plug it in again, it will be found"
    assert listener.quiet(2.5)  # said once
    board = source()
    assert listener.line() == "news MIDI input pedalboard:out is back"
    board.send("b04000")
    board.send("b0407f")
    assert listener.line() == "Toggle(at_sample=-1)"
    assert json.loads(listener.end())["lost"] == 1


@pytest.mark.jack
def test_where_a_pedal_rests_when_it_is_plugged_in_is_no_step(
    jack_server: Any, source: Any, child: Callable[..., Child]
) -> None:
    board = source()
    listener = child(jack_server.environment, "midi_listener.py")
    assert listener.line() == "open ['pedalboard:out']"
    board.send("b0407f")  # it rests at 127
    assert listener.quiet(1.2)
    board.send("b04000")
    assert listener.line() == "Toggle(at_sample=-1)"
    board.send("b0407f")
    assert listener.quiet()


@pytest.mark.jack
def test_a_hand_is_heard_key_by_key_and_taken_along_by_its_port(
    jack_server: Any, source: Any, child: Callable[..., Child]
) -> None:
    piano = source("piano")
    listener = child(jack_server.environment, "midi_listener.py")
    assert listener.line() == "open ['piano:out']"
    piano.send("903c50 914050 b0010a b0407f b07b00 803c40 a03c40")
    piano.end()
    assert "is gone" in listener.line()
    assert json.loads(listener.end())["hand"] == [
        [0x90, 60, 80, "piano:out"],
        [0x91, 64, 80, "piano:out"],
        [0xB0, 64, 127, "piano:out"],
        [0xB0, 123, 0, "piano:out"],
        [0x80, 60, 64, "piano:out"],
        [0xFF, 0, 0, "piano:out"],
    ]


@pytest.mark.jack
def test_two_devices_are_two_feet(jack_server: Any, source: Any, child: Callable[..., Child]) -> None:
    left, right = source("left"), source("right")
    listener = child(jack_server.environment, "midi_listener.py")
    assert listener.line() == "open ['left:out', 'right:out']"
    for foot in (left, right):
        foot.send("b04000")
        foot.send("b0407f")
    assert [listener.line(), listener.line()] == ["Toggle(at_sample=-1)"] * 2


@pytest.mark.jack
def test_a_flood_is_thinned_and_the_pedal_is_heard_in_it(
    jack_server: Any, source: Any, child: Callable[..., Child]
) -> None:
    fader, board = source("fader"), source("board")
    listener = child(jack_server.environment, "midi_listener.py")
    assert listener.line().startswith("open")
    done = threading.Thread(target=fader.send, args=("flood b007 30000 10000",))
    done.start()
    for _ in range(4):
        time.sleep(0.1)  # a foot is slower than the contact's bouncing
        board.send("b0407f b04000")
        assert listener.line() == "Toggle(at_sample=-1)"
    done.join()
    assert listener.quiet()
    said = json.loads(listener.end())
    assert 0 < said["counts"]["SetLevel"] < 1_000  # 50 a second, for the seconds that it took
    assert said["levels"] == [pytest.approx(-40 + 46 * (29_999 % 128) / 127)]  # the last is never lost


@pytest.mark.jack
def test_without_an_input_it_is_said_what_is_there(jack_server: Any, source: Any, child: Callable[..., Child]) -> None:
    source("keyboard")
    listener = child(jack_server.environment, "midi_listener.py", "pedal")
    assert listener.line() == (
        "error no MIDI input for the pedal: plug it in, or see `gigmate devices` (there: keyboard:out)"
    )


@pytest.mark.parametrize(
    ("message", "event"),
    [
        ([0xB0, 64, 127], (1_500_000, 0xB0, 64, 127)),
        ([0xC3, 9], (1_500_000, 0xC3, 9, 0)),
        ([0xFA], (1_500_000, 0xFA, 0, 0)),
        ([], None),
        ([64, 127], None),
        ([0xB0, 64], None),
        ([0xC0, 64, 1], None),
        ([0xF0, 1, 2, 0xF7], None),
        ([0xF2, 1, 2], (1_500_000, 0xF2, 1, 2)),
        ([0xF1, 1], None),
        ([0xB0, 64, 128], None),
        ([0x1F0], None),
    ],
)
def test_whole_messages_are_events(message: list[int], event: tuple[int, ...] | None) -> None:
    assert event_of(message, 1.5) == event


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-5, 300), max_size=8))
def test_any_bytes_are_an_event_or_nothing(message: list[int]) -> None:
    event = event_of(message, 0.0)
    assert event is None or len(event) == 4


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("nanoKEY2:nanoKEY2 MIDI 1 24:0", "nanoKEY2:nanoKEY2 MIDI 1"),
        ("FS-6 2", "FS-6"),
        ("Pedal", "Pedal"),
        ("CC64", "CC64"),
        ("", ""),
    ],
)
def test_names_are_the_same_after_replugging(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def times_of(came_s: list[float], turns_s: list[float], lost: frozenset[int] = frozenset()) -> list[float]:
    """What is made of messages that came then, found at those turns; of some the port's gaps are lost."""
    times, found, before_s, empty_s, gap_s = TimestampFilter(), [], came_s[0], 0.0, 0.0
    waiting = list(enumerate(came_s))
    for turn_s in turns_s:
        while waiting and waiting[0][1] <= turn_s:
            place, at_s = waiting.pop(0)
            gap_s, before_s = at_s - before_s, at_s
            found.append(times.time_of(0.0 if place in lost else gap_s, empty_s, turn_s))
        empty_s = turn_s
    return found


def test_a_clock_is_timed_better_than_it_is_polled() -> None:
    chance = random.Random(5)
    came_s = [100.0 + i * 0.0208 * (1 + 50e-6) for i in range(1000)]  # its clock is not quite ours
    turns_s = [100.0]
    while turns_s[-1] < came_s[-1]:
        turns_s.append(turns_s[-1] + 0.004 + (0.03 if chance.random() < 0.05 else 0.001 * chance.random()))
    late_s = [at_s - true_s for at_s, true_s in zip(times_of(came_s, turns_s), came_s, strict=False)][50:]
    assert min(late_s) > -0.0005
    assert max(late_s) < 0.0015


def test_times_stay_within_the_turn_when_gaps_are_lost() -> None:
    came_s = [float(i) for i in range(1, 60)]
    turns_s = [i * 0.01 for i in range(6001)]
    lost = frozenset(range(10, 40, 3))
    for at_s, true_s in zip(times_of(came_s, turns_s, lost), came_s, strict=True):
        assert true_s - 0.011 <= at_s <= true_s + 0.011


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 10), st.floats(0, 5)), max_size=40))
def test_any_gaps_give_times_within_their_turn(turns: list[tuple[float, float]]) -> None:
    times, now_s = TimestampFilter(), 0.0
    for gap_s, turn_s in turns:
        at_s = times.time_of(gap_s, now_s, now_s + turn_s)
        assert now_s <= at_s <= now_s + turn_s + 1e-9
        now_s += turn_s
