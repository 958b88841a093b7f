"""Reads chords out of single notes: which pitch classes were played lately, by memories of several lengths.

This reader knows no style, no bars and no progressions, only that a chord's own notes are played more, and those of its
key next. It weighs in on what the harmonist (engine/player.py) reads. Inference thread only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..player import Reading
from .chord_settings import ChordSettings
from .tonal_tables import FloatArray

_HALF_LIVES = (2.0, 8.0, 32.0)
"""In half-beats: of the memories of what was played, beside the last half-beat and the one before."""
# What notes so many semitones above a root say for its major and for its minor chord: in the last half-beat, the one
# before, and the three memories. Softmax regression of 13,567 half-beats of 90 songs that `gigmate train store` makes
# of free leads and of melodies by people (--music leads, tunes), for this half-beat's chord and the next one's: means.
_MAJOR = np.array([
    (0.65, -0.18, -0.61, -1.20, 0.58, -0.73, -0.91, 0.44, -0.69, -0.50, -0.43, -0.31),
    (0.19, 0.13, 0.16, -0.62, 0.12, -0.02, -0.43, 0.08, -0.27, -0.04, 0.24, 0.11),
    (0.79, -0.32, -0.43, -0.63, 0.37, -0.51, -0.45, 0.57, -0.85, -0.48, 0.04, -0.24),
    (0.75, -0.52, 0.30, -0.75, 0.35, 0.57, -0.70, 0.54, -0.73, 0.26, -0.20, 0.34),
    (0.94, -0.76, 0.45, -1.15, 0.73, 0.76, -1.02, 0.94, -0.90, 0.29, -0.82, 0.12),
])  # fmt: skip
_MINOR = np.array([
    (0.84, -0.64, -0.65, 0.61, -0.33, -0.84, -0.34, 0.49, -0.76, -0.23, -0.30, -0.36),
    (0.30, -0.43, -0.03, 0.23, -0.38, -0.23, -0.37, 0.12, -0.06, -0.13, 0.12, -0.28),
    (0.59, -0.64, 0.29, -0.18, -0.78, -0.16, -0.65, 0.58, -0.74, -0.45, 0.43, -0.62),
    (0.71, -0.89, 0.53, 0.30, -1.12, 1.08, -0.84, 0.91, 0.04, -0.74, 0.36, -0.91),
    (1.45, -1.13, -0.48, 1.37, -1.44, 0.28, -0.88, 1.31, 0.33, -1.05, -0.08, -0.93),
])  # fmt: skip
_MINOR_BIAS = -0.87
_ABOVE = (np.arange(12)[:, None] + np.arange(12)) % 12
_LEAST_READ, _LEAST_NOTED = 0.01, 1e-3
"""No chord is believed to be less likely, by the harmonist and by the notes."""


class Blend(NamedTuple):
    """A reading (engine/player.py) with the melody's word in it. Any thread."""

    chord: NDArray[np.float32]
    key: NDArray[np.float32]
    next: NDArray[np.float32]
    after: NDArray[np.float32]


class MelodyReader:
    """Half-beats in; a harmonist's reading comes out with what the notes alone say. Inference thread only."""

    def __init__(self, config: ChordSettings) -> None:
        self._weight = config.melody_weight
        self._keeps = 0.5 ** (1.0 / np.array(_HALF_LIVES))[:, None]
        self.reset()

    def reset(self) -> None:
        """Forget the song."""
        self._played = np.zeros((2, 12))
        self._memories = np.zeros((len(_HALF_LIVES), 12))

    def close(self, played: FloatArray, trust: float) -> None:
        """A half-beat has ended in which these notes were played: the mean [12] of its frames."""
        self._played[1] = self._played[0]
        self._played[0] = played
        self._memories *= self._keeps
        self._memories += trust * np.square(played)

    def chords(self) -> FloatArray:
        """What the notes alone say of the chord, probabilities [24]."""
        shares = self._memories / np.maximum(self._memories.sum(axis=1, keepdims=True), 1e-6)
        above = np.concatenate([self._played, np.sqrt(shares)])[:, _ABOVE]  # [memory, root, above it]
        log = np.concatenate([np.einsum("mra,ma->r", above, table) for table in (_MAJOR, _MINOR)])
        log[12:] += _MINOR_BIAS
        found: FloatArray = np.exp(log - log.max())
        return found / found.sum()

    def blend(self, reading: Reading) -> Blend:
        """The harmonist's reading of the half-beat that was closed, with the notes' word in it."""
        noted = np.maximum(self.chords(), _LEAST_NOTED) ** self._weight

        def both(read: NDArray[np.float32]) -> NDArray[np.float32]:
            product = np.maximum(read.astype(np.float64), _LEAST_READ) * noted
            return np.asarray(product / product.sum(), np.float32)

        return Blend(both(reading.chord), reading.key, both(reading.next), both(reading.after))
