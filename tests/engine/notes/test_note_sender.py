"""The sending thread: each message at its time, everything ended at the close, a device that came back told anew."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.notes.note_sender import NoteSender

from ..fakes import wait_until

RATE_HZ, BLOCK = 48_000, 256
ON, OFF = bytes([0x90, 40, 90]), bytes([0x80, 40, 0])


class Sink:
    """Writes down what came, and when."""

    name = "sink"

    def __init__(self) -> None:
        self.came: list[tuple[float, bytes]] = []
        self.back = self.closed = False

    def send(self, message: bytes) -> None:
        self.came.append((time.monotonic(), message))

    def look(self) -> bool:
        back, self.back = self.back, False
        return back

    def close(self) -> None:
        self.closed = True

    @property
    def messages(self) -> list[bytes]:
        return [message for _, message in self.came]


class Carried:
    """A bridge whose blocks come by the wall clock, as a sound card's."""

    def __init__(self) -> None:
        self.bridge = Bridge(RATE_HZ)
        self.bridge.set_playing(True)
        self.began_s = time.monotonic()
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        silence, out = np.zeros((1, BLOCK), np.float32), np.zeros((1, BLOCK), np.float32)
        while not self._quit.is_set():
            time.sleep(max(0.0, self.began_s + self.bridge.position / RATE_HZ - time.monotonic()))
            self.bridge.process_arrays(silence, out)

    def end(self) -> None:
        self._quit.set()
        self._thread.join()


@pytest.fixture
def carried() -> Iterator[Carried]:
    one = Carried()
    yield one
    one.end()


def test_each_message_is_sent_at_its_time(carried: Carried) -> None:
    sink = Sink()
    sender = NoteSender(carried.bridge, sink)
    sender.start()
    begin = carried.bridge.position + 9600
    places = [begin + 1000 * number for number in range(40)]
    for number, place in enumerate(places):
        carried.bridge.notes.push(1, place, OFF if number % 2 else ON)
    assert wait_until(lambda: len(sink.came) == 40)
    late_s = np.array([at for at, _ in sink.came]) - [carried.began_s + place / RATE_HZ for place in places]
    sender.close()
    assert sink.messages[:40] == [ON, OFF] * 20
    # By the clock of this test, whose blocks come when the machine lets them: never before, and mostly at once.
    assert late_s.min() > -0.002
    assert np.median(late_s) < 0.004
    assert sender.report()["messages"] == 40


def test_a_stop_ends_what_sounds_within_a_moment(carried: Carried) -> None:
    sink = Sink()
    sender = NoteSender(carried.bridge, sink)
    sender.start()
    carried.bridge.notes.push(1, carried.bridge.position, ON)
    assert wait_until(lambda: sink.messages == [ON])
    carried.bridge.set_playing(False)
    assert wait_until(lambda: sink.messages == [ON, OFF], 1.0)
    sender.close()


def test_the_close_ends_everything_on_every_channel(carried: Carried) -> None:
    sink = Sink()
    sender = NoteSender(carried.bridge, sink)
    sender.start()
    carried.bridge.notes.push(1, carried.bridge.position, ON)
    assert wait_until(lambda: sink.messages == [ON])
    sender.close()
    sender.close()
    assert sink.closed
    count = Counter(sink.messages)
    assert count[OFF] == 1
    for channel in (9, 0, 1):
        assert count[bytes([0xB0 | channel, 123, 0])] == count[bytes([0xB0 | channel, 120, 0])] == 1


def test_a_device_that_came_back_is_told_the_program_and_owes_nothing(carried: Carried) -> None:
    sink = Sink()
    sender = NoteSender(carried.bridge, sink)
    sender.start()
    carried.bridge.notes.push(1, carried.bridge.position, bytes([0xC0, 33]))
    carried.bridge.notes.push(1, carried.bridge.position, ON)
    assert wait_until(lambda: len(sink.messages) == 2)
    sink.back = True
    assert wait_until(lambda: len(sink.messages) == 4, 5.0)
    assert sink.messages[2:] == [OFF, bytes([0xC0, 33])]
    assert sender.returned == 1
    sender.close()
