"""Figures of the conductor on made-up performances.

Run with `pytest -m slow -s tests/engine/timing/test_conductor_figures.py`.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from gigmate.engine.timing.conductor import Conductor

from ..performance import RATE_HZ, Noise, follow, from_tempi, perform, steady
from .test_conductor import HARSH, USUAL, locked_at, share_within

SEEDS = range(5)


def recovered(beats: np.ndarray, change: int, seed: int, tempo_bpm: float) -> int:  # type: ignore[type-arg]
    """Beats after the change until six in a row are within 50 ms and at the right tempo; 99 for never."""
    performance = perform(beats, seed, HARSH)
    followed = follow(Conductor(RATE_HZ), performance)
    right = np.abs(followed.errors_s(performance)) < 0.05
    right &= np.abs(followed.at(followed.tempo_bpm, beats) / tempo_bpm - 1) < 0.03
    return next((i - change for i in range(change, len(beats) - 6) if right[i : i + 6].all()), 99)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("name", "noise"), [("usual", USUAL), ("harsh", HARSH)])
def test_lock_and_precision(name: str, noise: Noise) -> None:
    everything = []
    for bpm in (60, 75, 90, 110, 128, 150, 174, 200):
        locks, shares, frames, began = [], [], 0, time.thread_time()
        for seed in SEEDS:
            performance = perform(steady(bpm, 40 * 60 / bpm), seed, noise)
            followed = follow(Conductor(RATE_HZ), performance)
            locks.append(locked_at(followed, performance))
            shares.append(share_within(followed, performance, min(locks[-1], 16)))
            frames += performance.frames
        cpu_ms = (time.thread_time() - began) / frames * 1e3
        everything += locks
        print(f"{name} {bpm:4d} bpm: lock at beat {locks}, within 20 ms {np.mean(shares):.2f}, {cpu_ms:.2f} ms a frame")
    print(
        f"{name} lock: median {np.median(everything):.0f}, p90 {np.percentile(everything, 90):.0f}, "
        f"within 8 beats {np.mean(np.array(everything) <= 8):.2f}"
    )
    assert np.median(everything) <= 8


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_recovery() -> None:
    for ratio in (1.1, 0.9):
        beats = from_tempi(lambda i, r=ratio: 110.0 if i < 40 else 110.0 * r, 72)  # type: ignore[misc]
        after = [recovered(beats, 40, seed, 110.0 * ratio) for seed in SEEDS]
        print(f"tempo times {ratio}: followed after {after} beats")
        assert np.median(after) <= 8
    beats = steady(110, 45)
    beats[40:] += 0.5 * 60 / 110
    print(f"half a beat put in: recovered after {[recovered(beats, 40, seed, 110.0) for seed in SEEDS]} beats")
    worst = []
    for seed in SEEDS:
        performance = perform(steady(110, 45), seed, HARSH, rests=[(40, 56)])
        worst.append(float(np.nanmax(np.abs(follow(Conductor(RATE_HZ), performance).errors_s(performance)[40:60]))))
    print(f"rest of 4 bars: worst error {[round(w * 1e3) for w in worst]} ms")
