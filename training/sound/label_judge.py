"""Classical judges of rendered songs: does the sound agree with its labels? Knows no models.

Needs librosa and mir_eval (the extra `train`). Each judge's own bias is known and taken off.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from ..band.score import PARTS
from .song_labels import FRAME_S

if TYPE_CHECKING:
    from .render import RenderedSong

TRACKER_BIAS_S = 0.028
ONSET_BIAS_S = 0.024
BEAT_WINDOW_S = 0.07
SILENT_DB = -60.0
_HOP = 320


def judge(song: RenderedSong) -> dict[str, float]:
    """All measures of one song, by name; see each function."""
    mix = sum((song.stems[p] for p in PARTS), song.stems["lead_clean"].copy())
    out = beats(mix, song)
    out.update(harmony(song))
    out.update(onsets(song))
    out.update(sounding(song))
    return out


def beats(mix: np.ndarray, song: RenderedSong) -> dict[str, float]:
    """`beat_f`: mir_eval F (±70 ms) of librosa's beats, tempo as prior, over the bars in which the band plays;
    `beat_lag_ms`: where the mean onset strength about the true beats is highest, signed."""
    import librosa
    import mir_eval

    envelope = librosa.onset.onset_strength(y=mix, sr=song.rate_hz, hop_length=_HOP)
    _, tracked = librosa.beat.beat_track(
        onset_envelope=envelope, sr=song.rate_hz, hop_length=_HOP, start_bpm=song.meta["bpm"], tightness=400,
        units="time", trim=False, bpm=song.meta["bpm"],
    )  # fmt: skip
    tracked = np.asarray(tracked) - TRACKER_BIAS_S
    true = song.labels["beats_s"]
    active: np.ndarray = np.asarray(song.labels["part_active"].any(axis=1))

    def inside(times: np.ndarray) -> np.ndarray:
        index = np.clip((times / FRAME_S).astype(np.int64), 0, len(active) - 1)
        return times[active[index] & (times >= 0)]

    true, tracked = inside(true), inside(tracked)
    score = mir_eval.beat.f_measure(true, tracked, f_measure_threshold=BEAT_WINDOW_S) if len(true) > 4 else np.nan
    lags = np.arange(-0.15, 0.1505, 0.001)
    grid = np.arange(len(envelope)) * _HOP / song.rate_hz
    strength = [np.interp(true + lag, grid, envelope).mean() for lag in lags]
    best = float(lags[int(np.argmax(strength))]) - ONSET_BIAS_S
    return {"beat_f": float(score), "beat_lag_ms": 1000.0 * best}


def harmony(song: RenderedSong) -> dict[str, float]:
    """`chord_agree`: share of frames whose chord (averaged over its span) fits the chroma of bass, keys and clean lead
    best where the label says, of the label's pitch classes moved to all twelve roots. `chroma_inside`: the share of
    chroma energy on chord tones."""
    import librosa

    mix = song.stems["bass"] + song.stems["keys"] + song.stems["lead_clean"]
    chroma = librosa.feature.chroma_cqt(y=mix, sr=song.rate_hz, hop_length=1280, fmin=32.7, n_octaves=7, norm=None)
    chroma = np.sqrt(chroma[:, : len(song.labels["chord_root"])])
    classes = song.labels["chord_pcs"]
    changes = np.flatnonzero((classes[1:] != classes[:-1]).any(axis=1)) + 1
    total = agree = 0
    inside = 0.0
    for a, b in itertools.pairwise([0, *changes.tolist(), chroma.shape[1]]):
        if b - a < 4 or not classes[a].any() or not song.labels["part_active"][a:b, 1:].all():
            continue
        energy = chroma[:, a + 1 : b].mean(axis=1)
        pcs = classes[a].astype(np.float64)
        fits = np.array([np.roll(pcs, r) @ energy for r in range(12)])
        total += b - a
        agree += (b - a) * bool(fits[0] >= fits.max() - 1e-9)
        inside += (b - a) * float(pcs @ energy / (energy.sum() + 1e-9))
    if not total:
        return {"chord_agree": float("nan"), "chroma_inside": float("nan")}
    return {"chord_agree": agree / total, "chroma_inside": inside / total}


def onsets(song: RenderedSong) -> dict[str, float]:
    """`drum_error_ms`: median of |sound − label| at drum hits that stand alone; `drum_within_5ms`: share of them;
    `drum_lag_ms`: the signed median."""
    drums, rate = np.abs(song.stems["drums"]), song.rate_hz
    times = song.labels["onsets_drums_s"]
    lone = times[np.diff(times, prepend=-1.0) > 0.09]
    lags = []
    before, after = int(0.012 * rate), int(0.03 * rate)
    for t in lone:
        at = round(t * rate)
        if at < before or at + after > len(drums):
            continue
        part = drums[at - before : at + after]
        floor = drums[max(0, at - 2 * before) : at - int(0.006 * rate)]
        level = float(floor.max()) if len(floor) else 0.0
        if part.max() < 6.0 * level or part.max() < 0.02:
            continue
        first = int(np.argmax(part > max(1.5 * level, 0.1 * part.max())))
        lags.append(1000.0 * (first - before) / rate)
    if not lags:
        return {"drum_error_ms": float("nan"), "drum_within_5ms": float("nan"), "drum_lag_ms": float("nan")}
    lag = np.array(lags)
    return {
        "drum_error_ms": float(np.median(np.abs(lag))),
        "drum_within_5ms": float(np.mean(np.abs(lag) <= 5.0)),
        "drum_lag_ms": float(np.median(lag)),
    }


def sounding(song: RenderedSong) -> dict[str, float]:
    """`sounding_PART`: share of the bars labelled active in which the part can be heard; `quiet_PART`: share of the
    bars labelled silent (one bar after the stop excepted, for what rings on) in which it cannot."""
    out: dict[str, float] = {}
    starts = song.labels["downbeats_s"]
    edges = np.append((starts * song.rate_hz).astype(np.int64), len(song.stems["lead"]))
    frames = np.clip((starts / FRAME_S).astype(np.int64) + 2, 0, len(song.labels["part_active"]) - 1)
    for index, part in enumerate(PARTS):
        active = song.labels["part_active"][frames, index]
        loud = []
        for k in range(len(starts)):
            sound = song.stems[part][edges[k] : edges[k + 1]]
            loud.append(10.0 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12) > SILENT_DB)
        heard = np.array(loud)
        silent = ~active & ~np.roll(active, 1) & ~np.roll(active, -1)
        out[f"sounding_{part}"] = float(heard[active].mean()) if active.any() else float("nan")
        out[f"quiet_{part}"] = float(1.0 - heard[silent].mean()) if silent.any() else float("nan")
    return out
