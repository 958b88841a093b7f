"""The click of a count-in: short decaying tones, written to the click ring at their own sample.

Knows no stage and no musical time. Inference thread only; positions are output samples.
"""

from __future__ import annotations

import math

import numpy as np

from ...dsp.loudness import gain_of_db
from ...dsp.ring import Ring

LEVEL = 0.5
_LENGTH_S = 0.04
_DECAY_S = 0.008
_ATTACK_S = 0.0005
_HZ = {True: 1600.0, False: 1000.0}
"""The downbeat stands out."""


class CountInClick:
    """Two sounds and where they go. Inference thread only."""

    def __init__(self, ring: Ring, rate_hz: int, ceiling_dbfs: float) -> None:
        self._ring = ring
        level = LEVEL * gain_of_db(ceiling_dbfs)
        time_s = np.arange(round(_LENGTH_S * rate_hz)) / rate_hz
        shape = level * np.minimum(time_s / _ATTACK_S, 1.0) * np.exp(-time_s / _DECAY_S)
        self._sounds = {
            accent: (shape * np.sin(2.0 * math.pi * hz * time_s)).astype(np.float32) for accent, hz in _HZ.items()
        }

    def click(self, position: float, accent: bool, gain: float = 1.0) -> bool:
        """One click that begins at the sample nearest to that place, after all others. False: it came too late."""
        sound = self._sounds[accent]
        if gain != 1.0:
            sound = sound * np.float32(gain)
        return self._ring.write_at(round(position), sound) == sound.size
