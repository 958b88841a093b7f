"""Samples by the clock on the wall: blocks and late readers smear it by far less than a block."""

from __future__ import annotations

import random

import pytest
from gigmate.engine.callback.sample_clock import SampleClock

RATE_HZ = 48_000


def carried(at_s: float, block: int, ppm: float = 0.0) -> int:
    return int(at_s * RATE_HZ * (1 + ppm * 1e-6)) // block * block


@pytest.mark.parametrize("block", [64, 512, 2048])
@pytest.mark.parametrize("ppm", [0.0, 80.0, -80.0])
def test_the_present_sample_is_known_to_a_fraction_of_a_block(block: int, ppm: float) -> None:
    clock, chance = SampleClock(RATE_HZ), random.Random(4)
    errors = []
    at_s = 100.0
    for turn in range(4_000):
        at_s += 0.02 + 0.01 * chance.random()
        clock.observe(carried(at_s, block, ppm), at_s)
        if turn > 100:
            errors.append(clock.sample_at(at_s - 0.003) - (at_s - 0.003) * RATE_HZ * (1 + ppm * 1e-6))
    late = sum(errors) / len(errors)
    assert abs(late) < 0.12 * block + 60
    assert max(errors) - min(errors) < 0.35 * block + 60


def test_it_begins_anew_after_a_jump() -> None:
    clock = SampleClock(RATE_HZ)
    assert clock.sample_at(5.0) == 0
    clock.observe(48_000, 10.0)
    assert clock.sample_at(10.5) == 72_000
    assert clock.sample_at(0.0) == 0
    clock.observe(0, 11.0)
    assert clock.sample_at(11.25) == 12_000


def test_time_that_the_port_did_not_count_is_found_out_within_two_seconds() -> None:
    """A dummy JACK server that is held up loses 0.1 s of its frames: seen again and again, the line follows."""
    clock, block = SampleClock(48_000), 1024
    lost = 0
    for step in range(400):
        now_s = 0.02 * step
        lost = 4_800 if step >= 150 else 0
        clock.observe(int(48_000 * now_s - lost) // block * block, now_s)
        if step == 250:
            assert abs(clock.sample_at(now_s) - (48_000 * now_s - lost)) < block
    assert abs(clock.sample_at(8.0) - (48_000 * 8.0 - lost)) < block


def test_a_few_late_looks_move_nothing() -> None:
    clock = SampleClock(48_000)
    clock.observe(0, 0.0)
    for step in range(1, 6):
        clock.observe(48_000 * step - 2_000, float(step))
    assert clock.sample_at(5.0) > 48_000 * 5 - 2_000 + 1_900 - 5 * 10
