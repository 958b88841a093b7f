"""A filter over the songbook: which progression the song repeats, where it is in it, and in which key.

A forward filter by half-beats over every bar of every progression, in every key, with its bars beginning on each beat
of the bar; beside the belief that it is none of these. Knows no sound. Everything is of a fixed size. Inference thread
only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .chord_filter import STATES
from .common_progressions import IN_MAJOR, IN_MINOR, progressions
from .song_memory import SLOTS_PER_BEAT
from .tonal_tables import (
    CHORDS,
    KEYS,
    FloatArray,
    above,
    moves_between_keys,
)

_TONICS = 12
_FARTHEST_SKIP = 8
# [CHORDS, tonics]: a chord that is counted from the tonic, as it is in each key
_SOUNDING = above(np.arange(_TONICS), np.arange(CHORDS)[:, None])


@dataclass(frozen=True, slots=True)
class ProgressionConfig:
    """How songs go round. Probabilities; those of a bar unless it says otherwise. Any thread."""

    again: float = 0.75
    """A progression that ends begins again; else another of the same key follows."""
    jump: float = 0.01
    """It is left before its end."""
    other_key: float = 0.01
    """What follows another one is in another key."""
    enter: float = 0.08
    """A song that was in none of them begins one; for each beat of a bar."""
    leave: float = 0.01
    """It leaves off; in a beat."""
    slip: float = 0.15
    """A half-beat is not what the progression has there."""
    blind: float = 0.3
    """Bars begin anywhere, whatever the beat's own bars say."""


class _Tables:
    """All bars of the songbook side by side [N], those in major first. Every conductor reads the same ones."""

    def __init__(self) -> None:
        self.bars: list[tuple[int, ...]] = []
        first: list[int] = []
        self.majors = 0
        for text in (IN_MAJOR, IN_MINOR):
            for progression in progressions(text):
                first += [len(self.bars)] * len(progression)
                self.bars += progression
            self.majors = self.majors or len(self.bars)
        count = len(self.bars)
        begins = np.array(first)
        self.starts = np.unique(begins)
        self.ends = np.append(self.starts[1:], count) - 1
        self.inner = np.setdiff1d(np.arange(count), self.ends)
        self.begins = np.zeros(count)
        """How likely each bar is the first, given the mode."""
        for part in (slice(0, self.majors), slice(self.majors, count)):
            starts = self.starts[(self.starts >= (part.start or 0)) & (self.starts < part.stop)]
            self.begins[starts] = 1.0 / len(starts)
        self._chords: dict[int, tuple[NDArray[np.int64], FloatArray]] = {}

    def chords(self, beats_per_bar: int) -> tuple[NDArray[np.int64], FloatArray]:
        """The chord of each bar at each half-beat [places, N], and the same as one of many [places, CHORDS, N]."""
        if beats_per_bar not in self._chords:
            table = np.zeros((beats_per_bar * SLOTS_PER_BEAT, len(self.bars)), np.int64)
            for number, bar in enumerate(self.bars):
                for k, chord in enumerate(bar):
                    at = (beats_per_bar + 1) // 2 if len(bar) == 2 and k else k * beats_per_bar // len(bar)
                    table[SLOTS_PER_BEAT * at :, number] = chord
            self._chords[beats_per_bar] = table, np.eye(CHORDS)[table].transpose(0, 2, 1).copy()
        return self._chords[beats_per_bar]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    return _Tables()


