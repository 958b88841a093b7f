"""How well drums and bass, as sound, fit a recording of somebody else's: beat F, lag, chroma by half bars, silence.

The truth is a NAME.json beside the lead: `beats_s`, `bpm`, and, where chords are known, `halves_s` (edges) and `chroma`
([halves, 12], how long each pitch class sounds). Knows no engine and no file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .part_fit import HOP, JUDGE_RATE_HZ, beat_f, chroma_at, signed_lag_ms

FloatArray = NDArray[np.floating[Any]]
FIGURES = ("drums_beat_f", "drums_lag_ms", "bass_chroma_r", "drums_silent")
FROM_S = 5.0
SILENT_DB = -50.0
FRAME_S = 0.04


def foreign_fit(drums: FloatArray, bass: FloatArray, truth: Mapping[str, Any], seconds: float) -> dict[str, float]:
    """All FIGURES of two parts at the judges' rate, from FROM_S to `seconds`; nan where one does not exist."""
    beats = np.asarray(truth["beats_s"], np.float64)
    beats = beats[beats < seconds]
    tempo_bpm = 60.0 / float(np.median(np.diff(beats)))
    loud = _level_db(drums)[int(FROM_S * JUDGE_RATE_HZ / HOP) : int(seconds * JUDGE_RATE_HZ / HOP)]
    silent = float((loud < SILENT_DB).mean()) if len(loud) else math.nan
    played = silent < 0.95
    return {
        "drums_beat_f": beat_f(drums, beats, tempo_bpm, FROM_S) if played else 0.0,
        "drums_lag_ms": signed_lag_ms(drums, beats[beats < seconds - 0.2], FROM_S) if played else math.nan,
        "bass_chroma_r": _chroma_r(bass, truth, seconds),
        "drums_silent": silent,
    }


def _chroma_r(bass: FloatArray, truth: Mapping[str, Any], seconds: float) -> float:
    """Correlation of the pitch classes that sound with the true ones, mean over half bars in which both do."""
    halves = np.asarray(truth.get("halves_s", ()), np.float64)
    wanted = np.asarray(truth.get("chroma", ()), np.float64)
    if not len(wanted):
        return math.nan
    frames = int(len(bass) / JUDGE_RATE_HZ / FRAME_S)
    chroma = chroma_at(bass, frames)
    loud = _level_db(bass)
    found = []
    for begin, end, true in zip(halves[:-1], halves[1:], wanted, strict=False):
        if begin < FROM_S or end > seconds or true.std() <= 0.0:
            continue
        rows = loud[int(begin * JUDGE_RATE_HZ / HOP) : int(end * JUDGE_RATE_HZ / HOP)]
        if not len(rows) or rows.max() < SILENT_DB:
            continue
        heard = np.sqrt(chroma[int(begin / FRAME_S) : int(end / FRAME_S)]).sum(axis=0)
        if heard.std() > 0.0:
            found.append(float(np.corrcoef(heard, true)[0, 1]))
    return float(np.mean(found)) if found else 0.0


def _level_db(audio: FloatArray) -> FloatArray:
    """Level of each HOP samples, over 2,048."""
    power = np.square(audio[: len(audio) // HOP * HOP].reshape(-1, HOP), dtype=np.float64).mean(axis=1)
    return np.asarray(10.0 * np.log10(np.convolve(power, np.full(8, 1 / 8), "same") + 1e-12))
