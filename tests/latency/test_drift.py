"""Two clocks for an hour, in simulation: the fill holds, the ratio is true to a few ppm, and it never jumps."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.latency.drift import MOST_PPM, ClockFilter, DriftLoop

RATE_HZ = 48_000
BLOCK_IN, BLOCK_OUT = 1024, 960
TARGET = 4096.0


def simulate(drift_ppm: float, seconds: float, jitter_s: float = 0.001, seed: int = 1) -> dict[str, np.ndarray]:
    """A writer whose clock runs fast by `drift_ppm`, and a reader who resamples by the loop's ratio."""
    rng = np.random.default_rng(seed)
    writer, reader, loop = ClockFilter(RATE_HZ), ClockFilter(RATE_HZ), DriftLoop(TARGET, RATE_HZ)
    write_s = BLOCK_IN / (RATE_HZ * (1 + drift_ppm * 1e-6))
    read_s = BLOCK_OUT / RATE_HZ
    blocks = int(seconds / read_s)
    late_in = np.abs(rng.normal(0.0, jitter_s, int(seconds / write_s * 1.01) + 8)).clip(0, 4e-3)
    late_out = np.abs(rng.normal(0.0, jitter_s, blocks)).clip(0, 4e-3)
    written, took = 0, 0.0  # samples in the ring's own count
    next_write = 0
    fill, ratio, least = np.zeros(blocks), np.ones(blocks), np.zeros(blocks)
    before_s = 0.0
    for block in range(blocks):
        now_s = (block + 1) * read_s + late_out[block]
        while (next_write + 1) * write_s + late_in[next_write] <= now_s:
            next_write += 1
            written += BLOCK_IN
            writer.callback(next_write * write_s + late_in[next_write - 1], written)
        if block == 0:
            took = written - TARGET  # reading begins when the ring holds its target
        reader.callback(now_s, (block + 1) * BLOCK_OUT)
        # Both lines at one time; what was read is known at the reader's own blocks.
        smooth_fill = writer.position(now_s) - (took + (reader.position(now_s) - block * BLOCK_OUT) * loop.ratio)
        ratio[block] = loop.update(smooth_fill + BLOCK_OUT, now_s - before_s)
        before_s = now_s
        took += BLOCK_OUT * ratio[block]
        fill[block], least[block] = smooth_fill + BLOCK_OUT, written - took
    return {"fill": fill, "ratio": ratio, "left": least, "limited": np.array(loop.limited)}


@pytest.mark.parametrize("drift_ppm", [-200.0, 200.0])
def test_an_hour_at_200_ppm(drift_ppm: float) -> None:
    run = simulate(drift_ppm, 3600.0)
    settled = run["ratio"][int(400.0 * RATE_HZ / BLOCK_OUT) :]
    error_ppm = 1e6 * (settled - 1.0) - drift_ppm
    assert abs(error_ppm.mean()) < 0.1, "no sample is gained or lost in the long run"
    assert np.abs(error_ppm).max() < 5.0
    assert np.abs(np.diff(settled)).max() < 1e-6, "the pitch never steps: nothing to be heard"
    assert np.abs(run["fill"][-settled.size :] - TARGET).max() < 64.0
    assert run["left"].min() > 0, "the reader never finds the ring empty"
    assert run["left"].max() < 2 * TARGET, "and the writer never finds it full"
    assert np.abs(1e6 * (run["ratio"] - 1.0)).max() <= MOST_PPM


def test_equal_clocks_are_left_alone() -> None:
    run = simulate(0.0, 600.0)
    assert np.abs(1e6 * (run["ratio"][-2000:] - 1.0)).max() < 5.0


def test_another_rate_is_no_drift_and_is_told() -> None:
    run = simulate(5000.0, 60.0)
    assert run["limited"] > 0
    assert np.abs(1e6 * (run["ratio"] - 1.0)).max() <= MOST_PPM + 1e-6


def test_a_line_through_jittering_callbacks() -> None:
    rng = np.random.default_rng(3)
    line = ClockFilter(48_000)
    for block in range(1, 20_000):
        line.callback(block * 128 / 48_004.8 + abs(rng.normal(0, 0.0005)), block * 128)
    assert line.rate_hz == pytest.approx(48_004.8, rel=1e-5)
    late_by = 0.0005 * np.sqrt(2 / np.pi)
    assert line.position(60.0 + late_by) == pytest.approx(60.0 * 48_004.8, abs=4.0)


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ClockFilter(0)
    with pytest.raises(ValueError, match="above 0"):
        DriftLoop(0, 48_000)
    loop = DriftLoop(100, 48_000)
    assert loop.update(500.0, 0.0) == 1.0, "no time has passed"
