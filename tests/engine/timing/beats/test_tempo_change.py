"""The run of peaks that tells a change of tempo: what is one, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.timing.beats.beat_kalman import Peak
from gigmate.engine.timing.beats.tempo_change import NewTempo, TempoChangeDetector
from gigmate.engine.timing.conductor_settings import TempoChangeSettings

RATE_HZ = 2.0


def heard(times_s: list[float], height: float = 1.0, met: float = 0.0) -> list[NewTempo | None]:
    """What a run says of peaks after beat 8 was met at second 4 of a line of two beats a second."""
    run = TempoChangeDetector(TempoChangeSettings())
    assert run.hear(Peak(4.0, 1.0), 0.9, 8, RATE_HZ) is None
    return [run.hear(Peak(time_s, height), met, round(time_s * RATE_HZ), RATE_HZ) for time_s in times_s]


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_three_beats_of_another_tempo_are_a_new_one_in_the_same_count(factor: float) -> None:
    period_s = 0.5 / factor
    said = heard([4.0 + period_s * beat for beat in (4, 5, 6)])
    assert said[:2] == [None, None]
    found = said[2]
    assert found is not None
    assert found.beat == 8 + 6  # though the line has come to another beat by then
    assert found.time_s == pytest.approx(4.0 + 6 * period_s)
    assert found.rate_hz == pytest.approx(RATE_HZ * factor)


def test_what_is_no_change_of_tempo() -> None:
    assert heard([4.25, 4.75, 5.25, 5.75]) == [None] * 4  # between the beats, in the tempo that is held
    assert heard([4.25, 4.5, 4.75, 5.0]) == [None] * 4  # twice as fast
    assert heard([4.75, 5.5, 6.25]) == [None] * 3  # three against two
    assert heard([4.3, 4.75, 5.3]) == [None] * 3  # uneven
    faster = [4.0 + 0.5 / 1.1 * beat for beat in (4, 5, 6)]
    assert heard(faster, height=0.3) == [None] * 3  # hardly heard
    assert heard(faster, met=0.4) == [None] * 3  # beats of the line, if poor ones


def test_a_beat_that_is_met_ends_the_run() -> None:
    run = TempoChangeDetector(TempoChangeSettings())
    times_s = 4.0 + 0.5 / 1.1 * np.arange(4, 8)
    run.hear(Peak(4.0, 1.0), 0.9, 8, RATE_HZ)
    assert run.hear(Peak(times_s[0], 1.0), 0.0, 12, RATE_HZ) is None
    assert run.hear(Peak(times_s[1], 1.0), 0.0, 13, RATE_HZ) is None
    assert run.hear(Peak(6.5, 1.0), 0.9, 13, RATE_HZ) is None
    assert run.hear(Peak(times_s[2], 1.0), 0.0, 14, RATE_HZ) is None


def test_after_a_rest_the_count_is_the_lines() -> None:
    """Sixteen beats at the old tempo or fourteen and a half at the new one: nobody knows."""
    said = heard([12.0 + 0.5 / 0.9 * beat for beat in range(1, 4)])
    assert said[2] is not None
    assert said[2].beat == round((12.0 + 3 * 0.5 / 0.9) * RATE_HZ)


def test_nothing_is_counted_on_from_where_no_beat_was_met() -> None:
    run = TempoChangeDetector(TempoChangeSettings())
    assert [run.hear(Peak(4.0 + 0.45 * beat, 1.0), 0.0, beat, RATE_HZ) for beat in range(5)] == [None] * 5
