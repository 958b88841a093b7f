"""What is rehearsed before a run: the whole step, at the pace of the stage, and nothing of it is left over."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.config import EngineConfig
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.player import Controls, Moment
from gigmate.engine.run.start import rehearsal
from gigmate.engine.run.start.rehearsal import rehearse

from ...fakes import FakePlayer


class Clock:
    """Time that goes on by what is done alone, in place of the module `time`."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_a_slow_step_is_expected_to_take_what_the_last_frames_took_and_more(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, player, plays = Clock(), FakePlayer(), []
    monkeypatch.setattr(rehearsal, "time", clock)
    play = player.play

    def timed(moment: Moment, controls: Controls) -> np.ndarray:
        plays.append(clock.now_s)
        clock.now_s += 0.030 if len(plays) <= 16 else 0.012
        return play(moment, controls)

    monkeypatch.setattr(player, "play", timed)
    slow_s = rehearse(EngineConfig(), 48_000, player, FaultLog(), Controls())
    assert slow_s == pytest.approx(rehearsal.SLOW_STEP * 0.012), "the first frames, whose code is loaded, do not count"
    assert np.diff(plays[16:]) == pytest.approx([0.040] * 9), "and the last ones come as on stage"


def test_the_player_hears_struck_notes_with_pauses() -> None:
    player = FakePlayer()
    rehearse(EngineConfig(), 48_000, player, FaultLog(), Controls())
    levels = [float(np.abs(chunk).max()) for chunk in player.heard]
    assert max(levels) > 20 * np.median(levels[5:10])


@pytest.mark.parametrize("what", ["listen", "play"])
def test_a_player_that_fails_is_said_and_the_rehearsal_ends_all_the_same(what: str) -> None:
    player, log = FakePlayer(), FaultLog()

    def fail(*_: object) -> None:
        raise RuntimeError("out of tune")

    setattr(player, what, fail)
    assert rehearse(EngineConfig(), 48_000, player, log, Controls()) >= 0.0
    assert any("out of tune" in line for line in log.warnings)
