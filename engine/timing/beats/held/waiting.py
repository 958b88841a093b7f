"""What the beat tracker keeps for later: a reading that waits for its bar line, and where the first note began.

Knows neither line nor filter. Inference thread only.
"""

from __future__ import annotations

import numpy as np

from ....player import Heard
from ..metrical_readings import MetricalReading

_ONSET = 0.5  # activation from which a note has surely begun


class WaitingReading:
    """Another reading of the beat, to be followed from a bar line on. Inference thread only."""

    def __init__(self) -> None:
        self.reading: MetricalReading | None = None
        self._beats = 0

    def ask(self, reading: MetricalReading | None) -> None:
        """Wait for a bar line with it; None: nothing waits any more."""
        self.reading, self._beats = reading, 0

    def due(self, number: int, on_bar: bool, metre: int) -> MetricalReading | None:
        """What is to be followed from beat `number` on; without a bar line it comes a bar later at the latest."""
        if self.reading is None:
            return None
        self._beats += 1
        phase = self.reading.phase_at(number)
        beside = self.reading.shares_beats and min(phase, 1.0 - phase) > 0.02
        return self.reading if not beside and (on_bar or self._beats > metre) else None


class FirstNote:
    """When the musician began. Inference thread only."""

    def __init__(self) -> None:
        self.at_s: float | None = None

    def hear(self, heard: Heard, end_s: float, frame_s: float) -> None:
        """A frame in which somebody plays."""
        if self.at_s is not None:
            return
        began = np.flatnonzero(np.asarray(heard.onset) > _ONSET)
        if len(began):
            self.at_s = end_s - (1.0 - (began[0] + 0.5) / len(heard.onset)) * frame_s
