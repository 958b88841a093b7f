"""How loud a hand (engine/hand.py) has the parts: levels of their sound, and velocities of the notes given away.

What the band sounds itself, voice or instrument, is brought down as it sounds, held notes too; who plays its notes
elsewhere is told by their velocities. Pure functions of frozen values; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..hand import Hand
from .groove_timing import TimedNote

DB_PER_DECADE = 40.0
"""A tenth of the velocity is so much softer: General MIDI's curve, as FluidSynth plays it."""


def levels_by_hand(levels_db: tuple[float, ...], hand: Hand) -> tuple[float, ...]:
    """The levels of the parts with what the hand adds; a part that is off (-inf) stays off."""
    if hand.free:
        return levels_db
    return tuple(level_db + part.level_db for level_db, part in zip(levels_db, hand.parts, strict=True))


def touched(notes: Sequence[TimedNote], hand: Hand) -> Sequence[TimedNote]:
    """The notes of one frame as loud as the hand has their parts; ends stay ends, and beginnings beginnings."""
    if hand.free:
        return notes
    gains = [10.0 ** (part.level_db / DB_PER_DECADE) for part in hand.parts]
    return [
        note._replace(velocity=min(max(round(note.velocity * gains[note.part]), 1), 127)) if note.velocity > 0 else note
        for note in notes
    ]
