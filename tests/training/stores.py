"""Tiny stores for the tests of the trainers: songs of some seconds, with every array that a real one has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gigmate.dsp.features import FeatureExtractor, FeatureSpec
from gigmate.model.generator.score_tokens import SLOTS
from gigmate.training.sound.song_labels import FRAME_LABELS, FRAME_S

RATE_HZ = 32_000


def tiny_store(folder: Path, songs: int = 3, seconds: float = 12.0, style: str = "rock") -> Path:
    """Clicks on the beat at 120 bpm, a bass and a chord that change every two seconds; the lead plays the chord."""
    spec = FeatureSpec()
    frames = int(seconds / FRAME_S)
    t = np.arange(frames * spec.frame_samples) / RATE_HZ
    for song in range(songs):
        rng = np.random.default_rng(song)
        roots = rng.integers(0, 12, int(seconds / 2) + 1)
        pitch = roots[(t / 2).astype(int)]
        clicks = rng.standard_normal(len(t)) * np.exp(-(t % 0.5) * 60) * 0.3
        bass = 0.3 * np.sin(2 * np.pi * np.cumsum(55 * 2 ** (pitch / 12)) / RATE_HZ)
        keys = sum(0.1 * np.sin(2 * np.pi * np.cumsum(220 * 2 ** ((pitch + k) / 12)) / RATE_HZ) for k in (0, 4, 7))
        lead = keys * (0.4 + np.exp(-(t % 0.5) * 8)) + 0.01 * rng.standard_normal(len(t))
        audio = np.stack([lead, clicks, bass, keys])
        part = folder / f"{song:06d}"
        part.mkdir(parents=True)
        np.save(part / "audio.npy", (np.clip(audio, -1, 1) * 32767).astype(np.int16))
        np.save(part / "features.npy", FeatureExtractor().whole(lead.astype(np.float32)).astype(np.float16))
        np.save(part / "score.npy", np.full((3, SLOTS, frames), -1, np.int16))
        np.savez(part / "labels.npz", style_name=np.array(style), **labels(frames, roots))
    return folder


def labels(frames: int, roots: np.ndarray) -> dict[str, np.ndarray]:
    at = np.arange(frames) * FRAME_S
    root = roots[(at / 2).astype(int)]
    values = {
        "beat_phase": at / 0.5 % 1, "bar_phase": at / 2 % 1, "tempo_bpm": np.full(frames, 120.0),
        "beats_per_bar": np.full(frames, 4), "chord_root": root,
        "chord_pcs": np.isin((np.arange(12) - root[:, None]) % 12, (0, 4, 7)),
        "part_active": np.ones((frames, 3)), "playing": np.ones(frames), "density": np.full(frames, 0.5),
    }  # fmt: skip
    out = {name: np.asarray(values.get(name, np.zeros(frames))).astype(kind) for name, kind in FRAME_LABELS.items()}
    out["beats_s"] = np.arange(0, frames * FRAME_S, 0.5)
    out["downbeats_s"] = out["beats_s"][::4]
    for part in ("lead", "drums", "bass", "keys"):
        out[f"onsets_{part}_s"] = out["beats_s"]
    return out
