"""Trims in dB that bring drums, bass and keys to where the arranger wrote them, by kind of sound and style.

Written by `gigmate eval balance --table`; docs/results/sound.md says how. Values only; any thread.
"""

from __future__ import annotations

TRIMS_DB: dict[str, dict[str, tuple[float, ...]]] = {
    "neural": {
        "rock": (2.7, -3.8, 1.5),
        "pop_ballad": (4.7, -1.5, -2.2),
        "funk": (4.4, -1.2, -3.5),
        "blues_shuffle": (2.3, -3.0, -2.2),
        "reggae": (10.2, 1.3, 1.5),
        "bossa_nova": (-0.5, -2.3, -2.5),
        "swing": (0.3, -2.7, -4.0),
        "disco": (6.4, -0.8, 0.1),
        "soul": (5.8, -0.3, 5.3),
        "slow_blues": (4.8, 0.1, 0.6),
        "country_train": (-1.6, -3.8, -1.8),
        "ska": (7.6, -1.3, -3.9),
        "samba": (1.0, -4.5, -3.9),
        "jazz_waltz": (4.8, -2.5, -3.1),
        "hip_hop": (5.0, 3.2, -3.1),
        "metal": (3.6, -3.7, -3.6),
        "folk_strum": (1.1, -1.7, 0.9),
        "gospel": (3.3, -1.9, -0.0),
        "odd_five": (2.7, -2.2, -3.2),
    },
    "instruments": {
        "rock": (1.1, -0.6, -4.5),
        "pop_ballad": (4.5, 2.1, 5.7),
        "funk": (3.9, 5.0, -5.7),
        "blues_shuffle": (0.6, -0.2, 1.4),
        "reggae": (10.2, 6.4, 0.7),
        "bossa_nova": (-3.6, -0.6, -5.0),
        "swing": (5.5, -0.1, -0.1),
        "disco": (3.9, 4.8, -1.3),
        "soul": (5.6, 2.9, -2.5),
        "slow_blues": (6.0, 1.8, -1.9),
        "country_train": (-3.8, -2.2, 0.7),
        "ska": (4.7, 2.8, 0.2),
        "samba": (-1.1, -0.4, -1.4),
        "jazz_waltz": (3.7, 0.4, 0.1),
        "hip_hop": (5.7, 9.1, -5.2),
        "metal": (1.9, -0.6, -4.8),
        "folk_strum": (0.2, 0.2, 1.7),
        "gospel": (2.5, 0.9, -2.6),
        "odd_five": (1.9, -0.9, -1.8),
    },
}
"""By kind of sound, then by style."""
