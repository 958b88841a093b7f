"""Levels: decibels to gain and back, peak and RMS of arrays. Pure functions, any thread."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FLOOR_DB = -120.0
"""What silence reads as."""


def gain_of_db(level_db: float) -> float:
    """Linear gain; -inf is 0. Raises ValueError for NaN and +inf."""
    if math.isnan(level_db) or level_db == math.inf:
        raise ValueError(f"no gain of {level_db} dB")
    return 0.0 if level_db == -math.inf else 10.0 ** (level_db / 20.0)


def db_of_gain(gain: float) -> float:
    """Decibels of a linear gain or amplitude >= 0, FLOOR_DB at least."""
    return max(FLOOR_DB, 20.0 * math.log10(gain)) if gain > 0.0 else FLOOR_DB


def peak_db(samples: NDArray[np.float32]) -> float:
    """Peak of an array of any shape in dBFS, FLOOR_DB for silence and for no samples."""
    return db_of_gain(float(np.abs(samples).max())) if samples.size else FLOOR_DB


def rms_db(samples: NDArray[np.float32]) -> float:
    """RMS of an array of any shape in dBFS, FLOOR_DB for silence and for no samples."""
    if not samples.size:
        return FLOOR_DB
    return db_of_gain(math.sqrt(float(np.mean(np.square(samples, dtype=np.float64)))))
