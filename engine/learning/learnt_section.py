"""A section as it is known by now: what every pass through it said, what comes of that, and what was corrected by hand.

Knows no time and no sound. Chords are root + 12 * (minor third or not). Inference thread only; offline one thread at
a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..charts.chord_symbol import FLAT_NAMES, NO_CHORD, SHARP_NAMES, ChordSymbol, parse_chord
from ..harmony.tonal_tables import CHORDS, FloatArray, beginnings_of_keys, chords_of_keys
from .chord_decoding import ChordDecoding, Decoded
from .form_votes import with_votes_of_form
from .heard_beats import HeardBeat

_SEVENTH, _MAJOR_SEVENTH, _FOURTH = 0.6, 0.62, 0.5
"""A chord has that tone where it sounds so surely on average."""
_NO_THIRD = 0.3
_SILENT = 0.08
"""A bar in which so little was heard has no chord."""
_FLAT_KEYS = (0, 1, 3, 5, 8, 10)
_IN_KEYS = np.log(chords_of_keys())
_BEGINS = 4.0 * np.log(beginnings_of_keys())
_AT_ONCE = 8
"""Beats that are decided on between two frames of the band."""


class LearntSection:
    """Passes in, chords out. Inference thread only."""

    def __init__(self, name: str, metre: int, beats: int) -> None:
        """`beats`: of the whole section, whole bars of `metre`."""
        self.name, self.metre, self.length = name, metre, beats
        self.passes = 0
        self.level_db = -120.0
        """Of what was played, the mean over its beats, dBFS."""
        self.pins: dict[int, ChordSymbol] = {}
        """Beats that were corrected by hand."""
        self._pinned: list[dict[int, ChordSymbol]] = []
        self._said = np.zeros((beats, CHORDS))
        self._classes = np.zeros((beats, 12))
        self._trust = np.zeros(beats)
        self._heard = np.zeros(beats)
        self._levels: list[float] = []
        self._found = Decoded(np.zeros(beats, np.int64), 0)

    @property
    def bars(self) -> int:
        return self.length // self.metre

    @property
    def chords(self) -> NDArray[np.int64]:
        """Of each beat, before anything was corrected."""
        return self._found.chords

    @property
    def key(self) -> int:
        """Tonic + 12 * minor."""
        return self._found.key

    @property
    def said(self) -> FloatArray:
        """[beats, CHORDS]: what all passes say together."""
        return self._said

    def add(self, beats: Sequence[HeardBeat]) -> None:
        """A pass, from its first beat on: as many of them as were heard."""
        for place, beat in enumerate(beats[: self.length]):
            self._said[place] += beat.chords
            self._classes[place] += beat.trust * beat.classes
            self._trust[place] += beat.trust
            self._heard[place] += 1.0
        self._levels += [beat.level_db for beat in beats if beat.trust > 0.5]
        self.level_db = float(np.mean(self._levels)) if self._levels else -120.0
        self.passes += 1

    def settle(self, found: Decoded) -> None:
        """Take these chords, until it is decided anew."""
        self._found = found

    def decide(self) -> None:
        """Find the chords anew, at once."""
        for _ in self.deciding():
            pass

    def deciding(self) -> Iterator[None]:
        """Find the chords anew, a few beats at a time: exhaust it."""
        said = self._said.copy()
        found = Decoded(np.zeros(0, np.int64), 0)
        for voted in (False, True):
            decoding = ChordDecoding(self.metre)
            for place, row in enumerate(said):
                decoding.extend(row)
                if place % _AT_ONCE == _AT_ONCE - 1:
                    yield
            found = decoding.decode()
            again = said if voted else with_votes_of_form(said, found.chords, self.metre)
            if again is said:
                break
            said = again
        self._found = found

    def agreement(self, chords: NDArray[np.int64]) -> float:
        """Share of beats that have the same chord, in [0, 1]; of another length: 0."""
        return float(np.mean(self.chords == chords)) if len(chords) == self.length else 0.0

    def symbols(self, flats: bool) -> list[ChordSymbol]:
        """The chord of each beat, with what was corrected by hand."""
        names = FLAT_NAMES if flats else SHARP_NAMES
        kinds = {chord: self._kind(chord) for chord in set(self.chords.tolist())}
        made = [parse_chord(names[chord % 12] + kinds[chord]) for chord in self.chords.tolist()]
        for bar in range(self.bars):
            beats = slice(bar * self.metre, (bar + 1) * self.metre)
            heard = self._trust[beats].sum() / max(1.0, self._heard[beats].sum())
            if heard < _SILENT and self._heard[beats].all():
                made[beats] = [NO_CHORD] * self.metre
        for beat, symbol in self.pins.items():
            made[beat] = symbol
        return made

    def pin(self, beat: int, symbol: ChordSymbol, flats: bool) -> None:
        """This chord is that one, as long as it lasts within the bar. Raises IndexError for a beat beyond the end."""
        before = self.symbols(flats)
        self._pinned.append(dict(self.pins))
        last = (beat // self.metre + 1) * self.metre
        there = before[beat]
        for place in range(beat, last):
            if before[place] != there:
                break
            self.pins[place] = symbol

    def unpin(self) -> bool:
        """Take the last correction back; False where there is none."""
        if not self._pinned:
            return False
        self.pins = self._pinned.pop()
        return True

    def _kind(self, chord: int) -> str:
        """What stands behind the root: the third, and a seventh where one is clear."""
        beats = (self.chords == chord) & (self._trust > 0)
        root, minor = chord % 12, chord >= 12
        if not beats.any():
            return "m" if minor else ""
        sure = self._classes[beats].sum(axis=0) / self._trust[beats].sum()
        third = sure[(root + (3 if minor else 4)) % 12]
        if sure[(root + 5) % 12] > _FOURTH and third < _NO_THIRD:
            return "7sus4" if sure[(root + 10) % 12] > _SEVENTH else "sus4"
        if sure[(root + 10) % 12] > _SEVENTH:
            return "m7" if minor else "7"
        if not minor and sure[(root + 11) % 12] > _MAJOR_SEVENTH:
            return "maj7"
        return "m" if minor else ""


def key_of(sections: Sequence[LearntSection]) -> int:
    """Tonic + 12 * minor of a song: the key whose chords all sections together have, and best begins with the first."""
    said = _BEGINS[:, sections[0].chords[0]].copy()
    for section in sections:
        said += _IN_KEYS[:, section.chords].sum(axis=1)
    return int(said.argmax())


def key_name(key: int) -> str:
    """ "Am" of A minor."""
    return (FLAT_NAMES if has_flats(key) else SHARP_NAMES)[key % 12] + ("m" if key >= 12 else "")


def has_flats(key: int) -> bool:
    """Whether a key is written with flats; C major and A minor are, too."""
    return ((key + 3) % 12 if key >= 12 else key) in _FLAT_KEYS
