"""What the listener said of one frame, read out of its logits. Knows no network and no stream."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dsp.features import FeatureSpec, played_pitch_classes
from .configs import DELAY_FRAMES

FloatArray = NDArray[np.float32]
FEATURES = FeatureSpec()
SILENT_DB = -70.0
"""Below this level the musician is not playing, whatever the listener thinks it hears in the noise."""


@dataclass(frozen=True, slots=True)
class HeardByModel:
    """What the listener said of one frame (probabilities); see engine/player.py Heard. Any thread."""

    beat: FloatArray
    downbeat: FloatArray
    onset: FloatArray
    chord_root: FloatArray
    chord_pitch_classes: FloatArray
    tempo: FloatArray
    played: FloatArray
    activity: float
    level_db: float
    delay_samples: int


def read_heard(
    logits: FloatArray, layout: Mapping[str, tuple[int, int]], features: FloatArray, frame: FloatArray
) -> HeardByModel:
    """`logits` [size] of one frame by the listener's `layout`, the `features` [size] they come from, and the newest
    `frame` samples, whose level says whether anybody plays at all."""

    chances = _sigmoid(logits)  # of all at once: each call costs more than its numbers

    def part(name: str, of: FloatArray = chances) -> FloatArray:
        start, stop = layout[name]
        return of[start:stop]

    newest = frame.astype(np.float64)
    level_db = 10.0 * math.log10(float(newest @ newest) / max(1, len(newest)) + 1e-12)
    return HeardByModel(
        beat=part("beat"),
        downbeat=part("downbeat"),
        onset=part("onset"),
        chord_root=_softmax(part("chord_root", logits)),
        chord_pitch_classes=part("chord_pitch_classes"),
        tempo=_softmax(part("tempo", logits)),
        played=played_pitch_classes(features, FEATURES),
        activity=float(part("activity")[0]) if level_db > SILENT_DB else 0.0,
        level_db=level_db,
        delay_samples=DELAY_FRAMES * FEATURES.frame_samples,
    )


def _sigmoid(x: FloatArray) -> FloatArray:
    return (1.0 / (1.0 + np.exp(-x))).astype(np.float32)


def _softmax(x: FloatArray) -> FloatArray:
    e = np.exp(x - x.max())
    return (e / e.sum()).astype(np.float32)
