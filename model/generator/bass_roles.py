"""What a bass note does in its chord, so that a line written over one progression can be played over another.

A role stands for a degree of the chord that sounds, or for a step toward the root of the chord that follows. With it
goes the octave: 0 where the root lies nearest to HOME, 1 above it, -1 below. Tables and pure functions; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def pitch_of(code: int, root: int, classes: Sequence[float], next_root: int) -> int:
    """The MIDI pitch of a coded role over the chord with that root and those pitch classes (likelihood of each of 12).

    `next_root` -1: nobody knows what follows, so it is taken to stay.
    """
    role, octave = divmod(code, _OCTAVES)
    octave -= 1
    if role in _STEPS:
        pitch = near_home(next_root if next_root >= 0 else root) + _STEPS[role] + 12 * octave
    else:
        steps = _DEGREES.get(role, (0,))
        step = max(steps, key=lambda step: classes[(root + step) % 12] + (0.3 if step == steps[0] else 0.0))
        pitch = near_home(root) + step + 12 * octave
    while pitch > HIGHEST:
        pitch -= 12
    while pitch < LOWEST:
        pitch += 12
    return pitch
