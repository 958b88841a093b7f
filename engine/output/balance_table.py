"""Trims in dB that bring drums, bass and keys to where the arranger wrote them, by kind of sound and style.

Written by `gigmate eval balance --table`; docs/results/sound.md says how. Values only; any thread.
"""

from __future__ import annotations

TRIMS_DB: dict[str, dict[str, tuple[float, ...]]] = {
    "neural": {
        "rock": (0.6, -3.7, 0.7),
        "pop_ballad": (3.4, -0.8, -1.6),
        "funk": (2.3, 4.5, -5.0),
        "blues_shuffle": (-0.6, -1.7, -4.2),
        "reggae": (6.8, 1.9, -4.1),
        "bossa_nova": (0.4, -2.7, -3.2),
        "swing": (2.4, -3.4, -2.8),
        "disco": (6.5, 0.5, -2.3),
        "soul": (4.6, 0.6, 5.7),
        "slow_blues": (-0.1, -0.6, 0.2),
        "country_train": (-4.6, -4.3, 1.3),
        "ska": (7.8, -1.5, -6.2),
        "samba": (-0.3, -3.9, -3.8),
        "jazz_waltz": (5.4, -2.2, -2.8),
        "hip_hop": (3.7, 1.3, -5.2),
        "metal": (-0.8, -3.5, -2.9),
        "folk_strum": (-0.4, -1.6, 5.8),
        "gospel": (3.4, -0.5, -1.2),
        "odd_five": (1.7, -2.8, -4.9),
    },
    "instruments": {
        "rock": (-1.6, -1.0, -5.0),
        "pop_ballad": (3.1, 3.8, 6.0),
        "funk": (2.5, 10.6, -6.1),
        "blues_shuffle": (-0.6, 0.7, 0.5),
        "reggae": (10.7, 7.2, 0.4),
        "bossa_nova": (-3.7, -1.0, -5.7),
        "swing": (3.3, -0.7, 0.5),
        "disco": (3.2, 5.9, -3.0),
        "soul": (3.8, 3.6, -2.9),
        "slow_blues": (3.2, 3.0, -2.9),
        "country_train": (-6.1, -2.0, 0.6),
        "ska": (5.9, 2.1, -1.0),
        "samba": (-2.9, -0.6, 0.1),
        "jazz_waltz": (3.5, -0.2, 0.2),
        "hip_hop": (4.7, 6.6, -7.6),
        "metal": (-2.3, -0.7, -4.7),
        "folk_strum": (-1.6, -0.0, 0.8),
        "gospel": (1.6, 2.3, -5.1),
        "odd_five": (-0.5, -1.3, -2.3),
    },
}
"""By kind of sound, then by style."""
