"""The fault log: each fault is reported in words once and always counted. Any thread may add and read."""

from __future__ import annotations

import threading

from .fault_kinds import FaultKind


class FaultLog:
    """Faults by kind: counted each time, said at the first. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[FaultKind, int] = {}
        self._warnings: tuple[str, ...] = ()

    def fault(self, kind: FaultKind, count: int = 1, **words: object) -> None:
        """Something of a kind happened `count` times: it is said if it is the first, with `words` for the braces."""
        text = " ".join(kind.said.format(**words).split())
        with self._lock:
            if kind not in self._counts:
                self._warnings = (*self._warnings, text)
            self._counts[kind] = self._counts.get(kind, 0) + count

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything said so far, newest last; only ever grows at its end."""
        return self._warnings

    def counts(self) -> dict[str, int]:
        """Faults by kind."""
        with self._lock:
            return {kind.value: count for kind, count in self._counts.items()}