class ProgressionFilter:
    """P(progression, bar, beat on which bars begin, key | all heard so far), for the half-beat that is open.

    Inference thread only.
    """

    def __init__(self, config: ProgressionConfig | None = None, metres: tuple[int, ...] = ()) -> None:
        """`metres`: beats to the bar to be ready for; others cost some milliseconds when they first come."""
        self._config = config or ProgressionConfig()
        self._tables = _tables()
        for beats_per_bar in metres:
            self._tables.chords(beats_per_bar)
        self._between = moves_between_keys()
        self.reset()

    def reset(self) -> None:
        """None of them is known."""
        self._beats = 0
        self._belief = np.zeros((0, len(self._tables.bars), _TONICS))
        self._none = 1.0
        self._slot: int | None = None
        self._bar_beat, self._bar_sure = 0, 0.0
        self._keys: FloatArray = np.full(KEYS, 1.0 / KEYS)
        self._expected: dict[int, tuple[FloatArray, float]] = {}  # by half-beats ahead
        self._looked = 0, self._belief, self._none  # the farthest of them, from which the next goes on

    def judge(self, likelihood: FloatArray, otherwise: float) -> None:
        """The open half-beat has ended: weigh all by what was heard in it, `likelihood` [STATES]; `otherwise` is the
        likelihood of that where the song is in none of them."""
        if self._slot is None:
            return
        slip = self._config.slip
        heard = (1.0 - slip) * likelihood[_SOUNDING] + slip * otherwise  # [CHORDS, tonics]
        for beat in range(self._beats):
            self._belief[beat] *= heard[self._chords_at(self._slot, beat)[0]]
        self._none *= otherwise
        total = float(self._belief.sum()) + self._none
        self._belief /= total
        self._none /= total
        self._forget_ahead()

    def move(self, slot: int, bar_slot: int, slots_per_bar: int, bar_sure: float, keys: FloatArray) -> None:
        """Go on to another half-beat. Bars begin at `bar_slot`, as `bar_sure` in [0, 1] has it; `keys` [KEYS] is what
        is believed of the key, for where a progression begins."""
        if slots_per_bar != self._beats * SLOTS_PER_BEAT:
            self._beats = slots_per_bar // SLOTS_PER_BEAT
            self._belief = np.zeros((self._beats, len(self._tables.bars), _TONICS))
            self._none = 1.0
        if self._slot is None or not 0 < slot - self._slot <= _FARTHEST_SKIP:
            self._belief *= 0.5
            self._none = 1.0 - float(self._belief.sum())
            self._slot = slot - 1
        self._bar_beat, self._bar_sure = bar_slot // SLOTS_PER_BEAT % self._beats, bar_sure
        self._keys = 0.5 * keys + 0.5 / KEYS
        for number in range(self._slot + 1, slot + 1):
            if number % SLOTS_PER_BEAT == 0:
                self._none = self._next(self._belief, self._none, number)
        self._slot = slot
        self._forget_ahead()

    def expect(self, slots_ahead: int = 0) -> tuple[FloatArray, float]:
        """P(key, chord) [KEYS, STATES] of a half-beat to come, if the song is in any of them, and what share of the
        belief that deserves: where many chords may follow, whoever guesses leaves one that still sounds."""
        if self._slot is None:
            return np.full((KEYS, STATES), 1.0 / (KEYS * STATES)), 0.0
        if slots_ahead not in self._expected:
            again = slots_ahead < self._looked[0]
            looked, belief, none = (0, self._belief, self._none) if again else self._looked
            for number in range(self._slot + looked + 1, self._slot + slots_ahead + 1):
                if number % SLOTS_PER_BEAT == 0:
                    belief = belief.copy() if belief is self._belief else belief
                    none = self._next(belief, none, number)
            self._looked = slots_ahead, belief, none
            joint = self._chords_of(belief, self._slot + slots_ahead)
            sure = float(joint.sum())
            joint /= max(sure, 1e-12)
            share = sure * (1.0 - self._config.slip) * float(joint.sum(axis=0).max())
            self._expected[slots_ahead] = joint, share
        return self._expected[slots_ahead]

    def _forget_ahead(self) -> None:
        self._expected.clear()
        self._looked = 0, self._belief, self._none

    def _chords_at(self, slot: int, beat: int) -> tuple[NDArray[np.int64], FloatArray]:
        table, one_of_many = self._tables.chords(self._beats)
        place = (slot - beat * SLOTS_PER_BEAT) % (self._beats * SLOTS_PER_BEAT)
        return table[place], one_of_many[place]

    def _chords_of(self, belief: FloatArray, slot: int) -> FloatArray:
        joint = np.zeros((KEYS, STATES))
        majors = self._tables.majors
        sounding = np.zeros((2, CHORDS, _TONICS))
        for beat in range(self._beats):
            chords = self._chords_at(slot, beat)[1]
            sounding[0] += chords[:, :majors] @ belief[beat, :majors]
            sounding[1] += chords[:, majors:] @ belief[beat, majors:]
        tonics = np.broadcast_to(np.arange(_TONICS), _SOUNDING.shape)
        for minor in (0, 1):
            joint[tonics + _TONICS * minor, _SOUNDING] = sounding[minor]
        return joint

    def _next(self, belief: FloatArray, none: float, slot: int) -> float:
        """A beat later, `belief` in place: bars that begin here move on. The belief in none of them, after it."""
        config, tables = self._config, self._tables
        belief *= 1.0 - config.leave
        none += config.leave * (1.0 - none)
        beat = slot // SLOTS_PER_BEAT % self._beats
        old = belief[beat].copy()
        new = belief[beat]
        majors = tables.majors
        new[1:] = (1.0 - config.jump) * old[:-1]
        new[tables.starts] = config.again * old[tables.ends]
        others = np.stack([
            (1.0 - config.again) * old[ends].sum(axis=0) + config.jump * old[inner].sum(axis=0)
            for ends, inner in (
                (tables.ends[tables.ends < majors], tables.inner[tables.inner < majors]),
                (tables.ends[tables.ends >= majors], tables.inner[tables.inner >= majors]),
            )
        ]).ravel()  # fmt: skip
        others = (1.0 - config.other_key) * others + config.other_key * (others @ self._between)
        sure = config.blind + (1.0 - config.blind) * self._bar_sure
        here = sure if beat == self._bar_beat else (1.0 - sure) / max(1, self._beats - 1)
        enter = none * min(1.0, config.enter * self._beats * here)
        others = others + enter * self._keys
        new[:majors] += tables.begins[:majors, None] * others[:_TONICS]
        new[majors:] += tables.begins[majors:, None] * others[_TONICS:]
        return none - enter
