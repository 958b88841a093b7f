"""The line through the beats: it follows a tempo that drifts, and smooths the timing of who keeps one."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.timing.beats.beat_kalman import BeatKalman, Peak
from gigmate.engine.timing.conductor_settings import KalmanSettings

FRAME_S = 0.04


def steady(bpm: float, count: int) -> np.ndarray:
    return np.arange(count) * 60.0 / bpm


def drifting(bpm: float, held: int, to: float, over: int, after: int) -> np.ndarray:
    """A tempo held for some beats, that goes to another over the next ones and stays there; times in seconds."""
    tempi = np.concatenate([np.full(held, bpm), bpm * to ** (np.arange(1, over + 1) / over), np.full(after, bpm * to)])
    return np.concatenate([[0.0], np.cumsum(60.0 / tempi)])


class Follower:
    """A line that is told peaks a frame or two after they were, as the tracker does."""

    def __init__(self, bpm: float, late_s: float = 0.08) -> None:
        self.line = BeatKalman(KalmanSettings(), 0.0, 0.0, bpm / 60.0, 0.02, 0.02)
        self._late_s = late_s

    def go_on(self, time_s: float) -> None:
        while self.line.time_s + FRAME_S <= time_s:
            self.line.move(self.line.time_s + FRAME_S, 1.0)

    def hear(self, time_s: float, height: float = 1.0) -> None:
        self.go_on(time_s + self._late_s)
        self.line.meet(Peak(time_s, height))

    def errors_s(self, beats: np.ndarray, peaks: np.ndarray) -> np.ndarray:
        """How far from each beat the line had it 100 ms before, hearing a peak for each."""
        errors = []
        for number, (beat, peak) in enumerate(zip(beats, peaks, strict=True)):
            self.go_on(beat - 0.1)
            errors.append(self.line.time_of(number) - beat)
            self.hear(peak)
        return np.array(errors)


@pytest.mark.parametrize("to", [1.05, 0.95])
@pytest.mark.parametrize("bpm", [120.0, 160.0])
def test_a_tempo_that_drifts_by_five_percent_in_eight_beats_is_followed(bpm: float, to: float) -> None:
    beats = drifting(bpm, 24, to, 8, 16)
    errors = np.abs(Follower(bpm).errors_s(beats, beats))
    assert errors.max() < 0.035
    assert errors[-4:].max() < 0.01


@pytest.mark.parametrize("bpm", [80.0, 120.0, 160.0])
def test_the_jitter_of_a_steady_player_is_smoothed(bpm: float) -> None:
    beats = steady(bpm, 400)
    jitter = np.random.default_rng(1).uniform(-0.015, 0.015, len(beats))
    errors = Follower(bpm).errors_s(beats, beats + jitter)[20:]
    assert errors.std() < 0.7 * jitter.std()
    assert np.abs(errors).max() < 0.015


def test_peaks_beside_the_beat_hardly_move_the_line() -> None:
    beats = steady(100.0, 60)
    follower = Follower(100.0)
    follower.errors_s(beats[:40], beats[:40])
    follower.hear(beats[40] + 0.1)
    follower.go_on(beats[41] - 0.1)
    assert abs(follower.line.time_of(41) - beats[41]) < 0.01
    follower.hear(beats[41])
    follower.hear(beats[41] + 0.3)
    follower.go_on(beats[42] - 0.1)
    assert abs(follower.line.time_of(42) - beats[42]) < 0.01


def test_a_low_peak_moves_the_line_less() -> None:
    moved = []
    for height in (1.0, 0.5):
        follower = Follower(100.0)
        follower.errors_s(steady(100.0, 20), steady(100.0, 20))
        follower.hear(20 * 0.6 + 0.02, height)
        moved.append(follower.line.time_of(21) - 21 * 0.6)
    assert 0.0 < moved[1] < 0.6 * moved[0]


def test_who_has_kept_the_tempo_is_believed_to_keep_it_and_who_has_not_is_followed() -> None:
    rng = np.random.default_rng(2)
    wandering = np.concatenate([[0.0], np.cumsum(0.5 * np.exp(np.cumsum(rng.normal(0.0, 0.008, 60))))])
    bent = []
    for beats in (steady(120.0, 61), wandering):
        follower = Follower(120.0)
        follower.errors_s(beats, beats)
        rate_hz, due_s = follower.line.rate_hz, follower.line.time_of(len(beats))
        follower.hear(due_s - 0.02)
        bent.append(follower.line.rate_hz / rate_hz - 1.0)
    assert 0.0 < bent[0] < 0.6 * bent[1], bent


def test_the_line_says_how_sure_it_is() -> None:
    follower = Follower(120.0)
    follower.errors_s(steady(120.0, 30), steady(120.0, 30))
    sure_s = follower.line.error_s
    follower.go_on(30 * 0.5 + 8.0)
    assert sure_s < 0.012
    assert follower.line.error_s > 2 * sure_s


def test_who_rests_keeps_time_with_the_band() -> None:
    errors = []
    for freedom in (0.03, 1.0):
        line = BeatKalman(KalmanSettings(), 0.0, 0.0, 2.0, 0.01, 0.005)
        line.move(4.0, freedom)
        errors.append(line.error_s)
        assert line.beat == pytest.approx(8.0)
    assert errors[0] < errors[1]
