"""Asks the metre network about a line, a step in each frame, so that no frame costs much. Inference thread only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .....dsp.metre_slots import MASK, SLOTS_PER_BEAT, HeardSpan, slot_features
from .metre_network import FloatArray, MetreNetwork, Verdict

_UNHEARD = slice(0, 2)  # beat and downbeat


class Answer(NamedTuple):
    """What is said of a line. Any thread."""

    places: NDArray[np.float64]
    """[4] log probabilities that the beats are so many quarters of a beat after the line's; if its level is right."""
    level: float
    """Log probability that its level is right."""


class LineReader:
    """One question at a time. The network is asked twice: with what the listener calls beats, which others' music
    often contradicts, and without; the answer is the weighed mean. Inference thread only."""

    def __init__(self, network: MetreNetwork, unheard_share: float) -> None:
        self._network = network
        self._weights = (1.0 - unheard_share, unheard_share)
        self.cancel()

    def cancel(self) -> None:
        """Forget the question."""
        self._asked: list[tuple[float, FloatArray]] = []
        self._verdicts: list[tuple[float, Verdict]] = []
        self._step = 0
        self._z: FloatArray | None = None

    @property
    def busy(self) -> bool:
        return bool(self._asked)

    def ask(self, heard: HeardSpan, at_s: NDArray[np.float64], period_s: float, after_beat: int) -> None:
        """A line's quarters of beats, counted from the span's beginning; the last is so many after one of its beats."""
        self.cancel()
        slots, self._overall = slot_features(heard, at_s, period_s)
        self._mask = np.ascontiguousarray(slots[:, MASK : MASK + 1])
        self._kind = (SLOTS_PER_BEAT - 1 - after_beat) % SLOTS_PER_BEAT
        deaf = slots.copy()
        deaf[:, _UNHEARD] = 0.0
        self._asked = [(w, x) for w, x in zip(self._weights, (slots, deaf), strict=True) if w > 0.0]

    def advance(self) -> Answer | None:
        """One step; the answer, once it is there."""
        if not self._asked:
            return None
        weight, slots = self._asked[0]
        if self._z is None:
            self._z, self._step = self._network.begin(slots, self._overall), 0
            return None
        said = self._network.advance(self._step, self._z, self._mask)
        self._step += 1
        if not isinstance(said, Verdict):
            self._z = said
            return None
        self._verdicts.append((weight, said))
        self._asked.pop(0)
        self._z = None
        return None if self._asked else self._answer()

    def _answer(self) -> Answer:
        places = sum((w * v.places.astype(np.float64) for w, v in self._verdicts), np.zeros(SLOTS_PER_BEAT))
        places = np.roll(places, -self._kind)
        level = sum(w * float(v.levels[0]) for w, v in self._verdicts)
        self._verdicts = []
        return Answer(places - np.logaddexp.reduce(places), level)
