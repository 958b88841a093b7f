"""Training of the listener on the lead as a live input hears it: beats, downbeats, onsets, tempo, chord, activity.

Labels are exact, since the music is made. The answer for a frame is asked DELAY_FRAMES later. Offline only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..dsp.features import FeatureSpec
from ..model.listener import DELAY_FRAMES, TEMPO_HIGH_BPM, TEMPO_LOW_BPM, Listener, ListenerConfig, tempo_bins_bpm
from .loop import Loop, LoopConfig
from .store import StoredSong, check_enough, held_out, songs_in

FRAME_RATE_HZ = 25.0
MAX_TRANSPOSED = 6
"""Semitones up or down by which a crop is moved: twelve keys for the price of one."""


def pulse_targets(times_s: NDArray[np.float64], frames: int, sub_frames: int) -> NDArray[np.float32]:
    """[frames, sub_frames]: 1 in the sub-frame that holds an event, 0.5 and 0.25 beside it, against hard edges."""
    flat = np.zeros(frames * sub_frames + 4, np.float32)
    index = np.floor(np.asarray(times_s) * FRAME_RATE_HZ * sub_frames).astype(np.int64)
    index = index[(index >= 0) & (index < frames * sub_frames)]
    for shift, value in ((-2, 0.25), (2, 0.25), (-1, 0.5), (1, 0.5), (0, 1.0)):
        place = index + shift
        place = place[(place >= 0) & (place < len(flat))]
        flat[place] = np.maximum(flat[place], value)
    return flat[: frames * sub_frames].reshape(frames, sub_frames)


def tempo_targets(tempo_bpm: NDArray[np.float32]) -> NDArray[np.float32]:
    """[T] to soft one-hot [T, bins]: a narrow bump in log tempo."""
    place = np.log(tempo_bpm[:, None] / tempo_bins_bpm().numpy()[None]) / np.log(TEMPO_HIGH_BPM / TEMPO_LOW_BPM)
    bump = np.exp(-0.5 * (place * (tempo_bins_bpm().numel() - 1)) ** 2)
    return (bump / bump.sum(axis=1, keepdims=True)).astype(np.float32)


def targets_of(labels: dict[str, NDArray[Any]], frames: int, sub_frames: int) -> dict[str, NDArray[np.float32]]:
    """Everything that the listener is asked for, per frame."""
    root = labels["chord_root"][:frames].astype(np.int64)
    return {
        "beat": pulse_targets(labels["beats_s"], frames, sub_frames),
        "downbeat": pulse_targets(labels["downbeats_s"], frames, sub_frames),
        "onset": pulse_targets(labels["onsets_lead_s"], frames, sub_frames),
        "chord_root": np.eye(13, dtype=np.float32)[np.where(root < 0, 12, root)],
        "chord_pitch_classes": labels["chord_pcs"][:frames].astype(np.float32),
        "activity": labels["playing"][:frames].astype(np.float32)[:, None],
        "tempo": tempo_targets(labels["tempo_bpm"][:frames].astype(np.float32)),
    }


class ListenerData:
    """Songs in memory as features and joined targets; draws random crops."""

    def __init__(self, songs: list[StoredSong], config: ListenerConfig) -> None:
        self._layout = config.layout()
        self._pitch_start = config.heard_size - FeatureSpec().pitch_bins
        self.features, self.targets = [], []
        for song in songs:
            features = np.asarray(song.array("features"))
            parts = targets_of(song.labels(), len(features), config.sub_frames)
            self.features.append(features)
            self.targets.append(np.concatenate([parts[name] for name in config.layout()], axis=1).astype(np.float16))
        self.shortest_frames = min(len(features) for features in self.features) - DELAY_FRAMES

    def batch(self, rng: np.random.Generator, rows: int, frames: int) -> tuple[Tensor, Tensor]:
        """Features and targets [rows, frames, .], gain changed by up to 12 dB, half of the rows transposed; features
        lead by the delay."""
        xs, ys = [], []
        for _ in range(rows):
            song = int(rng.integers(len(self.features)))
            start = int(rng.integers(max(1, len(self.features[song]) - frames - DELAY_FRAMES)))
            x = self.features[song][start + DELAY_FRAMES : start + DELAY_FRAMES + frames].astype(np.float32)
            gain = np.float32(rng.uniform(-12, 6) / 20 * 0.4)  # features are 0.4 * log10 + 1
            x = np.where(x > -0.98, np.clip(x + gain, -1.0, 1.1), x)
            y = self.targets[song][start : start + frames].astype(np.float32)
            if rng.random() < 0.5:
                self._transpose(x, y, int(rng.integers(1, MAX_TRANSPOSED + 1)) * int(rng.choice((-1, 1))))
            xs.append(x)
            ys.append(y)
        return torch.from_numpy(np.stack(xs)), torch.from_numpy(np.stack(ys))

    def _transpose(self, x: NDArray[np.float32], y: NDArray[np.float32], semitones: int) -> None:
        """Move the semitone spectrum and the chord, in place. Mel bands stay: chords are learnt from semitones."""
        pitches = x[:, self._pitch_start :]
        moved = np.roll(pitches, semitones, axis=1)
        if semitones > 0:
            moved[:, :semitones] = pitches.min(axis=1, keepdims=True)
        else:
            moved[:, semitones:] = pitches.min(axis=1, keepdims=True)
        x[:, self._pitch_start :] = moved
        for name in ("chord_root", "chord_pitch_classes"):
            start = self._layout[name][0]
            y[:, start : start + 12] = np.roll(y[:, start : start + 12], semitones, axis=1)


def losses(output: Tensor, target: Tensor, config: ListenerConfig) -> dict[str, Tensor]:
    """Loss per answer, mean over frames after a second of context; pulses weigh their rare hits more."""
    output, target = output[:, 25:], target[:, 25:]
    result = {}
    for name, (start, stop) in config.layout().items():
        o, t = output[..., start:stop], target[..., start:stop]
        if name in ("chord_root", "tempo"):
            result[name] = -(t * F.log_softmax(o, dim=-1)).sum(-1).mean()
        elif name in ("beat", "downbeat", "onset"):
            result[name] = F.binary_cross_entropy_with_logits(o, t, weight=1 + 4 * t)
        else:
            result[name] = F.binary_cross_entropy_with_logits(o, t)
    return result


WEIGHTS = {
    "beat": 3.0,
    "downbeat": 3.0,
    "onset": 1.0,
    "chord_root": 0.5,
    "chord_pitch_classes": 1.0,
    "activity": 0.5,
    "tempo": 0.3,
}


def train_listener(
    data: Path,
    config: LoopConfig,
    model_config: ListenerConfig | None = None,
    batch: int = 16,
    frames: int = 600,
    seed: int = 0,
) -> None:
    """Train (or resume) a listener on the store `data`; the checkpoint lies in `config.out`."""
    torch.manual_seed(seed)
    songs = songs_in(data)
    checked = held_out(songs)
    held = {s.path for s in checked}
    check_enough(data, len(songs), len(held))
    shape = model_config or ListenerConfig()
    train = ListenerData([s for s in songs if s.path not in held], shape)
    test = ListenerData(checked, shape)
    frames = min(frames, train.shortest_frames)
    model = Listener(shape)
    loop = Loop(config, model, "listener", shape.to_dict())
    loop.resume()
    rng = loop.sampler(seed)
    for step in loop:
        x, y = loop.move(train.batch(rng, batch, frames))
        with loop.autocast():
            output = model.whole(x)
        parts = losses(output.float(), y, shape)
        total = torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()
        loop.update(total, {name: float(value.detach()) for name, value in parts.items()})
        if (step + 1) % 200 == 0:
            loop.log(**check(model, test, shape, loop))


@torch.no_grad()
def check(model: Listener, test: ListenerData, shape: ListenerConfig, loop: Loop) -> dict[str, float]:
    """Frame-wise figures on held-out songs: quick to see, not the figures that count (training.evaluate has those)."""
    x, y = loop.move(test.batch(np.random.default_rng(1), 24, min(700, test.shortest_frames)))
    with loop.autocast():
        output = model.whole(x).float()
    parts = losses(output, y, shape)
    figures = {"valid": sum(WEIGHTS[name] * float(value) for name, value in parts.items())}
    figures |= {f"test_{name}": float(value) for name, value in parts.items()}
    start, stop = shape.layout()["chord_root"]
    hit = output[:, 100:, start:stop].argmax(-1) == y[:, 100:, start:stop].argmax(-1)
    figures["test_root_share"] = float(hit.float().mean())
    start, stop = shape.layout()["tempo"]
    off = (output[:, 200:, start:stop].argmax(-1) - y[:, 200:, start:stop].argmax(-1)).abs() <= 1
    figures["test_tempo_share"] = float(off.float().mean())
    return figures
