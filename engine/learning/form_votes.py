"""A bar that is played otherwise once, among repeats that are played alike, is taken for a slip.

Three times or more: of two that differ nobody knows which is right, and each only leans on the other. The last bar of
a section may lead on, and is left as it is. Pure
functions, any thread.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..harmony.tonal_tables import CHORDS, FloatArray

_PERIODS_BARS = (1, 2, 4, 8)
_LEAST_CYCLES = 3
_ALIKE = 0.8
"""Share of beats that must be as most of their repeats are, for the repeats to be believed in."""
_TWICE = 0.4
"""What the other one of two repeats that are alike counts for."""


def with_votes_of_form(said: FloatArray, chords: NDArray[np.int64], metre: int) -> FloatArray:
    """What beats [n, CHORDS] say, of which `chords` [n] are the likeliest, with what their repeats say; outliers are
    replaced by it. The same object where there are no repeats."""
    bars = len(said) // metre
    halves = chords.reshape(2, -1) if bars % 2 == 0 and bars > 2 else None
    if halves is not None and _ALIKE - 0.1 <= np.mean(halves[0] == halves[1]) < 1.0:
        half = len(said) // 2
        said = said.copy()
        other = np.concatenate([said[half:], said[:half]])
        lean = np.full(len(said), _TWICE)
        lean[half - metre : half], lean[-metre:] = 0.0, 0.0
        said += lean[:, None] * other
    for period in _PERIODS_BARS:
        if bars % period or bars // period < _LEAST_CYCLES:
            continue
        cycles = chords.reshape(-1, period * metre)
        counts = np.stack([np.bincount(beat, minlength=CHORDS) for beat in cycles.T])
        most, votes = counts.argmax(axis=1), counts.max(axis=1)
        alike = cycles == most
        if alike.mean() < _ALIKE or alike.all() or (votes * 2 <= len(cycles)).any():
            continue
        voted = said.reshape(len(cycles), period * metre, CHORDS).copy()
        out = ~alike
        out[-1, -metre:] = False
        for place in np.flatnonzero(out.any(axis=0)):
            right = voted[alike[:, place], place].mean(axis=0)
            voted[out[:, place], place] = right
        return np.asarray(voted.reshape(said.shape))
    return said
