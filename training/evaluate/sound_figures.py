"""Measures of the sound alone: an embedding, the Fréchet distance on it, repetition, level, density.

Classical measures at the judges' rate (training.evaluate). Needs librosa and scipy.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .part_fit import HOP, JUDGE_RATE_HZ, onset_envelope

FloatArray = NDArray[np.floating[Any]]
EMBED_HOP = 512
EMBED_WINDOW = 43
"""About a second."""
COEFFICIENTS = 20
EMBED_SIZE = 3 * COEFFICIENTS
BAR_STEPS = 16
SILENT_DB = -60.0


def level_db(audio: FloatArray) -> float:
    """RMS in dBFS, -120 for nothing at all."""
    return 10.0 * math.log10(float(np.mean(np.square(audio, dtype=np.float64))) + 1e-12) if len(audio) else -120.0


def embed(audio: FloatArray) -> NDArray[np.float32]:
    """[windows, EMBED_SIZE]: of each second that sounds, mean, spread and movement of 20 cepstral coefficients of the
    log-mel spectrum. `audio` at the judges' rate."""
    import librosa

    made = librosa.feature.mfcc(
        y=np.asarray(audio, np.float32), sr=JUDGE_RATE_HZ, n_mfcc=COEFFICIENTS, hop_length=EMBED_HOP
    )
    rows = []
    for start in range(0, made.shape[1] - EMBED_WINDOW + 1, EMBED_WINDOW):
        if level_db(audio[start * EMBED_HOP : (start + EMBED_WINDOW) * EMBED_HOP]) < SILENT_DB:
            continue
        window = made[:, start : start + EMBED_WINDOW]
        moved = np.abs(np.diff(window, axis=1)).mean(axis=1)
        rows.append(np.concatenate([window.mean(axis=1), window.std(axis=1), moved]))
    return np.array(rows, np.float32).reshape(-1, EMBED_SIZE)


def frechet(found: FloatArray, true: FloatArray) -> float:
    """Fréchet distance between two clouds [n, size], in units of the true cloud's spread; nan below 30 windows."""
    from scipy.linalg import sqrtm

    if min(len(found), len(true)) < 30:
        return math.nan
    centre, spread = true.mean(axis=0), true.std(axis=0) + 1e-6
    a, b = (found - centre) / spread, (true - centre) / spread
    ridge = 1e-3 * np.eye(a.shape[1])
    covariance_a, covariance_b = np.cov(a, rowvar=False) + ridge, np.cov(b, rowvar=False) + ridge
    root = np.real(sqrtm(covariance_a @ covariance_b))
    difference = a.mean(axis=0) - b.mean(axis=0)
    return float(difference @ difference + np.trace(covariance_a + covariance_b - 2.0 * root))


def onsets_s(audio: FloatArray) -> FloatArray:
    """When notes or hits begin in the sound, seconds."""
    import librosa

    envelope = onset_envelope(audio)
    if float(envelope.max(initial=0.0)) <= 0.0:
        return np.zeros(0)
    found = librosa.onset.onset_detect(onset_envelope=envelope, sr=JUDGE_RATE_HZ, hop_length=HOP, units="time")
    return np.asarray(found, np.float64)


def density_per_s(audio: FloatArray) -> float:
    """Onsets a second."""
    return len(onsets_s(audio)) / max(1e-9, len(audio) / JUDGE_RATE_HZ)


def bar_patterns(audio: FloatArray, downbeats_s: FloatArray) -> FloatArray:
    """[bars, BAR_STEPS]: onset strength in each sixteenth part of each whole bar, every bar scaled to 1."""
    envelope = onset_envelope(audio)
    ends = downbeats_s[downbeats_s <= len(audio) / JUDGE_RATE_HZ + 1e-6]
    rows = []
    for start_s, end_s in itertools.pairwise(ends):
        edges = (np.linspace(start_s, end_s, BAR_STEPS + 1) * JUDGE_RATE_HZ / HOP + 1.0).astype(int)
        steps = [envelope[a : max(a + 1, b)].max(initial=0.0) for a, b in itertools.pairwise(edges)]
        rows.append(np.array(steps) / (max(steps) + 1e-9))
    return np.array(rows, np.float64).reshape(-1, BAR_STEPS)


def repetition(audio: FloatArray, downbeats_s: FloatArray, back: int = 4) -> float:
    """Mean over bars of the largest likeness (correlation of rhythm patterns) to one of the `back` bars before: 1 for
    a loop, about 0 for chance; nan where fewer than three bars sound."""
    bars = bar_patterns(audio, downbeats_s)
    bars = bars - bars.mean(axis=1, keepdims=True)
    norms = np.sqrt((bars**2).sum(axis=1))
    bars, norms = bars[norms > 1e-3], norms[norms > 1e-3]
    if len(bars) < 3:
        return math.nan
    likeness = (bars @ bars.T) / (norms[:, None] * norms[None])
    return float(np.mean([likeness[i, max(0, i - back) : i].max() for i in range(1, len(bars))]))


def stuck_s(audio: FloatArray) -> float:
    """Longest stretch in seconds that sounds but does not change: a frozen frame, an endless tone."""
    import librosa

    hop = 882  # 40 ms
    mel = librosa.feature.melspectrogram(y=np.asarray(audio, np.float32), sr=JUDGE_RATE_HZ, hop_length=hop, n_mels=40)
    log = np.log(mel + 1e-5)
    moves = np.abs(np.diff(log, axis=1)).mean(axis=0)
    sounding = 10.0 * np.log10(mel.mean(axis=0)[1:] + 1e-12) > SILENT_DB
    still = (moves < 0.05) & sounding
    longest = run = 0
    for value in still:
        run = run + 1 if value else 0
        longest = max(longest, run)
    return longest * hop / JUDGE_RATE_HZ


def style_features(parts: dict[str, FloatArray], downbeats_s: FloatArray) -> NDArray[np.float32]:
    """What the style judge looks at [n]: of each part rhythm over a bar (mean and spread), sound and density."""
    rows: list[FloatArray] = []
    for name in sorted(parts):
        audio = parts[name]
        bars, windows = bar_patterns(audio, downbeats_s), embed(audio)
        rows += [bars.mean(axis=0), bars.std(axis=0)] if len(bars) else [np.zeros(2 * BAR_STEPS)]
        rows += [windows.mean(axis=0)] if len(windows) else [np.zeros(EMBED_SIZE)]
        rows.append(np.array([density_per_s(audio)]))
    spacing = np.diff(downbeats_s)
    rows.append(np.array([float(np.median(spacing)) if len(spacing) else 2.0]))
    return np.concatenate(rows).astype(np.float32)
