"""Channels that take each other away are told from those that do not."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.dsp.cancellation import WINDOW_S, CancellationMeter

RATE_HZ = 8_000
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(0.0, 0.1, (2, 8 * RATE_HZ)).astype(np.float32)


def found(*channels: np.ndarray) -> bool:
    meter = CancellationMeter(RATE_HZ, len(channels))
    blocks = np.array_split(np.stack(channels, axis=1), 99)
    said = [meter.add_block(block, block.mean(axis=1)) for block in blocks]
    assert meter.found == any(said)
    return meter.found


@pytest.mark.parametrize(
    ("channels", "cancel"),
    [
        ((X, -X), True),
        ((X, -0.8 * X), True),
        ((X, -X + 0.1 * Y), True),
        ((X, X), False),
        ((X, Y), False),
        ((X, np.zeros_like(X)), False),
        ((X, -0.3 * X), False),  # softer, and still there
        ((X,), False),
        ((X, -X, X, -X), True),
        ((X, *[np.zeros_like(X)] * 31), False),
        ((1e-4 * X, -1e-4 * X), False),  # too soft to be anything
    ],
)
def test_opposite_polarity_and_nothing_else(channels: tuple[np.ndarray, ...], cancel: bool) -> None:
    assert found(*channels) == cancel


def test_a_moment_is_not_enough() -> None:
    quiet = np.zeros_like(X)
    short = quiet.copy()
    short[: int(0.8 * WINDOW_S * RATE_HZ)] = X[: int(0.8 * WINDOW_S * RATE_HZ)]
    assert not found(short, -short)
    assert not found(np.concatenate([X[:RATE_HZ], X]), np.concatenate([-X[:RATE_HZ], X]))
