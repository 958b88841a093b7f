"""Recordings of real bands as songs: a folder of stems in, a song with tracked labels out. Knows no models.

Needs librosa. Tracked labels are guesses: beats from the mix, bars from where the bass and the drums weigh most, chords
from the chroma per beat. A song made so says `tracked: true` in its meta.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..band.score import PARTS, SECTIONS
from . import augment
from .song_labels import FRAME_LABELS, FRAME_S
from .stem_files import StemError, read_stems

if TYPE_CHECKING:
    from .render import RenderedSong

_SHAPES = {"": (0, 4, 7), "m": (0, 3, 7)}
_ACTIVE_DB = -50.0


def import_song(
    folder: Path,
    number: int,
    rate_hz: int = 32000,
    beats_per_bar: int = 4,
    bpm: float | None = None,
    lead_channels: tuple[int, ...] | None = None,
) -> RenderedSong:
    """One folder as a song. `bpm`: a hint to the tracker. `lead_channels`: those of the lead's file that are taken.

    What was left out stands in the meta as `remarks`. Raises StemError, OSError.
    """
    from .render import TARGET_DB, RenderedSong

    stems, remarks = read_stems(folder, rate_hz, lead_channels)
    for part, sound in stems.items():
        have = augment.active_rms_db(sound, rate_hz)
        if have > -120:
            stems[part] = np.clip(sound * 10.0 ** ((TARGET_DB[part] - have) / 20.0), -1, 1).astype(np.float32)
    try:
        labels = track(stems, rate_hz, beats_per_bar, bpm)
    except StemError as error:
        raise StemError(f"{folder}: {error}") from error
    stems = {"lead_clean": stems["lead"], **stems}
    tempo = float(np.median(labels["tempo_bpm"]))
    meta: dict[str, Any] = {
        "seed": number, "split": "train", "style": folder.name, "style_id": -1, "bpm": round(tempo, 2), "key": -1,
        "minor": False, "metre": f"{beats_per_bar}/4", "swing": 0.5, "lead_mode": "recorded", "programs": {},
        "rate_hz": rate_hz, "font": None, "tracked": True, "remarks": remarks,
    }  # fmt: skip
    return RenderedSong(number, rate_hz, stems, labels, meta)


def track(stems: dict[str, np.ndarray], rate_hz: int, beats_per_bar: int, bpm: float | None) -> dict[str, np.ndarray]:
    """All labels of `sound.labels`, tracked. Raises StemError where no beat is found."""
    import librosa

    from .label_judge import TRACKER_BIAS_S

    mix = sum(stems.values(), np.zeros_like(stems["lead"]))
    _, beats = librosa.beat.beat_track(
        y=mix, sr=rate_hz, hop_length=320, start_bpm=bpm or 110.0, tightness=200, units="time", trim=False
    )
    beats = np.asarray(beats, dtype=np.float64) - TRACKER_BIAS_S
    if len(beats) < 8:
        raise StemError("no steady beat found: is the recording longer than a few bars?")
    frames = len(mix) * 32000 // (rate_hz * 1280)
    first = _first_downbeat(stems, rate_hz, beats, beats_per_bar)
    moments = np.arange(frames) * FRAME_S
    place = _positions(beats, moments)
    step = np.clip(np.floor(place).astype(np.int64), 0, len(beats) - 2)
    active = np.stack([_activity(stems[p], frames) for p in PARTS], axis=1)
    root, classes = _chords(stems, rate_hz, beats, step, frames)
    values: dict[str, np.ndarray] = {
        "beat_phase": np.mod(place, 1.0),
        "bar_phase": np.mod(place - first, beats_per_bar) / beats_per_bar,
        "tempo_bpm": 60.0 / np.diff(beats)[step],
        "beats_per_bar": np.full(frames, beats_per_bar),
        "chord_root": root, "chord_pcs": classes, "bass_pc": root,
        "key": np.full(frames, -1), "minor": np.zeros(frames), "section": np.full(frames, SECTIONS.index("verse")),
        "density": np.full(frames, 0.5), "style_id": np.full(frames, -1), "swing": np.full(frames, 0.5),
        "playing": _activity(stems["lead"], frames), "part_active": active,
    }  # fmt: skip
    out: dict[str, np.ndarray] = {
        name: np.ascontiguousarray(values[name].astype(kind)) for name, kind in FRAME_LABELS.items()
    }
    out["beats_s"] = beats
    out["downbeats_s"] = beats[first % beats_per_bar :: beats_per_bar]
    for part in ("lead", *PARTS):
        found: Any = []
        if stems[part].any():
            found = librosa.onset.onset_detect(y=stems[part], sr=rate_hz, hop_length=320, units="time")
        out[f"onsets_{part}_s"] = np.asarray(found, dtype=np.float64)
    return out


def _positions(beats: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Beat positions of moments, extrapolated with the first and last beat's length."""
    at = np.clip(np.searchsorted(beats, moments, side="right") - 1, 0, len(beats) - 2)
    return at + (moments - beats[at]) / (beats[at + 1] - beats[at])


def _first_downbeat(stems: dict[str, np.ndarray], rate_hz: int, beats: np.ndarray, beats_per_bar: int) -> int:
    """Which of the first beats is a one: where low energy of bass and drums is highest on average."""
    from scipy import signal

    low = signal.sosfilt(signal.butter(4, 120, "low", fs=rate_hz, output="sos"), stems["bass"] + stems["drums"])
    weight = []
    for t in beats:
        at = max(0, int(t * rate_hz))
        weight.append(float(np.sum(np.square(low[at : at + rate_hz // 8]))))
    w = np.array(weight)
    return int(np.argmax([w[k::beats_per_bar].mean() for k in range(beats_per_bar)]))


def _activity(sound: np.ndarray, frames: int) -> np.ndarray:
    """Bool [frames]: loud enough within half a second around."""
    power = np.mean(np.square(sound.reshape(frames, -1), dtype=np.float64), axis=1)
    smooth = np.convolve(power, np.ones(25) / 25.0, mode="same")
    return 10.0 * np.log10(smooth + 1e-12) > _ACTIVE_DB


def _chords(
    stems: dict[str, np.ndarray], rate_hz: int, beats: np.ndarray, step: np.ndarray, frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Major and minor triads by template, one a beat: root [frames] and pitch classes [frames, 12]."""
    import librosa

    pitched = stems["lead"] + stems["bass"] + stems["keys"]
    chroma = librosa.feature.chroma_cqt(y=pitched, sr=rate_hz, hop_length=1280, norm=None)[:, :frames]
    templates = np.zeros((24, 12))
    for k, shape in enumerate(_SHAPES.values()):
        for r in range(12):
            templates[12 * k + r, [(r + t) % 12 for t in shape]] = 1.0
    roots = np.full(len(beats), -1)
    classes = np.zeros((len(beats), 12), dtype=bool)
    edges = np.clip((beats / FRAME_S).astype(np.int64), 0, chroma.shape[1])
    for b in range(len(beats) - 1):
        energy = np.sqrt(chroma[:, edges[b] : edges[b + 1]]).mean(axis=1) if edges[b + 1] > edges[b] else np.zeros(12)
        if energy.sum() > 1e-6:
            best = int(np.argmax(templates @ energy))
            roots[b], classes[b] = best % 12, templates[best] > 0
    return roots[step], classes[step]
