"""The input in whole frames: the reader of the in-ring. Knows no resampling and no model.

Inference thread only.
"""

from __future__ import annotations

import threading
import time

import numpy as np
from numpy.typing import NDArray

from .bridge import Bridge


class HeardFrames:
    """Whole frames out of a bridge's in-ring, in order. Inference thread only.

    A ring that has overflowed takes nothing more before it is empty: the part of a frame that lies in it is taken out
    at once, and what follows is the silence that stands for what was lost.
    """

    def __init__(self, bridge: Bridge, frame_samples: int) -> None:
        self._bridge = bridge
        self._block = np.zeros(frame_samples, np.float32)
        self._have = 0
        self.lost = False
        """Whether the frame read last is silence throughout, in the place of what never came in."""

    @property
    def missing_samples(self) -> int:
        """Until the next frame is whole; 0 or less: it is."""
        return self._block.size - self._have - self._bridge.in_ring.fill_samples

    def wait(self, timeout_s: float) -> bool:
        """Sleep until the next frame is whole; False when the time is over first."""
        ring = self._bridge.in_ring
        if self.missing_samples > 0 and self._bridge.position > ring.write_index:
            self._have += ring.read_into(self._block[self._have : self._have + ring.fill_samples])
        return self._bridge.wait(timeout_s, self._block.size - self._have)

    def let_callback_finish(self, end_position: int, port_ended: threading.Event) -> None:
        """The heard block is there before the callback has played: wait a little for that, so that the clock is exact.

        `end_position`: of the frame that is whole.
        """
        for _ in range(50):
            if self._bridge.position >= end_position or port_ended.is_set():
                return
            time.sleep(0.0001)

    def read(self) -> NDArray[np.float32]:
        """The next frame, float32 [frame]: the same memory each time."""
        ring = self._bridge.in_ring
        begin = ring.read_index - self._have
        ring.read_into(self._block[self._have :])
        self._have = 0
        gap_begin, gap_end = ring.gap
        self.lost = gap_begin <= begin and begin + self._block.size <= gap_end
        return self._block
