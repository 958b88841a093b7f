"""The tuning that is heard: tones beside A 440 are found and followed, noise and what is in tune is not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gigmate.dsp.features import FeatureExtractor, FeatureSpec, pitch_filters
from gigmate.dsp.tuning import TuningFollower

RATE_HZ, FRAME = 32_000, 1280


def chords(tuning_hz: float, seconds: float = 6.0) -> np.ndarray:
    """Plucked triads with overtones, a new one each half second."""
    rng = np.random.default_rng(3)
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    sound = np.zeros_like(time_s)
    for number in range(int(seconds * 2)):
        root = int(rng.integers(45, 57))
        since_s = time_s - number / 2
        for step in (0, 4, 7, 12):
            hz = tuning_hz * 2.0 ** ((root + step - 69) / 12)
            for overtone in range(1, 6):
                tone = np.sin(2 * np.pi * hz * overtone * since_s) / overtone**1.5
                sound += np.where((since_s >= 0) & (since_s < 0.5), tone * np.exp(-3 * since_s), 0.0)
    return (0.1 * sound).astype(np.float32)


def heard(sound: np.ndarray, follower: TuningFollower, sounding: bool = False) -> list[float]:
    padded = np.concatenate([np.zeros(8192 - FRAME, np.float32), sound])
    cents, extractor = [], FeatureExtractor()
    for start in range(0, len(sound) - FRAME + 1, FRAME):
        follower.hear(extractor.spectrum(padded[start : start + 8192]), sounding)
        cents.append(follower.cents)
    return cents


@pytest.mark.parametrize("tuning_hz", [432.0, 436.0, 446.0, 450.0])
def test_a_tuning_beside_a_440_is_found_within_three_cents(tuning_hz: float) -> None:
    follower = TuningFollower(RATE_HZ)
    cents = heard(chords(tuning_hz), follower)
    true = 1200 * np.log2(tuning_hz / 440)
    assert cents[-1] == pytest.approx(true, abs=3.0)
    assert follower.tuning_hz == pytest.approx(tuning_hz, abs=0.8)
    assert set(cents[:30]) == {0.0}, "too soon to know"
    assert len(set(cents[80:])) < 5, "it stays where it is"


def test_a_quarter_tone_stays_on_one_side() -> None:
    cents = heard(chords(440.0 * 2 ** (50 / 1200), 10.0), TuningFollower(RATE_HZ))[60:]
    assert min(abs(value) for value in cents) > 44
    assert len({value > 0 for value in cents}) == 1


def test_what_is_in_tune_noise_and_silence_are_left_alone() -> None:
    rng = np.random.default_rng(1)
    for sound in (
        chords(440.0),
        chords(441.0),
        (0.1 * rng.standard_normal(RATE_HZ * 5)).astype(np.float32),
        np.zeros(RATE_HZ * 3, np.float32),
        np.full(RATE_HZ * 3, np.nan, np.float32),
    ):
        assert set(heard(sound, TuningFollower(RATE_HZ))) == {0.0}


def test_a_band_that_sounds_glides() -> None:
    cents = heard(chords(432.0, 8.0), TuningFollower(RATE_HZ), sounding=True)
    assert max(abs(after - before) for before, after in itertools.pairwise(cents)) <= 2.0
    assert cents[-1] == pytest.approx(-31.8, abs=4.0)


def test_a_tuning_that_was_fixed_is_kept() -> None:
    follower = TuningFollower(RATE_HZ)
    follower.fix(415.0)
    follower.reset()
    heard(chords(446.0), follower)
    assert follower.tuning_hz == pytest.approx(415.0)
    follower.fix(None)
    follower.reset()
    assert follower.cents == 0.0
    with pytest.raises(ValueError, match="392 to 494"):
        follower.fix(350.0)


def test_features_follow_the_tuning() -> None:
    """The semitone spectrum of a chord at A 432 is that of the same chord at 440, where the filters are tuned."""
    spec, plain = FeatureSpec(), FeatureExtractor()
    pitch = slice(-spec.pitch_bins, None)
    true, off = (plain.whole(chords(hz, 1.0))[10, pitch] for hz in (440.0, 432.0))
    tuned = plain.tuned(1200 * np.log2(432 / 440)).whole(chords(432.0, 1.0))[10, pitch]
    assert np.abs(tuned - true).mean() < 0.25 * np.abs(off - true).mean()
    dense = np.zeros((spec.pitch_bins, spec.pitch_window_samples // 2 + 1), np.float32)
    for row, first, weights in zip(dense, *plain.tuned(0.0)._pitch, strict=True):
        row[first : first + len(weights)] = weights
    np.testing.assert_array_equal(dense, pitch_filters(spec))
