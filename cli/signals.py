"""Signal handlers: SIGINT, SIGTERM and SIGHUP request a graceful end. Main thread only.

The first signal asks for a graceful end (ramp, report, recording; exit code 128 + number). A second one of any kind
ends the process at once, as if there were no handler.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Interrupted(Exception):
    """A signal came before the music did. `code` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"ended by signal {code - 128}")
        self.code = code


class Signals:
    """Takes the signals over for as long as it is open."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._received: int | None = None

    @property
    def exit_code(self) -> int | None:
        """128 + the number of the first signal, or None while there was none."""
        return None if self._received is None else 128 + self._received

    def raise_if_any(self) -> None:
        """Raise Interrupted if a signal has come."""
        if self._received is not None:
            raise Interrupted(128 + self._received)

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python has no signals
            for name in _NAMES:
                number = getattr(signal, name, None)
                # A signal ignored from outside (nohup) stays ignored.
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._received is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._received = int(number)
