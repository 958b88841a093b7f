"""Where the bar begins: by what the chord does, by the first note, and by the metre that this makes likely."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gigmate.engine.timing.beats.bar_pointer import BarFilter
from gigmate.engine.timing.beats.chord_change import ChordChangeDetector
from gigmate.engine.timing.conductor import Conductor
from gigmate.engine.timing.conductor_settings import BarSettings

from ..performance import RATE_HZ, Noise, follow, perform, steady
from .test_conductor import share_of_right_bars

UNMARKED = Noise(miss=0.1, offbeat=0.15, false_per_beat=0.1, downbeat_miss=1.0, downbeat_false=0.0)
"""Nothing says of any beat that it is a downbeat."""


@pytest.mark.parametrize("pickup", [1, 2])
def test_chords_alone_tell_the_bar(pickup: int) -> None:
    performance = perform(steady(110, 50), 3, UNMARKED, pickup=pickup, roots=(0, 9, 5, 7))
    followed = follow(Conductor(RATE_HZ), performance)
    assert share_of_right_bars(followed, performance, 48) >= 0.95  # the first note spoke for another beat


def test_who_begins_begins_on_the_downbeat() -> None:
    performance = perform(steady(96, 30), 2, replace(UNMARKED, miss=0.0))
    assert share_of_right_bars(follow(Conductor(RATE_HZ), performance), performance, 12) >= 0.95


def test_a_pickup_is_put_right_by_downbeats() -> None:
    performance = perform(steady(120, 40), 2, Noise(miss=0.1, offbeat=0.15, false_per_beat=0.1), pickup=3)
    assert share_of_right_bars(follow(Conductor(RATE_HZ), performance), performance, 32) >= 0.95


@pytest.mark.parametrize("metre", [2, 3, 4, 5])
def test_each_metre_is_found_by_its_downbeats(metre: int) -> None:
    bars = BarFilter(BarSettings())
    for beat in range(40):
        bars.beat(0.6 if beat % metre == 1 else 0.05, 1.0)
    found, place, sure = bars.best()
    assert (found, place) == (metre, (39 - 1) % metre)
    assert sure > 0.9


def test_a_turn_is_told_from_a_held_chord() -> None:
    turns = ChordChangeDetector(lag_s=0.12)
    assert turns.turn(1.0, 0.5) is None, "nothing heard"
    for frame in range(100):
        root = np.full(13, 0.02, np.float32)
        root[0 if frame * 0.04 < 2.0 + 0.12 else 7] = 0.76
        turns.hear(root, frame * 0.04)
    assert turns.turn(2.0, 0.5) > 0.5  # type: ignore[operator]
    assert turns.turn(3.0, 0.5) < 0.05  # type: ignore[operator]
