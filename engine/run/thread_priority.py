"""Real-time priority for the inference thread, and garbage collection while it is idle.

Knows no sound. Each function acts on the thread that calls it; the collector is the process's own, so one engine at a
time should hold it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import time
from collections.abc import Iterator

REALTIME_PRIORITY = 3
"""Low among the real-time ones: the sound server's threads must come first."""
NICENESS = -10
SWITCH_S = 0.0002
"""How long another Python thread may keep the interpreter from us. A step takes it back a dozen times; at Python's own
5 ms a busy thread (a page, a terminal face) made steps four times as long."""
_YOUNG_EVERY_S = 1.0
_OLD_EVERY_S = 30.0
_FROZEN_AT_START = gc.get_freeze_count()  # some Pythons begin with objects that are (3.12.1: 375)


def raise_priority() -> str:
    """Ask for a better place in the queue. "realtime", "raised", or why it stays "normal"."""
    if hasattr(os, "sched_setscheduler"):
        try:
            # Children of this thread (there should be none) must not inherit it.
            policy = os.SCHED_RR | getattr(os, "SCHED_RESET_ON_FORK", 0)
            os.sched_setscheduler(0, policy, os.sched_param(REALTIME_PRIORITY))
            return "realtime"
        except OSError:
            pass  # not permitted: the next best thing
    if sys.platform.startswith("linux"):
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
            return "raised"
        except OSError:
            return "normal: the system permits no more (see `gigmate doctor`)"
    return "normal: not asked for on this system"


class IdleCollector:
    """Collects garbage when it is told that there is time, and never else. One thread at a time."""

    def __init__(self) -> None:
        self._young_s = self._old_s = time.monotonic()
        self.longest_s = 0.0

    def collect(self, idle_s: float) -> None:
        """There are about `idle_s` seconds to spare now."""
        now_s = time.monotonic()
        if now_s - self._young_s < _YOUNG_EVERY_S or idle_s < 2.0 * self.longest_s:
            return
        self._young_s = now_s
        generation = 1
        if now_s - self._old_s >= _OLD_EVERY_S:
            self._old_s = now_s
            generation = 2
        gc.collect(generation)
        self.longest_s = max(0.9 * self.longest_s, time.monotonic() - now_s)


@contextlib.contextmanager
def kept_fluent() -> Iterator[IdleCollector]:
    """Within it no collection starts by itself, and other Python threads give way soon.

    What is there before is collected once, and then left out until the end. Where the program around us has done that
    itself (`gc.freeze`, as those do that fork), it stays as it is.
    """
    frozen = gc.get_freeze_count() > _FROZEN_AT_START
    was_enabled = gc.isenabled()
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    if not frozen:
        gc.collect()
        gc.freeze()
    gc.disable()
    try:
        yield IdleCollector()
    finally:
        sys.setswitchinterval(switch_s)
        if not frozen:
            gc.unfreeze()
        if was_enabled:
            gc.enable()
