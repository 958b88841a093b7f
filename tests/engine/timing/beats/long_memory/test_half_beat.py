"""Who strikes between the beats throughout is told by where the harmony turns; who strikes on them is left alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gigmate.engine.player import HeardFrame
from gigmate.engine.timing.beats.long_memory.half_beat import HalfBeatDoubt
from gigmate.engine.timing.conductor import Conductor
from gigmate.engine.timing.conductor_settings import HalfBeatSettings

from ....performance import FRAME_S, RATE_HZ, SUB_FRAMES, Followed, Noise, Performance, follow, perform, steady

BPM = 120.0
CHORDS = ((0, 4, 7), (5, 9, 0), (7, 11, 2), (9, 0, 4))


def played(at_s: float, first_s: float, period_s: float, beats_per_chord: int = 4) -> np.ndarray:
    """The pitch classes of the chord that sounds."""
    row = np.zeros(12, np.float32)
    row[list(CHORDS[int((at_s - first_s) / period_s // beats_per_chord) % len(CHORDS)])] = 3**-0.5
    return row


def doubt(held_beside: bool, turns: bool = True, seconds: float = 30.0, rate: float = 1.0) -> HalfBeatDoubt:
    """A line held on the strokes, or half a beat before them, while chords turn with the true beats: those half a
    stroke before them where `held_beside`."""
    found = HalfBeatDoubt(HalfBeatSettings())
    period_s, first_s = 60.0 / BPM, 0.4
    true_s = first_s - 0.5 * period_s * held_beside
    due = first_s
    for frame in range(round(seconds / FRAME_S)):
        end_s = (frame + 1) * FRAME_S
        near = (end_s - FRAME_S / 2 - first_s + FRAME_S) % period_s < FRAME_S
        row = np.full(SUB_FRAMES, 0.4 if near else -0.2, np.float32)
        chord = played(end_s, true_s, period_s) if turns else played(0.0, 0.0, 1.0)
        heard = HeardFrame(downbeat=row * 0.0, onset=np.clip(row, 0.0, 1.0), played=chord, activity=1.0)
        found.hear(heard, row, 1.0, end_s, FRAME_S)
        while due < end_s - 0.07:
            found.beat(due)
            due += period_s
    return found


def test_where_the_harmony_turns_with_the_strokes_they_are_the_beats() -> None:
    found = doubt(held_beside=False)
    assert found.nats > 2.0 and not found.beside


def test_where_the_harmony_turns_half_a_beat_before_every_stroke_the_beats_are_there() -> None:
    found = doubt(held_beside=True)
    assert found.nats < -0.5 and found.beside


def test_without_harmony_the_strokes_are_the_beats() -> None:
    found = doubt(held_beside=True, turns=False)
    assert found.nats > 0.0 and not found.beside


def test_little_is_not_enough() -> None:
    assert doubt(held_beside=True, seconds=7.0).nats == 0.0


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 1.5])
def test_a_line_that_moves_takes_its_beats_along(ratio: float) -> None:
    found = doubt(held_beside=False)
    newest = float(found._beats[-1])
    found.moved(ratio, newest + 0.25)
    gaps = np.diff(found._beats)
    assert found._beats[-1] == pytest.approx(newest + 0.25)
    assert gaps == pytest.approx(np.full(len(gaps), ratio * 60.0 / BPM))
    assert not found.beside


class Sounding(Performance):
    """A performance whose chords are played half a beat before its strokes."""

    def heard(self, frame: int, chord_lag_frames: int = 3, rng: np.random.Generator | None = None) -> HeardFrame:
        said = super().heard(frame, chord_lag_frames, rng)
        first_s, period_s = float(self.beats_s[0]), float(self.beats_s[1] - self.beats_s[0])
        return dataclasses.replace(said, played=played((frame + 1) * FRAME_S, first_s - 0.5 * period_s, period_s))


def test_the_conductor_moves_by_half_a_beat_and_stays_there() -> None:
    noise = Noise(miss=0.0, offbeat=0.0, false_per_beat=0.0, jitter_s=0.004, downbeat_false=0.0, downbeat_miss=1.0)
    made = perform(steady(BPM, 40.0), 1, noise)
    sounding = Sounding(**{field.name: getattr(made, field.name) for field in dataclasses.fields(made)})
    followed: Followed = follow(Conductor(RATE_HZ), sounding)
    beats = followed.predicted_beats_s()
    late = beats[beats > 30.0]
    away = (late - made.beats_s[0]) / (60.0 / BPM) % 1.0
    assert np.abs(away - 0.5).max() < 0.1
    tempi = followed.tempo_bpm[followed.time_s > 5.0]
    assert tempi.min() > 0.6 * BPM and tempi.max() < 1.5 * BPM, "on the way time never stands still"
