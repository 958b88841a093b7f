"""The bounded queue that carries commands to the worker. Knows neither where one came from nor what it does."""

from __future__ import annotations

import threading
from collections import deque

from .command import Command
from .playing import Panic, Quit

_NEVER_LOST = (Panic, Quit)


class CommandQueue:
    """Commands on their way to the worker: bounded, first in, first out. Each method says its thread."""

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
        """Inference thread only. Everything that waits, oldest first."""
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
