"""Who strikes between the beats throughout is told by where the harmony turns; who strikes on them is left alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gigmate.engine.player import HeardFrame
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
        return dataclasses.replace(said, played=chord, chord_root=root, onset=np.maximum(said.beat, said.onset))


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


@pytest.mark.parametrize("early_beats", [0.0, 1.0])
def test_strokes_on_which_the_harmony_turns_stay_the_beats(early_beats: float) -> None:
    _, away = followed(early_beats)
    assert np.abs((away + 0.5) % 1.0 - 0.5).max() < 0.1
