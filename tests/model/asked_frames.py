"""Frames of two bars a second in which a band is asked for everything that it can be asked for. Without torch."""

from __future__ import annotations

import numpy as np
from gigmate.model.band_stream import Wanted
from gigmate.model.generator.note_hand import NoteHand, free_hand


def by_hand(frame: int) -> NoteHand:
    """Something of everything: biases on all slots, parts that are busier, one that must be silent."""
    hand = free_hand(3)
    hand.bias[:] = 2.0 * np.sin(np.arange(hand.bias.size) * 0.7 + frame).reshape(hand.bias.shape)
    hand.busier[:] = (0.3, -0.2, 0.1)
    hand.free[frame % 3] = 0.0
    return hand


def wanted(frame: int, places: int, rng: np.random.Generator, **changed: float) -> Wanted:
    """Two bars a second of all that can be asked: fills, rests, chords that turn, no chord, no tempo, no style."""
    beat = frame * 124.0 / 60.0 / 25.0
    root = (0, 9, 5, -1)[int(beat // 4) % 4]
    classes = tuple(float(root >= 0 and (k - root) % 12 in (0, 4, 7)) for k in range(12))
    asked = Wanted(
        beat % 1.0, beat % 4.0 / 4.0, 124.0, 4.0, float(frame % 30 < 26), 0.9, float(frame % 35 != 34),
        0.5 + 0.4 * np.sin(frame / 9.0), float(beat % 8.0 > 6.5), root, classes, frame // 20 % 3, 2,
        rng.random((3, places), dtype=np.float32), 0.9, 60, 0.95, 8.0 * (frame // 10),
        by_hand(frame) if frame % 4 == 3 else None,
    )  # fmt: skip
    return asked._replace(**changed)
