"""Training data of the listener: crops of songs with the sound of a live input, and their targets.

Labels are exact, since the music is made. A crop may be louder or softer, in another key, and played faster or slower,
or from some moment on in another tempo at once: made songs keep theirs, musicians do not. Offline only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...dsp.features import FeatureSpec
from ...model.listener import (
    DELAY_FRAMES,
    TEMPO_HIGH_BPM,
    TEMPO_LOW_BPM,
    ListenerConfig,
    tempo_bins_bpm,
)
from ..store import StoredSong

FRAME_RATE_HZ = 25.0
MAX_TRANSPOSED = 6
"""Semitones up or down by which a crop is moved: twelve keys for the price of one."""
TRANSPOSED_SHARE = 0.5
PACED_SHARE = 0.5
"""Of the crops, played at another tempo than the song was."""
MOST_PACED = 0.1
"""Natural logarithm of the ratio of tempi."""
FAR_SHARE = 0.35
"""Of the paced crops, those that may go further: so that no pattern tells its tempo."""
FAR_PACED = 0.33
SLOWEST_BPM, FASTEST_BPM = 56.0, 212.0
"""What a musician still counts as beats: no crop is paced out of it."""
USUAL_BPM, USUAL_SPREAD = 120.0, 0.33
"""How people count, in logarithms: a pace that leads away from there is taken the less often, so that crops of many
paces are no slower nor faster than music is."""
COLOURED_SHARE = 0.6
"""Of the crops, heard through another loudspeaker, over another noise, off pitch: by their features."""
COLOUR_DB = 6.0
"""Standard deviation of the gain at each of some places along the spectrum."""
_COLOUR_KNOTS = 5
_FLOOR = (-0.95, -0.45)  # of the features: noise that hides what is softer
TURNED_SHARE = 0.3
"""Of those, that change the tempo once more, at once, on the way."""
TURNS = (0.05, 0.13)
"""Natural logarithm of the ratio, up or down."""
_REACH = 3  # sub-frames beside an event, in which its pulse is more than nothing

PacePath = NDArray[np.float64]


def pulse_targets(places: NDArray[np.float64], frames: int, sub_frames: int) -> NDArray[np.float32]:
    """[frames, sub_frames]: a bell around each event (at `places`, in frames), whose height at the middle of a
    sub-frame says how far that is from it: one sub-frame is a standard deviation, so that a parabola through the
    logarithms has its top at the very moment."""
    flat = np.zeros(frames * sub_frames, np.float32)
    at = np.asarray(places, np.float64)[:, None] * sub_frames
    index = np.floor(at).astype(np.int64) + np.arange(-_REACH, _REACH + 1)
    bell = np.exp(-0.5 * (index + 0.5 - at) ** 2)
    inside = (index >= 0) & (index < len(flat))
    np.maximum.at(flat, index[inside], bell[inside].astype(np.float32))
    return flat.reshape(frames, sub_frames)


def tempo_targets(tempo_bpm: NDArray[np.float32]) -> NDArray[np.float32]:
    """[T] to soft one-hot [T, bins]: a narrow bump in log tempo."""
    place = np.log(tempo_bpm[:, None] / tempo_bins_bpm().numpy()[None]) / np.log(TEMPO_HIGH_BPM / TEMPO_LOW_BPM)
    bump = np.exp(-0.5 * (place * (tempo_bins_bpm().numel() - 1)) ** 2)
    return (bump / bump.sum(axis=1, keepdims=True)).astype(np.float32)


class ListenerData:
    """Songs in memory as features and labels; draws random crops."""

    def __init__(self, songs: list[StoredSong], config: ListenerConfig) -> None:
        self._layout, self._sub_frames = config.layout(), config.sub_frames
        self._pitch_start = config.heard_size - FeatureSpec().pitch_bins
        self.features = [np.asarray(song.array("features")) for song in songs]
        self.labels = [song.labels() for song in songs]
        self.tempi_bpm = [float(np.median(labels["tempo_bpm"])) for labels in self.labels]
        self.shortest_frames = min(len(features) for features in self.features) - DELAY_FRAMES

    def batch(self, rng: np.random.Generator, rows: int, frames: int) -> tuple[Tensor, Tensor]:
        """Features and targets [rows, frames, .]; features lead by the delay. Gain changed by up to 12 dB, half of the
        rows transposed, half at another tempo."""
        xs, ys = [], []
        for _ in range(rows):
            song = int(rng.integers(len(self.features)))
            room = len(self.features[song]) - frames - DELAY_FRAMES
            path = _paced(rng, frames, room, self.tempi_bpm[song])
            start = int(rng.integers(max(1, math.floor(room + frames + DELAY_FRAMES - path[1, -1]))))
            x = self.heard(song, start, path)
            gain = np.float32(rng.uniform(-12, 6) / 20 * 0.4)  # features are 0.4 * log10 + 1
            x = np.where(x > -0.98, np.clip(x + gain, -1.0, 1.1), x)
            if rng.random() < COLOURED_SHARE:
                x = self._coloured(rng, x)
            y = self.asked(song, start, path)
            if rng.random() < TRANSPOSED_SHARE:
                self._transpose(x, y, int(rng.integers(1, MAX_TRANSPOSED + 1)) * int(rng.choice((-1, 1))))
            xs.append(x)
            ys.append(y)
        return torch.from_numpy(np.stack(xs)), torch.from_numpy(np.stack(ys))

    def heard(self, song: int, start: int, path: PacePath) -> NDArray[np.float32]:
        """Features [frames, heard_size] of a crop of `song` that begins at frame `start` and is played along `path`:
        places of the crop and of the song [2, knots], in frames."""
        frames = int(path[0, -1]) - DELAY_FRAMES
        source = self.features[song][start : start + math.ceil(path[1, -1]) + 1].astype(np.float32)
        ends = 1.0 + DELAY_FRAMES + np.arange(frames)
        if _plain(path):
            return source[DELAY_FRAMES : DELAY_FRAMES + frames]
        sub_ends = DELAY_FRAMES + (1.0 + np.arange(frames * self._sub_frames)) / self._sub_frames
        mel = source[:, : self._pitch_start].reshape(len(source) * self._sub_frames, -1)
        mel = _between(mel, np.interp(sub_ends, *path) * self._sub_frames - 1.0)
        pitch = _between(source[:, self._pitch_start :], np.interp(ends, *path) - 1.0)
        return np.concatenate([mel.reshape(frames, -1), pitch], axis=1)

    def asked(self, song: int, start: int, path: PacePath) -> NDArray[np.float32]:
        """Everything that the listener is asked for in that crop, [frames, outputs]."""
        frames = int(path[0, -1]) - DELAY_FRAMES
        labels = self.labels[song]
        middles = 0.5 + np.arange(frames)
        at = start + np.floor(np.interp(middles, *path)).astype(np.int64)
        pace = np.interp(middles + 0.5, *path) - np.interp(middles - 0.5, *path)
        root = labels["chord_root"][at].astype(np.int64)
        parts = {
            "beat": self._pulses(labels["beats_s"], start, path),
            "downbeat": self._pulses(labels["downbeats_s"], start, path),
            "onset": self._pulses(labels["onsets_lead_s"], start, path),
            "chord_root": np.eye(13, dtype=np.float32)[np.where(root < 0, 12, root)],
            "chord_pitch_classes": labels["chord_pcs"][at].astype(np.float32),
            "activity": labels["playing"][at].astype(np.float32)[:, None],
            "tempo": tempo_targets((labels["tempo_bpm"][at] * pace).astype(np.float32)),
        }
        return np.concatenate([parts[name] for name in self._layout], axis=1)

    def _pulses(self, times_s: NDArray[Any], start: int, path: PacePath) -> NDArray[np.float32]:
        places = np.asarray(times_s, np.float64) * FRAME_RATE_HZ - start
        places = places[(places >= 0) & (places < path[1, -1])]
        return pulse_targets(np.interp(places, path[1], path[0]), int(path[0, -1]) - DELAY_FRAMES, self._sub_frames)

    def _coloured(self, rng: np.random.Generator, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The crop through another tone, half of the time over a noise, half of the time up to half a semitone off."""
        spec, start = FeatureSpec(), self._pitch_start
        knots = rng.normal(0.0, COLOUR_DB / 20 * 0.4, _COLOUR_KNOTS)
        places = np.linspace(0.0, 1.0, _COLOUR_KNOTS)
        mel = np.interp(np.linspace(0.0, 1.0, spec.mel_bins), places, knots)
        pitch = np.interp(np.linspace(0.1, 0.6, spec.pitch_bins), places, knots)
        curve = np.concatenate([np.tile(mel, self._sub_frames), pitch]).astype(np.float32)
        x = np.where(x > -0.98, np.clip(x + curve, -1.0, 1.1), x)
        if rng.random() < 0.5:
            noise = rng.uniform(*_FLOOR) + rng.normal(0.0, 0.03, x.shape)
            x = np.maximum(x, noise.astype(np.float32))
        if rng.random() < 0.5:
            off = np.float32(rng.uniform(0.0, 0.5))
            beside = np.roll(x[:, start:], int(rng.choice((-1, 1))), axis=1)
            x[:, start:] = (1.0 - off) * x[:, start:] + off * beside
        return x.astype(np.float32)

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


