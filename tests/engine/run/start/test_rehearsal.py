"""What is rehearsed before a run: the whole step, at the pace of the stage, and nothing of it is left over."""

from __future__ import annotations

import time

import numpy as np
import pytest
from gigmate.engine.config import EngineConfig
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.player import Controls
from gigmate.engine.run.start import rehearsal
from gigmate.engine.run.start.rehearsal import rehearse

from ...fakes import FakePlayer


class Slow(FakePlayer):
    """Takes its time to play; only its time at the pace of the stage, after the first frames, is that of a step."""

    def play(self, moment, controls):  # type: ignore[no-untyped-def]
        self.plays = getattr(self, "plays", 0) + 1
        time.sleep(0.030 if self.plays <= 16 else 0.012)
        return super().play(moment, controls)


def test_a_slow_step_is_expected_to_take_what_the_last_frames_took_and_more() -> None:
    player = Slow(0)
    began_s = time.perf_counter()
    slow_s = rehearse(EngineConfig(), 48_000, player, FaultLog(), Controls())
    assert player.plays == 26
    assert slow_s > rehearsal.SLOW_STEP * 0.012
    assert slow_s < rehearsal.SLOW_STEP * 0.030, "the first frames, whose code is loaded, do not count"
    assert time.perf_counter() - began_s > 9 * 0.040, "the last frames come as on stage"


def test_the_player_hears_struck_notes_with_pauses() -> None:
    player = FakePlayer(0)
    rehearse(EngineConfig(), 48_000, player, FaultLog(), Controls())
    levels = [float(np.abs(chunk).max()) for chunk in player.heard]
    assert max(levels) > 20 * np.median(levels[5:10])


@pytest.mark.parametrize("what", ["listen", "play"])
def test_a_player_that_fails_is_said_and_the_rehearsal_ends_all_the_same(what: str) -> None:
    player, log = FakePlayer(0), FaultLog()

    def fail(*_: object) -> None:
        raise RuntimeError("out of tune")

    setattr(player, what, fail)
    assert rehearse(EngineConfig(), 48_000, player, log, Controls()) >= 0.0
    assert any("out of tune" in line for line in log.warnings)
