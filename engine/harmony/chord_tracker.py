"""Chord tracking in musical time: the current chord, the next chord, and the key.

Knows beats, not seconds of a clock, and neither models nor bands. Everything is of a fixed size. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dsp.half_beat import HalfBeat
from ...dsp.log_probability import pitch_class_log_odds, root_log_probabilities
from ..charts.chord_symbol import ChordSymbol
from ..player import Harmonist, Reading
from ..position import Point
from ..status import chord_name
from . import chord_evidence
from .chord_evidence import HalfBeatHeard
from .chord_filter import STATES, ChordFilter
from .chord_settings import ChordSettings
from .melody_reader import MelodyReader
from .progression_filter import ProgressionFilter
from .song_memory import (
    SLOTS_PER_BEAT,
    ChangePositions,
    SongMemory,
    late_by,
)
from .tonal_tables import CHORDS, NONE, FloatArray

_FRAME_S = 0.04
_LEAST_READ = 1e-4
"""The harmonist is never surer of anything than this lets it be."""
_MOST_SKIPPED = 8
_FARTHEST = 16
"""Half-beats that are looked ahead, one by one; beyond it the answer is that for the last."""
_TONES = ((0, 4, 7), (0, 3, 7))


@dataclass(frozen=True, slots=True)
class Chord:
    """The chord of a half-beat, as it is believed. Any thread."""

    root: int = -1
    """0 is C; -1 where none is known."""
    pitch_classes: tuple[float, ...] = (0.0,) * 12
    confidence: float = 0.0
    """Probability, as the tracker sees it, that root and third are these."""
    bass: int = -1
    """Where it is not the root; what is heard says none."""


def as_written(symbol: ChordSymbol) -> Chord:
    """One that somebody has written, or holds down."""
    return Chord(symbol.root, symbol.pitch_classes, 1.0, symbol.bass)


class ChordTracker:
    """Believes in chords by half-beat, remembers the song, and foretells from key, habit and the song's own past.

    Inference thread only.
    """

    def __init__(self, config: ChordSettings, metres: tuple[int, ...], harmonist: Harmonist | None = None) -> None:
        self._config = config
        self._harmonist = harmonist
        self._filter = ChordFilter(config.key_change)
        self._memory = SongMemory(config.repeat_prior, config.repeat_forget)
        self._positions = ChangePositions()
        self._progressions = ProgressionFilter(metres=metres)
        self._half_beat = HalfBeatHeard()
        self._melody = MelodyReader(config)
        self.set_style(None)
        self.reset()

    def reset(self) -> None:
        """Forget the song."""
        self._filter.reset()
        self._memory.reset()
        self._positions.reset()
        self._progressions.reset()
        self._half_beat.clear()
        self._melody.reset()
        if self._harmonist is not None:
            self._harmonist.reset()
        self._reading: Reading | None = None
        self._after: FloatArray | None = None  # its opinion of the half-beat after next
        self._foretold: dict[int, tuple[float, tuple[FloatArray, float], FloatArray, float]] = {}
        self._log = np.zeros(STATES)
        self._likelihood = np.ones(STATES)
        self._slot = -(10**9)
        self._bar_slot, self._slots_per_bar, self._bar_confidence = 0, 4 * SLOTS_PER_BEAT, 0.0
        self._general = self._plain = self._filter.prior
        self._stay: FloatArray = self._filter.prior  # probability of each chord together with: it has not changed
        self._found, self._known = self._memory.recall(self._slot, self._slots_per_bar)
        self._moves = self._filter.moves()
        self._classes = np.zeros(12)
        self._tones = np.zeros((STATES, 12))  # what each chord's pitch classes were in this song
        for state in range(CHORDS):
            self._tones[state, [(state + tone) % 12 for tone in _TONES[state // 12]]] = 0.8
        self._now: FloatArray = self._filter.prior
        self._beliefs = [self._now]  # now, and in so many half-beats
        self._state = NONE
        self.chord = Chord()
        self.loop_bars = 0
        self.ahead_confidence = 0.0

    def set_style(self, style: str | None) -> None:
        """What is played, for who reads chords out of what is heard."""
        if self._harmonist is not None:
            self._harmonist.set_style(style)

    def hear(
        self,
        roots: NDArray[np.float32],
        classes: NDArray[np.float32],
        played: NDArray[np.float32],
        at: Point,
        bar_confidence: float,
        frame_s: float,
        trust: float,
    ) -> None:
        """Take in a frame's root [13], pitch classes [12] and notes [12], which sounded at that point; that its bar is
        right is `bar_confidence` in [0, 1]. `trust` in [0, 1] weighs the frame."""
        slot = math.floor(at.beat * SLOTS_PER_BEAT)
        if slot != self._slot:
            self._read(slot - self._slot)
            self._bar_slot, self._slots_per_bar = round(at.bar_beat * SLOTS_PER_BEAT), at.beats_per_bar * SLOTS_PER_BEAT
            self._bar_confidence = bar_confidence
            self._go_on(slot)
        root_logs = root_log_probabilities(roots.astype(np.float64))
        odds = pitch_class_log_odds(classes.astype(np.float64))
        self._half_beat.add(root_logs, odds, played, trust, frame_s)
        if trust > 0:
            self._weigh(root_logs, odds, trust, frame_s)
        now = self._filter.prior * self._likelihood
        self._now = now / now.sum()
        self._beliefs = [self._now]
        self._decide(classes, trust, frame_s)

    def ahead(self, beat: float) -> Chord:
        """The chord at a beat to come: another than now only where that is likelier than that it stays."""
        far = min(math.floor(beat * SLOTS_PER_BEAT) - self._slot, _FARTHEST)
        if far <= 0:
            return self.chord
        belief = self._belief_in(far)
        if far == 1 and self._reading is not None:
            if self._after is None:
                self._after = self._opinion(self._reading.after)
            belief = belief * self._after
            belief /= belief.sum()
        best = int(belief.argmax())
        if belief[best] < belief[self._state] + self._config.chord_margin:
            best = self._state
        return self._chord(best, float(belief[best]))

    def _belief_in(self, far: int) -> FloatArray:
        """Probability of each chord [STATES] so many half-beats from now. A status asks for two bars of them in a
        frame: each goes on from the one before it, and they stay until more is heard."""
        for slot in range(self._slot + len(self._beliefs), self._slot + far + 1):
            change, song, progressions, share = self._coming(slot)
            belief = self._beliefs[-1]
            belief = (1.0 - change) * belief + change * (belief @ self._moves)
            belief = (1.0 - song[1]) * belief + song[1] * song[0]
            self._beliefs.append((1.0 - share) * belief + share * progressions)
        return self._beliefs[far]

    def _coming(self, slot: int) -> tuple[float, tuple[FloatArray, float], FloatArray, float]:
        """Of a half-beat to come, the same until the open one ends: how likely the chord changes; what the song's past
        has there, with its share; and what progressions have, with theirs."""
        if slot not in self._foretold:
            joint, share = self._progressions.expect(slot - self._slot)
            song = self._memory.song(*self._memory.recall(slot, self._slots_per_bar))
            self._foretold[slot] = self._change(slot), song, joint.sum(axis=0), share
        return self._foretold[slot]

    def name_ahead(self, beat: float) -> str:
        """The chord at a beat to come, in plain spelling; empty where none is known."""
        chord = self.ahead(beat)
        return chord_name(chord.root, chord.pitch_classes)

    def key(self) -> tuple[int, bool, float]:
        """Tonic (0 is C), whether minor, and how likely that is in [0, 1]: 0 before any chord was heard."""
        keys = self._filter.keys(self._likelihood)
        best = int(keys.argmax())
        sure = float(keys[best]) if keys[best] > 1.5 / len(keys) else 0.0
        return best % 12, best >= 12, sure

    def _read(self, skipped: int) -> None:
        """Let the harmonist read the half-beat that ends: it knows better than the frames did one by one."""
        heard, harmonist = self._half_beat, self._harmonist
        if harmonist is None or not heard.length_s:
            return
        trust, bar = heard.trust, (self._slots_per_bar, self._bar_confidence)
        slot = self._slot_in_bar(self._slot)
        means = heard.means()
        reading = harmonist.read(HalfBeat(*means, trust, heard.length_s, slot, *bar))
        self._melody.close(means[2], trust)
        nothing = np.zeros(13), np.zeros(12), np.zeros(12)
        for number in range(1, min(skipped, _MOST_SKIPPED)):
            slot = self._slot_in_bar(self._slot + number)
            reading = harmonist.read(HalfBeat(*nothing, 0.0, 0.0, slot, *bar))
            self._melody.close(nothing[2], 0.0)
        self._reading, self._after = self._melody.blend(reading), None
        heard.clear()
        if trust > 0:
            likelihood = self._opinion(self._reading.chord, self._config.reading_weight)
            self._likelihood[:CHORDS] = likelihood[:CHORDS] / likelihood[:CHORDS].max()
            self._likelihood[NONE] = 0.5 * min(self._likelihood[NONE], 1.0)
            now = self._filter.prior * self._likelihood
            self._now = now / now.sum()

    def _opinion(self, chords: NDArray[np.float32], weight: float | None = None) -> FloatArray:
        """A reading's chords [CHORDS] as a weight for each state [STATES]."""
        found = np.maximum(np.append(chords.astype(np.float64), 10.0 * _LEAST_READ), _LEAST_READ)
        return np.asarray(found ** (self._config.foretelling_weight if weight is None else weight))

    def _go_on(self, slot: int) -> None:
        """Close the half-beat that was open, and open another."""
        skipped = slot - self._slot
        prior = self._filter.prior
        if self._likelihood.min() < 1.0:
            self._progressions.judge(self._likelihood, float(self._plain @ self._likelihood))
        self._filter.close(self._likelihood)
        if 0 < skipped <= _MOST_SKIPPED:
            general, likelihood = self._general, self._likelihood
            self._memory.judge(likelihood, general, self._found, self._known)
            self._memory.keep(self._slot, self._now)
            if likelihood.min() < 1.0:
                held = self._stay / np.maximum(prior, 1e-12)
                changed = 1.0 - float(np.minimum(held, 1.0) @ self._now)
                slot_in_bar = self._slot_in_bar(self._slot)
                self._positions.learn(slot_in_bar, changed)
                self._memory.move_back(self._slot, late_by(slot_in_bar, self._slots_per_bar), changed)
        self._log[:] = 0.0
        self._likelihood[:] = 1.0
        first = self._slot + 1 if 0 < skipped <= _MOST_SKIPPED else slot
        before = self._now
        for number in range(first, slot + 1):
            self._open(number, before)
            before = self._filter.prior
        self._slot = slot
        if self._reading is not None:
            keys = np.maximum(self._reading.key, _LEAST_READ) / np.maximum(self._filter.key_prior, 1e-9)
            self._filter.lean(keys**self._config.key_reading_weight, self._opinion(self._reading.next))
        self._moves = self._filter.moves()
        self._foretold.clear()
        self.loop_bars, self.ahead_confidence = self._memory.loop_bars()

    def _open(self, slot: int, before: FloatArray) -> None:
        self._found, self._known = self._memory.recall(slot, self._slots_per_bar)
        song, share = self._memory.song(self._found, self._known)
        change = self._change(slot)
        self._general = (1.0 - change) * before + change * (before @ self._moves)
        self._filter.open(change, song, share)
        self._stay = before * ((1.0 - share) * (1.0 - change) + share * song)
        self._plain = self._filter.prior
        self._progressions.move(slot, self._bar_slot, self._slots_per_bar, self._bar_confidence, self._filter.key_prior)
        joint, share = self._progressions.expect()
        self._filter.expect(joint, share)
        self._stay = (1.0 - share) * self._stay + share * before * joint.sum(axis=0)

    def _slot_in_bar(self, slot: int) -> int:
        return (slot - self._bar_slot) % self._slots_per_bar

    def _change(self, slot: int) -> float:
        return self._positions.change(self._slot_in_bar(slot), self._slots_per_bar, self._bar_confidence)

    def _weigh(self, roots: FloatArray, odds: FloatArray, trust: float, frame_s: float) -> None:
        """Add a frame's evidence. The listener is surer than it is right, and frames in a row say much the same."""
        weight = trust * self._config.chord_weight * frame_s / _FRAME_S
        self._log += weight * chord_evidence.of_frame(roots, odds)
        self._log -= self._log.max()
        np.exp(self._log, out=self._likelihood)

    def _decide(self, classes: NDArray[np.float32], trust: float, frame_s: float) -> None:
        """Turn to another chord when it is likelier by a margin."""
        best = int(self._now.argmax())
        if self._now[best] > self._now[self._state] + self._config.chord_margin:
            self._state = best
        if self._state != NONE and trust > 0:
            share = trust * self._now[self._state] * (1.0 - math.exp(-frame_s / self._config.tones_time_s))
            self._tones[self._state] += share * (classes - self._tones[self._state])
        self.chord = self._chord(self._state, float(self._now[self._state]))

    def _chord(self, state: int, sure: float) -> Chord:
        if state == NONE:
            return Chord(-1, (0.0,) * 12, sure)
        root, tones = state % 12, [min(max(tone, 0.0), 1.0) for tone in self._tones[state].tolist()]
        third, other = ((root + 3) % 12, (root + 4) % 12) if state >= 12 else ((root + 4) % 12, (root + 3) % 12)
        tones[root] = max(tones[root], 0.5)
        if tones[third] <= tones[other]:  # the chord that is believed in, not what a frame says
            tones[third], tones[other] = tones[other] + 0.01, tones[third]
        return Chord(root, tuple(tones), sure)
