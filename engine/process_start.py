"""The start time of this process, for figures of start-up time. Any thread."""

from __future__ import annotations

import os
import sys
import time

_IMPORTED_S = time.monotonic()
_STARTTIME_FIELD = 19
"""Of /proc/self/stat, counted after the name in brackets."""


def process_start_s() -> float:
    """On the monotonic clock: when the process was started (Linux), else when this was imported."""
    if not sys.platform.startswith("linux"):
        return _IMPORTED_S
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        since_boot_s = int(fields[_STARTTIME_FIELD]) / os.sysconf("SC_CLK_TCK")
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot_s
    except (OSError, ValueError, IndexError):
        return _IMPORTED_S
    return time.monotonic() - age_s if 0.0 <= age_s < 1e7 else _IMPORTED_S
