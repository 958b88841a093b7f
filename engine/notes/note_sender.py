"""Sends the band's notes to a MIDI system that knows no samples: a thread that waits for the time of each message.

Knows no MIDI library: a sink takes the messages. Which are due, and what has to end, is decided by the same compiled
code as on JACK (engine/callback/note_callback.py). `gigmate-midi-out` is its thread; neither the audio thread nor the
inference thread ever waits for it. Each method says its thread.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

from ...latency.meter import Meter
from ..callback.bridge import Bridge
from ..callback.sample_clock import SampleClock
from ..callback.state_table import LAST_BLOCK
from ..player import PARTS

WINDOW_S = 0.003
"""So far ahead messages are taken out of the rings: what is stopped now may send on for so long."""
_LOOK_S = 1.0
_CLOSE_S = 2.0


class NoteSink(Protocol):
    """An output of a MIDI system. One thread at a time."""

    @property
    def name(self) -> str: ...

    def send(self, message: bytes) -> None:
        """Never waits, and never raises: a device that went away takes nothing."""
        ...

    def look(self) -> bool:
        """Look whether the device is there; True where it has come back since the last look."""
        ...

    def close(self) -> None: ...


class NoteSender:
    """One run's sending thread. `start` it once the sound flows; `close` it before the sound stops.

    Each method says its thread.
    """

    def __init__(self, bridge: Bridge, sink: NoteSink, begin: Callable[[], object] = lambda: None) -> None:
        """`begin` is called first on the sending thread: it may ask for a better place in the queue."""
        self._begin = begin
        self._bridge, self._notes, self._sink = bridge, bridge.notes, sink
        self._clock = SampleClock(bridge.rate_hz)
        self._taken: int | None = None  # up to here messages are out of the rings
        self._quit = threading.Event()
        self._looked_s = -math.inf
        self._thread = threading.Thread(target=self._run, name="gigmate-midi-out", daemon=True)
        self.lateness = Meter()
        """From the time of a message to its sending."""
        self.returned = 0
        """How often the device came back."""
        self.name = sink.name
        """Of the output."""
        bridge.notes.used = True

    def start(self) -> None:
        """Control thread only."""
        self._thread.start()

    def close(self) -> None:
        """Control thread only. End what sounds, and let the device go. May be called twice."""
        if not self._quit.is_set():
            self._quit.set()
            if self._thread.ident is not None:
                self._thread.join(_CLOSE_S)
            self._sink.close()

    def report(self) -> dict[str, float]:
        """Any thread. How late messages were sent, in ms."""
        return {
            "messages": self.lateness.steps,
            "p50": 1000.0 * self.lateness.percentile_s(50.0),
            "p99": 1000.0 * self.lateness.percentile_s(99.0),
            "max": 1000.0 * self.lateness.highest_s,
        }

    def _run(self) -> None:
        self._begin()
        while not self._quit.is_set():
            for at, message in self._take():
                self._wait_until(at)
                self._sink.send(message)
                self.lateness.add(max(0.0, time.monotonic() - self._time_of(at)))
            if time.monotonic() - self._looked_s > _LOOK_S:
                self._looked_s = time.monotonic()
                if self._sink.look():
                    self.returned += 1
                    self._notes.release()
                    self._notes.tell_programs()
            time.sleep(WINDOW_S / 2)
        self._notes.panic()
        for _, message in self._take():
            self._sink.send(message)

    def _take(self) -> list[tuple[int, bytes]]:
        """All that is due from where the last time ended to a window ahead of now, in order: (position, message)."""
        self._clock.observe(self._bridge.position, time.monotonic())
        first = self._present() if self._taken is None else self._taken
        end = max(self._present() + round(WINDOW_S * self._bridge.rate_hz), first)
        self._taken = end
        found = [
            (first + offset, part, message)
            for part in range(len(PARTS))
            for offset, message in self._notes.take_due(part, first, end - first)
        ]
        found.sort(key=lambda one: one[:2])  # a part's own order stays
        return [(at, message) for at, _, message in found]

    def _present(self) -> int:
        """The output position whose sound the callback was asked for at this moment.

        What has been carried is counted after whole blocks, each of which begins now.
        """
        return self._clock.sample_at(time.monotonic()) - self._bridge.word(LAST_BLOCK)

    def _time_of(self, position: int) -> float:
        now_s = time.monotonic()
        present = self._clock.sample_at(now_s) - self._bridge.word(LAST_BLOCK)
        return now_s + (position - present) / self._bridge.rate_hz

    def _wait_until(self, position: int) -> None:
        left_s = self._time_of(position) - time.monotonic()
        if left_s > 0.0:
            time.sleep(left_s)
