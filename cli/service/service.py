"""What one process of the server has beside its band: its load, the queue that all share, and what the others do."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .spool import Spool, read_json
from .watch import metrics
from .watch.access_log import Say
from .watch.load import Load


async def _at_once(within_s: float) -> None:
    del within_s


class Board:
    """What the front (workers/front.py) writes down of all processes, as the others read it. Any thread."""

    def __init__(self, path: Path | None, name: str) -> None:
        self._path, self.name = path, name

    def read(self) -> dict[str, Any]:
        """`workers` by name, each with pid, streams, room and counters; `ended`: the counters of those that ended."""
        values = None if self._path is None else read_json(self._path)
        return values or {"workers": {}, "ended": {}}

    def others(self) -> dict[str, dict[str, Any]]:
        """The workers without this one."""
        return {name: one for name, one in self.read()["workers"].items() if name != self.name}


@dataclass
class Service:
    """Values of one process. Each is safe on any thread."""

    load: Load = field(default_factory=Load)
    spool: Spool | None = None
    """None: a queue of this process's own, which ends with it."""
    job_workers: int | None = None
    """Threads that complete files here; None: as the limits say."""
    board: Board = field(default_factory=lambda: Board(None, "0"))
    say: Say | None = None
    """Writes a line of the access log."""
    leaving: bool = False
    leave: Callable[[float], Awaitable[None]] = _at_once
    """Ends the work well within so many seconds. Event loop only."""

    def metrics_text(self, jobs: dict[str, int]) -> str:
        """For Prometheus: this process as it is, and the others as they last said."""
        board, others = self.board.read(), self.board.others()
        counted = metrics.summed(
            [board["ended"], self.load.counters.values(), *(one.get("counters", {}) for one in others.values())]
        )
        now: dict[str, float] = {
            "streams": self.load.streams + sum(one.get("streams", 0) for one in others.values()),
            "room": self.load.room + sum(one.get("room", 0) for one in others.values()),
            "draining": float(self.leaving),
        }
        now |= {metrics.key_of("jobs", state=state): count for state, count in jobs.items()}
        pids = {self.board.name: os.getpid(), **{name: one["pid"] for name, one in others.items() if "pid" in one}}
        for name, pid in sorted(pids.items()):
            held = metrics.memory_bytes(pid)
            if held is not None:
                now[metrics.key_of("memory_bytes", process=name)] = held
        return metrics.rendered(counted, now)
