"""Percentiles in fixed memory, beside those of numpy; what is recent, and what grows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.latency.meter import (
    BIN_RATIO,
    HIGHEST_S,
    Histogram,
    Meter,
)
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.floats(1e-6, 90.0), min_size=1, max_size=300), st.sampled_from([50.0, 90.0, 99.0, 99.9, 100.0]))
def test_percentiles_are_within_a_bin_and_never_too_low(times_s: list[float], percent: float) -> None:
    histogram = Histogram()
    for time_s in times_s:
        histogram.add(time_s)
    true_s = sorted(times_s)[max(0, math.ceil(len(times_s) * percent / 100 - 1e-9) - 1)]
    assert true_s * (1 - 1e-9) <= histogram.percentile_s(percent) <= true_s * BIN_RATIO * (1 + 1e-9)
    assert histogram.percentile_s(100.0) <= max(times_s) == histogram.highest_s


def test_nothing_and_the_extremes() -> None:
    histogram = Histogram()
    assert histogram.percentile_s(99.9) == histogram.mean_s == 0.0
    for time_s in (0.0, 1e-9, 10 * HIGHEST_S):
        histogram.add(time_s)
    assert histogram.count == 3
    assert histogram.percentile_s(100.0) >= HIGHEST_S


def test_recent_forgets_and_all_does_not() -> None:
    meter = Meter(window_steps=100)
    meter.add(0.5)
    for _ in range(300):
        meter.add(0.01)
    assert meter.percentile_s(100) == meter.highest_s == 0.5
    assert meter.recent_percentile_s(100) == pytest.approx(0.01, rel=0.02)
    assert meter.percentile_s(99) == pytest.approx(0.01, rel=0.02)
    assert (meter.steps, meter.last_s) == (301, 0.01)


def test_one_outlier_in_two_thousand_is_no_p999() -> None:
    meter = Meter(window_steps=1000)
    rng = np.random.default_rng(0)
    for i in range(1900):
        meter.add(0.3 if i == 950 else 0.01 + 0.002 * rng.random())
    assert meter.recent_percentile_s(99.9) < 0.013


def test_of_few_steps_the_spared_ones_do_not_count_and_of_many_they_change_nothing() -> None:
    meter = Meter(window_steps=1000)
    for i in range(300):
        meter.add({70: 0.3, 200: 0.2}.get(i, 0.01))
    assert meter.recent_percentile_s(99.9) == pytest.approx(0.3, rel=0.02)
    assert meter.recent_percentile_s(99.9, spared=2) == pytest.approx(0.01, rel=0.02)
    meter.add(0.1)
    assert meter.recent_percentile_s(99.9, spared=2) == pytest.approx(0.1, rel=0.02), "three are slowness"
    few = Meter()
    few.add(0.02)
    assert few.recent_percentile_s(99.9, spared=2) == pytest.approx(0.02, rel=0.02), "something is better than nothing"
    full = Meter(window_steps=1000)
    for i in range(2000):
        full.add(0.01 + 1e-5 * i)
    assert full.recent_percentile_s(99.9, spared=2) == full.recent_percentile_s(99.9)


def test_growth() -> None:
    meter = Meter(window_steps=50)
    for _ in range(60):
        meter.add(0.010)
    assert meter.growth == 1.0
    for _ in range(200):
        meter.add(0.015)
    assert meter.growth == pytest.approx(1.5, rel=0.02)


def test_memory_is_fixed() -> None:
    meter = Meter(window_steps=10)
    before = meter._all._bins.nbytes
    for i in range(1000):
        meter.add(i * 1e-4)
    assert meter._all._bins.nbytes == before < 20_000
    with pytest.raises(ValueError, match="window"):
        Meter(window_steps=0)
