"""What keeps loops that feed back in good health: no NaN, no denormal numbers, nothing beyond what is sound. Compiled.

Pure functions of a sample; any thread.
"""

from __future__ import annotations

import numpy as np

from ..raw_memory import realtime

LOUDEST = 16.0
"""24 dB over full scale: more than that is no sound, and counts as so much."""
QUIETEST = 1e-10
"""-200 dB: less than that is silence, so that what rings comes to an end, and no denormal number is ever made."""


@realtime
def sane(sample):
    """A float32 that is no sound as silence or as the loudest there is; what cannot be heard as 0."""
    loudest = np.float32(LOUDEST)
    bounded = min(loudest, max(-loudest, sample))
    return bounded if abs(sample) >= np.float32(QUIETEST) else np.float32(0.0)  # NaN is no larger, either


@realtime
def quiet(sample):
    """A finite float32 without what cannot be heard."""
    return sample if abs(sample) >= np.float32(QUIETEST) else np.float32(0.0)


@realtime
def settled(state):
    """A filter's float64 state without what could become a denormal number; too little to change any sum."""
    return state if abs(state) >= 1e-30 else 0.0
