"""A gain over musical time: fades in and out at positions given in advance, each with its own length.

Knows no bars, no frames and no thread. Positions and lengths are samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Switch:
    position_samples: int
    opened: bool
    fade_samples: int


class GainEnvelope:
    """Sine-shaped fades between silence and full level, which may turn round half way. One thread at a time."""

    def __init__(self, opened: bool = False) -> None:
        self._at = 1.0 if opened else 0.0  # where in the fade, 0 to 1
        self._step = 0.0  # per sample, toward the side that was asked for last
        self._switches: list[_Switch] = []

    def switch(self, position_samples: int, opened: bool, fade_samples: int) -> None:
        """Begin a fade at a position. What was told for that position and later ones is forgotten."""
        self._switches = [planned for planned in self._switches if planned.position_samples < position_samples]
        self._switches.append(_Switch(int(position_samples), opened, max(1, int(fade_samples))))

    def set(self, opened: bool) -> None:
        """Full level or silence at once: for sound that nobody hears yet."""
        self._switches.clear()
        self._at, self._step = (1.0 if opened else 0.0), 0.0

    @property
    def silent(self) -> bool:
        """Whether nothing is let through, and nothing will be unless it is asked for."""
        return self._at == 0.0 and self._step <= 0.0 and not any(planned.opened for planned in self._switches)

    def gains(self, position_samples: int, count: int) -> Array:
        """Gain of `count` samples from a position on, float32 [count]; positions only go forward."""
        pieces, done = [], 0
        while self._switches and self._switches[0].position_samples < position_samples + count:
            planned = self._switches.pop(0)
            until = max(done, planned.position_samples - position_samples)
            pieces.append(self._piece(until - done))
            self._step = (1.0 if planned.opened else -1.0) / planned.fade_samples
            done = until
        pieces.append(self._piece(count - done))
        return np.concatenate(pieces)

    def _piece(self, count: int) -> Array:
        if self._step == 0.0 or count == 0:
            return np.full(count, self._gain(self._at), np.float32)
        places = np.clip(self._at + self._step * np.arange(1, count + 1), 0.0, 1.0)
        self._at = float(places[-1])
        if self._at in (0.0, 1.0):
            self._step = 0.0
        return np.sin(places * (math.pi / 2)).astype(np.float32)

    @staticmethod
    def _gain(at: float) -> float:
        return 1.0 if at == 1.0 else math.sin(at * math.pi / 2)
