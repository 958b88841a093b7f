"""The line of time while a song ends with the musician: it slows down as the lead's attacks do.

A beat tracker holds a tempo, and to it a ritard is beats that are late. Here the attacks themselves are followed, by a
few readings at once, each a Kalman filter of where in the beat the lead is, how long a beat is, and by how much beats
grow: what grows goes on growing, so that the last hit is foretold. A reading says of each attack on which place of the
beat it was. Knows no tracker and no bars. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..player import Heard
from .anchor import Anchor

ONSET = 0.4
"""So likely an onset is an attack."""
APART_S = 0.09
PLACES = {0: 0.0, 3: 1.2, 4: 1.2, 6: 0.3, 8: 0.8, 9: 1.2}
"""Where attacks fall, in twelfths of a beat, and how much less likely than on the beat (nats)."""
STRAY_NATS = 3.5
"""An attack that is none of these."""
ON_S, OFF_BEATS = 0.015, 0.05
"""By how much attacks on the beat are uneven, and those between beats, which may swing."""
REACH_BEATS = 0.34
BEGINS = (0.03, 0.02, 0.06)
"""What is not known at the beginning: place (beats), length of a beat (log), growth with each beat (log)."""
MOVES = (0.0, 0.015, 0.05)
"""What may change with each beat."""
CURVE = 2.0
"""Growth grows by so much of its square with each beat, as where a body comes to rest under a constant force: the tempo
falls with the root of the way that is left."""
GROWS_BEATS = 3.0
KEPT = 8
LEAST_GROWTH, MOST_GROWTH, LONGEST = -0.02, 0.25, 2.5
"""Growth of a beat from one to the next (log), and how long beats may get beside those of the beginning."""

Matrix = NDArray[np.float64]


class _Reading(NamedTuple):
    """One account of what was heard."""

    at_s: float
    state: Matrix
    """[3]: beat, log of its length in seconds, growth."""
    spread: Matrix
    """[3, 3]: its covariance."""
    nats: float
    """How surprising it is."""

    def later(self, seconds: float) -> _Reading:
        beats = _beats(self.state, seconds)
        move = np.array([[1.0, -beats, -0.5 * beats * beats], [0.0, 1.0, beats], [0.0, 0.0, 1.0]])
        faster = CURVE * max(float(self.state[2]), 0.0) ** 2 * beats
        growth = min(float(self.state[2]) + faster, MOST_GROWTH)
        state = np.array([self.state[0] + beats, self.state[1] + (self.state[2] + 0.5 * faster) * beats, growth])
        spread = move @ self.spread @ move.T + beats * np.diag(np.square(MOVES))
        return _Reading(self.at_s + seconds, state, spread, self.nats)

    def met(self, place: float, error: float, nats: float) -> _Reading:
        """With an attack at that beat, uneven by `error` beats."""
        off, total = place - self.state[0], self.spread[0, 0] + error * error
        gain = self.spread[:, 0] / total
        state = self.state + gain * off
        state[2] = min(max(state[2], LEAST_GROWTH), MOST_GROWTH)
        spread = self.spread - np.outer(gain, self.spread[0])
        return _Reading(self.at_s, state, spread, self.nats + nats + 0.5 * (off * off / total + math.log(total)))


def _beats(state: Matrix, seconds: float) -> float:
    """Beats that pass in a time, as they grow; after GROWS_BEATS without an attack they are as long as they were."""
    plain, growth = seconds / math.exp(state[1]), max(float(state[2]), 0.0)

    def grown(beats: float) -> float:
        return beats / (1.0 + 0.5 * growth * beats + CURVE / 6.0 * (growth * beats) ** 2)

    if plain <= GROWS_BEATS:
        return grown(plain)
    return grown(GROWS_BEATS) + (plain - GROWS_BEATS) * 10.0 * (grown(GROWS_BEATS) - grown(GROWS_BEATS - 0.1))


class Slowing:
    """Of one ending. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.reset()

    def reset(self) -> None:
        """Nobody ends."""
        self._begun: Anchor | None = None
        self._readings: list[_Reading] = []
        self._onsets = np.zeros(0)
        self._longest_s = 0.0

    @property
    def on(self) -> bool:
        """Whether the line is the ending's."""
        return self._begun is not None

    def begin(self, line: Anchor) -> None:
        """From that line on the lead is followed attack by attack."""
        if self._begun is None:
            beat_s = 60.0 / line.tempo_bpm
            self._begun, self._longest_s = line, LONGEST * beat_s
            state = np.array([line.beat, math.log(beat_s), 0.0])
            spread = np.diag(np.square(BEGINS))
            self._readings = [_Reading(line.position_samples / self._rate_hz, state, spread, 0.0)]

    def hear(self, heard: Heard, end_samples: float, frame_samples: float) -> None:
        """A frame that ends there: its attacks."""
        onsets = np.asarray(heard.onset, np.float64)
        before, self._onsets = self._onsets, onsets
        if self._begun is None or len(before) < 2 or len(onsets) != len(before):
            return
        sub = frame_samples / len(onsets)
        row = np.concatenate([before[-2:], onsets])  # the last sub-frame of a frame is judged with the next one
        for k in range(1, len(row) - 1):
            if row[k] >= ONSET and row[k] >= row[k - 1] and row[k] > row[k + 1]:
                self._attack((end_samples - frame_samples + (k - 1.5) * sub) / self._rate_hz)

    def _attack(self, at_s: float) -> None:
        if at_s - self._readings[0].at_s < APART_S:
            return
        made: list[_Reading] = []
        for reading in self._readings:
            now = reading.later(at_s - reading.at_s)
            made.append(now._replace(nats=now.nats + STRAY_NATS))
            beat_s = math.exp(now.state[1])
            first = math.ceil(12.0 * (now.state[0] - REACH_BEATS))
            for twelfths in range(first, math.floor(12.0 * (now.state[0] + REACH_BEATS)) + 1):
                nats = PLACES.get(twelfths % 12)
                if nats is not None:
                    error = ON_S / beat_s if twelfths % 12 == 0 else math.hypot(ON_S / beat_s, OFF_BEATS)
                    made.append(now.met(twelfths / 12.0, error, nats))
        made.sort(key=lambda reading: reading.nats)
        kept: list[_Reading] = []
        for reading in made:
            alike = any(float(np.abs(reading.state - other.state).max()) < 0.02 for other in kept)
            if not alike and len(kept) < KEPT:
                kept.append(reading._replace(nats=reading.nats - made[0].nats))
        self._readings = kept

    def _beat_at(self, since_s: float) -> float:
        """The beat so long after the last attack: time never stands still."""
        state = self._readings[0].state
        return float(state[0]) + max(_beats(state, since_s), since_s / self._longest_s)

    def line(self, position_samples: float, ahead_samples: float) -> Anchor | None:
        """The line at that position, straight up to so far behind it; None where nobody ends."""
        begun = self._begun
        if begun is None:
            return None
        reading = self._readings[0]
        since_s, ahead_s = position_samples / self._rate_hz - reading.at_s, ahead_samples / self._rate_hz
        beat = self._beat_at(max(since_s, 0.0))
        beat_s = ahead_s / max(self._beat_at(max(since_s, 0.0) + ahead_s) - beat, 1e-6)
        place = begun.beat_in_bar
        if place >= 0 and begun.beats_per_bar:
            place = (place + math.floor(beat) - math.floor(begun.beat)) % begun.beats_per_bar
        return replace(begun, position_samples=position_samples, beat=beat, tempo_bpm=60.0 / beat_s, beat_in_bar=place)
