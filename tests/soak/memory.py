"""What a process holds, over time: samples of its resident memory, and the slope of a line through them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np


def resident_bytes() -> int:
    """Of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Growth:
    """Memory at moments of the sound; its slope once the beginning is over."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._bytes: list[int] = []

    def look(self, seconds: float, every_s: float = 1.0) -> None:
        """Take a sample if the sound has gone on by so much."""
        if not self._seconds or seconds >= self._seconds[-1] + every_s:
            self._seconds.append(seconds)
            self._bytes.append(resident_bytes())

    def report(self, skipped_share: float = 0.25) -> dict[str, float]:
        """Mebibytes at the end and the slope in mebibytes for each hour of sound, without the first part."""
        first = int(len(self._seconds) * skipped_share)
        seconds, held = np.array(self._seconds[first:]), np.array(self._bytes[first:]) / 2**20
        if seconds.size < 3:
            return {"mib": float(held[-1]) if held.size else 0.0, "mib_per_hour": 0.0, "samples": float(seconds.size)}
        slope = float(np.polyfit(seconds, held, 1)[0]) * 3600
        return {"mib": float(held[-1]), "mib_per_hour": slope, "samples": float(seconds.size)}
