"""A numbered signal, and a band that speaks it: every sample says which one it is, so that none is lost or doubled.

Sample n is (n * K mod 2**24), brought to [-0.5, 0.5): exact in float32, and like noise, so that no guard takes the
band's numbers for those that it hears (they have another K).
"""

from __future__ import annotations

import numpy as np
from gigmate.engine.player import Controls, HeardFrame, Moment

HEARD_K, PLAYED_K = 6_700_417, 10_548_971
_MODULUS = 1 << 24
RATE_HZ, FRAME = 48_000, 1920


def numbered(first: int, count: int, k: int) -> np.ndarray:
    """float32 [count], the samples first, first + 1, ..."""
    values = (np.arange(first, first + count, dtype=np.int64) * k) % _MODULUS - _MODULUS // 2
    return (values.astype(np.float64) / _MODULUS).astype(np.float32)


class Check:
    """Looks at a stream block by block: from the first number on each must be the next one."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._last: int | None = None
        self.good = 0
        """Samples that followed their number."""
        self.breaks = 0
        """Places at which another number came than the next."""
        self.silent = 0
        """Samples of exact silence before the first number."""

    def look(self, block: np.ndarray) -> None:
        """float32 [n], the next samples of the stream."""
        values = np.round(block.astype(np.float64) * _MODULUS).astype(np.int64)
        if self._last is None:
            sounding = np.flatnonzero(values)
            self.silent += values.size if sounding.size == 0 else int(sounding[0])
            if sounding.size == 0:
                return
            values = values[sounding[0] :]
            self._last, values = int(values[0]), values[1:]
        steps = np.diff(values, prepend=self._last) % _MODULUS
        wrong = int(np.count_nonzero(steps != self._k))
        self.breaks += wrong
        self.good += values.size - wrong
        if values.size:
            self._last = int(values[-1])


class Counting:
    """A player at the sound card's own rate: checks the numbers that it hears, and plays its own. Costs nothing."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = RATE_HZ, FRAME, 640, 0

    def __init__(self) -> None:
        self.check = Check(HEARD_K)
        self.frames = 0
        self._silence = np.zeros(FRAME, np.float32)

    def reset(self, seed: int, ahead_frames: int) -> None:
        self.check, self.frames = Check(HEARD_K), 0

    def set_ahead(self, ahead_frames: int) -> None:
        return None

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        self.check.look(chunk[self.tail_samples :])
        return HeardFrame(activity=1.0, level_db=-20.0)

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        band = numbered(self.frames * FRAME, FRAME, PLAYED_K)
        self.frames += 1
        return np.stack([band, self._silence, self._silence])
