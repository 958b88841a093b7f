"""Counters of a server's processes, their sums, and the text that Prometheus reads. Knows no HTTP. Any thread.

The text format is version 0.0.4 of Prometheus. A process keeps its own counters; what others have counted, ended ones
too, comes as plain values and is added.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 5.0)
"""Bounds of the histogram: below 1 it was ready before the next one was there."""
_COUNTERS: dict[str, str] = {
    "streams_begun": "Streams that were let in.",
    "refusals": "What was refused for want of room: streams, files, uploads.",
    "music_seconds": "Music that streams have played.",
    "computed_seconds": "Processor time that streams took.",
    "pieces": "Pieces of streams, of 0.2 s or a block, whichever is longer.",
    "pieces_late": "Pieces that took longer than they last.",
    "requests": "HTTP requests that were answered.",
    "worker_deaths": "Worker processes that ended by themselves and were started again.",
}
_GAUGES: dict[str, str] = {
    "streams": "Streams that play now.",
    "room": "Streams that would be let in now.",
    "jobs": "Files by state.",
    "memory_bytes": "Resident memory of each process.",
    "draining": "1 while the server ends.",
}
_SHARE = "piece_share"
_SHARE_HELP = "Time that a piece took over the time that it lasts."
Values = dict[str, float]


def key_of(name: str, **labels: object) -> str:
    """`refusals{what="stream"}`."""
    inside = ",".join(f'{label}="{_escaped(str(value))}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Counters:
    """What one process has counted since it began."""

    def __init__(self) -> None:
        self._values: Values = {}
        self._lock = threading.Lock()

    def add(self, name: str, amount: float, **labels: object) -> None:
        key = key_of(name, **labels)
        with self._lock:
            self._values[key] = self._values.get(key, 0.0) + amount

    def observe(self, name: str, value: float) -> None:
        """One more value of a histogram with the bounds SHARES."""
        for bound in (*SHARES, "+Inf"):
            self.add(f"{name}_bucket", float(bound == "+Inf" or value <= float(bound)), le=bound)
        self.add(f"{name}_sum", value)
        self.add(f"{name}_count", 1)

    def values(self) -> Values:
        with self._lock:
            return dict(self._values)


def summed(several: Iterable[Mapping[str, float]]) -> Values:
    """Counters of several processes as those of one."""
    total: Values = {}
    for values in several:
        for key, value in values.items():
            total[key] = total.get(key, 0.0) + value
    return total


def rendered(counted: Mapping[str, float], now: Mapping[str, float]) -> str:
    """The text: what was counted, and how it is `now`, by their keys."""
    lines = []
    for name, help_text in _COUNTERS.items():
        lines += _family(f"{name}_total", "counter", help_text, {
            key.replace(name, f"{name}_total", 1): value for key, value in counted.items() if _is_of(key, name)
        } or {f"{name}_total": 0.0})  # fmt: skip
    for name, help_text in _GAUGES.items():
        lines += _family(name, "gauge", help_text, {key: value for key, value in now.items() if _is_of(key, name)})
    histogram = {key: value for key, value in counted.items() if key.startswith(f"{_SHARE}_")}
    lines += _family(_SHARE, "histogram", _SHARE_HELP, histogram)
    return "\n".join(lines) + "\n"


def _is_of(key: str, name: str) -> bool:
    return key.partition("{")[0] == name


def _family(name: str, kind: str, help_text: str, values: Mapping[str, float]) -> list[str]:
    if not values:
        return []
    head = [f"# HELP gigmate_{name} {help_text}", f"# TYPE gigmate_{name} {kind}"]
    return head + [f"gigmate_{key} {value:.10g}" for key, value in values.items()]


def memory_bytes(pid: int) -> int | None:
    """Resident memory of a process, where Linux tells it."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
