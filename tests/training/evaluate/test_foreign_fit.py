"""The fit of drums and bass to somebody else's song: true parts score high, those of another time or key do not."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.training.evaluate.foreign_fit import foreign_fit

pytest.importorskip("librosa")
pytest.importorskip("mir_eval")
RATE, SECONDS = 22_050, 24.0
BEATS = np.arange(0.0, SECONDS, 0.5)
HALVES = np.arange(0.0, SECONDS + 0.1, 1.0)
ROOTS = [(0, 5, 7, 9)[k % 4] for k in range(len(HALVES) - 1)]
CHROMA = np.array([[float(pc == root) for pc in range(12)] for root in ROOTS])
TRUTH = {"beats_s": BEATS, "halves_s": HALVES.tolist(), "chroma": CHROMA.tolist()}


def drums(shift_s: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    sound = np.zeros(int(SECONDS * RATE), np.float32)
    for beat in BEATS[1:-1]:
        hit = rng.normal(0, 0.3, 2000) * np.exp(-np.linspace(0, 6, 2000))
        at = int((beat + shift_s) * RATE)
        sound[at : at + 2000] += hit.astype(np.float32)
    return sound


def bass(semitones: int = 0) -> np.ndarray:
    times = np.arange(int(SECONDS * RATE)) / RATE
    hz = 440.0 * 2.0 ** ((np.array(ROOTS)[np.minimum(times.astype(int), len(ROOTS) - 1)] + 36 + semitones - 69) / 12)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    return (0.2 * np.sin(phase) + 0.1 * np.sin(2 * phase)).astype(np.float32)


def test_true_parts_fit() -> None:
    found = foreign_fit(drums(), bass(), TRUTH, SECONDS)
    assert found["drums_beat_f"] > 0.9 and abs(found["drums_lag_ms"]) < 25.0
    assert found["bass_chroma_r"] > 0.8 and found["drums_silent"] < 0.9


def test_late_drums_and_a_bass_in_another_key_do_not() -> None:
    found = foreign_fit(drums(0.09), bass(6), TRUTH, SECONDS)
    assert found["drums_beat_f"] < 0.2 and found["drums_lag_ms"] > 60.0 and found["bass_chroma_r"] < 0.1


def test_silent_parts_have_no_lag_and_a_song_without_chords_no_chroma() -> None:
    nothing = np.zeros(int(SECONDS * RATE), np.float32)
    found = foreign_fit(nothing, nothing, {**TRUTH, "halves_s": [], "chroma": []}, SECONDS)
    assert found["drums_beat_f"] == 0.0 and found["drums_silent"] == 1.0
    assert np.isnan(found["drums_lag_ms"]) and np.isnan(found["bass_chroma_r"])
