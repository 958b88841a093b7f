"""Loudness by BS.1770: the values of EBU Tech 3341's test signals, and the same for any cutting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.dsp.loudness_meter import SILENT_LUFS, LoudnessMeter, integrated_lufs, k_weighting

RATES_HZ = (44_100, 48_000, 96_000)


def tones(rate_hz: int, *stretches: tuple[float, float]) -> np.ndarray:
    """A 1 kHz sine on both sides: (peak dBFS, seconds) one after another."""
    levels = np.concatenate([np.full(round(seconds * rate_hz), 10 ** (db / 20)) for db, seconds in stretches])
    tone = levels * np.sin(2 * math.pi * 1000.0 * np.arange(levels.size) / rate_hz)
    return np.stack([tone, tone]).astype(np.float32)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        (((-23.0, 20.0),), -23.0),
        (((-33.0, 20.0),), -33.0),
        (((-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)), -23.0),
        (((-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)), -23.0),
        (((-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)), -23.0),
    ],
)
def test_integrated_loudness_is_that_of_ebu_tech_3341(
    rate_hz: int, stretches: tuple[tuple[float, float], ...], expected: float
) -> None:
    assert integrated_lufs(tones(rate_hz, *stretches), rate_hz) == pytest.approx(expected, abs=0.1)


def test_the_filters_at_48_khz_are_the_standards() -> None:
    standard = (
        1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585,
        1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621,
    )  # fmt: skip
    np.testing.assert_allclose(k_weighting(48_000), standard, atol=1e-7)


def test_momentary_and_short_term_follow() -> None:
    meter = LoudnessMeter(48_000, 2)
    meter.push(tones(48_000, (-23.0, 0.3)))
    assert meter.momentary_lufs == meter.short_term_lufs == meter.integrated_lufs == SILENT_LUFS
    meter.push(tones(48_000, (-23.0, 3.0)))
    assert meter.momentary_lufs == pytest.approx(-23.0, abs=0.1)
    assert meter.short_term_lufs == pytest.approx(-23.0, abs=0.1)
    meter.push(tones(48_000, (-43.0, 0.5)))
    assert meter.momentary_lufs < -42.0
    assert -25.0 < meter.short_term_lufs < -23.2


def test_pieces_equal_the_whole_and_one_channel_is_three_decibels_less() -> None:
    sound = np.random.default_rng(0).standard_normal((2, 50_000)).astype(np.float32) * 0.1
    whole, pieces = LoudnessMeter(44_100, 2), LoudnessMeter(44_100, 2)
    whole.push(sound)
    for piece in np.split(sound, [1, 7, 4410, 30_000], axis=1):
        pieces.push(piece)
    assert pieces.integrated_lufs == pytest.approx(whole.integrated_lufs, abs=1e-9)
    same = np.stack([sound[0], sound[0]])
    assert integrated_lufs(same, 44_100) - integrated_lufs(sound[0], 44_100) == pytest.approx(3.01, abs=0.01)


def test_silence_and_too_little_read_as_silence() -> None:
    assert integrated_lufs(np.zeros(48_000, np.float32), 48_000) == SILENT_LUFS
    assert integrated_lufs(np.ones(100, np.float32), 48_000) == SILENT_LUFS


def test_it_agrees_with_pyloudnorm_where_that_is_installed() -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    rng = np.random.default_rng(1)
    swell = np.abs(np.sin(np.arange(48_000 * 12) / 48_000 * 1.3)) ** 3
    sound = (0.1 * rng.standard_normal((2, swell.size)) * swell).astype(np.float32)
    theirs = pyloudnorm.Meter(48_000, filter_class="DeMan").integrated_loudness(sound.T.astype(np.float64))
    assert integrated_lufs(sound, 48_000) == pytest.approx(theirs, abs=0.01)
