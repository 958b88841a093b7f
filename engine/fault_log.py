"""What went wrong, in words once and in numbers always. Any thread may add and read; knows nothing of what it notes."""

from __future__ import annotations

import threading

MOST_WARNINGS = 50


class FaultLog:
    """Faults by kind: counted each time, said at the first. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._warnings: tuple[str, ...] = ()

    def fault(self, kind: str, text: str, count: int = 1) -> None:
        """Something of a kind happened `count` times: `text`, one line with its mend, is said if it is the first."""
        with self._lock:
            first = kind not in self._counts
            self._counts[kind] = self._counts.get(kind, 0) + count
            if first and len(self._warnings) < MOST_WARNINGS:
                self._warnings = (*self._warnings, " ".join(text.split()))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything said so far, newest last; only ever grows at its end."""
        return self._warnings

    def counts(self) -> dict[str, int]:
        """Faults by kind."""
        with self._lock:
            return dict(self._counts)
