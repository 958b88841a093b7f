"""The likeliest chords, beat by beat, of a stretch that was heard: one decision for the whole, not beat after beat.

Knows no sound and no time: it is given what each beat said of each chord. Chords are root + 12 * (minor third or not).
One thread at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..harmony.tonal_tables import CHORDS, KEYS, FloatArray, beginnings_of_keys, chords_of_keys, moves_of_keys

_CHANGE_ON_BAR, _CHANGE_IN_MIDDLE, _CHANGE_ON_BEAT = 0.7, 0.2, 0.035
"""How likely a chord changes at the bar line, in the middle of a bar of four or six beats, and at another beat."""
_LINES_OF_FOUR, _BETWEEN_FOURS = 3, 0.67
"""Changes at lines of bars of four, at least, and share of so many that may lie between, for bars of two to be such:
heard chords are wrong now and then, and where bars are of two there are no fewer between than on them."""
_LEAST = 1e-6
_ROUND = 0.5
"""How far a section that goes round begins as chords follow each other, and not as songs begin."""


class Decoded(NamedTuple):
    """Any thread."""

    chords: NDArray[np.int64]
    """Of each beat."""
    key: int
    """Tonic + 12 * minor."""

    def stretched(self, beats: int) -> Decoded:
        """The same over so many beats."""
        return self._replace(chords=self.chords[np.arange(beats) * len(self.chords) // beats])


def change_at(place: int, metre: int) -> float:
    """How likely a chord changes on that beat (0 is the downbeat) of a bar of so many."""
    if place == 0:
        return _CHANGE_ON_BAR
    return _CHANGE_IN_MIDDLE if metre % 2 == 0 and 2 * place == metre and metre > 2 else _CHANGE_ON_BEAT


def in_fours(chords: NDArray[np.int64]) -> bool:
    """Whether beats that were counted in bars of two are bars of four: chords change mostly at every other line."""
    changes = np.flatnonzero(np.diff(chords)) + 1
    whole, halves = int(np.sum(changes % 4 == 0)), int(np.sum(changes % 4 == 2))
    return len(chords) % 4 == 0 and whole >= _LINES_OF_FOUR and halves <= _BETWEEN_FOURS * whole


class ChordDecoding:
    """Viterbi over the chords of every key at once, a beat at a time. One thread at a time."""

    _moves = np.log(np.maximum(moves_of_keys()[:, :CHORDS, :CHORDS], _LEAST))
    _begins = np.log(np.maximum(beginnings_of_keys(), _LEAST)) * _ROUND + np.log(chords_of_keys()) * (1.0 - _ROUND)

    def __init__(self, metre: int) -> None:
        self._metre = metre
        self._best: FloatArray | None = None
        self._came_from: list[NDArray[np.int8]] = []

    @property
    def beats(self) -> int:
        """How many were taken in."""
        return 0 if self._best is None else len(self._came_from) + 1

    def extend(self, said: FloatArray) -> None:
        """The next beat: log likelihoods [CHORDS]."""
        if self._best is None:
            self._best = self._begins + said
            return
        change = change_at(self.beats % self._metre, self._metre)
        moved = self._best[:, :, None] + self._moves
        origin = moved.argmax(axis=1)
        found = np.take_along_axis(moved, origin[:, None], axis=1)[:, 0] + np.log(change)
        stayed = self._best + np.log(1.0 - change)
        stays = stayed >= found
        self._came_from.append(np.where(stays, np.arange(CHORDS), origin).astype(np.int8))
        self._best = np.where(stays, stayed, found) + said

    def decode(self) -> Decoded:
        """The best way through all beats so far. At least one must have been given."""
        assert self._best is not None
        key = int(self._best.max(axis=1).argmax())
        chord = int(self._best[key].argmax())
        chords = np.empty(self.beats, np.int64)
        chords[-1] = chord
        for beat in range(self.beats - 2, -1, -1):
            chord = int(self._came_from[beat][key, chord])
            chords[beat] = chord
        return Decoded(chords, key)


def decoded(said: FloatArray, metre: int) -> Decoded:
    """All beats [n, CHORDS] of a stretch that begins on a downbeat."""
    decoding = ChordDecoding(metre)
    for row in said:
        decoding.extend(row)
    return decoding.decode()


assert KEYS == CHORDS
