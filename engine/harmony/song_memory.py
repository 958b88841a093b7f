"""What a song's own past says of the half-beat to come: every repeat, at every distance in bars, weighed by how well
it has foretold so far; and where in the bar this song changes chords.

Knows no keys and no sound. Holds a fixed ring of half-beats. Inference thread only.
"""

from __future__ import annotations

import numpy as np

from .chord_filter import STATES
from .tonal_tables import NONE, FloatArray

SLOTS_PER_BEAT = 2
_RING = 1024
"""Half-beats remembered: 128 bars of four beats."""
_BARS = 64
"""The longest distance of a repeat."""
_PASSES = {1: 0.03, 2: 0.10, 4: 0.30, 8: 0.25, 12: 0.06, 16: 0.12, 24: 0.02, 32: 0.03}
"""How songs go round; the rest is spread over all other distances: a section that comes back."""
_UNSURE = 0.03
"""Share of any repeat's half-beats that are not what they were."""


class SongMemory:
    """Chords by half-beat, and the belief over how far back the song repeats itself. Inference thread only."""

    def __init__(self, repeat_prior: float, repeat_forget: float) -> None:
        """`repeat_prior`: how likely a half-beat is a repeat of anything; `repeat_forget`: share of the belief that
        is drawn anew at each half-beat."""
        weights = np.full(_BARS + 1, 0.0)
        weights[1:] = (1.0 - sum(_PASSES.values())) / _BARS
        for bars, weight in _PASSES.items():
            weights[bars] += weight
        weights *= repeat_prior / weights.sum()
        weights[0] = 1.0 - repeat_prior  # nothing repeats
        self._prior = weights
        self._forget = repeat_forget
        self._bars = np.arange(1, _BARS + 1)
        self.reset()

    def reset(self) -> None:
        """Forget the song."""
        self._chords = np.zeros((_RING, STATES))
        self._slots = np.full(_RING, -(10**9), np.int64)
        self.weights: FloatArray = self._prior.copy()
        """[1 + bars]: belief that the song repeats what was so many bars ago; 0: that it does not."""

    def keep(self, slot: int, chord: FloatArray) -> None:
        """Remember P(chord) [STATES] of a half-beat."""
        place = slot % _RING
        self._slots[place], self._chords[place] = slot, chord

    def move_back(self, slot: int, slots: int, share: float) -> None:
        """The chord of a half-beat began that many half-beats earlier, before it was heard: remember it there too.

        `share` in [0, 1] is how likely that is.
        """
        chord = self._chords[slot % _RING]
        for before in range(slot - slots, slot):
            place = before % _RING
            if self._slots[place] == before:
                self._chords[place] += share * (chord - self._chords[place])

    def recall(self, slot: int, slots_per_bar: int) -> tuple[FloatArray, FloatArray]:
        """What each repeat has at a half-beat: P(chord) [bars, STATES], and whether it is known [bars]."""
        past = slot - self._bars * slots_per_bar
        place = past % _RING
        known = (self._slots[place] == past) & (slot - past < _RING)
        found = self._chords[place]
        known &= found[:, NONE] < 0.5
        return found, known

    def judge(self, likelihood: FloatArray, general: FloatArray, found: FloatArray, known: FloatArray) -> None:
        """A half-beat has ended: believe more in the repeats that had foretold what was heard, `likelihood` [STATES].

        `general` [STATES] is what would have been expected without any repeat.
        """
        usual = float(general @ likelihood)
        told = (1.0 - _UNSURE) * (found @ likelihood) + _UNSURE * usual
        self.weights[1:] *= np.where(known, told, usual)
        self.weights[0] *= usual
        self.weights /= self.weights.sum()
        self.weights *= 1.0 - self._forget
        self.weights += self._forget * self._prior

    def song(self, found: FloatArray, known: FloatArray) -> tuple[FloatArray, float]:
        """All repeats together: P(chord) [STATES] and how likely it is that one holds, in [0, 1]."""
        weights = np.where(known, self.weights[1:], 0.0)
        share = float(weights.sum())
        if share < 1e-9:
            return np.full(STATES, 1.0 / STATES), 0.0
        return weights @ found / share, share * (1.0 - _UNSURE)

    def loop_bars(self) -> tuple[int, float]:
        """The distance that is believed in most, and the belief in any repeat; 0 bars while none is likely."""
        sure = 1.0 - float(self.weights[0])
        return (int(self.weights[1:].argmax()) + 1, sure) if sure > 0.5 else (0, 0.0)


class ChangePositions:
    """How likely the chord changes at each half-beat of the bar: what music does, then more and more what this song
    does. Inference thread only.
    """

    _MOST = 48
    """Half-beats in the longest bar that is told apart."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._changes = np.zeros(self._MOST)
        self._visits = np.zeros(self._MOST)

    def change(self, place: int, slots_per_bar: int, bar_sure: float) -> float:
        """Probability of a change as half-beat `place` of the bar begins; `bar_sure` in [0, 1]: that it is the bar."""
        usual = _usual(place, slots_per_bar)
        blind = 0.16 if place % SLOTS_PER_BEAT == 0 else 0.02
        prior = bar_sure * usual + (1.0 - bar_sure) * blind
        place %= self._MOST
        return float((self._changes[place] + 6.0 * prior) / (self._visits[place] + 6.0))

    def learn(self, place: int, changed: float) -> None:
        """The chord changed there with that probability."""
        place %= self._MOST
        keep = 1.0 - 1.0 / 24.0
        self._changes[place] = keep * self._changes[place] + changed
        self._visits[place] = keep * self._visits[place] + 1.0


def late_by(place: int, slots_per_bar: int) -> int:
    """How many half-beats late a change that is heard there likely is: who strums off the beat, or on the second and
    fourth, is first heard after the chord has changed."""
    if place in (1, 2):
        return place
    return 1 if place == slots_per_bar // 2 + 1 and slots_per_bar % 4 == 0 else 0


def _usual(place: int, slots_per_bar: int) -> float:
    if place == 0:
        return 0.55
    if place % SLOTS_PER_BEAT:
        return 0.01
    return 0.15 if 2 * place == slots_per_bar else 0.04
