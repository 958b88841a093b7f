"""What was heard lately, frame by frame: kept so long that beats may be counted back into it.

Knows no beats. Positions are samples of the input clock. Inference thread only; offline one thread at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dsp.log_probability import pitch_class_log_odds, root_log_probabilities
from ..harmony.chord_evidence import of_frame
from ..harmony.tonal_tables import CHORDS, FloatArray
from ..player import Heard

_KEPT = 2_048
"""Frames: 80 s of 40 ms."""
_ROOTS, _CLASSES = 13, 12
_COLUMNS = _ROOTS + 2 * _CLASSES
_FLOOR_DB = -120.0


class HeardStretch(NamedTuple):
    """Means of the frames of a stretch, each weighed by how far it was heard; zeros where nothing was. Any thread."""

    roots: FloatArray
    """[13] log probabilities."""
    classes: FloatArray
    """[12] log-odds."""
    played: FloatArray
    """[12] the notes themselves."""
    trust: float
    """How far it was heard, in [0, 1]."""
    level_db: float
    """RMS of the loudest frame, dBFS."""

    @property
    def evidence(self) -> FloatArray:
        """[CHORDS]: what its frames say of each chord, on a scale of one frame."""
        found = of_frame(self.roots, self.classes)[:CHORDS]
        return np.asarray(self.trust * (found - found.max()))


class FrameMemory:
    """A ring of frames. Inference thread only."""

    def __init__(self) -> None:
        self._middles = np.full(_KEPT, -np.inf)
        self._trusts = np.zeros(_KEPT)
        self._levels_db = np.full(_KEPT, _FLOOR_DB)
        self._rows = np.zeros((_KEPT, _COLUMNS), np.float32)
        self._count = 0

    def hear(self, heard: Heard, end_position: float, frame_samples: float) -> None:
        """A frame that ends there."""
        place = self._count % _KEPT
        row = self._rows[place]
        row[:_ROOTS] = root_log_probabilities(heard.chord_root.astype(np.float64))
        row[_ROOTS : _ROOTS + _CLASSES] = pitch_class_log_odds(heard.chord_pitch_classes.astype(np.float64))
        row[_ROOTS + _CLASSES :] = heard.played
        self._middles[place] = end_position - 0.5 * frame_samples
        self._trusts[place] = min(max((float(heard.activity) - 0.2) / 0.3, 0.0), 1.0)
        self._levels_db[place] = float(heard.level_db)
        self._count += 1

    @property
    def oldest(self) -> float:
        """Position of the oldest frame that is remembered; minus infinity while nothing has been forgotten."""
        return float(self._middles.min())

    def first_sound(self, from_position: float) -> float | None:
        """Where somebody began to play, from that position on; None while nobody does."""
        order = self._in_order()
        heard = (self._trusts[order] > 0.5) & (self._middles[order] >= from_position)
        return float(self._middles[order][heard.argmax()]) if heard.any() else None

    def between(self, begin: float, end: float) -> HeardStretch:
        """All frames whose middles lie from `begin` on and before `end`."""
        inside = self._inside(begin, end)
        trusts = self._trusts[inside]
        whole = float(trusts.sum())
        if not len(trusts) or whole <= 0.0:
            zeros = np.zeros(_COLUMNS)
        else:
            zeros = (trusts[:, None] * self._rows[inside]).sum(axis=0) / whole
        level = float(self._levels_db[inside].max(initial=_FLOOR_DB))
        trust = whole / len(trusts) if len(trusts) else 0.0
        return HeardStretch(zeros[:_ROOTS], zeros[_ROOTS : _ROOTS + _CLASSES], zeros[_ROOTS + _CLASSES :], trust, level)

    def _in_order(self) -> NDArray[np.int64]:
        """Places of the ring, oldest first."""
        if self._count < _KEPT:
            return np.arange(self._count)
        return (self._count + np.arange(_KEPT)) % _KEPT

    def _inside(self, begin: float, end: float) -> NDArray[np.int64]:
        return np.flatnonzero((self._middles >= begin) & (self._middles < end))
