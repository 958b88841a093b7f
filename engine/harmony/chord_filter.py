"""A forward filter over key and chord, one step per half-beat. Inference thread only.

Knows neither beats nor the song's past: whoever moves it on says how likely a change is there, and what the song
itself would have. Holds a fixed amount of memory.
"""

from __future__ import annotations

import numpy as np

from .tonal_tables import (
    CHORDS,
    KEYS,
    NONE,
    FloatArray,
    moves_between_keys,
    moves_of_keys,
)

STATES = CHORDS + 1


class ChordFilter:
    """P(key, chord | all heard so far) [KEYS, STATES], for the half-beat that is open. Inference thread only."""

    def __init__(self, key_change: float) -> None:
        """`key_change`: probability that the key changes from one half-beat to the next."""
        self._moves = moves_of_keys()
        self._keys = ((1.0 - key_change) * np.eye(KEYS) + key_change * moves_between_keys()).T
        self.reset()

    def reset(self) -> None:
        """No chord is known, and every key is as likely."""
        self._belief = np.zeros((KEYS, STATES))
        self._belief[:, NONE] = 1.0 / KEYS
        self.prior: FloatArray = self._belief.sum(axis=0)
        """[STATES]: the chord in the open half-beat, before anything in it was heard."""

    def close(self, likelihood: FloatArray) -> None:
        """Take in the likelihood [STATES] of all that was heard in the open half-beat."""
        self._belief *= likelihood
        self._belief /= self._belief.sum()

    def open(self, change: float, song: FloatArray, share: float) -> None:
        """Go on to the next half-beat: the chord changes with probability `change`, as the key would have it; but
        with probability `share` it is what the song's own past has there, `song` [STATES]."""
        keyed = self._keys @ self._belief
        moved = np.matmul(keyed[:, None], self._moves)[:, 0]
        self._belief = (1.0 - share) * ((1.0 - change) * keyed + change * moved)
        self._belief += share * keyed.sum(axis=1, keepdims=True) * song
        self.prior = self._belief.sum(axis=0)

    def expect(self, joint: FloatArray, share: float) -> None:
        """With probability `share` it is as `joint` [KEYS, STATES] says, whatever came before."""
        self._belief += share * (joint - self._belief)
        self.prior = self._belief.sum(axis=0)

    def lean(self, keys: FloatArray, chords: FloatArray) -> None:
        """Weigh all by another opinion of the key [KEYS] and of the chord [STATES]."""
        self._belief *= keys[:, None] * chords
        self._belief /= self._belief.sum()
        self.prior = self._belief.sum(axis=0)

    @property
    def key_prior(self) -> FloatArray:
        """P(key) [KEYS], before anything in the open half-beat was heard."""
        keys: FloatArray = self._belief.sum(axis=1)
        return keys

    def keys(self, likelihood: FloatArray) -> FloatArray:
        """P(key) [KEYS], with what was heard in the open half-beat."""
        weighed: FloatArray = self._belief @ likelihood
        return weighed / weighed.sum()

    def moves(self) -> FloatArray:
        """[STATES, STATES]: where a change from each chord leads, whatever the key; rows sum to 1."""
        weight = self._belief / np.maximum(self.prior, 1e-12)
        return np.asarray(np.matmul(weight.T[:, None], self._moves.transpose(1, 0, 2))[:, 0])
