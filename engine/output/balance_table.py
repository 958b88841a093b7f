"""Trims in dB that bring drums, bass and keys to where the arranger wrote them, by kind of sound and style.

Written by `gigmate eval balance --table`; docs/results/sound.md says how. Values only; any thread.
"""

from __future__ import annotations

TRIMS_DB: dict[str, dict[str, tuple[float, ...]]] = {
    "neural": {
        "rock": (0.5, -5.1, 0.3),
        "pop_ballad": (2.7, -2.8, -3.4),
        "funk": (2.0, -2.6, -4.7),
        "blues_shuffle": (0.3, -4.2, -3.5),
        "reggae": (8.1, -0.6, 0.3),
        "bossa_nova": (-2.1, -3.6, -3.6),
        "swing": (-1.7, -4.0, -5.1),
        "disco": (4.0, -2.6, -1.3),
        "soul": (3.7, -1.9, 4.1),
        "slow_blues": (2.9, -1.4, -0.6),
        "country_train": (-3.3, -5.1, -3.1),
        "ska": (5.9, -2.8, -5.1),
        "samba": (-0.7, -5.7, -5.0),
        "jazz_waltz": (2.9, -3.9, -4.3),
        "hip_hop": (2.8, 1.1, -4.4),
        "metal": (1.4, -5.0, -4.7),
        "folk_strum": (-0.8, -3.0, -0.3),
        "gospel": (1.3, -3.2, -1.2),
        "odd_five": (0.5, -3.6, -4.4),
    },
    "instruments": {
        "rock": (-0.9, -2.1, -5.7),
        "pop_ballad": (2.5, 0.5, 4.4),
        "funk": (1.9, 3.6, -6.9),
        "blues_shuffle": (-1.4, -1.6, 0.1),
        "reggae": (8.6, 4.5, -0.6),
        "bossa_nova": (-5.2, -2.0, -6.1),
        "swing": (4.1, -1.6, -1.3),
        "disco": (1.9, 2.7, -2.6),
        "soul": (3.7, 1.1, -3.7),
        "slow_blues": (4.1, 0.2, -3.2),
        "country_train": (-5.4, -3.5, -0.6),
        "ska": (3.0, 1.1, -1.0),
        "samba": (-2.7, -1.8, -2.5),
        "jazz_waltz": (2.3, -1.1, -1.1),
        "hip_hop": (3.6, 7.0, -6.4),
        "metal": (-0.3, -2.2, -5.9),
        "folk_strum": (-1.5, -1.2, 0.4),
        "gospel": (0.6, -0.7, -3.8),
        "odd_five": (-0.3, -2.4, -3.0),
    },
}
"""By kind of sound, then by style."""
