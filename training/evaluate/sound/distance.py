"""How far one rendering of a part is from another of the same notes: log-mel distance, and how well onsets stand out.

Both are brought to one loudness first. Needs librosa. Knows neither band nor engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....dsp.loudness_meter import SILENT_LUFS, integrated_lufs
from ..part_fit import HOP, JUDGE_RATE_HZ, for_judges, onset_envelope
from .takes import PARTS, RATE_HZ, Notes

FloatArray = NDArray[np.floating[Any]]
_REFERENCE_LUFS = -23.0
_FLOOR_DB = 60.0
"""Below the loudest cell of the reference: what is less than that does not count."""
_MELS = 80
_NEAR_FRAMES = 3


def mono_at_one_loudness(sound: FloatArray) -> NDArray[np.float32] | None:
    """[n] or [2, n] at RATE_HZ as mono for the judges, at one loudness; None for silence."""
    mono = np.asarray(sound, np.float32)
    mono = mono.mean(axis=0) if mono.ndim == 2 else mono
    loudness = integrated_lufs(mono, RATE_HZ)
    if loudness <= SILENT_LUFS:
        return None
    return for_judges(mono * np.float32(10.0 ** ((_REFERENCE_LUFS - loudness) / 20.0)), RATE_HZ)


def distance(heard: FloatArray, reference: FloatArray, notes: Notes, part: str) -> dict[str, float | None]:
    """`log_mel_db`: mean difference of the log-mel spectra where either sounds; `onset_strength`: mean strength at the
    notes' beginnings, over the reference's; `onset_correlation`: of the two curves."""
    import librosa

    if part not in PARTS:
        raise ValueError(f"no part {part!r}")
    one, two = mono_at_one_loudness(heard), mono_at_one_loudness(reference)
    if one is None or two is None:
        return {"log_mel_db": None, "onset_strength": None, "onset_correlation": None}
    samples = min(len(one), len(two))
    logs = []
    for sound in (one[:samples], two[:samples]):
        mel = librosa.feature.melspectrogram(y=sound, sr=JUDGE_RATE_HZ, hop_length=HOP, n_mels=_MELS)
        logs.append(10.0 * np.log10(mel + 1e-12))
    floor = float(logs[1].max()) - _FLOOR_DB
    first, second = (np.maximum(log, floor) for log in logs)
    sounding = (first > floor) | (second > floor)
    curves = [onset_envelope(sound[:samples]) for sound in (one, two)]
    starts = sorted({round(note.start_s * JUDGE_RATE_HZ / HOP) for note in notes if note.part == part})
    strengths = [_at_onsets(curve, starts) for curve in curves]
    return {
        "log_mel_db": float(np.abs(first - second)[sounding].mean()) if sounding.any() else None,
        "onset_strength": strengths[0] / strengths[1] if strengths[1] > 0.0 else None,
        "onset_correlation": float(np.corrcoef(curves[0], curves[1])[0, 1]),
    }


def _at_onsets(curve: FloatArray, starts: list[int]) -> float:
    """Mean of the highest strength near each beginning, over the mean of the whole curve."""
    peaks = [float(curve[max(0, at - 1) : at + _NEAR_FRAMES].max(initial=0.0)) for at in starts if at < len(curve)]
    return float(np.mean(peaks)) / max(float(curve.mean()), 1e-9) if peaks else 0.0
