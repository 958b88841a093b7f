"""What the figures of `gigmate bench` come to, in one line. Knows no measurement. Any thread."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_MEND = "close other programs or use a faster machine"


def verdict_of(figures: Mapping[str, Any]) -> str:
    """The line for `figures` as bench gives them: of one band (`model`), or of many at once (`streams`)."""
    if "streams" in figures:
        return _of_many(figures["streams"], figures.get("workers", {}))
    return _of_one(figures["model"])


def _of_one(model: Mapping[str, Any]) -> str:
    """A band plays live where its steps fit into a frame: the usual ones, and 99 of 100 for none to be missed."""
    frame_ms, step_ms = model["frame_ms"], model["step_ms"]
    speed = f"{frame_ms / step_ms['p50']:.1f} times real time"
    if step_ms["p50"] >= frame_ms:
        return f"{speed}: cannot play live: {_MEND}"
    if step_ms["p99"] >= frame_ms:
        return f"{speed}: plays, but every now and then misses a frame: {_MEND}"
    return f"{speed}: plays with {math.floor(100.0 - 100.0 * step_ms['p99'] / frame_ms)} % to spare"


def _of_many(streams: Mapping[str, Any], workers: Mapping[str, Any]) -> str:
    """Bands that together are as many times faster than real time as they are all play; `workers`: the same figures
    for each number of processes over which they were spread."""
    asked, factor = streams["streams"], streams["real_time_factor"]
    speed = f"{factor:.1f} times real time together"
    if workers:
        each = [f"{told['real_time_factor']:.1f} in {_processes(told)}" for told in workers.values()]
        speed += f" ({', '.join(each)})"
    if factor < asked:
        can = math.floor(factor)
        return f"{speed}: cannot play {asked} at once" + (f", but {can}" if can else "")
    return f"{speed}: plays {asked} at once with {math.floor(100.0 - 100.0 * asked / factor)} % to spare"


def _processes(told: Mapping[str, Any]) -> str:
    count = told["workers"]
    return f"{'one process' if count == 1 else f'{count} processes'} of {told['peak_mib']:.0f} MiB"
