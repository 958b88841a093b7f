"""Fades keep power, the gate has no step and matches the callback's ramp; levels in dB and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.dsp.crossfade import Gate, crossfade, fades
from gigmate.dsp.loudness import (
    FLOOR_DB,
    db_of_gain,
    gain_of_db,
    peak_db,
    rms_db,
)


def test_fades_are_of_equal_power() -> None:
    for samples in (1, 2, 480):
        rise, fall = fades(samples)
        np.testing.assert_allclose(rise**2 + fall**2, 1.0, atol=1e-6)
        np.testing.assert_allclose(rise, fall[::-1], atol=1e-6)


def test_crossfades_keep_their_level() -> None:
    rng = np.random.default_rng(0)
    old, new = rng.standard_normal((2, 48_000)).astype(np.float32)
    assert crossfade(old, new).std() == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(crossfade(old, old, equal_power=False), old, atol=1e-6)
    assert crossfade(old[:0], new[:0]).size == 0
    with pytest.raises(ValueError, match="shapes"):
        crossfade(old[:3], new[:4])


def test_a_gate_ramps_in_any_pieces_and_turns_round() -> None:
    ramp = 100
    gate, pieces = Gate(ramp), []
    for count, opened in ((3, False), (40, True), (17, False), (200, True), (0, False), (250, False)):
        pieces.append(gate.gains(count, opened))
    gains = np.concatenate(pieces)
    assert np.abs(np.diff(gains, prepend=0.0)).max() < 1.01 * math.pi / 2 / ramp
    assert gains[:3].max() == 0.0
    assert gains[3 + 40 + 17 + 199] == 1.0
    assert gains[-1] == 0.0
    assert gate.closed


def test_levels() -> None:
    assert gain_of_db(-math.inf) == 0.0
    assert gain_of_db(db_of_gain(0.37)) == pytest.approx(0.37)
    assert db_of_gain(0.0) == FLOOR_DB
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="no gain"):
            gain_of_db(bad)
    sine = np.sin(np.arange(48_000) * 0.05).astype(np.float32)
    assert peak_db(sine) == pytest.approx(0.0, abs=0.01)
    assert rms_db(sine) == pytest.approx(-3.01, abs=0.02)
    assert peak_db(sine[:0]) == rms_db(sine[:0]) == rms_db(sine * 0) == FLOOR_DB
