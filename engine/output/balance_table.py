"""Trims in dB that bring drums, bass and keys to where the arranger wrote them, by kind of sound and style.

Written by `gigmate eval balance --table`; docs/results/sound.md says how. Values only; any thread.
"""

from __future__ import annotations

TRIMS_DB: dict[str, dict[str, tuple[float, ...]]] = {
    "neural": {
        "rock": (-0.6, -3.8, 0.7),
        "pop_ballad": (2.0, -0.9, -1.6),
        "funk": (0.7, 2.9, -5.1),
        "blues_shuffle": (-1.5, -1.8, -4.2),
        "reggae": (8.7, 1.5, -4.1),
        "bossa_nova": (-0.2, -2.8, -3.2),
        "swing": (1.7, -3.5, -2.8),
        "disco": (4.4, -0.0, -2.4),
        "soul": (3.0, 0.3, 5.6),
        "slow_blues": (-1.1, -0.7, 0.2),
        "country_train": (-5.3, -4.4, 1.3),
        "ska": (7.0, -1.7, -6.2),
        "samba": (-1.0, -4.0, -3.8),
        "jazz_waltz": (4.0, -2.3, -2.8),
        "hip_hop": (1.7, 0.9, -5.2),
        "metal": (-1.6, -3.6, -3.0),
        "folk_strum": (-1.6, -1.7, 5.8),
        "gospel": (2.3, -0.6, -1.2),
        "odd_five": (0.4, -3.0, -4.9),
    },
}
"""By kind of sound, then by style."""
