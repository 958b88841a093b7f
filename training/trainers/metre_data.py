"""Training data of the metre network: lines along songs as the listener hears them, right ones and wrong ones.

The listener answers whole songs once. A line runs over up to 64 beats of a song that end anywhere; its last quarter
stands anywhere in the beat, or it counts at another level; a little beside, a little too fast or slow. Offline only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...dsp.features import played_pitch_classes
from ...dsp.metre_slots import LEVELS, SLOTS, SLOTS_PER_BEAT, HeardSpan, frame_sums, slot_features, tempo_votes
from ...model.configs import DELAY_FRAMES
from ...model.listener import Listener
from ..sound.song_labels import FRAME_S
from ..store import StoredSong
from .chord_network_trainer import beats_at

LEVEL_SHARES = (0.64, 0.10, 0.08, 0.06, 0.04, 0.04, 0.04)
"""Of the lines, by dsp.metre_slots.LEVELS."""
FEWEST_BEATS = 10
_BESIDE_BEATS = 0.03
_TEMPO_OFF = 0.001
_LEAST_SONG_BEATS = 10


@dataclass(frozen=True)
class MetreSong:
    """What the listener says of a song, and where its beats are."""

    heard: HeardSpan
    beats_s: NDArray[np.float64]
    downbeats_s: NDArray[np.float64]

    @property
    def length_s(self) -> float:
        return (len(self.heard.sums) - 1) * self.heard.frame_s


class Line(NamedTuple):
    """A line along a song."""

    slots: NDArray[np.float32]
    overall: NDArray[np.float32]
    place: int
    """Of which kind its beats are, of SLOTS_PER_BEAT; -1: it counts at another level."""
    level: int
    """Of LEVELS."""
    downbeats: NDArray[np.float32]
    """[SLOTS], 1 on a downbeat."""


@torch.inference_mode()
def metre_song(song: StoredSong, listener: Listener) -> MetreSong:
    """A stored song as `listener` hears it, each answer at the frame that it speaks of."""
    labels = song.labels()
    features = np.asarray(song.array("features"), np.float32)
    said = listener.whole(torch.from_numpy(features)[None])[0][DELAY_FRAMES:]
    layout = listener.config.layout()

    def chances(name: str) -> NDArray[np.float32]:
        part = said[:, slice(*layout[name])]
        answer: NDArray[np.float32] = (
            part.softmax(dim=1) if name in ("tempo", "chord_root") else part.sigmoid()
        ).numpy()
        return answer

    sub = np.stack([chances(name).ravel() for name in ("beat", "downbeat", "onset")])
    played = played_pitch_classes(features)[: len(said)]
    rows = frame_sums(played, chances("chord_root"), chances("activity")[:, 0])
    return MetreSong(
        HeardSpan(sub, _summed(rows), _summed(tempo_votes(chances("tempo"))), FRAME_S),
        labels["beats_s"],
        labels["downbeats_s"],
    )


def _summed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])


def draw_line(rng: np.random.Generator, song: MetreSong) -> Line | None:
    """One line; None in a song that is too short."""
    level = int(rng.choice(len(LEVELS), p=LEVEL_SHARES))
    faster = LEVELS[level]
    count = int(rng.integers(FEWEST_BEATS, SLOTS // SLOTS_PER_BEAT + 1))
    last = int(np.searchsorted(song.beats_s, song.length_s - 0.5)) - 1
    if last < _LEAST_SONG_BEATS:
        return None
    end = float(rng.uniform(min(8, last - 1), last))
    if level == 0:
        end = np.floor(end) + rng.integers(SLOTS_PER_BEAT) / SLOTS_PER_BEAT
    newest = end + float(rng.normal(0.0, _BESIDE_BEATS))
    steps = np.arange(1 - SLOTS_PER_BEAT * count, 1) / (SLOTS_PER_BEAT * faster)
    at_s = _times(song.beats_s, newest + steps * (1.0 + rng.normal(0.0, _TEMPO_OFF)))
    period_s = float(np.median(np.diff(at_s)) * SLOTS_PER_BEAT)
    slots, overall = slot_features(song.heard, at_s, period_s)
    downbeats = np.zeros(SLOTS, np.float32)
    if level:
        return Line(slots, overall, -1, level, downbeats)
    after = round((end - np.floor(end)) * SLOTS_PER_BEAT) % SLOTS_PER_BEAT
    numbers = np.round(beats_at(song.beats_s, song.downbeats_s))
    places = SLOTS - 1 - np.round((end - numbers) * SLOTS_PER_BEAT).astype(np.int64)
    downbeats[places[(places >= SLOTS - len(at_s)) & (places < SLOTS)]] = 1.0
    return Line(slots, overall, (SLOTS_PER_BEAT - 1 - after) % SLOTS_PER_BEAT, 0, downbeats)


def _times(beats_s: NDArray[np.float64], beats: NDArray[np.float64]) -> NDArray[np.float64]:
    """When the song is at those counts of beats; beyond both ends its usual tempo goes on."""
    last, period_s = len(beats_s) - 1, float(np.median(np.diff(beats_s)))
    inside = np.interp(beats, np.arange(last + 1), beats_s)
    return inside + (np.minimum(beats, 0.0) + np.maximum(beats - last, 0.0)) * period_s
