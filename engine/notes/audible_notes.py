"""Which of the band's notes are heard: entrances and exits of the band, parts that are off, frames that were lost.

Notes in their place in, notes that begin and end out: every one that begins also ends. Knows no MIDI. Inference thread
only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .groove_timing import TimedNote

_AUDIBLE = 0.05
"""A note that begins where the band's gain is lower than this is not heard: -26 dB."""


class HeardFrame(NamedTuple):
    """How a frame is heard. Any thread."""

    start_samples: float
    """Of what it plays, in the input."""
    levels_db: tuple[float, ...]
    """Of the parts; -inf is off."""
    gains: NDArray[np.float32] | None = None
    """Of the band's entrances and exits over the frame's sound; None: it is at its level."""
    gains_from_samples: float = 0.0
    """Where the first of them is heard."""

    def gain_at(self, position_samples: float) -> float:
        """The band's gain at a moment of this frame or a little beyond."""
        if self.gains is None:
            return 1.0
        place = min(max(math.floor(position_samples - self.gains_from_samples), 0), len(self.gains) - 1)
        return float(self.gains[place])


class AudibleNotes:
    """Keeps count of what sounds. Inference thread only."""

    def __init__(self) -> None:
        self._sounding: dict[tuple[int, int], float] = {}

    def frame(self, notes: Iterable[TimedNote], frame: HeardFrame) -> list[TimedNote]:
        """What of one frame's notes is heard, in order of time."""
        heard = []
        for part, pitch in tuple(self._sounding):
            if frame.levels_db[part] == -math.inf:
                heard += self._end(part, pitch, frame.start_samples)
        for note in notes:
            heard += self._end(note.part, note.pitch, note.position_samples)
            on = frame.levels_db[note.part] > -math.inf and frame.gain_at(note.position_samples) > _AUDIBLE
            if note.velocity > 0 and on:
                self._sounding[note.part, note.pitch] = note.position_samples
                heard.append(note)
        gains = frame.gains
        if gains is not None and gains[-1] <= 0.0 and self._sounding:
            silent = np.flatnonzero(gains > 0.0)
            heard += self.end_all(frame.gains_from_samples + (int(silent[-1]) + 1 if silent.size else 0))
        return heard

    def end_all(self, position_samples: float) -> list[TimedNote]:
        """Whatever sounds ends there: the frame was lost, or nobody hears the band any more."""
        return [note for part, pitch in tuple(self._sounding) for note in self._end(part, pitch, position_samples)]

    def _end(self, part: int, pitch: int, position_samples: float) -> list[TimedNote]:
        began = self._sounding.pop((part, pitch), None)
        return [] if began is None else [TimedNote(part, pitch, 0, max(position_samples, began))]
