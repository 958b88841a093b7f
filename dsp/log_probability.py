"""Probabilities as bounded logarithms, shared by the live engine and the trainer.

Pure functions, any thread.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = TypeVar("Floats", NDArray[np.float32], NDArray[np.float64])
_LEAST = 1e-3
_DOUBT = 0.02


def root_log_probabilities(probabilities: Floats) -> Floats:
    """Probabilities of roots [..., 13] as logarithms, bounded from below."""
    return np.log(probabilities + _LEAST)


def pitch_class_log_odds(probabilities: Floats) -> Floats:
    """Probabilities of pitch classes [..., 12] as log-odds, bounded on both sides."""
    return np.log((probabilities + _DOUBT) / (1.0 + _DOUBT - probabilities))