def steady(frames: int) -> PacePath:
    """The path of a crop that is played as the song was."""
    return np.array([[0.0, frames + DELAY_FRAMES]] * 2)


def _paced(rng: np.random.Generator, frames: int, room: int, tempo_bpm: float) -> PacePath:
    """A path of `frames` and the delay, [places of the crop, places of the song]; `room` frames more than that are
    there, in a song of that tempo."""
    path = steady(frames)
    if rng.random() < PACED_SHARE:
        whole = frames + DELAY_FRAMES
        most = FAR_PACED if rng.random() < FAR_SHARE else MOST_PACED
        first = math.exp(rng.uniform(-most, most))
        if not SLOWEST_BPM <= first * tempo_bpm <= FASTEST_BPM or rng.random() > _likelier(first, tempo_bpm):
            first = 1.0
        second = first
        if rng.random() < TURNED_SHARE:
            second *= math.exp(rng.uniform(*TURNS) * rng.choice((-1, 1)))
        turn = whole * rng.uniform(0.3, 0.8)
        paced = np.array([[0.0, turn, whole], [0.0, turn * first, turn * first + (whole - turn) * second]])
        if paced[1, -1] <= whole + room:
            path = paced
    return path


def _likelier(pace: float, tempo_bpm: float) -> float:
    """How much likelier the tempo is at that pace than at the song's own."""
    before, after = (math.log(bpm / USUAL_BPM) / USUAL_SPREAD for bpm in (tempo_bpm, tempo_bpm * pace))
    return math.exp(0.5 * (before**2 - after**2))


def _plain(path: PacePath) -> bool:
    return bool(np.array_equal(path[0], path[1]))


def _between(rows: NDArray[np.float32], at: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows [N, .] at fractional places, linearly."""
    at = np.clip(at, 0.0, len(rows) - 1.0)
    low = np.minimum(at.astype(np.int64), len(rows) - 2)
    share = (at - low).astype(np.float32)[:, None]
    mixed: NDArray[np.float32] = rows[low] * (1.0 - share) + rows[low + 1] * share
    return mixed
