"""The model under stress: ten times too slow and back, and faults of every kind while it plays. Simulated time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gigmate.engine.timing.conductor import GridConductor

from tests.engine.fakes import FRAME, Driven, Singer

CEILING = 10 ** (-1 / 20)
BAR_FRAMES = 50  # at 120 bpm


class Timed(Driven):
    """A driven worker on a clock: a step costs so many frames of the sound card's time."""

    def __init__(self, player: Singer) -> None:
        super().__init__(player, conductor=GridConductor(120, 4, 48_000), clocked=True)

    def play(self, frames: int, cost: float = 0.2) -> None:
        """Until the card has carried so many frames more."""
        end = self.bridge.position + frames * self.worker.host_frame
        while self.bridge.position < end:
            if self.worker.heard.wait(0.0):
                self.step()
                self.callback(cost)
            else:
                self.callback(0.2)

    def last(self, frames: int) -> np.ndarray:
        return self.played[-frames * self.worker.host_frame :]


def check_sound(sound: np.ndarray) -> None:
    """Finite, below the ceiling, and without a click: it is the sine or a crossfade of it."""
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= CEILING
    assert np.abs(np.diff(sound)).max() < 0.06


def test_ten_times_slower_for_ten_seconds_and_back() -> None:
    run = Timed(Singer())
    run.play(4 * BAR_FRAMES)
    assert run.bridge.counters().miss_samples == 0
    run.play(250, cost=10.0)
    slow = run.last(250)
    counters = run.bridge.counters()
    assert counters.miss_episodes >= 1
    assert run.worker.status.state == "fallback"
    assert np.sqrt(np.mean(slow[len(slow) // 2 :] ** 2)) > 0.2, "the last bar is repeated"
    run.play(250)
    after = run.bridge.counters()
    run.play(100)
    assert run.bridge.counters().miss_samples == after.miss_samples, "and then it is as before"
    assert run.worker.status.state == "playing"
    check_sound(run.played)
    faults = run.fault_log.counts()
    assert faults["skipped_frames"] > 100
    assert len([w for w in run.fault_log.warnings if "fell behind" in w]) == 1
    recovered = after.samples / 48_000
    assert recovered > 0


def raising() -> np.ndarray:
    raise MemoryError("no memory left")


BROKEN: dict[str, Callable[[], object]] = {
    "raising": raising,
    "not finite": lambda: np.full((3, FRAME), np.nan, np.float32),
    "far too loud": lambda: np.full((3, FRAME), 1e30, np.float32),
    "wrong shape": lambda: np.zeros((2, FRAME), np.float32),
    "no array": lambda: object(),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_second_of_broken_frames_is_covered_said_once_and_over(what: str) -> None:
    player = Singer()
    run = Timed(player)
    run.play(2 * BAR_FRAMES + 10)
    made = run.worker.made_frames
    for frame in range(len(player.moments), len(player.moments) + 25):
        player.at[frame] = BROKEN[what]  # type: ignore[assignment]
    run.play(40)
    player.at.clear()
    player.always = None
    run.play(BAR_FRAMES)
    sound = run.last(30)
    assert np.isfinite(run.played).all()
    assert np.abs(run.played).max() <= CEILING
    assert np.abs(sound).max() > 0.4, "it plays again"
    assert run.worker.made_frames > made
    assert run.fault_log.counts()["player_play"] >= 5
    assert len([w for w in run.fault_log.warnings if "the model failed;" in w]) == 1
    check_sound(run.played)


def test_every_kind_of_fault_at_once_by_chance() -> None:
    """A thousand frames, a third of them broken or slow: never a sample above the ceiling, never one that is none."""
    rng = np.random.default_rng(11)
    player = Singer()
    run = Timed(player)
    kinds = list(BROKEN.values())
    for frame in range(1000):
        if rng.random() < 0.25:
            player.at[frame] = kinds[rng.integers(len(kinds))]  # type: ignore[assignment]
    while len(player.moments) < 1000 and run.bridge.position < 3000 * run.worker.host_frame:
        run.play(5, cost=float(rng.choice([0.2, 0.2, 0.2, 3.0])))
    assert np.isfinite(run.played).all()
    assert np.abs(run.played).max() <= CEILING
    assert len(run.fault_log.warnings) < 12, run.fault_log.warnings
