"""Chords under a melody that has none: its key by its notes, and for each bar a chord that fits, the best way through.

Knows no rhythm and no sound. Pure functions.
"""

from __future__ import annotations

import numpy as np

from ..band.chord_theory import parse_numeral
from ..band.score import Chord

_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
# Krumhansl and Kessler 1982: how well each pitch class fits a key.
CHORDS = {
    False: {"I": 0.5, "IV": 0.2, "V": 0.25, "V7": 0.1, "vi": 0.0, "ii": 0.0, "bVII": -0.3},
    True: {"i": 0.5, "iv": 0.1, "V": 0.1, "V7": 0.1, "bVII": 0.2, "bIII": 0.1, "bVI": 0.0, "v": 0.0},
}
"""What is likelier before a note is heard."""
_STAY = 0.15
_HIT, _MISS = 1.0, -0.7


def key_of(weights: np.ndarray, last_class: int) -> tuple[int, bool]:
    """Tonic and whether it is minor, of durations by pitch class [12] and the pitch class that the tune ends on."""
    best = (-np.inf, 0, False)
    for tonic in range(12):
        for minor, profile in ((False, _MAJOR), (True, _MINOR)):
            fit = float(np.corrcoef(np.roll(profile, tonic), weights)[0, 1]) + 0.25 * (tonic == last_class)
            best = max(best, (fit, tonic, minor))
    return best[1], best[2]


def harmonise(spans: list[np.ndarray], key: int, minor: bool) -> list[Chord]:
    """A chord for each span, given its notes' weights by pitch class [12]."""
    names = list(CHORDS[minor])
    chords = [parse_numeral(name, key) for name in names]
    inside = np.array([[pc in chord.pcs for pc in range(12)] for chord in chords])
    values = np.where(inside, _HIT, _MISS)
    likely = np.array(list(CHORDS[minor].values()))
    fits = np.array([values @ (w / max(w.sum(), 1e-9)) + likely for w in spans])
    fits[0, 0] += 0.5
    fits[-1, 0] += 1.0
    stay = _STAY * np.eye(len(chords))
    total, came = fits[0], []
    for fit in fits[1:]:
        paths = total[:, None] + stay
        came.append(paths.argmax(axis=0))
        total = paths.max(axis=0) + fit
    chosen = [int(total.argmax())]
    for back in reversed(came):
        chosen.append(int(back[chosen[-1]]))
    return [chords[k] for k in reversed(chosen)]
