"""Prior knowledge of each style: its usual range of tempo and its usual metres.

The same music can be counted twice as fast or half as fast; whoever is told "a slow blues" does not count it at 140.
Only a lean, never a wall: who plays outside of it is followed all the same. Any thread; knows no sound.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StylePrior:
    """Tempi in which a style is usually counted, and the share of each metre (beats to the bar). Any thread."""

    low_bpm: float
    high_bpm: float
    metres: tuple[tuple[int, float], ...] = ((4, 1.0),)
    off_beat: bool = False
    """Chords are struck between the beats."""
    triplets: bool = False
    """Each beat falls into three that are played like beats."""


STYLE_PRIORS: dict[str, StylePrior] = {
    "rock": StylePrior(85, 180),
    "pop_ballad": StylePrior(56, 96, ((4, 0.8), (3, 0.2))),
    "funk": StylePrior(84, 126),
    "blues_shuffle": StylePrior(80, 150),
    "reggae": StylePrior(60, 96),
    "bossa_nova": StylePrior(100, 160),
    "swing": StylePrior(100, 210, ((4, 0.8), (3, 0.2))),
    "disco": StylePrior(104, 136),
    "soul": StylePrior(70, 132),
    "slow_blues": StylePrior(44, 72, triplets=True),
    "country_train": StylePrior(80, 136, ((2, 0.8), (4, 0.2))),
    "ska": StylePrior(108, 180, off_beat=True),
    "samba": StylePrior(78, 124, ((2, 0.8), (4, 0.2))),
    "jazz_waltz": StylePrior(90, 210, ((3, 1.0),)),
    "hip_hop": StylePrior(70, 106),
    "metal": StylePrior(90, 220),
    "folk_strum": StylePrior(66, 150, ((4, 0.5), (3, 0.25), (2, 0.25))),
    "gospel": StylePrior(60, 138, ((4, 0.8), (2, 0.2))),
    "odd_five": StylePrior(95, 190, ((5, 1.0),)),
}
"""By the names of presets. Written from common practice, with the tempi that the arranger writes in sight."""
