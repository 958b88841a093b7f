"""What was heard, the newest so many seconds of it: memory of fixed size. Knows no time but input positions.

Inference thread only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class InputHistory:
    """Mono sound by input positions; what was never put in, or is too old, reads as silence. Inference thread only."""

    def __init__(self, samples: int) -> None:
        """`samples`: how many are remembered. The memory is touched now, so that playing never waits for it."""
        self._sound = np.full(samples, 0.0, np.float32)
        self.end = 0
        """The input position after the newest sample."""

    @property
    def begin(self) -> int:
        """The oldest position that is still remembered."""
        return max(0, self.end - self._sound.size)

    def put(self, position: int, block: Array) -> None:
        """float32 [n] heard from that position on; a gap before it is silence. What lies before the end is passed by,
        and of a block longer than the memory its end is kept."""
        if position > self.end:
            self._write(np.zeros(min(position - self.end, self._sound.size), np.float32), position)
        fresh = block[max(0, self.end - position) :]
        if fresh.size:
            self._write(fresh[-self._sound.size :], self.end + fresh.size)

    def _write(self, block: Array, end: int) -> None:
        first = (end - block.size) % self._sound.size
        head = min(block.size, self._sound.size - first)
        self._sound[first : first + head] = block[:head]
        self._sound[: block.size - head] = block[head:]
        self.end = end

    def read(self, position: int, count: int) -> Array:
        """float32 [count] from that position on, new memory."""
        sound = np.zeros(count, np.float32)
        first, last = max(position, self.begin), min(position + count, self.end)
        if last > first:
            at = first % self._sound.size
            head = min(last - first, self._sound.size - at)
            into = sound[first - position : last - position]
            into[:head] = self._sound[at : at + head]
            into[head:] = self._sound[: last - first - head]
        return sound
