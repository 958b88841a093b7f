"""The measurements measure: plausible numbers with the names that the bench prints."""

from __future__ import annotations

import pytest
from gigmate.engine.callback.callback_benchmark import callback_cost, ring_throughput


def test_the_callback_is_a_small_share_of_its_period() -> None:
    cost = callback_cost(48000, 128)
    assert cost["period_us"] == 128 / 48000 * 1e6
    assert 0 < cost["share"] < 0.2
    dearest_us = max(cost["silent_us"], cost["playing_us"], cost["covering_us"])
    assert cost["share"] * cost["period_us"] == pytest.approx(dearest_us)


def test_the_ring_is_not_far_from_memcpy() -> None:
    speed = ring_throughput(512, megasamples=2)
    assert speed["ring_gb_per_s"] > 0.5
    assert speed["share_of_memcpy"] > 0.1
