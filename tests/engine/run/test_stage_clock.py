"""The band stops with who leads the time, comes back with it, or plays on, as a preset asks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.engine.player import Moment
from gigmate.engine.run.stage import Stage
from gigmate.engine.timing.entrance_cue import EntranceCue
from gigmate.engine.timing.fixed_grid import GridConductor

RATE_HZ, FRAME = 48_000, 1920
RUNS = EntranceCue(source="transport", beat=True, bar=True, free=True)
STANDS = EntranceCue(source="", beat=True, bar=True, halted=True)
ALONE = EntranceCue(source="", beat=True, bar=True)


def loudness(stage: Stage, cues: list[tuple[float, EntranceCue, bool]], until_s: float) -> np.ndarray:
    """Mean gain of each frame; `cues`: from a second on, the footing and whether the musician plays."""
    grid = GridConductor(120, 4, RATE_HZ)
    said = []
    for frame in range(round(until_s * RATE_HZ / FRAME)):
        _, cue, playing = next(entry for entry in reversed(cues) if entry[0] * RATE_HZ <= frame * FRAME)
        moment: Moment = replace(grid.moment(frame * FRAME), playing=playing)
        stage.frame(frame * FRAME, moment, cue, grid.peek, fresh=False)
        stage.entrance_samples = None
        gains = stage.gains(frame * FRAME)
        said.append(1.0 if gains is None else float(np.mean(gains)))
    return np.array(said)


def at(said: np.ndarray, begin_s: float, end_s: float) -> np.ndarray:
    return said[round(begin_s * RATE_HZ / FRAME) : round(end_s * RATE_HZ / FRAME)]


@pytest.mark.parametrize("playing", [False, True])
def test_a_stop_is_a_stop_and_a_start_brings_the_band_back_on_the_next_beat(playing: bool) -> None:
    stage = Stage(EngineConfig(), RATE_HZ, FRAME)
    stage.start()
    said = loudness(stage, [(0.0, RUNS, playing), (5.2, STANDS, playing), (9.3, RUNS, playing)], 12.0)
    assert at(said, 3.0, 5.2).min() == 1.0
    assert at(said, 5.3, 9.3).max() == 0.0, "also under a musician who plays on"
    assert at(said, 9.6, 12.0).min() == 1.0


def test_it_plays_on_where_that_is_wished() -> None:
    stage = Stage(EngineConfig(when_clock_stops="go_on"), RATE_HZ, FRAME)
    stage.start()
    said = loudness(stage, [(0.0, RUNS, False), (5.2, STANDS, False)], 9.0)
    assert at(said, 3.0, 9.0).min() == 1.0


def test_a_clock_that_only_falls_silent_stops_nobody() -> None:
    stage = Stage(EngineConfig(), RATE_HZ, FRAME)
    stage.start()
    said = loudness(stage, [(0.0, RUNS, False), (5.2, ALONE, False)], 9.0)
    assert at(said, 3.0, 9.0).min() == 1.0


def test_who_starts_the_band_while_the_transport_stands_has_it_by_ear() -> None:
    stage = Stage(EngineConfig(), RATE_HZ, FRAME)
    stage.start()
    said = loudness(stage, [(0.0, STANDS, False), (4.0, STANDS, True)], 9.0)
    assert at(said, 0.0, 4.0).max() == 0.0
    assert at(said, 6.5, 9.0).min() == 1.0


def test_the_wish_may_change_while_it_plays() -> None:
    stage = Stage(EngineConfig(), RATE_HZ, FRAME)
    stage.set_habit("when_clock_stops", "go_on")
    stage.start()
    said = loudness(stage, [(0.0, RUNS, False), (5.2, STANDS, False)], 7.0)
    assert at(said, 3.0, 7.0).min() == 1.0
    with pytest.raises(ConfigError, match="stop or go_on"):
        stage.set_habit("when_clock_stops", "perhaps")
