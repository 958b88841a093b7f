"""The most memory that this process has held. Any thread."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_mib() -> float | None:
    """In MiB; None where the system does not say."""
    told = Path("/proc/self/status")
    if told.exists():  # ru_maxrss begins with what the parent had
        for line in told.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
