"""Checks the round trip that the sound system claims for values that cannot be true.

Knows figures only. One thread at a time.
"""

from __future__ import annotations

import math

_FALL_S = 2.0
"""A claim that is lower for so long has fallen; connections may be drawn anew meanwhile."""


class ClaimedRoundTrip:
    """The largest claim so far: sound does not come sooner because something was put into its way.

    One thread at a time.
    """

    def __init__(self) -> None:
        self._way: tuple[int, int] | None = None
        self._largest = 0
        self._fell_s = math.inf

    def see(self, samples: int, way: tuple[int, int], now_s: float) -> tuple[int, int] | None:
        """The claim as it is now; `way`: rate and block, with which it may change. (before, now) once it has fallen."""
        if way != self._way or samples >= self._largest:
            self._way, self._largest, self._fell_s = way, samples, math.inf
            return None
        self._fell_s = min(self._fell_s, now_s)
        if now_s - self._fell_s < _FALL_S:
            return None
        fallen = self._largest, samples
        self._largest, self._fell_s = samples, math.inf
        return fallen
