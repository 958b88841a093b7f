"""Detects inputs that cancel when averaged: a balanced cable on two sockets, a swapped polarity.

Knows energies, no ports and no words. One thread at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 3.0
"""Of sound: so long a cancellation must last. Less may be music."""
LEAST_DB = -60.0
"""Softer than that is no sound, and says nothing."""
MOST_SHARE = 0.1
"""Of the energy that channels of unlike sound leave together: below it they take each other away."""


class CancellationMeter:
    """Adds up what the channels hold, and what is left of it in their mean."""

    def __init__(self, rate_hz: float, channels: int) -> None:
        self.found = False
        """Whether they cancelled over a whole window of sound, ever."""
        self._rate_hz = rate_hz
        self._channels = channels
        self._energies = np.zeros(channels)
        self._mean_energy = 0.0
        self._samples = 0

    def add(self, energies: NDArray[np.float64], mean_energy: float, samples: int) -> bool:
        """Sums of squares of each channel [channels] and of their mean over so many samples. True: a window is over in
        which they cancelled."""
        power = float(energies.max(initial=0.0)) / max(1, samples)
        if self._channels < 2 or samples == 0 or not power > 10.0 ** (LEAST_DB / 10.0):
            return False
        self._energies += energies
        self._mean_energy += mean_energy
        self._samples += samples
        if self._samples < WINDOW_S * self._rate_hz:
            return False
        cancels = self._mean_energy * self._channels < MOST_SHARE * float(self._energies.sum()) / self._channels
        self._energies[:] = 0.0
        self._mean_energy, self._samples = 0.0, 0
        self.found = self.found or cancels
        return cancels

    def add_block(self, block: NDArray[np.float32], mean: NDArray[np.float32]) -> bool:
        """The same from samples [n, channels] and their mean [n]."""
        energies = np.square(block, dtype=np.float64).sum(axis=0)
        return self.add(energies, float(np.square(mean, dtype=np.float64).sum()), len(block))
