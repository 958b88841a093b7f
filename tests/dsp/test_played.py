"""The notes that are played, by pitch class."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.dsp.features import FeatureExtractor, played_pitch_classes

RATE_HZ = 32_000


def played(*midi: int) -> np.ndarray:
    t = np.arange(RATE_HZ) / RATE_HZ
    sound = sum(0.2 * np.sin(2 * np.pi * 440.0 * 2.0 ** ((note - 69) / 12) * t) for note in midi)
    return played_pitch_classes(FeatureExtractor().whole(np.asarray(sound, np.float32)))[-1]


@pytest.mark.parametrize("midi", [40, 57, 60, 71, 88])
def test_one_note_is_that_note(midi: int) -> None:
    found = played(midi)
    assert found[midi % 12] > 0.95
    assert np.square(found).sum() == pytest.approx(1.0, abs=1e-3)


def test_a_chord_is_its_notes() -> None:
    assert set(np.argsort(-played(60, 64, 67))[:3]) == {0, 4, 7}


def test_many_frames_at_once_and_silence() -> None:
    features = FeatureExtractor().whole(np.zeros(RATE_HZ, np.float32))
    found = played_pitch_classes(features)
    assert found.shape == (25, 12)
    assert np.isfinite(found).all()
    assert found.max() <= 1.0
