"""A section while it is played in: where it began, and its chords so far. Inference thread only."""

from __future__ import annotations

import numpy as np

from ..charts.chord_symbol import FLAT_NAMES
from .chord_decoding import ChordDecoding, Decoded
from .heard_beats import HeardBeats


class Take:
    """From its first beat on. Inference thread only."""

    def __init__(self, first: int, metre: int, counted_back: bool = False) -> None:
        """`counted_back`: the first note was taken for the one, before any bar was known."""
        self.first, self.metre, self.counted_back = first, metre, counted_back
        self._decoding = ChordDecoding(metre)

    @property
    def next(self) -> int:
        """The beat that is awaited."""
        return self.first + self._decoding.beats

    def extend(self, heard: HeardBeats) -> None:
        """Take in what was read since."""
        while self.next < heard.read_until:
            beat = heard.beat(self.next)
            if beat is None:
                return
            self._decoding.extend(beat.chords)

    def decode(self, beats: int) -> Decoded:
        """The chords of the first so many beats: the last one known holds to their end."""
        if not self._decoding.beats:
            return Decoded(np.zeros(beats, np.int64), 0)
        chords, key = self._decoding.decode()
        known = chords[:beats]
        return Decoded(np.concatenate([known, np.full(beats - len(known), known[-1])]), key)

    def chord_names(self) -> list[str]:
        """The chords so far, each once in a row, in plain spelling."""
        if not self._decoding.beats:
            return []
        chords = self._decoding.decode().chords.tolist()
        changed = [chord for n, chord in enumerate(chords) if n == 0 or chord != chords[n - 1]]
        return [FLAT_NAMES[chord % 12] + ("m" if chord >= 12 else "") for chord in changed]
