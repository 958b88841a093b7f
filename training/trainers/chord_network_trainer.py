"""Training of harmony: chords, keys and next chords, from a trained listener's output on synthetic songs.

The listener answers whole songs once; what it says is averaged over the half-beats of the true grid, and the network
learns from the places of the bar as a conductor gives them: mostly right, sometimes a beat off, more or less sure. In
all keys; with the style told or not; and after another song, as on an evening. Offline only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...dsp.features import played_pitch_classes
from ...dsp.log_probability import pitch_class_log_odds, root_log_probabilities
from ...model.configs import ANSWERS, CHORDS, DELAY_FRAMES, ROOTS, HarmonyConfig
from ...model.harmony.chord_network import Harmony
from ...model.harmony.harmonist import SLOTS_PER_BEAT, pitch_channels, unpitched_features
from ...model.listener import Listener
from ..loop import Loop, LoopConfig
from ..sound.song_labels import FRAME_S, chords_of
from ..store import (
    StoredSong,
    check_enough,
    held_out,
    songs_in,
)

CHORD_LAG_S = 0.07
"""How long after a change the listener's answer turns, as the conductor's `chord_lag_s` has it."""
STEPS = 192
"""Half-beats of a sequence."""
WEIGHTS = {"chord": 1.0, "key": 0.5, "next": 0.5, "after": 0.3}
_TOLD = 0.6
_ANOTHER_BEFORE = 0.35
_WRONG_PLACE = 0.3
_OFF_BEAT = 0.05
_CROPPED = 0.4
_EARLY_OR_LATE = 0.6
_MOST_OFF = 0.4
"""Of a half-beat, by which a conductor's beats are off in that share of the crops."""


@dataclass(frozen=True)
class HalfBeats:
    """A song in half-beats [T]."""

    pitched: NDArray[np.float32]
    """[T, channels, 12]: see `pitch_channels`, then what it is shown of earlier bars."""
    no_root: NDArray[np.float32]
    trust: NDArray[np.float32]
    length_s: NDArray[np.float32]
    place: NDArray[np.int64]
    slots_per_bar: NDArray[np.int64]
    chord: NDArray[np.int64]
    """Root + 12 * minor; -1 where there is none."""
    key: NDArray[np.int64]
    style: str

    def __len__(self) -> int:
        return len(self.place)


@torch.inference_mode()
def half_beats(song: StoredSong, listener: Listener, look_bars: tuple[int, ...]) -> HalfBeats:
    """What the listener says of a song and what is true, by half-beats of the true grid; later than they sound by as
    much as the conductor takes the listener to be late."""
    labels = song.labels()
    features = np.asarray(song.array("features"), np.float32)
    said = listener.whole(torch.from_numpy(features)[None])[0]
    layout = listener.config.layout()

    def part(name: str) -> Tensor:
        return said[:, slice(*layout[name])]

    heard = np.concatenate(
        [
            root_log_probabilities(part("chord_root").softmax(dim=1).numpy()),
            pitch_class_log_odds(part("chord_pitch_classes").sigmoid().numpy()),
            played_pitch_classes(features),
        ],
        axis=1,
    )
    trust = np.clip((part("activity").sigmoid().numpy()[:, 0] - 0.2) / 0.3, 0.0, 1.0)
    beats_per_bar = int(labels["beats_per_bar"][0])
    at_s = (np.arange(len(features), dtype=np.float64) + 0.5 - DELAY_FRAMES) * FRAME_S - CHORD_LAG_S
    slots = np.floor(SLOTS_PER_BEAT * beats_at(labels["beats_s"], at_s)).astype(np.int64)
    first = int(np.abs(labels["beats_s"] - labels["downbeats_s"][0]).argmin())
    true = chords_of(labels)[np.clip(np.round(at_s / FRAME_S - 0.5).astype(int), 0, len(labels["chord_root"]) - 1)]
    key = labels["key"].astype(np.int64) + ROOTS * labels["minor"].astype(np.int64)

    numbers = np.arange(slots[0], slots[-1] + 1)
    index = slots - slots[0]
    count = np.bincount(index, minlength=len(numbers))
    weight = np.bincount(index, trust, len(numbers))
    means = np.stack([np.bincount(index, column * trust, len(numbers)) for column in heard.T], axis=1)
    means = (means / np.maximum(weight, 1e-9)[:, None]).astype(np.float32)
    votes = np.zeros((len(numbers), CHORDS + 1))
    np.add.at(votes, (index, np.where(true < 0, CHORDS, true)), 1.0)
    found = votes.argmax(axis=1)
    last = np.searchsorted(index, np.arange(len(numbers)), side="right") - 1
    slots_per_bar = SLOTS_PER_BEAT * beats_per_bar
    average = (weight / np.maximum(count, 1)).astype(np.float32)
    pitched = pitch_channels(means[:, :ROOTS], means[:, 13:25], means[:, 25:], average)
    return HalfBeats(
        looked_back(pitched, slots_per_bar, look_bars),
        np.asarray(means[:, ROOTS], np.float32),
        average,
        (count * FRAME_S).astype(np.float32),
        (numbers - SLOTS_PER_BEAT * first) % slots_per_bar,
        np.full(len(numbers), slots_per_bar),
        np.where((found == CHORDS) | (count == 0), -1, found),
        key[np.clip(last, 0, len(key) - 1)],
        str(labels["style_name"]),
    )


