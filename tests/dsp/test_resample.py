"""The streaming resampler: cut anyhow it is the same, its delay is true, and what must not pass does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.dsp.resample import Resampler
from hypothesis import given, settings
from hypothesis import strategies as st

HOSTS_HZ = (44_100, 48_000, 88_200, 96_000, 192_000)
PAIRS = [pair for host in HOSTS_HZ for pair in ((host, 32_000), (32_000, host))]


def whole(rate_in: int, rate_out: int, x: np.ndarray, host: int | None = None) -> np.ndarray:
    return Resampler(rate_in, rate_out, max(1, x.size), host).process(x).copy()


def tone_gain_and_delay(rate_in: int, rate_out: int, tone_hz: float, host: int) -> tuple[float, float]:
    """Gain in dB, and delay in samples of the host rate, by the phase of a sine."""
    n = np.arange(rate_in // 4)
    y = whole(rate_in, rate_out, np.sin(2 * np.pi * tone_hz * n / rate_in), host)
    skip = rate_out // 50
    t = np.arange(y.size)[skip:] / rate_out
    basis = np.stack([np.sin(2 * np.pi * tone_hz * t), np.cos(2 * np.pi * tone_hz * t)], axis=1)
    (a, b), *_ = np.linalg.lstsq(basis, y[skip:].astype(np.float64), rcond=None)
    resampler = Resampler(rate_in, rate_out, 1, host)
    declared_s = float(resampler.delay_in_samples) / rate_in
    # The phase is known but for whole turns: the declared delay says which.
    turns = (-math.atan2(b, a) / (2 * np.pi) - declared_s * tone_hz + 0.5) % 1.0 - 0.5
    return 20 * math.log10(math.hypot(a, b)), (declared_s + turns / tone_hz) * host


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_the_declared_delay_is_true_and_whole_at_the_host_rate(rate_in: int, rate_out: int) -> None:
    host = rate_out if rate_in == 32_000 else rate_in
    resampler = Resampler(rate_in, rate_out, 1, host)
    declared = resampler.delay_in_samples if host == rate_in else resampler.delay_out_samples
    assert declared.denominator == 1
    assert float(resampler.delay_in_samples) / rate_in == pytest.approx(float(resampler.delay_out_samples) / rate_out)
    assert 0.9e-3 < float(declared) / host < 1.2e-3
    for tone_hz in (100.0, 997.0, 5_003.0, 13_000.0):
        _, delay = tone_gain_and_delay(rate_in, rate_out, tone_hz, host)
        assert delay == pytest.approx(float(declared), abs=0.01)


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_flat_to_13_5_khz(rate_in: int, rate_out: int) -> None:
    host = max(rate_in, rate_out)
    for tone_hz in (20.0, 1_000.0, 8_000.0, 12_000.0, 13_500.0):
        gain_db, _ = tone_gain_and_delay(rate_in, rate_out, tone_hz, host)
        assert abs(gain_db) < 0.1


@pytest.mark.parametrize("host", HOSTS_HZ)
def test_aliases_and_images_are_80_db_down(host: int) -> None:
    n = np.arange(host // 2)
    for tone_hz in (16_000.0, 16_700.0, 18_500.0, 21_000.0):
        y = whole(host, 32_000, np.sin(2 * np.pi * tone_hz * n / host))
        assert np.abs(y[1_000:]).max() < 10 ** (-80 / 20)
    n = np.arange(16_000)
    for tone_hz in (997.0, 9_000.0, 13_500.0):
        y = whole(32_000, host, np.sin(2 * np.pi * tone_hz * n / 32_000), host)[2_000:-2_000].astype(np.float64)
        spectrum = np.abs(np.fft.rfft(y * np.kaiser(y.size, 14.0)))
        beyond = np.fft.rfftfreq(y.size, 1 / host) >= 16_000.0
        assert spectrum[beyond].max() < 10 ** (-80 / 20) * spectrum.max()


@settings(max_examples=40, deadline=None)
@given(
    pair=st.sampled_from([*PAIRS, (48_000, 44_100), (32_000, 32_000), (44_100, 16_000)]),
    cuts=st.lists(st.integers(0, 2_500), min_size=1, max_size=30),
    seed=st.integers(0, 2**31),
)
def test_cut_anyhow_it_is_the_same_to_the_bit(pair: tuple[int, int], cuts: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(sum(cuts)).astype(np.float32)
    resampler = Resampler(*pair, max_block_samples=2_500)
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(resampler.process(x[start : start + cut]).copy())
        start += cut
        assert resampler.samples_out == sum(piece.size for piece in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces), whole(*pair, x))


@pytest.mark.parametrize("host", HOSTS_HZ)
def test_a_frame_is_a_frame(host: int) -> None:
    frame = 1280 * host // 32_000
    down, up = Resampler(host, 32_000, frame), Resampler(32_000, host, 1280, host)
    for _ in range(50):
        heard = down.process(np.zeros(frame, np.float32))
        assert heard.size == 1280
        assert up.process(heard).size == frame


def test_equal_rates_copy() -> None:
    resampler = Resampler(32_000, 32_000)
    x = np.random.default_rng(1).standard_normal(999).astype(np.float32)
    np.testing.assert_array_equal(resampler.process(x), x)
    assert resampler.delay_in_samples == resampler.delay_out_samples == 0


def test_constant_stays_constant() -> None:
    """The phases of the bank agree: no tone at the codec's rate rides on a steady signal."""
    for rate_in, rate_out in PAIRS:
        y = whole(rate_in, rate_out, np.ones(8_000, np.float32))[700:]
        assert np.abs(y - 1).max() < 2e-6


def test_reset_forgets() -> None:
    resampler = Resampler(44_100, 32_000)
    x = np.random.default_rng(2).standard_normal(3_000).astype(np.float32)
    first = resampler.process(x).copy()
    resampler.reset()
    np.testing.assert_array_equal(resampler.process(x), first)
    assert resampler.samples_in == 3_000


def test_what_cannot_be() -> None:
    for arguments in ((0, 32_000), (48_000, -1), (48_001, 32_000)):
        with pytest.raises(ValueError, match="resampl"):
            Resampler(*arguments)
    with pytest.raises(ValueError, match="host rate"):
        Resampler(48_000, 32_000, host_rate_hz=44_100)
    with pytest.raises(ValueError, match="a block is"):
        Resampler(48_000, 32_000, 64).process(np.zeros(65, np.float32))
    with pytest.raises(ValueError, match="a block is"):
        Resampler(48_000, 32_000, 64).process(np.zeros((2, 8), np.float32))
