"""Hears which section is played, of those that are known: the one that goes round, or another that has come back.

A section that comes back begins where a round ends. Knows neither charts nor positions. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .chord_decoding import ChordDecoding
from .heard_beats import HeardBeat, HeardBeats
from .learnt_section import LearntSection

_SURE_NATS = 12.0
"""By how much another section must be likelier than the one that goes round."""
_AWAITED_NATS = 5.0
"""The same for the one that is next in the form."""
_FITS_NATS = 2.5
"""Less than the likeliest chord of each beat, on average, for a section to be one that is played at all."""


class Passed(NamedTuple):
    """A whole pass. Any thread."""

    beats: list[HeardBeat]
    agreement: float
    """Share of its beats that, heard alone, have the chords of the section."""


class SectionFollower:
    """Rounds of one section, until another is heard. Inference thread only."""

    def __init__(self, sections: Sequence[LearntSection], place: int, first: int) -> None:
        """The section at that place goes round, from beat `first` on."""
        self._sections, self.place, self.first = sections, place, first
        self._begin()

    def _begin(self) -> None:
        self._next = self.first
        self._scores = np.zeros(len(self._sections))
        self._best = 0.0
        self._decoding = ChordDecoding(self._sections[self.place].metre)

    def hear(self, heard: HeardBeats, awaited: int = -1) -> int | None:
        """Take in what was read since; the place of the section that is played instead, if that is another now.

        `awaited`: the one that follows in the form, which is believed sooner.
        """
        end = self.first + self._sections[self.place].length
        while self._next < min(heard.read_until, end):
            beat = heard.beat(self._next)
            if beat is not None:
                self._score(beat, self._next - self.first)
                self._decoding.extend(beat.chords)
            self._next += 1
        best = int(self._scores.argmax())
        fits = self._best - self._scores[best] < _FITS_NATS * max(1, self._next - self.first)
        sure = _AWAITED_NATS if best == awaited else _SURE_NATS
        if best != self.place and fits and self._scores[best] > self._scores[self.place] + sure:
            self.place = best
            return best
        return None

    def _score(self, beat: HeardBeat, offset: int) -> None:
        self._best += float(beat.chords.max())
        for place, section in enumerate(self._sections):
            if offset < section.length:
                self._scores[place] += beat.chords[section.chords[offset]]
            else:  # a shorter one would begin anew: it is not what is played, or it is no other than this
                self._scores[place] += beat.chords.min()

    def passed(self, heard: HeardBeats) -> Passed | None:
        """The pass that has ended, once; the next begins."""
        section = self._sections[self.place]
        if self._next < self.first + section.length:
            return None
        beats = heard.beats(self.first, section.length)
        whole = self._decoding.beats == section.length
        agreement = section.agreement(self._decoding.decode().chords) if whole else 0.0
        self.first += section.length
        self._begin()
        return Passed(beats, agreement)
