"""Everything that a gesture can ask of the engine: small frozen values, carried by one bounded queue.

Knows neither where a command came from nor what it does. Any thread may make and post commands; the worker alone
takes them, between steps.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True, slots=True)
class Start:
    """The band comes in (from the worker's next frame)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The band goes out with a ramp."""


@dataclass(frozen=True, slots=True)
class Toggle:
    """Start if stopped, stop if playing: one foot switch."""


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap of the tempo, at a sample of the port's clock; a negative one means now."""

    at_sample: int


@dataclass(frozen=True, slots=True)
class SetLevel:
    part: str
    level_db: float


@dataclass(frozen=True, slots=True)
class SetControl:
    """Change a field of Controls by name: style, density, temperature, top_k, top_p."""

    name: str
    value: float | int | str


@dataclass(frozen=True, slots=True)
class Panic:
    """Fade out at once, forget everything, stay stopped."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Stop with a ramp, then end the run."""


Command = Union[Start, Stop, Toggle, Tap, SetLevel, SetControl, Panic, Quit]  # noqa: UP007 - a runtime value on 3.10

_NEVER_LOST = (Panic, Quit)


class CommandQueue:
    """Commands on their way to the worker: bounded, first in, first out. Any thread posts; the worker drains."""

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._waiting: deque[Command] = deque()
        self._lock = threading.Lock()
        self._dropped = 0

    def post(self, command: Command) -> bool:
        """Any thread. Queue it. Where there is no room the oldest one that may be lost goes; False if one went.

        Panic and Quit are never lost.
        """
        with self._lock:
            self._waiting.append(command)
            if len(self._waiting) <= self._capacity:
                return True
            self._dropped += 1
            for place, waiting in enumerate(self._waiting):
                if not isinstance(waiting, _NEVER_LOST):
                    del self._waiting[place]
                    return False
            self._waiting.popleft()  # nothing but Panic and Quit: later ones of the same kind are there
            return False

    def drain(self) -> list[Command]:
        """Worker only. Everything that waits, oldest first."""
        if not self._waiting:  # a reference read: no lock is needed to see that nothing is there
            return []
        with self._lock:
            commands = list(self._waiting)
            self._waiting.clear()
        return commands

    @property
    def dropped(self) -> int:
        """Any thread. Commands that found no room."""
        return self._dropped
