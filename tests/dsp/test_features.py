"""The compiled features are what their formulas say, whole and frame by frame, and so is what is read from them."""

import numpy as np
import pytest
from gigmate.dsp import features, tuning
from gigmate.dsp.features import FeatureExtractor, FeatureSpec, mel_filters, pitch_filters, played_pitch_classes
from gigmate.model.heard import FEATURES, read_heard

SPEC = FeatureSpec()


def some_music(seconds=1.0, hz=(196.0, 246.9, 293.7)):
    at_s = np.arange(int(seconds * SPEC.rate_hz)) / SPEC.rate_hz
    rng = np.random.default_rng(0)
    tones = sum(np.sin(2 * np.pi * one * at_s) / n for n, one in enumerate(hz, 1))
    return (0.2 * tones * (0.2 + (at_s * 4 % 1.0 < 0.5)) + 0.001 * rng.normal(size=at_s.size)).astype(np.float32)


def by_formula(chunk, cents=0.0):
    """Float64, filters with all their zeros."""
    window = np.hanning(SPEC.pitch_window_samples + 1)[:-1]
    short = np.hanning(SPEC.mel_window_samples + 1)[:-1]
    sub = SPEC.frame_samples // SPEC.sub_frames
    rows = []
    for n in range(1, SPEC.sub_frames + 1):
        end = SPEC.tail_samples + n * sub
        spectrum = np.abs(np.fft.rfft(chunk[end - SPEC.mel_window_samples : end].astype(np.float64) * short))
        rows.append(mel_filters(SPEC) @ spectrum * 4.0 / SPEC.mel_window_samples)
    spectrum = np.abs(np.fft.rfft(chunk.astype(np.float64) * window))
    rows.append(pitch_filters(SPEC, cents) @ spectrum * 4.0 / SPEC.pitch_window_samples)
    return np.log10(np.concatenate(rows) + 1e-5) * 0.4 + 1.0


@pytest.mark.parametrize("cents", [0.0, -32.0, 48.0])
def test_features_are_their_formula(cents):
    music = some_music()
    chunk = music[-SPEC.pitch_window_samples :]
    extractor = FeatureExtractor() if cents == 0.0 else FeatureExtractor().tuned(cents)
    np.testing.assert_allclose(extractor.frame(chunk), by_formula(chunk, cents), atol=2e-6)


def test_a_frame_is_the_same_live_and_in_a_whole_file():
    music, extractor = some_music(), FeatureExtractor()
    whole = extractor.whole(music)
    padded = np.concatenate([np.zeros(SPEC.tail_samples, np.float32), music])
    for n in (0, 7, len(whole) - 1):
        chunk = padded[n * SPEC.frame_samples :][: SPEC.pitch_window_samples]
        np.testing.assert_array_equal(extractor.frame(chunk), whole[n])


def test_silence_is_the_least_there_is():
    silent = FeatureExtractor().frame(np.zeros(SPEC.pitch_window_samples, np.float32))
    np.testing.assert_allclose(silent, -1.0, atol=1e-6)


def test_the_tuning_of_peaks_is_their_mean_direction():
    chunk = some_music(hz=(200.0, 252.0, 299.6))[-SPEC.pitch_window_samples :]
    spectrum = FeatureExtractor().spectrum(chunk)
    follower = tuning.TuningFollower(SPEC.rate_hz)
    real, imaginary, found = tuning._deviation(spectrum, follower._first, follower._last, follower._bins_hz)
    scaled = spectrum.astype(np.float64) * 4.0 / SPEC.pitch_window_samples
    here = scaled[follower._first : follower._last + 1]
    below, above = scaled[follower._first - 1 : follower._last], scaled[follower._first + 1 : follower._last + 2]
    peaks = np.flatnonzero((here > below) & (here >= above) & (here > 0.15 * here.max()))
    left, mid, right = (np.log(row[peaks] + 1e-9) for row in (below, here, above))
    offset = 0.5 * (left - right) / (left - 2.0 * mid + right - 1e-12)
    semitones = 12.0 * np.log2((follower._first + peaks + offset) * follower._bins_hz / 440.0)
    wanted = np.sum(here[peaks] * np.exp(2j * np.pi * semitones)) / here[peaks].sum()
    assert found == 1.0 and len(peaks) >= 3
    assert complex(real, imaginary) == pytest.approx(wanted, abs=1e-4)
    quiet = np.zeros_like(spectrum)
    assert tuning._deviation(quiet, follower._first, follower._last, follower._bins_hz) == (0.0, 0.0, 0.0)
    quiet[100] = np.nan
    assert tuning._deviation(quiet, follower._first, follower._last, follower._bins_hz)[2] == 0.0


def test_what_was_heard_is_read_as_the_formulas_read_it():
    rng = np.random.default_rng(3)
    layout, at = {}, 0
    for name, size in (
        ("beat", 4), ("downbeat", 4), ("onset", 4), ("chord_root", 13), ("chord_pitch_classes", 12),
        ("tempo", 64), ("activity", 1),
    ):  # fmt: skip
        layout[name] = at, at + size
        at += size
    music = some_music()
    frame_features = FeatureExtractor().frame(music[-SPEC.pitch_window_samples :])
    frame = music[-SPEC.frame_samples :]
    for scale in (1.0, 30.0):
        logits = (scale * rng.normal(size=at)).astype(np.float32)
        heard = read_heard(logits, layout, frame_features, frame)
        wide = logits.astype(np.float64)
        chances = 1.0 / (1.0 + np.exp(-wide))
        for name in ("beat", "downbeat", "onset", "chord_pitch_classes"):
            np.testing.assert_allclose(getattr(heard, name), chances[slice(*layout[name])], atol=1e-6)
        for name in ("chord_root", "tempo"):
            of = np.exp(wide[slice(*layout[name])] - wide[slice(*layout[name])].max())
            np.testing.assert_allclose(getattr(heard, name), of / of.sum(), atol=1e-6)
        assert heard.activity == pytest.approx(chances[layout["activity"][0]], abs=1e-6)
        assert heard.level_db == pytest.approx(10 * np.log10(np.mean(frame.astype(np.float64) ** 2)), abs=1e-6)
        np.testing.assert_allclose(heard.played, played_pitch_classes(frame_features, FEATURES), atol=1e-6)


def test_compiled_and_plain_python_say_the_same(monkeypatch):
    chunk = some_music()[-SPEC.pitch_window_samples :]
    extractor = FeatureExtractor()
    spectrum, frame = extractor.spectrum(chunk), extractor.frame(chunk)
    for name in ("_magnitudes", "_features", "_filtered"):
        monkeypatch.setattr(features, name, getattr(features, name).py_func)
    np.testing.assert_allclose(extractor.spectrum(chunk), spectrum, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(extractor.frame(chunk), frame, atol=1e-5)
