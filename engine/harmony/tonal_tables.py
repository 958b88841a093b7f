"""Tables of tonal harmony: chords of a key, usual successions of chords, usual beginnings.

Counted from the arranger's songs for training, rounded, and levelled with what such tables say of other music: no
number here is sharp. Knows no time and no sound. A chord is root + 12 * (minor third or not), 24 of them; a key is
tonic + 12 * minor, 24 of them. Pure functions, any thread.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Index = TypeVar("Index", int, NDArray[np.int64])
CHORDS = 24
KEYS = 24
NONE = 24
"""The state beside the chords: no chord is known."""

_ELSE = 0.006  # of any chord that a row does not name: chromatic, or heard wrong
# Degrees by semitones above the tonic: how often a key's song stands on a chord with a major, and with a minor third.
_IN_MAJOR = (
    {0: 0.32, 2: 0.02, 3: 0.015, 4: 0.015, 5: 0.17, 7: 0.17, 8: 0.012, 9: 0.03, 10: 0.035},
    {0: 0.008, 2: 0.10, 4: 0.045, 5: 0.02, 7: 0.01, 9: 0.09, 11: 0.015},
)
_IN_MINOR = (
    {0: 0.01, 3: 0.08, 5: 0.03, 7: 0.10, 8: 0.11, 10: 0.11, 1: 0.008},
    {0: 0.34, 2: 0.04, 5: 0.13, 7: 0.04, 9: 0.01},
)
# Where a song, or a section, begins.
_BEGINS_MAJOR = ({0: 0.62, 5: 0.09, 7: 0.02, 8: 0.01}, {2: 0.06, 9: 0.10, 4: 0.015})
_BEGINS_MINOR = ({3: 0.02, 8: 0.12, 10: 0.02}, {0: 0.66, 5: 0.10, 2: 0.01})
# How far up the root moves, in semitones: falling fifths (5) first, then steps down and up and fourths down.
_MOTION = (0.03, 0.03, 0.14, 0.05, 0.035, 0.32, 0.015, 0.17, 0.06, 0.07, 0.09, 0.035)

# Cadences: the chord above the tonic that ends, the one that follows (0 is the tonic's own), and how much likelier that
# is than root and degree alone say. Fifth to first, with either third, and second to fifth.
_CADENCES = ((7, 0, 1.6), (7 + 12, 0, 1.3), (2 + 12, 7, 1.8))


def _degrees(rows: tuple[dict[int, float], dict[int, float]], minor_key: bool) -> FloatArray:
    """[KEYS / 2, CHORDS]: for each tonic, the weight of each chord; rows sum to 1."""
    weights = np.full((2, 12), _ELSE)
    for third, named in enumerate(rows):
        for degree, weight in named.items():
            weights[third, degree] = weight
    table = np.stack([np.roll(weights, tonic, axis=1).reshape(CHORDS) for tonic in range(12)])
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def above(key: Index, chord: Index) -> Index:
    """A chord counted from the tonic, as it is in that key; numbers or arrays of them."""
    return (key + chord) % 12 + chord // 12 * 12


def chords_of_keys() -> FloatArray:
    """[KEYS, CHORDS]: how likely a chord is in each key, whatever came before."""
    return np.concatenate([_degrees(_IN_MAJOR, False), _degrees(_IN_MINOR, True)])


def beginnings_of_keys() -> FloatArray:
    """[KEYS, CHORDS]: how likely a song in each key begins on a chord."""
    return np.concatenate([_degrees(_BEGINS_MAJOR, False), _degrees(_BEGINS_MINOR, True)])


def moves_of_keys() -> FloatArray:
    """[KEYS, CHORDS + 1, CHORDS + 1]: given a key and the chord that ends, which follows. No chord follows itself."""
    motion = np.array([[_MOTION[(after - before) % 12] for after in range(12)] for before in range(12)])
    moves = np.zeros((KEYS, CHORDS + 1, CHORDS + 1))
    # The root's way says as much as the degree does, and both share some of what they say.
    moves[:, :CHORDS, :CHORDS] = np.tile(motion, (2, 2))[None] ** 0.7 * chords_of_keys()[:, None] ** 0.9
    for key in range(KEYS):
        for before, after, times in _CADENCES:
            home = 12 * (key // 12) if after == 0 else 0
            moves[key, above(key, before), above(key, after + home)] *= times
    same = np.arange(CHORDS)
    moves[:, same, same] = 0.0
    moves[:, :CHORDS] /= moves[:, :CHORDS].sum(axis=2, keepdims=True)
    moves[:, :CHORDS, NONE] = 0.002
    moves[:, NONE, :CHORDS] = beginnings_of_keys()
    return np.asarray(moves / moves.sum(axis=2, keepdims=True))


def moves_between_keys() -> FloatArray:
    """[KEYS, KEYS]: where a song goes when it leaves its key. A semitone or two up, a fifth, or to the relative."""
    table = np.full((KEYS, KEYS), 0.01)
    for key in range(KEYS):
        tonic, minor = key % 12, key // 12
        for up, weight in ((1, 0.2), (2, 0.2), (5, 0.1), (7, 0.1), (3, 0.05), (9, 0.05)):
            table[key, (tonic + up) % 12 + 12 * minor] = weight
        relative = (tonic + 3) % 12 if minor else (tonic + 9) % 12 + 12
        table[key, relative] = 0.15
        table[key, tonic + 12 * (1 - minor)] = 0.1
        table[key, key] = 0.0
    return np.asarray(table / table.sum(axis=1, keepdims=True))
