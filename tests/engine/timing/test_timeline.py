"""Guesses beyond the end of what was told are those that are made without remembering any step."""

import random

import pytest
from gigmate.engine.timing.anchor import Anchor
from gigmate.engine.timing.conductor_settings import TimelineSettings
from gigmate.engine.timing.timeline import Timeline

RATE_HZ = 48_000.0
FRAME = 1920


@pytest.mark.parametrize("seed", range(6))
def test_a_remembered_guess_is_the_guess(seed):
    chance = random.Random(seed)
    metres = {"of": 5}
    timeline = Timeline(TimelineSettings(), RATE_HZ, 4, lambda bar: 3 if seed % 2 and bar % metres["of"] == 2 else None)
    asked = 0
    for frame in range(200):
        position = float(frame * FRAME)
        if frame % 7 == 0:
            place = int(frame * 0.07) % 4 if seed % 3 else -1
            anchor = Anchor(position - 9_000 * chance.random(), 0.07 * frame, 100 + 20 * chance.random(), 0.9, 4, place)
            timeline.aim(anchor, same_source=chance.random() < 0.8)
        if chance.random() < 0.1:
            timeline.leap(at_downbeat=chance.random() < 0.5)
        if chance.random() < 0.1:
            timeline.stop_leap()
        if chance.random() < 0.1:
            timeline.bend(0.3 * chance.random())
        if chance.random() < 0.05:
            metres["of"] = chance.randint(3, 6)  # another chart
        timeline.advance(position)
        for _ in range(6):
            wanted = position + 30_000 * chance.random()
            remembered = timeline.at(wanted)
            timeline._guess_anew()
            plain = timeline.at(wanted)
            assert plain[2:] == remembered[2:]
            assert plain.beat == pytest.approx(remembered.beat, abs=1e-12)
            asked += remembered.beat > timeline.at(timeline.end_samples).beat
            timeline.at(position + 30_000 * chance.random())
    assert asked > 1_000, "hardly anything was guessed"
