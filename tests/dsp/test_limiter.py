"""The limiter: never above the ceiling, nothing below the knee, the same for any cutting."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.dsp.limiter import KNEE, Limiter
from hypothesis import given
from hypothesis import strategies as st

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(finite, max_size=200), st.sampled_from([0.0, -1.0, -6.0, -60.0]))
def test_no_sample_is_above_the_ceiling(samples: list[float], ceiling_dbfs: float) -> None:
    limited = Limiter(48000, ceiling_dbfs).limit(np.array(samples, np.float32))
    assert np.isfinite(limited).all()
    assert (np.abs(limited.astype(np.float64)) <= 10 ** (ceiling_dbfs / 20)).all()


def test_what_is_below_the_knee_goes_through_untouched() -> None:
    limiter = Limiter(48000, -1.0)
    sound = (np.sin(np.arange(48000) * 0.05) * limiter.ceiling * KNEE * 0.999).astype(np.float32)
    np.testing.assert_array_equal(limiter.limit(sound), sound)
    assert limiter.limited_samples == 0


def test_a_hot_sine_keeps_its_shape_and_a_hair_of_room() -> None:
    limiter = Limiter(48000, -1.0)
    sound = (8.0 * np.sin(2 * np.pi * 100 * np.arange(48000) / 48000)).astype(np.float32)
    settled = limiter.limit(sound)[24000:]
    assert 0.9 * limiter.ceiling < np.abs(settled).max() <= limiter.ceiling
    # The gain hardly moves within a period: what is left over besides the sine is small.
    reference = sound[24000:].astype(np.float64)
    rest = settled - reference * (settled @ reference) / (reference @ reference)
    assert np.sqrt(np.mean(rest**2)) < 0.03 * np.sqrt(np.mean(settled.astype(np.float64) ** 2))


def test_it_lets_go_again() -> None:
    limiter = Limiter(48000, -1.0)
    limiter.limit(np.full(100, 50.0, np.float32))
    quiet = np.full(96000, 0.1, np.float32)
    after = limiter.limit(quiet)
    assert after[0] < 0.01
    assert after[-1] == quiet[-1]
    assert (np.diff(after) >= 0).all()


def test_pieces_equal_the_whole() -> None:
    sound = (np.random.default_rng(1).standard_normal(5000) * 2).astype(np.float32)
    whole, pieces = Limiter(44100), Limiter(44100)
    parts = [pieces.limit(part) for part in np.split(sound, [1, 7, 640, 641, 3000])]
    np.testing.assert_array_equal(np.concatenate(parts), whole.limit(sound))
    assert pieces.limited_samples == whole.limited_samples > 0


def test_channels_share_one_gain() -> None:
    """What is loud on one side pushes both, as much as it would be pushed alone."""
    rng = np.random.default_rng(2)
    loud = (rng.standard_normal(4000) * 2).astype(np.float32)
    both = np.stack([loud, 0.25 * loud])
    limited = Limiter(48000, -3.0).limit(both)
    np.testing.assert_array_equal(limited[0], Limiter(48000, -3.0).limit(loud))
    np.testing.assert_allclose(limited[1], 0.25 * limited[0], atol=1e-7)
    swapped = Limiter(48000, -3.0)
    np.testing.assert_array_equal(swapped.limit(both[::-1]), limited[::-1])


def test_a_ceiling_above_full_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="ceiling"):
        Limiter(48000, 0.5)
