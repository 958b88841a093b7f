"""A held key is one press, whatever the system's delay and rate of repeating are; presses by hand all count."""

from __future__ import annotations

import pytest
from gigmate.control.held_keys import HeldKeys

LOOK_S = 0.03
"""How often keys are looked for."""


def presses(strikes: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """What comes out, and when, of strikes in the order of their times."""
    held, out, at_s = HeldKeys(), [], 0.0
    waiting = list(strikes)
    while waiting or at_s < strikes[-1][0] + 2.0:
        now = [key for when_s, key in waiting if when_s <= at_s]
        waiting = waiting[len(now) :]
        out += [(at_s, key) for key in held.feed(now, at_s) + held.late(at_s)]
        at_s += LOOK_S
    assert not held.waits
    return out


def hold(key: str, at_s: float, delay_s: float, every_s: float, repeats: int) -> list[tuple[float, str]]:
    return [(at_s, key)] + [(at_s + delay_s + every_s * i, key) for i in range(repeats)]


@pytest.mark.parametrize("every_s", [0.025, 0.033, 0.092])
@pytest.mark.parametrize("delay_s", [0.25, 0.5, 0.66])
@pytest.mark.parametrize("key", [" ", "n", "p", "e", "c", "f", "1", "!", "escape", "?"])
def test_a_held_key_is_one_press(key: str, delay_s: float, every_s: float) -> None:
    for repeats in (2, 10, 11):
        assert [name for _, name in presses(hold(key, 0.0, delay_s, every_s, repeats))] == [key]


def test_what_starts_and_stops_is_safe_from_a_single_repeat_too() -> None:
    for key in (" ", "e"):
        assert len(presses(hold(key, 0.0, 0.5, 0.033, 1))) == 1


def test_held_after_having_been_held() -> None:
    twice = hold(" ", 0.0, 0.5, 0.033, 11) + hold(" ", 1.5, 0.5, 0.033, 4)
    assert [round(at_s, 1) for at_s, _ in presses(twice)] == [0.0, 1.5]


@pytest.mark.parametrize("gap_s", [0.2, 0.3, 0.5, 0.7])
def test_presses_by_hand_all_count(gap_s: float) -> None:
    steps = presses([(gap_s * i, "n") for i in range(5)])
    assert len(steps) == 5
    assert all(at_s - gap_s * i < 0.25 for i, (at_s, _) in enumerate(steps))
    mixed = [(gap_s * i, "np"[i % 2]) for i in range(6)]
    assert [name for _, name in presses(mixed)] == [name for _, name in mixed]


def test_space_after_a_second_stops() -> None:
    assert len(presses([(0.0, " "), (0.9, " "), (1.8, " ")])) == 3


def test_taps_count_from_when_they_are_struck_and_levels_go_on_while_held() -> None:
    taps = [(0.3 * i, "t") for i in range(8)]
    assert [at_s for at_s, _ in presses(taps)] == pytest.approx([at_s for at_s, _ in taps], abs=LOOK_S)
    assert len(presses(hold("up", 0.0, 0.5, 0.033, 9))) == 10


def test_a_key_in_doubt_is_a_press_once_another_one_is_struck() -> None:
    assert [name for _, name in presses([(0.0, "n"), (0.4, "n"), (0.45, "t")])] == ["n", "n", "t"]
