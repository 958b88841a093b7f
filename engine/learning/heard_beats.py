"""What each beat that was heard says of its chord: frames gathered by half-beats, and read as the conductor reads them.

The harmonist here is one of its own, which reads every half-beat once, in order, by the count of the learner and not by
what was believed when it was heard. Inference thread only; offline one thread at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...dsp.half_beat import HalfBeat
from ..harmony.chord_settings import ChordSettings
from ..harmony.melody_reader import MelodyReader
from ..harmony.tonal_tables import CHORDS, FloatArray
from ..player import Harmonist
from .beat_grid import BeatGrid
from .frame_memory import FrameMemory

SLOTS_PER_BEAT = 2
_READ_WEIGHT = 0.6
"""Neighbours say much the same: what a reading counts for."""
_FRAMES_WEIGHT = 0.8
"""The same of a half-beat's frames, where nobody reads them."""
_LEAST = 1e-4
_MOST_BEATS = 1_024
"""Kept; a section is shorter."""


class Counted(Protocol):
    """Who counts the beats. Inference thread only."""

    @property
    def grid(self) -> BeatGrid: ...


@dataclass(frozen=True, slots=True)
class HeardBeat:
    """One beat. Any thread."""

    chords: FloatArray
    """[CHORDS] log likelihoods."""
    classes: FloatArray
    """[12] how sure each pitch class sounds, in [0, 1]."""
    trust: float
    """How far it was heard, in [0, 1]."""
    level_db: float


class HeardBeats:
    """Beats from a given one on, read as soon as they are over. Inference thread only."""

    def __init__(self, settings: ChordSettings, rate_hz: float, harmonist: Harmonist | None, count: Counted) -> None:
        """`harmonist`: one that nobody else asks; None: the frames alone say what they say."""
        self._rate_hz, self._lag = rate_hz, settings.chord_lag_s * rate_hz
        self._harmonist, self._melody = harmonist, MelodyReader(settings)
        self.frames = FrameMemory()
        self._count = count
        self._beats: dict[int, HeardBeat] = {}
        self._half: tuple[FloatArray, FloatArray, float, float] | None = None
        self._next_slot = 0
        self.bar_line, self.metre = 0, 4
        """A beat on which a bar begins, and how many beats it has."""

    def set_style(self, style: str) -> None:
        """What is played."""
        if self._harmonist is not None:
            self._harmonist.set_style(style)

    def begin(self, beat: int) -> None:
        """Read from that beat on; what was read before is forgotten."""
        self._beats.clear()
        self._half = None
        self._next_slot = SLOTS_PER_BEAT * beat
        self._melody.reset()
        if self._harmonist is not None:
            self._harmonist.reset()

    @property
    def read_until(self) -> int:
        """Number of the first beat that was not read yet."""
        return self._next_slot // SLOTS_PER_BEAT

    def beat(self, number: int) -> HeardBeat | None:
        """What was heard in it; None before it is over, and long after."""
        return self._beats.get(number)

    def beats(self, first: int, count: int) -> list[HeardBeat]:
        """Those of so many beats in a row that are there, from the first on."""
        found = []
        for number in range(first, first + count):
            beat = self._beats.get(number)
            if beat is None:
                break
            found.append(beat)
        return found

    def read(self, heard_until: float, most_slots: int) -> None:
        """Read what is over by that position, at most so many half-beats."""
        grid = self._count.grid
        if not grid.known:
            return
        for _ in range(most_slots):
            slot = self._next_slot
            end = grid.position_of((slot + 1) / SLOTS_PER_BEAT) + self._lag
            if end > heard_until:
                return
            begin = grid.position_of(slot / SLOTS_PER_BEAT) + self._lag
            self._read_slot(slot, begin, end)
            self._next_slot += 1

    def _read_slot(self, slot: int, begin: float, end: float) -> None:
        heard = self.frames.between(begin, end)
        slots_per_bar = SLOTS_PER_BEAT * self.metre
        place = (slot - SLOTS_PER_BEAT * self.bar_line) % slots_per_bar
        said = np.zeros(CHORDS)
        if self._harmonist is None:
            said = _FRAMES_WEIGHT * heard.evidence
        else:
            length_s = (end - begin) / self._rate_hz
            half = HalfBeat(heard.roots, heard.classes, heard.played, heard.trust, length_s, place, slots_per_bar, 1.0)
            reading = self._harmonist.read(half)
            self._melody.close(heard.played, heard.trust)
            if heard.trust > 0:
                chord = self._melody.blend(reading).chord.astype(np.float64)
                said = _READ_WEIGHT * np.log(np.maximum(chord, _LEAST))
        classes = heard.trust / (1.0 + np.exp(-heard.classes))
        if slot % SLOTS_PER_BEAT == 0:
            self._half = said, classes, heard.trust, heard.level_db
            return
        before = self._half or (np.zeros(CHORDS), np.zeros(12), 0.0, heard.level_db)
        number = slot // SLOTS_PER_BEAT
        self._beats[number] = HeardBeat(
            before[0] + said, 0.5 * (before[1] + classes), 0.5 * (before[2] + heard.trust),
            max(before[3], heard.level_db),
        )  # fmt: skip
        self._beats.pop(number - _MOST_BEATS, None)
