"""Chords in musical time: what sounds now, what will sound if the song goes round, and the key.

Knows beats, not seconds of a clock, and neither models nor bands. Holds a fixed ring of half-beats. Inference thread
only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .tracking import ConductorConfig

SLOTS_PER_BEAT = 2
_RING = 1024  # half-beats remembered: two passes of 16 bars of 12 beats and more
_NONE = 12

# Tonal hierarchy after Krumhansl and Kessler: how well each step of the scale fits, major and minor.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


@dataclass(frozen=True, slots=True)
class Chord:
    root: int = -1
    """0 is C; -1 where none is known."""
    pitch_classes: tuple[float, ...] = (0.0,) * 12


class ChordTracker:
    """Smooths the listener's chord with hysteresis, remembers it by half-beat, and finds the loop of the song."""

    def __init__(self, config: ConductorConfig) -> None:
        self._config = config
        profiles = np.array([_MAJOR, _MINOR])
        profiles = (profiles - profiles.mean(axis=1, keepdims=True)) / profiles.std(axis=1, keepdims=True)
        self._key_profiles = np.stack([np.roll(profiles[mode], tonic) for mode in (0, 1) for tonic in range(12)])
        self.reset()

    def reset(self) -> None:
        self._roots = np.zeros(13)
        self._roots[_NONE] = 1.0
        self._classes = np.zeros(12)
        self._root = _NONE
        self._slot = -(10**9)
        self._slot_roots = np.zeros(13)
        self._slot_classes = np.zeros(12)
        self._slot_frames = 0
        self._ring_slot = np.full(_RING, -(10**9), np.int64)
        self._ring_root = np.full(_RING, _NONE, np.int64)
        self._ring_classes = np.zeros((_RING, 12))
        self._key = np.zeros(12)
        self._period = 0
        self.chord = Chord()
        self.loop_bars = 0
        self.ahead_confidence = 0.0

    def hear(
        self,
        roots: NDArray[np.float32],
        classes: NDArray[np.float32],
        beat: float,
        beats_per_bar: int,
        frame_s: float,
        trust: float,
    ) -> bool:
        """Take in a frame's root [13] and pitch classes [12], which sounded at `beat`. True where the chord changed."""
        config = self._config
        if trust > 0:
            share = trust * (1.0 - math.exp(-frame_s / config.chord_time_s))
            self._roots += share * (roots - self._roots)
            self._classes += share * (classes - self._classes)
            self._key += trust * (1.0 - math.exp(-frame_s / config.key_time_s)) * (classes - self._key)
        changed = self._decide()
        slot = math.floor(beat * SLOTS_PER_BEAT)
        if slot != self._slot:
            self._close_slot()
            self._slot, self._slot_frames = slot, 0
            self._slot_roots[:], self._slot_classes[:] = 0.0, 0.0
            self._find_loop(beats_per_bar)
        if trust > 0.5:
            self._slot_roots += roots
            self._slot_classes += classes
            self._slot_frames += 1
        return changed

    def ahead(self, beat: float) -> Chord:
        """The chord that the loop foretells for a beat to come, else the latest heard."""
        if self._period and self.ahead_confidence > 0:
            slot = math.floor(beat * SLOTS_PER_BEAT)
            while slot >= self._slot:  # a beat further on than a whole loop
                slot -= self._period
            if slot + self._period >= self._slot:
                root, classes = self._remembered(slot)
                if root is not None:
                    return Chord(root if root != _NONE else -1, tuple(classes.tolist()))
        return self.chord

    def key(self) -> tuple[int, bool, float]:
        """Tonic (0 is C), whether minor, and how clear that is in [0, 1] over the last half minute or so."""
        spread = float(self._key.std())
        if spread < 1e-6:
            return 0, False, 0.0
        fits = self._key_profiles @ ((self._key - self._key.mean()) / spread) / 12.0
        order = np.argsort(fits)
        best = int(order[-1])
        clear = float(np.clip((fits[best] - fits[order[-2]]) * 5.0, 0.0, 1.0)) * max(0.0, float(fits[best]))
        return best % 12, best >= 12, min(1.0, clear)

    def _decide(self) -> bool:
        """Turn to another root when it is likelier by a margin."""
        best = int(self._roots.argmax())
        changed = best != self._root and self._roots[best] > self._roots[self._root] + self._config.chord_margin
        if changed:
            self._root = best
        classes = tuple(np.clip(self._classes, 0.0, 1.0).tolist())
        self.chord = Chord(self._root if self._root != _NONE else -1, classes)
        return changed

    def _close_slot(self) -> None:
        """Remember the half-beat that has ended, if it was heard."""
        if self._slot_frames == 0:
            return
        place = self._slot % _RING
        roots = self._slot_roots / self._slot_frames
        best = int(roots.argmax())
        before = (self._slot - 1) % _RING
        if self._ring_slot[before] == self._slot - 1:
            held = int(self._ring_root[before])
            if roots[best] < roots[held] + self._config.chord_margin:
                best = held
        self._ring_slot[place] = self._slot
        self._ring_root[place] = best
        self._ring_classes[place] = np.clip(self._slot_classes / self._slot_frames, 0.0, 1.0)

    def _remembered(self, slot: int) -> tuple[int | None, NDArray[np.float64]]:
        place = slot % _RING
        if self._ring_slot[place] != slot:
            return None, self._classes
        return int(self._ring_root[place]), self._ring_classes[place]

    def _find_loop(self, beats_per_bar: int) -> None:
        """Compare the last pass with the one before, for each loop length; the shortest that agrees is believed."""
        config = self._config
        now = self._slot
        self._period, self.loop_bars, self.ahead_confidence = 0, 0, 0.0
        best = 0.0
        for bars in config.loop_bars:
            period = bars * beats_per_bar * SLOTS_PER_BEAT
            if 2 * period > _RING:
                break
            agreement = self._agreement(now, period)
            if agreement >= config.loop_agreement and agreement > best + 0.08:
                best = agreement
                self._period, self.loop_bars, self.ahead_confidence = period, bars, agreement

    def _agreement(self, now: int, period: int) -> float:
        """Share of the last pass's half-beats whose root was the same one pass earlier; the newest count more."""
        slots = np.arange(now - period, now)
        later, earlier = slots % _RING, (slots - period) % _RING
        known = (self._ring_slot[later] == slots) & (self._ring_slot[earlier] == slots - period)
        known &= (self._ring_root[later] != _NONE) | (self._ring_root[earlier] != _NONE)
        if known.mean() < 0.6:
            return 0.0
        weight = np.where(known, np.linspace(0.5, 1.5, period), 0.0)
        same = self._ring_root[later] == self._ring_root[earlier]
        return float((weight * same).sum() / weight.sum())
