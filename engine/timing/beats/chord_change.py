"""How much the chord changes at a moment: the listener output just after it against that just before.

Knows no beats and no chords by name. Holds a fixed ring of frames. Times are seconds of the input clock. Inference
thread only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FRAMES = 128  # two beats and the listener's lag, at 46 beats a minute and 25 frames a second


class ChordChangeDetector:
    """The last frames' root distributions. Inference thread only."""

    def __init__(self, lag_s: float) -> None:
        """`lag_s`: how long after a change the listener's answer turns."""
        self._lag_s = lag_s
        self.reset()

    def reset(self) -> None:
        self._roots = np.zeros((_FRAMES, 13))
        self._at_s = np.full(_FRAMES, -1e9)
        self._next = 0

    def hear(self, chord_root: NDArray[np.float32], middle_s: float) -> None:
        """Root distribution [13] of the frame whose middle is at `middle_s`."""
        self._roots[self._next] = chord_root
        self._at_s[self._next] = middle_s
        self._next = (self._next + 1) % _FRAMES

    def turn(self, at_s: float, beat_s: float) -> float | None:
        """In [0, 1]: how far the beat that began at `at_s` has another root than the one before; None: not heard."""
        since = self._at_s - at_s - self._lag_s
        after = self._roots[(since >= 0) & (since < 0.9 * beat_s)]
        before = self._roots[(since >= -beat_s) & (since < -0.03)]
        if not len(after) or not len(before):
            return None
        new, old = after.mean(axis=0), before.mean(axis=0)
        total = float(new.sum() * old.sum())
        if total < 1e-6:
            return None
        return max(0.0, 1.0 - float(np.sqrt(new * old).sum()) / total**0.5)
