"""Log likelihoods of chords, given a frame or a half-beat of listener output.

Knows neither beats nor the song's past. Inference thread only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .chord_filter import STATES
from .tonal_tables import CHORDS, NONE, FloatArray

_ABOVE = (np.arange(12)[:, None] + np.arange(12)) % 12
# What the listener's log probability of a root, and its log-odds of a pitch class, so many semitones above a chord's
# root say for that chord: softmax regression of 77,000 frames of 80 songs (seeds 600 to 679 of the test split).
_MAJOR = np.array([
    (0.65, -0.12, -0.04, 0.12, -0.31, -0.03, -0.27, 0.05, -0.42, -0.02, -0.21, 0.34),
    (0.21, -0.08, -0.07, -0.35, 0.30, 0.16, -0.04, 0.02, 0.04, -0.18, 0.16, -0.06),
])  # fmt: skip
_MINOR = np.array([
    (0.92, 0.01, -0.27, -0.21, -0.06, -0.49, 0.06, 0.20, -0.07, -0.02, -0.22, 0.27),
    (0.27, -0.13, 0.19, 0.51, -0.47, 0.43, -0.08, 0.08, -0.16, -0.15, -0.13, -0.50),
])  # fmt: skip
_MINOR_BIAS = 0.12


def of_frame(roots: FloatArray, odds: FloatArray) -> FloatArray:
    """[STATES]: what `root_log_probabilities` and `pitch_class_log_odds` of a frame say of each chord."""
    evidence = np.empty(STATES)
    above, classes = roots[:12][_ABOVE], odds[_ABOVE]
    evidence[:12] = above @ _MAJOR[0] + classes @ _MAJOR[1]
    evidence[12:CHORDS] = above @ _MINOR[0] + classes @ _MINOR[1] + _MINOR_BIAS
    evidence[NONE] = roots[12]
    return evidence


class HalfBeatHeard:
    """Means over the frames of the open half-beat, weighed by how far each was heard. Inference thread only."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._sums = np.zeros(12 + 1 + 12 + 12)
        self._trust = self.length_s = 0.0

    def add(self, roots: FloatArray, odds: FloatArray, played: NDArray[np.float32], trust: float, s: float) -> None:
        self._sums += trust * s * np.concatenate([roots, odds, played])
        self._trust += trust * s
        self.length_s += s

    @property
    def trust(self) -> float:
        return self._trust / self.length_s if self.length_s else 0.0

    def means(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log roots [13], class odds [12], and what was played [12]; zeros where nothing was heard."""
        means = self._sums / self._trust if self._trust > 0 else self._sums
        return means[:13], means[13:25], means[25:]
