"""The exact grid that stands in for a conductor in other tests."""

from __future__ import annotations

import pytest
from gigmate.engine.errors import ConfigError
from gigmate.engine.timing.conductor import GridConductor


def test_grid_places_beats_bars_and_counts() -> None:
    grid = GridConductor(120, 4, 48000, first_beat_position=100)
    assert grid.moment(100).bar_phase == 0.0
    assert grid.moment(100 + 24000).beat_phase == 0.0
    assert grid.moment(100 + 24000).bar_phase == 0.25
    assert grid.moment(100 + 12000).beat_phase == pytest.approx(0.5)
    assert grid.moment(99).beat_phase == pytest.approx(1 - 1 / 24000)
    assert grid.bar_samples() == 96000
    assert [grid.bar_count(p) for p in (99, 100, 96099, 96100)] == [-1, 0, 0, 1]


def test_phase_never_reaches_one() -> None:
    grid = GridConductor(123.4, 3, 44100)
    phases = [grid.moment(p - 1e-9) for p in range(0, 200_000, 997)]
    assert all(0 <= m.beat_phase < 1 and 0 <= m.bar_phase < 1 for m in phases)


def test_a_grid_that_cannot_be_is_said() -> None:
    with pytest.raises(ConfigError, match="no grid"):
        GridConductor(0, 4, 48000)
