"""What a bass note does in its chord, so that a line written over one progression can be played over another.

A role stands for a degree of the chord that sounds, or for a step toward the root of the chord that follows. With it
goes the octave: 0 where the root lies nearest to HOME, 1 above it, -1 below. Tables and pure functions, any thread.

Slash chords: the network is told a chord by its root, as it was taught, and would play that. SlashBass leads the draws:
a note that begins while the written bass is owed is that one, and on the chord's first beat one begins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .note_hand import FORCED_NATS, Place
from .score_tokens import FIRST_NOTE, LOWEST_NOTE, ONSET_QUARTERS, STATE, is_onset

FloatArray = NDArray[np.float32]

ROOT, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, BELOW, TONE_BELOW, ABOVE, TONE_ABOVE = range(11)
"""The last four lead to the next root: from a semitone or a tone below or above."""
APPROACHES = {-1: BELOW, -2: TONE_BELOW, 1: ABOVE, 2: TONE_ABOVE}
_STEPS = {role: step for step, role in APPROACHES.items()}
_OCTAVES = 3
HOME = 35
"""B1: roots lie within half an octave of it."""
LOWEST, HIGHEST = 28, 55
_DEGREES = {SECOND: (2, 1), THIRD: (4, 3, 5), FOURTH: (5, 6), FIFTH: (7, 6, 8), SIXTH: (9, 8), SEVENTH: (10, 11, 9)}
"""Semitones that a degree may be, the usual one first."""


def coded(role: int, octave: int) -> int:
    """Both as one number."""
    return role * _OCTAVES + min(max(octave, -1), 1) + 1


def role_of(code: int) -> int:
    """The role in the number."""
    return code // _OCTAVES


def near_home(pitch_class: int) -> int:
    """The pitch of that class which lies nearest to HOME."""
    return HOME - 6 + (pitch_class - HOME + 6) % 12


def role_in(pitch: int, root: int, tones: Sequence[int], next_root: int, last: bool) -> int:
    """The coded role of a written pitch. `tones`: semitones of the chord above its root; `last`: the next note that
    begins is that of the next chord."""
    step = (pitch - root) % 12
    to_next = (pitch - next_root + 6) % 12 - 6
    leads = last and to_next in APPROACHES and (root != next_root or step not in tones)
    if leads:
        return coded(APPROACHES[to_next], round((pitch - near_home(next_root) - to_next) / 12))
    if step == 0:
        role = ROOT
    elif step == 6 or step == 8:
        role = FIFTH if step in tones else FOURTH if step == 6 else SIXTH
    elif step == 9:
        role = SEVENTH if 9 in tones and 6 in tones else SIXTH
    elif step == 5:
        role = THIRD if 5 in tones and not {3, 4} & set(tones) else FOURTH
    else:
        role = next(role for role, steps in _DEGREES.items() if step in steps)
    return coded(role, round((pitch - near_home(root) - step) / 12))


def pitch_of(code: int, root: int, classes: Sequence[float], next_root: int, bass: int = -1) -> int:
    """The MIDI pitch of a coded role over the chord with that root and those pitch classes (likelihood of each of 12).

    `next_root` -1: nobody knows what follows, so it is taken to stay. `bass`: what is played for the root, -1 for the
    root itself.
    """
    role, octave = divmod(code, _OCTAVES)
    octave -= 1
    if role in _STEPS:
        pitch = near_home(next_root if next_root >= 0 else root) + _STEPS[role] + 12 * octave
    elif role == ROOT and bass >= 0:
        pitch = near_home(bass) + 12 * octave
    else:
        steps = _DEGREES.get(role, (0,))
        step = max(steps, key=lambda step: classes[(root + step) % 12] + (0.3 if step == steps[0] else 0.0))
        pitch = near_home(root) + step + 12 * octave
    while pitch > HIGHEST:
        pitch -= 12
    while pitch < LOWEST:
        pitch += 12
    return pitch


_SOON_S = 0.2
"""A chord is told a little before its beat (ChordSettings.chord_ahead_s): a beat later than this is another one."""
_QUARTER_NATS = 5.0
"""Toward the very quarter of the frame in which the beat lies."""


class SlashBass:
    """One band's written bass notes. Inference thread only."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing was played."""
        self._chord = (-1, -1)
        self._bar_beat = 0.0
        self._owed = self._on_line = False
        self._there = False  # whether a note need not begin on the next beat

    def follow(self, place: Place, root: int, bass: int) -> bool:
        """The chord of the frame at `place`; whether its written bass is owed. `bass` -1: the root."""
        chord = (root, bass)
        line = place.bar_beat + place.beats > place.beats_per_bar  # within this frame
        new_bar = line or (place.bar_beat < self._bar_beat - 0.5 * place.beats_per_bar and not self._on_line)
        changed, self._chord = chord != self._chord, chord
        self._bar_beat, self._on_line = place.bar_beat, line
        if bass < 0:
            self._owed = False
        elif changed:
            self._owed, self._there = True, _to_beat(place) * 60.0 / place.tempo_bpm > _SOON_S
        elif new_bar and not self._owed:
            self._owed = self._there = True
        return self._owed

    def lay(self, place: Place, bias: FloatArray) -> None:
        """Add what leads the bass part to `bias` [STEERED, SLOT_ENTRIES], in place; while it is owed."""
        entry = (self._chord[1] - LOWEST_NOTE + 1) % 12
        bias[FIRST_NOTE, entry::12] += FORCED_NATS
        bias[FIRST_NOTE, 0] -= FORCED_NATS * (entry == 0)
        bias[FIRST_NOTE + 1, 0] += FORCED_NATS  # and no other with it
        offset = _to_beat(place)
        if offset < place.beats and not self._there:
            self._there = True
            quarter = min(ONSET_QUARTERS - 1, int(offset / place.beats * ONSET_QUARTERS))
            bias[STATE, 1 : 1 + ONSET_QUARTERS] += FORCED_NATS
            bias[STATE, 1 + quarter] += _QUARTER_NATS

    def remember(self, state: int) -> None:
        """What was drawn for the bass in that frame."""
        self._owed = self._owed and not is_onset(state)


def _to_beat(place: Place) -> float:
    """Beats from the frame's beginning to the next beat, 0 on it."""
    return math.ceil(place.bar_beat - 1e-6) - place.bar_beat
