"""Half-beat features: means of frames over half a beat, gathered by the engine and read by the harmony model.

A value of plain numbers; any thread.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class HalfBeat(NamedTuple):
    """Means over its frames, each weighed by how far it was heard; zeros where nothing was."""

    roots: NDArray[np.floating[Any]]
    """[13] `root_log_probabilities` (log_probability.py) of roots C to B and of no chord."""
    classes: NDArray[np.floating[Any]]
    """[12] `pitch_class_log_odds` of the pitch classes."""
    played: NDArray[np.floating[Any]]
    """[12] the notes themselves by pitch class."""
    trust: float
    """How far it was heard, in [0, 1]."""
    length_s: float
    slot: int
    """Half-beats after the downbeat."""
    slots_per_bar: int
    bar_confidence: float
    """How sure the downbeat is, in [0, 1]."""
