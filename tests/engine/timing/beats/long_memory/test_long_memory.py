"""The line moves to between its beats where the network says so, and stays; otherwise nothing moves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gigmate.dsp.metre_slots import SLOTS_PER_BEAT
from gigmate.engine.player import HeardFrame
from gigmate.engine.timing.beats.long_memory import long_memory
from gigmate.engine.timing.beats.long_memory.metre_network import Verdict
from gigmate.engine.timing.conductor import Conductor

from ....performance import FRAME_S, RATE_HZ, Followed, Noise, Performance, follow, perform, steady

BPM = 120.0
CHORDS = ((0, 4, 7), (5, 9, 0), (7, 11, 2), (9, 0, 4))
PLAIN = Noise(miss=0.0, offbeat=0.0, false_per_beat=0.0, jitter_s=0.004, downbeat_false=0.0, downbeat_miss=1.0)


def pitch_classes(at_s: float, first_s: float, period_s: float, beats_per_chord: int = 4) -> np.ndarray:
    """Those of the chord that sounds."""
    row = np.zeros(12, np.float32)
    row[list(CHORDS[int((at_s - first_s) / period_s // beats_per_chord) % len(CHORDS)])] = 3**-0.5
    return row


class Sounding(Performance):
    """A performance whose chords are played so many beats before its strokes, and heard as such."""

    early_beats = 0.5

    def heard(self, frame: int, chord_lag_frames: int = 3, rng: np.random.Generator | None = None) -> HeardFrame:
        said = super().heard(frame, chord_lag_frames, rng)
        first_s, period_s = float(self.beats_s[0]), float(self.beats_s[1] - self.beats_s[0])
        chord = pitch_classes((frame + 1) * FRAME_S, first_s - self.early_beats * period_s, period_s)
        root = np.full(13, 0.01, np.float32)
        root[int(chord.argmax())] = 0.88
        onset = np.maximum(said.beat, said.onset)
        return dataclasses.replace(said, played=chord, chord_root=root, onset=onset)


class TurnsAlone:
    """A network that goes by where the harmony turns, whatever is struck."""

    steps = 1

    def begin(self, slots: np.ndarray, overall: np.ndarray) -> np.ndarray:
        return slots

    def advance(self, step: int, z: np.ndarray, mask: np.ndarray) -> Verdict:
        turns = 400.0 * (z[:, 5:9] ** 16).sum(axis=1).reshape(-1, SLOTS_PER_BEAT).mean(axis=0)
        return Verdict((turns - np.logaddexp.reduce(turns)).astype(np.float32), np.zeros(7, np.float32))


@pytest.fixture(autouse=True)
def turns_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_memory, "shipped_network", TurnsAlone)


def followed(early_beats: float, seconds: float = 50.0) -> tuple[Followed, np.ndarray]:
    """What the conductor tells, and its late beats' places after the strokes."""
    made = perform(steady(BPM, seconds), 1, PLAIN)
    sounding = Sounding(**{field.name: getattr(made, field.name) for field in dataclasses.fields(made)})
    sounding.early_beats = early_beats
    found: Followed = follow(Conductor(RATE_HZ), sounding)
    beats = found.predicted_beats_s()
    return found, (beats[beats > seconds - 10.0] - made.beats_s[0]) / (60.0 / BPM) % 1.0


def test_the_conductor_moves_by_half_a_beat_and_stays_there() -> None:
    found, away = followed(0.5)
    assert np.abs(away - 0.5).max() < 0.1
    tempi = found.tempo_bpm[found.time_s > 5.0]
    assert tempi.min() > 0.6 * BPM and tempi.max() < 1.5 * BPM, "on the way time never stands still"


@pytest.mark.parametrize("early_beats", [0.0, 0.25, 0.75, 1.0])
def test_strokes_stay_the_beats_where_the_harmony_does_not_turn_between_them(early_beats: float) -> None:
    _, away = followed(early_beats)
    assert np.abs((away + 0.5) % 1.0 - 0.5).max() < 0.1
