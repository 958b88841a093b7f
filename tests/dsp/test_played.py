"""The notes that are played, by pitch class."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.dsp.features import FeatureExtractor, FeatureSpec, played_pitch_classes, read_line

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


def line(sound: np.ndarray) -> int:
    semitones = FeatureExtractor().whole(np.asarray(sound, np.float32))[-1, -FeatureSpec().pitch_bins :]
    return int(read_line(np.ascontiguousarray(semitones), FeatureSpec().pitch_low_midi))


def plucked(midi: int, overtones: tuple[float, ...] = (1.0, 0.9, 0.5, 0.4, 0.2)) -> np.ndarray:
    time_s = np.arange(16_000) / 32_000
    hz = 440.0 * 2 ** ((midi - 69) / 12)
    return np.sum(
        [0.1 * level * np.sin(2 * np.pi * hz * (k + 1) * time_s) for k, level in enumerate(overtones)], axis=0
    )


def test_the_note_of_a_melody_is_told_without_its_overtones() -> None:
    for midi in (45, 57, 64, 72, 81):
        assert line(plucked(midi)) == midi
    assert line(plucked(57, (0.7, 1.0, 0.6))) == 57, "an overtone may be louder than the note"


def test_chords_and_silence_are_no_melody() -> None:
    assert line(plucked(60) + plucked(64) + plucked(67)) == 0
    assert line(plucked(57) + plucked(62)) == 0
    assert line(np.zeros(16_000)) == 0
