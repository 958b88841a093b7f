"""Our own clock that comes back is known; other clocks are not taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.timing.clocks.own_echo import OwnEcho

RATE_HZ = 48_000


def ticks(bpm: float, first_s: float, until_s: float, jitter_s: float = 0.0, seed: int = 0) -> list[int]:
    at_s = np.arange(first_s, until_s, 60.0 / bpm / 24)
    at_s = at_s + np.random.default_rng(seed).uniform(-jitter_s, jitter_s, at_s.size)
    return [round(at * RATE_HZ) for at in at_s]


def own_of(echo: OwnEcho, sent: list[int], come: list[int], follows: bool = False) -> list[bool]:
    """What is said of each tick that comes, while ours go out a fifth of a second ahead of their samples."""
    waiting, said = list(sent), []
    for position in come:
        while waiting and waiting[0] < position + 0.2 * RATE_HZ:
            echo.sent(waiting.pop(0), b"\xf8")
        said.append(echo.is_own_tick(position, follows))
    return said


@pytest.mark.parametrize("late_s", [0.0, 0.0027, 0.0103, 0.043])
@pytest.mark.parametrize("bpm", [74, 120, 200])
def test_what_comes_back_is_known_before_it_is_followed(bpm: int, late_s: float) -> None:
    echo, rng = OwnEcho(RATE_HZ), np.random.default_rng(1)
    sent = ticks(bpm, 1.0, 9.0)
    come = [at + round((late_s + rng.uniform(0, 0.0008)) * RATE_HZ) for at in sent]
    said = own_of(echo, sent, come)
    assert all(said[12:])
    assert said.count(False) < 12, "a line of ticks is followed from the twelfth on"


@pytest.mark.parametrize("bpm", [90, 117, 123, 150])
def test_a_clock_in_another_tempo_is_somebody_elses(bpm: int) -> None:
    said = own_of(OwnEcho(RATE_HZ), ticks(120, 1.0, 20.0), ticks(bpm, 1.007, 20.0, 0.0005))
    assert said.count(True) < 0.1 * len(said)


def test_of_two_that_come_only_our_own_is_left_out() -> None:
    sent, other = ticks(120, 1.0, 20.0), ticks(97, 1.003, 20.0, 0.0003)
    own = [at + 480 for at in sent]
    come = sorted([(at, True) for at in own] + [(at, False) for at in other])
    said = own_of(OwnEcho(RATE_HZ), sent, [at for at, _ in come])
    later = [(mine, guess) for (_, mine), guess in list(zip(come, said, strict=True))[100:]]
    assert np.mean([guess for mine, guess in later if mine]) > 0.95
    assert np.mean([guess for mine, guess in later if not mine]) < 0.25


def test_who_is_followed_is_not_taken_for_our_own_because_we_are_in_time_with_him() -> None:
    sent = ticks(120, 1.0, 12.0)
    rng = np.random.default_rng(3)
    come = [at + round(rng.uniform(0, 0.001) * RATE_HZ) for at in sent]
    assert not any(own_of(OwnEcho(RATE_HZ), sent, come, follows=True))


def test_who_says_start_in_our_very_tempo_is_somebody_else() -> None:
    echo = OwnEcho(RATE_HZ)
    sent = ticks(120, 1.0, 20.0)
    echo.sent(sent[0] - 96, b"\xfa")
    assert echo.is_own_word(sent[0] - 96 + 400, 0xFA)
    assert not echo.is_own_word(sent[0] + RATE_HZ, 0xFA)
    said = own_of(echo, sent, [at + 333 for at in sent])
    assert not any(said)
