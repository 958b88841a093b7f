"""Cuts blocks of any size into frames of one size, each with the tail of the previous one for analysis windows.

Knows no rates. One thread at a time per framer; all memory is taken at the start.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class Framer:
    """Cuts a stream into chunks float32 [tail + frame]: `frame` new samples behind the last `tail` old ones.

    Before the first sample there is silence. Raises ValueError for a frame below 1 or a negative tail.
    """

    def __init__(self, frame_samples: int, tail_samples: int = 0) -> None:
        if frame_samples < 1 or tail_samples < 0:
            raise ValueError(f"no chunks of {tail_samples} old and {frame_samples} new samples")
        self.frame_samples = int(frame_samples)
        self.tail_samples = int(tail_samples)
        self._chunk = np.zeros(self.tail_samples + self.frame_samples, np.float32)
        self._filled = 0
        self._complete = False
        self._frames = 0

    @property
    def frames(self) -> int:
        """Chunks given since the start."""
        return self._frames

    @property
    def waiting_samples(self) -> int:
        """Samples that wait for their frame to fill up."""
        return self._filled

    def reset(self) -> None:
        """As new: silence before the first sample."""
        self._chunk.fill(0.0)
        self._filled = 0
        self._complete = False
        self._frames = 0

    def push(self, block: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Take float32 [n] and yield each chunk that it completes. Exhaust the iterator before the next push.

        Every chunk is the same memory: it holds until the next one.
        """
        if block.ndim != 1:
            raise ValueError(f"a framer takes one-dimensional samples, not shape {block.shape}")
        done = 0
        while done < block.size:
            if self._complete:
                self._shift()
            count = min(block.size - done, self.frame_samples - self._filled)
            start = self.tail_samples + self._filled
            self._chunk[start : start + count] = block[done : done + count]
            self._filled += count
            done += count
            if self._filled == self.frame_samples:
                self._filled = 0
                self._complete = True
                self._frames += 1
                yield self._chunk

    def _shift(self) -> None:
        """Make the end of the last chunk the tail of the next."""
        tail = self.tail_samples
        if tail > self.frame_samples:  # overlapping: numpy copies through a buffer where it must
            self._chunk[:tail] = self._chunk[self.frame_samples :]
        elif tail:
            self._chunk[:tail] = self._chunk[-tail:]
        self._complete = False
