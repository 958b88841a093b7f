"""The howl guard: the band in its own ear is found and answered; a musician with the same notes is not taken for it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from gigmate.engine.run.feedback_guard import DUCK_DB, FeedbackGuard

RATE_HZ, BLOCK = 48_000, 1920


@cache
def music(seed: int, seconds: float, seed_of_notes: int = 0) -> np.ndarray:
    """Plucked notes of one chord, the same notes for the same `seed_of_notes`, with a player's own timing and sound."""
    notes, own = np.random.default_rng(seed_of_notes), np.random.default_rng(seed)
    out = np.zeros(round(seconds * RATE_HZ))
    for beat in range(int(seconds * 4)):
        hz = notes.choice([82.4, 110.0, 123.5, 164.8, 220.0])
        at = round((beat / 4 + abs(own.normal(0, 0.012))) * RATE_HZ)
        n = np.arange(min(RATE_HZ // 2, out.size - at))
        for k in range(1, 7):
            out[at : at + n.size] += (
                own.uniform(0.2, 1)
                / k
                * np.sin(2 * np.pi * hz * own.normal(1, 0.001) * k * n / RATE_HZ + own.uniform(0, 6))
                * np.exp(-n / own.uniform(4000, 12000))
            )
    return (0.7 * out / np.abs(out).max()).astype(np.float32)


def run(guard: FeedbackGuard, heard: np.ndarray, played: np.ndarray) -> list[int]:
    """Blocks in order, played two blocks before they are due; the blocks at which the guard gave way."""
    begun = []
    for index in range(heard.size // BLOCK - 2):
        at = index * BLOCK
        guard.played(at + 2 * BLOCK, played[at + 2 * BLOCK : at + 3 * BLOCK])
        guard.gains(BLOCK)
        if guard.hear(at, heard[at : at + BLOCK]):
            begun.append(index)
    return begun


@pytest.mark.parametrize("delay", [0, 700, 9_000])
@pytest.mark.parametrize("gain_db", [0, 40])
def test_the_band_in_its_own_ear_is_found_within_seconds(delay: int, gain_db: int) -> None:
    played = music(1, 6.0)
    loop = np.concatenate([np.zeros(delay, np.float32), played])[: played.size] * 10 ** (gain_db / 20)
    guard = FeedbackGuard(RATE_HZ)
    begun = run(guard, np.clip(loop + 0.01 * music(2, 6.0), -1, 1), played)
    assert len(begun) == guard.episodes == 1
    assert begun[0] * BLOCK / RATE_HZ < 3.5
    assert guard.ducking
    gains = guard.gains(BLOCK)
    assert gains is not None
    assert gains[-1] == pytest.approx(10 ** (DUCK_DB / 20), abs=0.01)


@pytest.mark.parametrize("notes", [0, 5])
def test_a_musician_who_plays_along_is_not_taken_for_the_band(notes: int) -> None:
    guard = FeedbackGuard(RATE_HZ)
    assert run(guard, music(2, 12.0, seed_of_notes=notes), music(1, 12.0)) == []
    assert guard.gains(BLOCK) is None


def test_a_musician_above_the_bleed_is_heard_as_ever() -> None:
    played = music(1, 8.0)
    guard = FeedbackGuard(RATE_HZ)
    assert run(guard, music(2, 8.0, 5) + 0.3 * played, played) == []


def test_it_lets_go_when_the_loop_is_open_again() -> None:
    played = music(1, 12.0)
    heard = played.copy()
    heard[4 * RATE_HZ :] = 0
    guard = FeedbackGuard(RATE_HZ)
    assert len(run(guard, heard, played)) == 1
    assert not guard.ducking
    assert guard.gains(BLOCK) is None


@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_silence_and_any_rate_are_no_matter(rate_hz: int) -> None:
    guard, block = FeedbackGuard(rate_hz), np.zeros(round(0.04 * rate_hz), np.float32)
    for index in range(60):
        guard.played((index + 9) * block.size, block)
        assert not guard.hear(index * block.size, block)
    assert guard.likeness == 0.0
