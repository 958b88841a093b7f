"""Fades: the equal-power pair, an on-off gate that ramps sample by sample, and a shift of one sound in time.

Knows no rates and no threads; all arrays float32.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def fades(samples: int) -> tuple[Array, Array]:
    """(fade in, fade out), float32 [samples] each, squares summing to 1. Raises ValueError below 1 sample."""
    if samples < 1:
        raise ValueError(f"no fade of {samples} samples")
    angle = (np.arange(samples) + 0.5) * (math.pi / 2 / samples)
    return np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)


def crossfade(old: Array, new: Array, equal_power: bool = True) -> Array:
    """From `old` to `new`, float32 [n] or [rows, n] both, over their whole length.

    Equal power suits sounds that do not resemble each other; for two versions of one sound (`equal_power=False`) the
    weights sum to 1, so that what is alike keeps its level. Raises ValueError where shapes differ.
    """
    if old.shape != new.shape or old.ndim == 0:
        raise ValueError(f"no crossfade between shapes {old.shape} and {new.shape}")
    if old.size == 0:
        return new.copy()
    rise, fall = fades(old.shape[-1])
    return old * fall + new * rise if equal_power else old * fall**2 + new * rise**2


class Gate:
    """Gain of something that is switched on and off: sine-shaped ramps that may turn round half way.

    The same curve as the audio callback's ramp, for what must match it.
    """

    def __init__(self, ramp_samples: int) -> None:
        if ramp_samples < 1:
            raise ValueError(f"no ramp of {ramp_samples} samples")
        self._table = np.sin(np.arange(ramp_samples + 1) * (math.pi / 2 / ramp_samples)).astype(np.float32)
        self._table[-1] = 1.0
        self._at = 0

    @property
    def closed(self) -> bool:
        """Whether the gain is 0 now."""
        return self._at == 0

    def gains(self, count: int, opened: bool) -> Array:
        """Gain of the next `count` samples while it is being opened (or closed), float32 [count]."""
        step = 1 if opened else -1
        places = np.clip(self._at + step * np.arange(1, count + 1), 0, self._table.size - 1)
        if count:
            self._at = int(places[-1])
        return self._table[places]
