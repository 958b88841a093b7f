"""What the listener said of one frame, read out of its logits. Knows no network and no stream."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dsp import features as _features
from ..dsp import raw_memory as _raw_memory
from ..dsp.features import FeatureSpec, read_line, read_played
from ..dsp.raw_memory import cached_function
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
    line_midi: int


@cached_function(__file__, _features.__file__, _raw_memory.__file__)(
    "f8(f4[::1], i8, i8, i8, i8, f4[::1], i8, f4[::1], f4[::1], f4[::1])"
)
def _read(logits, root, after_root, tempo, after_tempo, semitones, lowest_class, frame, chances, played):
    """Probabilities [size] of logits, one of many from `root` and from `tempo` on; the notes `played` [12] of scaled
    semitones; and the power of a frame."""
    for k in range(logits.size):
        chances[k] = np.float32(1.0) / (np.float32(1.0) + np.exp(-logits[k]))
    for start, stop in ((root, after_root), (tempo, after_tempo)):
        most, total = logits[start], np.float32(0.0)
        for k in range(start, stop):
            most = max(most, logits[k])
        for k in range(start, stop):
            chances[k] = np.exp(logits[k] - most)
            total += chances[k]
        for k in range(start, stop):
            chances[k] /= total
    read_played(semitones, lowest_class, played)
    power = 0.0
    for k in range(frame.size):
        power += float(frame[k]) * float(frame[k])
    return power / max(1, frame.size)


def read_heard(
    logits: FloatArray, layout: Mapping[str, tuple[int, int]], features: FloatArray, frame: FloatArray
) -> HeardByModel:
    """`logits` [size] of one frame by the listener's `layout`, the `features` [size] they come from, and the newest
    `frame` samples, whose level says whether anybody plays at all."""

    chances, played = np.empty(len(logits), np.float32), np.empty(12, np.float32)
    power = _read(
        logits, *layout["chord_root"], *layout["tempo"], features[-FEATURES.pitch_bins :],
        FEATURES.pitch_low_midi % 12, np.asarray(frame, np.float32), chances, played,
    )  # fmt: skip

    def part(name: str) -> FloatArray:
        start, stop = layout[name]
        return chances[start:stop]

    level_db = 10.0 * math.log10(power + 1e-12)
    return HeardByModel(
        beat=part("beat"),
        downbeat=part("downbeat"),
        onset=part("onset"),
        chord_root=part("chord_root"),
        chord_pitch_classes=part("chord_pitch_classes"),
        tempo=part("tempo"),
        played=played,
        activity=float(part("activity")[0]) if level_db > SILENT_DB else 0.0,
        level_db=level_db,
        delay_samples=DELAY_FRAMES * FEATURES.frame_samples,
        line_midi=int(read_line(features[-FEATURES.pitch_bins :], FEATURES.pitch_low_midi)),
    )
