"""Places, levels and buses: what each part is in each row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.engine.buses import BusLayout
from gigmate.engine.errors import ConfigError
from gigmate.engine.output.bus_mixer import MIDDLE, BusMixer, PartMixer, mono_of, pan_gains

FRAME = 960


def test_a_part_has_one_power_wherever_it_stands() -> None:
    assert pan_gains(0.0) == (1.0, 1.0), "in the middle it is on each side what it was before there were sides"
    assert pan_gains(-1.0) == pytest.approx((math.sqrt(2), 0.0), abs=1e-12)
    assert pan_gains(1.0) == pytest.approx((0.0, math.sqrt(2)), abs=1e-12)
    for pan in np.linspace(-1, 1, 21):
        assert sum(gain**2 for gain in pan_gains(float(pan))) == pytest.approx(2.0)
    for wrong in (-1.01, 2.0, math.nan):
        with pytest.raises(ConfigError, match="from -1"):
            pan_gains(wrong)


def test_what_is_in_the_middle_is_itself_on_both_sides_and_as_mono() -> None:
    parts = np.random.default_rng(0).uniform(-1, 1, (3, FRAME)).astype(np.float32)
    placed = PartMixer(FRAME).place(parts)
    for side in (0, 1):
        np.testing.assert_array_equal(placed[:, side], parts)
    np.testing.assert_array_equal(mono_of(placed), parts)


def test_a_change_of_place_glides() -> None:
    mixer, ones = PartMixer(FRAME), np.ones((3, FRAME), np.float32)
    mixer.place(ones)
    moved = mixer.place(ones, (-1.0, 0.0, 1.0)).copy()
    assert np.abs(np.diff(moved, axis=2)).max() < 2 / FRAME
    assert moved[0, :, -1] == pytest.approx([math.sqrt(2), 0.0], abs=1e-6)
    assert moved[2, :, -1] == pytest.approx([0.0, math.sqrt(2)], abs=1e-6)
    np.testing.assert_array_equal(moved[1], 1.0)


def test_parts_glide_to_their_levels() -> None:
    mixer = PartMixer(FRAME)
    muted = (0.0, -math.inf, 6.0)
    scaled = mixer.level(np.ones((3, 2, FRAME), np.float32), muted)
    assert mixer.peaks_db(scaled) == pytest.approx((0.0, -120.0, 6.0), abs=1e-3), "the first frame is at its level"
    scaled = mixer.level(np.ones((3, 2, FRAME), np.float32), (0.0, 0.0, 0.0))
    assert np.abs(np.diff(scaled, axis=2)).max() < 2 / FRAME
    assert scaled[:, :, -1] == pytest.approx(np.ones((3, 2)), abs=1e-6)


PARTS_SOUND = np.arange(1, 7, dtype=np.float32).reshape(3, 2, 1) * np.ones(FRAME, np.float32)
"""Drums 1 and 2, bass 3 and 4, keys 5 and 6."""


@pytest.mark.parametrize(
    ("layout", "rows"),
    [
        (BusLayout(), [9, 12]),
        (BusLayout((3,)), [10.5]),
        (BusLayout((1, 2), (("drums", (3, 4)),)), [8, 10, 1, 2]),
        (BusLayout((1,), (("keys", (2,)), ("drums", (3, 4)))), [3.5, 5.5, 1, 2]),
        (BusLayout((1, 2), (("drums", (3,)), ("bass", (4,)), ("keys", (5,)))), [0, 0, 1.5, 3.5, 5.5]),
        (BusLayout((1, 2, 3, 4), click=(5,)), [9, 12]),
    ],
)
def test_a_part_is_in_main_or_has_its_own_rows(layout: BusLayout, rows: list[float]) -> None:
    mix, made = BusMixer(layout, FRAME).sum(PARTS_SOUND)
    np.testing.assert_array_equal(mix[:, 0], [9, 12], "the mix is everything, wherever it goes")
    np.testing.assert_array_equal(made, np.array(rows, np.float32)[:, None] * np.ones(FRAME, np.float32))
    assert len(made) == layout.rows


def test_the_middle_is_the_default_of_all_parts() -> None:
    assert MIDDLE == (0.0, 0.0, 0.0)
