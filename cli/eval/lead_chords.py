"""Chords of recordings of others: what the true ones are, and what share of the time they were told.

The truth is what all pitched parts together hold in each half of a bar: seconds of each pitch class. Where that is no
clear major or minor triad nothing is judged. Pure functions, any thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
CHORDS = 24
"""Root + 12 * (minor third or not)."""
_CLEAR, _AHEAD = 0.8, 0.05
"""A triad is true where the cosine between it and what sounds is that much, and that far before any other's."""


def true_chords(seconds: FloatArray) -> NDArray[np.int64]:
    """The chord of each half bar, of seconds [halves, 12] by pitch class (C first); -1 where none is clear."""
    if not len(seconds):
        return np.zeros(0, np.int64)
    triads = np.zeros((CHORDS, 12))
    for chord in range(CHORDS):
        triads[chord, [(chord + tone) % 12 for tone in (0, 3 if chord >= 12 else 4, 7)]] = 1.0 / np.sqrt(3.0)
    likeness = seconds @ triads.T / np.maximum(np.linalg.norm(seconds, axis=1, keepdims=True), 1e-9)
    ordered = np.sort(likeness, axis=1)
    clear = (ordered[:, -1] >= _CLEAR) & (ordered[:, -1] - ordered[:, -2] >= _AHEAD)
    return np.where(clear, likeness.argmax(axis=1), -1)


def chord_share(
    at_s: FloatArray, told: NDArray[Any], halves_s: FloatArray, true: NDArray[np.int64], from_s: float
) -> float:
    """Share of the moments `at_s` from that second on, in halves of bars that have a true chord, at which root and
    third were told; nan where there are none. `halves_s` holds one moment more than `true`."""
    if not len(true):
        return float("nan")
    half = np.searchsorted(halves_s, at_s, side="right") - 1
    inside = (at_s >= from_s) & (half >= 0) & (half < len(true))
    chord = true[np.clip(half, 0, len(true) - 1)]
    judged = inside & (chord >= 0)
    return float(np.mean(told[judged] == chord[judged])) if judged.any() else float("nan")