def beats_at(beats_s: NDArray[np.float64], at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """The beat count at each moment; beyond both ends the tempo goes on."""
    before, after = beats_s[1] - beats_s[0], beats_s[-1] - beats_s[-2]
    more = 64
    times = np.concatenate(
        [beats_s[0] - before * np.arange(more, 0, -1), beats_s, beats_s[-1] + after * np.arange(1, more + 1)]
    )
    return np.interp(at_s, times, np.arange(-more, len(beats_s) + more))


def looked_back(pitched: NDArray[np.float32], slots_per_bar: int, look_bars: tuple[int, ...]) -> NDArray[np.float32]:
    """[T, HEARD, 12] to [T, channels, 12]: with the roots of the same place of earlier bars, and of the next place."""
    count = len(pitched)
    shown = [pitched]
    for ahead in (0, 1):
        for bars in look_bars:
            then = np.arange(count) - bars * slots_per_bar + ahead
            there = np.zeros((count, 1, ROOTS), np.float32)
            there[then >= 0, 0] = pitched[then[then >= 0], 0]
            shown.append(there)
    return np.concatenate(shown, axis=1)


class HarmonyData:
    """Songs in memory as half-beats; draws sequences."""

    def __init__(self, songs: list[HalfBeats], config: HarmonyConfig) -> None:
        self.songs, self._config = songs, config

    def batch(self, rng: np.random.Generator, rows: int, steps: int) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs [rows, steps, size], chords and keys [rows, steps] (-1: not asked)."""
        x = np.zeros((rows, steps, self._config.size), np.float32)
        chord = np.full((rows, steps), -1, np.int64)
        key = np.full((rows, steps), -1, np.int64)
        for row in range(rows):
            at = 0
            told = rng.random() < _TOLD
            up = int(rng.integers(ROOTS))
            lengths = [int(rng.integers(20, 120))] if rng.random() < _ANOTHER_BEFORE else []
            for most in (*lengths, steps):
                song = self.songs[int(rng.integers(len(self.songs)))]
                start = int(rng.integers(max(1, len(song) - 60))) if rng.random() < _CROPPED else 0
                part = slice(start, min(len(song), start + min(most, steps - at)))
                here = slice(at, at + part.stop - part.start)
                x[row, here] = self.inputs(off_time(rng, song), told, *misplaced(rng, song), up)[part]
                chord[row, here] = transposed(song.chord[part], up)
                key[row, here] = transposed(song.key[part], up)
                at = here.stop
        return torch.from_numpy(x), torch.from_numpy(chord), torch.from_numpy(key)

    def inputs(
        self, song: HalfBeats, told: bool, place: NDArray[np.int64], bar_sure: NDArray[np.float32], up: int = 0
    ) -> NDArray[np.float32]:
        """[T, size] of a whole song, `up` semitones higher."""
        pitched = np.roll(song.pitched, up, axis=2).reshape(len(song), -1)
        rest = unpitched_features(song.no_root, song.trust, song.length_s, place, song.slots_per_bar, bar_sure)
        style = np.zeros((len(song), len(self._config.styles) + 1), np.float32)
        known = self._config.styles
        style[:, 1 + known.index(song.style) if told and song.style in known else 0] = 1.0
        return np.concatenate([pitched, rest, style], axis=1)


def transposed(chord: NDArray[np.int64], up: int) -> NDArray[np.int64]:
    return np.where(chord < 0, -1, (chord % ROOTS + up) % ROOTS + chord // ROOTS * ROOTS)


def misplaced(rng: np.random.Generator, song: HalfBeats) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places in the bar as a conductor has them, and how sure it is of them."""
    draw = rng.random()
    if draw < _WRONG_PLACE:
        return (song.place + SLOTS_PER_BEAT * int(rng.integers(1, 9))) % song.slots_per_bar, _sure(rng, song, 0.2)
    off = int(draw < _WRONG_PLACE + _OFF_BEAT)
    return (song.place + off) % song.slots_per_bar, _sure(rng, song, 0.6)


def off_time(rng: np.random.Generator, song: HalfBeats) -> HalfBeats:
    """The song as heard by a conductor whose beats are early or late: into each half-beat comes some of the next one,
    or of the one before. What is true of it stays."""
    off = float(rng.uniform(-_MOST_OFF, _MOST_OFF)) if rng.random() < _EARLY_OR_LATE else 0.0
    if off == 0.0:
        return song
    other = np.clip(np.arange(len(song)) + (1 if off > 0 else -1), 0, len(song) - 1)
    share = np.float32(abs(off))

    def mixed(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return (np.float32(1.0) - share) * values + share * values[other]

    return replace(song, pitched=mixed(song.pitched), no_root=mixed(song.no_root), trust=mixed(song.trust))


def _sure(rng: np.random.Generator, song: HalfBeats, least: float) -> NDArray[np.float32]:
    return np.full(len(song), rng.uniform(least, 1.0), np.float32)


def losses(odds: Tensor, chord: Tensor, key: Tensor) -> dict[str, Tensor]:
    """Mean cross entropy of each answer [B, T, CHORDS] where it is known."""
    result = {}
    for number, name in enumerate(ANSWERS):
        ahead = max(0, number - 1)
        asked = key if name == "key" else chord
        target = asked[:, ahead:].flatten()
        given = odds[:, : odds.shape[1] - ahead, number].flatten(0, 1)
        result[name] = F.cross_entropy(given, target, ignore_index=-1)
    return result


def train_harmony(
    data: Path, listener: Listener, config: LoopConfig, shape: HarmonyConfig, batch: int = 24, seed: int = 0
) -> None:
    """Train (or resume) harmony on the store `data` as `listener` hears it; the checkpoint lies in `config.out`."""
    torch.manual_seed(seed)
    songs = songs_in(data)
    checked = held_out(songs, most=48)
    held = {s.path for s in checked}
    check_enough(data, len(songs), len(held))
    listener.eval()
    train = HarmonyData([half_beats(s, listener, shape.look_bars) for s in songs if s.path not in held], shape)
    test = HarmonyData([half_beats(s, listener, shape.look_bars) for s in checked], shape)
    model = Harmony(shape)
    loop = Loop(config, model, "harmony", shape.to_dict())
    loop.resume()
    rng = loop.sampler(seed)
    for step in loop:
        x, chord, key = loop.move(train.batch(rng, batch, STEPS))
        parts = losses(model.whole(x), chord, key)
        total = torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()
        loop.update(total, {name: float(value.detach()) for name, value in parts.items()})
        if (step + 1) % 200 == 0:
            loop.log(**check(model, test, loop))


@torch.no_grad()
def check(model: Harmony, test: HarmonyData, loop: Loop) -> dict[str, float]:
    """Figures on held-out songs, the style told, the bars known: quick to see, not those that count."""
    sums: dict[str, list[float]] = {}
    was_training = model.training
    model.eval()
    for song in test.songs:
        sure = np.full(len(song), 0.9, np.float32)
        x = torch.from_numpy(test.inputs(song, True, song.place, sure))[None]
        chord, key = torch.from_numpy(song.chord)[None], torch.from_numpy(song.key)[None]
        x, chord, key = loop.move((x, chord, key))
        odds = model.whole(x)
        parts = losses(odds, chord, key)
        best = odds[0].argmax(dim=-1)
        known = chord[0] >= 0
        changed = torch.zeros_like(known)
        changed[1:] = (chord[0, 1:] != chord[0, :-1]) & known[1:]
        figures = {f"test_{name}": value for name, value in parts.items()}
        figures["valid"] = torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()
        figures["test_chord_share"] = (best[:, 0] == chord[0])[known].float().mean()
        figures["test_key_share"] = (best[64:, 1] == key[0, 64:]).float().mean()
        figures["test_change_share"] = (best[:-1, 2] == chord[0, 1:])[changed[1:]].float().mean()
        for name, value in figures.items():
            if bool(torch.isfinite(value)):
                sums.setdefault(name, []).append(float(value))
    model.train(was_training)
    return {name: float(np.mean(values)) for name, values in sums.items()}
