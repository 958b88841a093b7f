"""Conversions between rates and units."""

from __future__ import annotations

from fractions import Fraction

import pytest
from gigmate.latency.units import (
    frame_at,
    ms_of_samples,
    samples_at,
    samples_of_ms,
)


def test_there_and_back() -> None:
    assert ms_of_samples(samples_of_ms(12.5, 44_100), 44_100) == pytest.approx(12.5)
    assert samples_at(320, 32_000, 44_100) == 441
    assert samples_at(1, 32_000, 48_000) == Fraction(3, 2)


def test_frames_are_whole_or_refused() -> None:
    assert [frame_at(1280, 32_000, rate) for rate in (44_100, 48_000, 96_000)] == [1764, 1920, 3840]
    with pytest.raises(ValueError, match="whole number"):
        frame_at(1280, 32_000, 44_056)
