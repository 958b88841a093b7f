"""What is pressed passes at once; what slides is thinned, and ends where it was left."""

from __future__ import annotations

from gigmate.control.command_throttle import PERIOD_S, CommandThrottle
from gigmate.engine.commands import (
    Command,
    Fill,
    SetControl,
    SetLevel,
    Toggle,
)


def test_presses_pass_and_faders_are_thinned() -> None:
    posted: list[Command] = []
    throttle = CommandThrottle(posted.append)
    for i in range(1_000):
        throttle.put(SetLevel("bass", float(-i % 60)), i * 0.0001)
        throttle.flush(i * 0.0001)
        if i == 500:
            throttle.put(Toggle(), i * 0.0001)
    assert posted.count(Toggle()) == 1
    assert len(posted) - 1 <= 0.1 / PERIOD_S + 1
    throttle.flush(0.1 + PERIOD_S)
    assert posted[-1] == SetLevel("bass", float(-999 % 60))
    assert throttle.thinned > 900


def test_each_fader_has_a_turn_of_its_own() -> None:
    posted: list[Command] = []
    throttle = CommandThrottle(posted.append)
    throttle.put(SetLevel("bass", 0.0), 0.0)
    throttle.put(SetLevel("keys", 0.0), 0.0)
    throttle.put(SetControl("density", 0.5), 0.0)
    throttle.put(Fill(), 0.0)
    throttle.put(Fill(), 0.0)
    assert len(posted) == 5
    throttle.put(SetLevel("bass", 1.0), 0.001)
    assert len(posted) == 5
    throttle.flush(0.5 * PERIOD_S)
    assert len(posted) == 5
    throttle.flush(PERIOD_S)
    throttle.flush(2 * PERIOD_S)
    assert posted[5:] == [SetLevel("bass", 1.0)]
