"""When the listener turns to another root: a hint where bars begin, free of any habit that bars themselves would feed.

Knows no beats. Inference thread only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_TIME_S = 0.16
_MARGIN = 0.12
LATE_S = 0.16
"""How long after a change, as it sounded, it is told: what the listener and the smoothing take together."""


class RootChange:
    """The listener's root, smoothed, with hysteresis."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """No root is known."""
        self._roots = np.zeros(13)
        self._roots[-1] = 1.0
        self._root = 12

    def hear(self, roots: NDArray[np.float32], frame_s: float, trust: float) -> bool:
        """Take in a frame's root [13], with a trust in [0, 1]. True where another is now likelier by a margin."""
        self._roots += trust * (1.0 - math.exp(-frame_s / _TIME_S)) * (roots - self._roots)
        best = int(self._roots.argmax())
        if best == self._root or self._roots[best] <= self._roots[self._root] + _MARGIN:
            return False
        self._root = best
        return True
