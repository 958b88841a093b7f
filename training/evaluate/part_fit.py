"""How well a part, as sound, fits the true beats and chords of a song. Classical measures, no learnt weights.

Knows no engine and no model: the caller plays, these listen. Each figure means something only beside its anchors, the
true part (ceiling) and a part of another song (floor). Calibration: docs/results.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
JUDGE_RATE_HZ = 22_050
TRACKER_BIAS_S = 0.028
"""librosa's beats come this late on drums whose hits are known (measured on made songs)."""
LAG_BIAS_S = 0.024
HOP = 256


def for_judges(audio: FloatArray, rate_hz: int) -> NDArray[np.float32]:
    """Resampled to the judges' rate."""
    import soxr

    return np.asarray(soxr.resample(audio.astype(np.float32), rate_hz, JUDGE_RATE_HZ), np.float32)


def onset_envelope(audio: FloatArray) -> FloatArray:
    """librosa's onset strength at HOP samples."""
    import librosa

    return librosa.onset.onset_strength(y=audio, sr=JUDGE_RATE_HZ, hop_length=HOP)


def beat_f(audio: FloatArray, beats_s: FloatArray, tempo_bpm: float, skip_s: float = 5.0) -> float:
    """F-measure (mir_eval, +-70 ms) of beats tracked in `audio` with the tempo as prior; nan where there is no beat."""
    import librosa
    import mir_eval

    envelope = onset_envelope(audio)
    if float(envelope.max(initial=0.0)) <= 0.0:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, found = librosa.beat.beat_track(
            onset_envelope=envelope, sr=JUDGE_RATE_HZ, hop_length=HOP, start_bpm=tempo_bpm, tightness=400, units="time"
        )
        end = len(audio) / JUDGE_RATE_HZ
        truth = beats_s[(beats_s >= skip_s) & (beats_s < end)]
        if len(truth) < 4:
            return float("nan")
        found = np.asarray(found) - TRACKER_BIAS_S
        return float(mir_eval.beat.f_measure(truth, found[found >= skip_s - 0.1]))


def signed_lag_ms(audio: FloatArray, beats_s: FloatArray, skip_s: float = 5.0, reach_s: float = 0.12) -> float:
    """Where, relative to the grid, onsets gather: argmax over lags of the mean onset strength at beat + lag, in ms."""
    envelope = onset_envelope(audio)
    lags = np.arange(-reach_s, reach_s, 0.002)
    beats = beats_s[beats_s >= skip_s]
    at = ((beats[:, None] + lags[None] + LAG_BIAS_S) * JUDGE_RATE_HZ / HOP).round().astype(int)
    at = np.clip(at, 0, len(envelope) - 1)
    return float(lags[np.argmax(envelope[at].mean(axis=0))] * 1e3)


def on_grid(audio: FloatArray, beats_s: FloatArray, skip_s: float = 5.0) -> float:
    """Onset strength on the true beats over its mean: 1 for a part that knows no beat, more for one that does."""
    envelope = onset_envelope(audio)
    beats = beats_s[(beats_s >= skip_s) & (beats_s < len(audio) / JUDGE_RATE_HZ - 0.2)]
    first = int(skip_s * JUDGE_RATE_HZ / HOP)
    mean = float(envelope[first:].mean())
    if not len(beats) or mean <= 1e-6:
        return float("nan")
    at = ((beats + LAG_BIAS_S) * JUDGE_RATE_HZ / HOP).round().astype(int)
    near = np.stack([envelope[np.clip(at + k, 0, len(envelope) - 1)] for k in (-1, 0, 1)]).max(axis=0)
    return float(near.mean()) / mean


def chroma_at(audio: FloatArray, frames: int, frame_s: float = 0.04) -> FloatArray:
    """Chroma energy [frames, 12] of the sound around each 40 ms frame."""
    import librosa

    hop = 512
    chroma = np.abs(librosa.feature.chroma_cqt(y=audio, sr=JUDGE_RATE_HZ, hop_length=hop, norm=None)) ** 2
    at = (np.arange(frames) * frame_s * JUDGE_RATE_HZ / hop).astype(int)
    return chroma[:, np.clip(at, 0, chroma.shape[1] - 1)].T


def in_chord(chroma: FloatArray, chord_pcs: NDArray[np.bool_], skip_frames: int = 125) -> float:
    """Share of the energy that lies in the sounding chord's pitch classes, over frames with a chord."""
    chroma, pcs = chroma[skip_frames:], chord_pcs[skip_frames : len(chroma)]
    size = min(len(chroma), len(pcs))
    chroma, pcs = chroma[:size], pcs[:size]
    rows = pcs.any(axis=1)
    total = float(chroma[rows].sum())
    return float((chroma[rows] * pcs[rows]).sum()) / total if total > 0 else float("nan")


def key_classes(key: NDArray[np.integer[Any]], minor: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Scale of each frame [T, 12]: major, or natural minor with both sevenths."""
    major, natural = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10, 11)
    out = np.zeros((len(key), 12), bool)
    for scale, rows in ((major, ~minor), (natural, minor)):
        for step in scale:
            out[np.flatnonzero(rows), (key[rows].astype(int) + step) % 12] = True
    return out
