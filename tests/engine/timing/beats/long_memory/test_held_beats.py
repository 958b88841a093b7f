"""A line as far back as it was held, and the quarters of its beats."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.timing.beats.long_memory.held_beats import HeldBeats, steady_slots_s

PERIOD_S = 0.5


def held(count: int = 40) -> HeldBeats:
    found = HeldBeats(64.0)
    for k in range(count):
        found.beat(1.0 + k * PERIOD_S)
    return found


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 1.5])
def test_a_line_that_moves_takes_its_beats_along(ratio: float) -> None:
    found = held()
    newest = float(found.beats_s[-1])
    found.moved(ratio, newest + 0.25)
    gaps = np.diff(found.beats_s)
    assert found.beats_s[-1] == pytest.approx(newest + 0.25)
    assert gaps == pytest.approx(np.full(len(gaps), ratio * PERIOD_S))


@pytest.mark.parametrize("late_s", [0.13, 0.26, 0.4, 0.52, 1.3])
def test_the_last_quarter_is_over_by_now_and_counted_from_a_beat(late_s: float) -> None:
    found = held()
    end_s = float(found.beats_s[-1]) + late_s
    at_s, after = found.slots_s(end_s)
    assert end_s - 0.25 < at_s[-1] <= end_s - 0.125 + 1e-9
    assert np.diff(at_s) == pytest.approx(np.full(len(at_s) - 1, 0.125))
    beats = (at_s[-1] - after * 0.125 - found.beats_s[0]) / PERIOD_S
    assert beats == pytest.approx(round(beats))
    assert at_s[0] >= found.beats_s[0] - 1e-9


@pytest.mark.parametrize("phase", [0.0, 0.1, 0.6, 0.99])
def test_a_steady_line_has_the_same(phase: float) -> None:
    beat_s = 20.0 - phase * PERIOD_S
    at_s, after = steady_slots_s(beat_s, PERIOD_S, 5.0, 20.0)
    beats = (at_s[-1] - after * 0.125 - beat_s) / PERIOD_S
    assert beats == pytest.approx(round(beats))
    assert at_s[0] >= 5.0 and at_s[-1] <= 20.0 - 0.125 + 1e-9
    assert len(steady_slots_s(beat_s, PERIOD_S, -100.0, 20.0)[0]) == 256


def test_who_is_forgotten_has_no_beats() -> None:
    found = held()
    found.forget()
    assert not len(found.beats_s) and found.length_s == 0.0
