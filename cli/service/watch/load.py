"""What this process carries, and whether it can carry one more: places by measured speed, and counters of what it did.

A stream costs so many seconds of this process for a second of music. That is measured at the start, with several bands
at once, and from then on of every stream that plays. The process has one second in a second (Python computes on one
core at a time), and less where there are more processes than cores. Knows no socket. Any thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .metrics import Counters

if TYPE_CHECKING:
    from ....band import Band

SHARE = 0.5
"""Of a process's time that streams may take, by what they cost in a trial that one process makes alone. The rest is for
their clients' messages, for the memory that cores share, and for what varies: .85 let sixteen clients into two workers,
all of whom were late by seconds."""
TRIAL_STREAMS, TRIAL_S, TRIAL_PIECE_S = 3, 2.0, 0.4
_PIECE_S = 0.2
"""Blocks shorter than a frame cost nothing or a whole frame: they are counted in pieces of at least so much music."""
_MEMORY_S = 4.0
"""Of music: over how much of it a stream's cost is averaged."""
_RECENT_S = 5.0
_MEASURE_EVERY_S = 30.0
_BUSY_OVER_S = 1.0


def measured_cost(band: Band) -> float:
    """Seconds of one process that a second of a stream takes while several play, in the best moment of a trial: what
    other programs do just then is no property of the machine. Raises EngineError."""
    from ...bench.bench_streams import best_factor

    best = best_factor(band, TRIAL_STREAMS, TRIAL_S, TRIAL_PIECE_S)
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc alone keeps what was freed, and gives it back when asked
        ctypes.CDLL(None).malloc_trim(0)
    return 1.0 / best


@dataclass(eq=False)
class Seat:
    """A stream that is let in. Any thread."""

    counted: bool
    """False for a client that said it need not be in time: it takes what the others leave."""
    cost: float
    """Seconds of computing for a second of music, averaged."""
    wall: float = 0.0
    """Seconds that passed for a second of music while the server worked on it or it waited for its turn, averaged."""
    piece: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    """Music, processor time and time of the blocks since the last piece that was counted."""


class Refusal(NamedTuple):
    """Why there is no seat. Any thread."""

    line: str
    for_all: bool
    """Also for a client that need not be in time."""


class Load:
    """The streams of one process, and its counters."""

    def __init__(self, cost: float | None = None, share: float = SHARE, most: int = 256) -> None:
        """`cost` None: nothing was measured, and `most` alone decides."""
        self.cost, self.share, self.most = cost, share, most
        self.counters = Counters()
        self._lock = threading.Lock()
        self._seats: set[Seat] = set()
        self._late_s = -math.inf
        self._worked: deque[tuple[float, float]] = deque()
        self._measured_s = time.monotonic()

    @property
    def streams(self) -> int:
        return len(self._seats)

    @property
    def room(self) -> int:
        """How many more would be let in now."""
        with self._lock:
            return self._room()

    def _room(self) -> int:
        by_number = self.most - len(self._seats)
        if self.cost is None:
            return max(0, by_number)
        if self._is_late():
            return 0
        costs = [max(self.cost, seat.cost) for seat in self._seats if seat.counted]
        return max(0, min(by_number, math.floor((self.share - sum(costs)) / max(self.cost, *costs, 0.0) + 1e-9)))

    def _is_late(self) -> bool:
        return time.monotonic() - self._late_s < _RECENT_S

    def take(self, counted: bool = True) -> Seat | Refusal:
        """A seat, or why there is none."""
        with self._lock:
            full = len(self._seats) >= self.most
            if full or (counted and self._room() < 1):
                return Refusal(self._refusal(full), full)
            seat = Seat(counted, self.cost or 0.0)
            self._seats.add(seat)
            self.counters.add("streams_begun", 1)
            return seat

    def _refusal(self, full: bool) -> str:
        count = len(self._seats)
        if full:
            return f"{count} clients play already: try again later"
        if self._is_late():
            return f"{count} clients play already and are late: this machine cannot hold one more: try again later"
        if not count:
            return f"this machine plays {1.0 / (self.cost or 1.0):.1f} times real time: too slow for a stream"
        return f"{count} clients play already, and one more could not be held in real time: try again later"

    def measure_again(self, band: Band) -> None:
        """Once a while where nobody plays, after a refusal: the server may have begun in another program's moment.
        Takes seconds. Raises EngineError."""
        with self._lock:
            now_s = time.monotonic()
            if self.cost is None or self._seats or now_s - self._measured_s < _MEASURE_EVERY_S:
                return
            self._measured_s = now_s
        self.cost = measured_cost(band)

    def leave(self, seat: Seat) -> None:
        with self._lock:
            self._seats.discard(seat)

    def played(self, seat: Seat, music_s: float, computed_s: float, took_s: float) -> None:
        """A block of `music_s` took `computed_s` of a thread, and `took_s` of time with its waiting."""
        now_s = time.monotonic()
        with self._lock:
            self._worked.append((now_s, computed_s))
            while self._worked[0][0] < now_s - _BUSY_OVER_S:
                self._worked.popleft()
            seat.piece = [seat.piece[0] + music_s, seat.piece[1] + computed_s, seat.piece[2] + took_s]
            if seat.piece[0] < _PIECE_S:
                return
            music_s, computed_s, took_s = seat.piece
            seat.piece = [0.0, 0.0, 0.0]
            new = min(1.0, music_s / _MEMORY_S)
            seat.cost += new * (computed_s / music_s - seat.cost)
            seat.wall += new * (took_s / music_s - seat.wall)
            if seat.counted and seat.wall > 1.0:
                self._late_s = now_s
            self.counters.add("pieces", 1)
            self.counters.add("music_seconds", music_s)
            self.counters.add("computed_seconds", computed_s)
            self.counters.add("pieces_late", int(took_s > music_s))
            self.counters.observe("piece_share", took_s / music_s)

    @property
    def busy(self) -> float:
        """The share of the last second that went into streams."""
        now_s = time.monotonic()
        with self._lock:
            return sum(spent_s for at_s, spent_s in self._worked if at_s >= now_s - _BUSY_OVER_S) / _BUSY_OVER_S

    @property
    def has_counted(self) -> bool:
        """Whether anybody plays who must be in time."""
        with self._lock:
            return any(seat.counted for seat in self._seats)

    def give_way(self, worked_s: float) -> None:
        """For work that need not be in time, after `worked_s` of it: wait as long, while a stream plays that must."""
        if self.has_counted:
            time.sleep(min(worked_s, 1.0))
