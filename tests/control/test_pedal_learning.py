"""Learning tells pedals apart by two or three steps; what is learned is what the detector then acts on."""

from __future__ import annotations

import pytest
from gigmate.control.pedal_learning import (
    STILL_S,
    Learned,
    Learner,
    LearnError,
)
from gigmate.engine.actions import ACTIONS
from gigmate.engine.gestures import Binding, Gesture, Gestures
from hypothesis import given, settings
from hypothesis import strategies as st

On = tuple[float, tuple[int, ...]]


def step(*messages: tuple[int, ...], apart_s: float = 0.1) -> list[On]:
    return [(i * apart_s, message) for i, message in enumerate(messages)]


def learned(steps: list[list[On]], fader: bool = False) -> tuple[Learned, int]:
    """What comes out, and after how many steps."""
    learner, now_s = Learner(fader), 0.0
    for messages in steps:
        for at_s, message in messages:
            event = (0, *(*message, 0, 0)[:3])
            assert learner.take(event, now_s + at_s)  # type: ignore[arg-type]
        now_s += messages[-1][0] + STILL_S
        assert not learner.still(now_s - 0.01)
        assert learner.still(now_s)
        assert not learner.still(now_s + 10)
        result = learner.result()
        if result is not None:
            return result, learner.steps
    raise AssertionError("another step was asked for")


ON, OFF = (0xB2, 64, 127), (0xB2, 64, 0)
SLIDE = [(0xB0, 64, value) for value in (*range(0, 127, 10), *range(127, -1, -10), 0)]

TABLE: dict[str, tuple[list[list[On]], tuple[Gesture, ...], str, int]] = {
    "press": ([step(ON, OFF)] * 2, (Gesture("cc", 64),), "press", 2),
    "press, half-damper": ([step(*SLIDE, apart_s=0.01)] * 2, (Gesture("cc", 64),), "press", 2),
    "press, held too long at first": (
        [step(ON), step(OFF, ON, OFF), step(ON, OFF)],
        (Gesture("cc", 64),),
        "press",
        3,
    ),
    "reversed": ([step(OFF, ON)] * 2, (Gesture("cc", 64, pedal="reversed"),), "reversed", 2),
    "reversed, its rest told first": (
        [step(ON), step(OFF, ON), step(OFF, ON)],
        (Gesture("cc", 64, pedal="reversed"),),
        "reversed",
        3,
    ),
    "reversed, half-damper": (
        [step(*((0xB0, 64, 127 - value) for _, _, value in SLIDE), apart_s=0.01)] * 2,
        (Gesture("cc", 64, pedal="reversed"),),
        "reversed",
        2,
    ),
    "toggle": ([step(ON), step(OFF), step(ON)], (Gesture("cc", 64, pedal="toggle"),), "toggle", 3),
    "toggle, found pressed": ([step(OFF), step(ON), step(OFF)], (Gesture("cc", 64, pedal="toggle"),), "toggle", 3),
    "pulse": ([step(ON)] * 2, (Gesture("cc", 64, pedal="pulse"),), "pulse", 2),
    "key": ([step((0x90, 60, 80), (0x80, 60, 0))] * 2, (Gesture("note", 60, threshold=1),), "press", 2),
    "key, velocity 0": ([step((0x90, 60, 80), (0x90, 60, 0))] * 2, (Gesture("note", 60, threshold=1),), "press", 2),
    "program with its bank": (
        [step((0xB0, 0, 1), (0xB0, 32, 0), (0xC0, 7))] * 2,
        (Gesture("program", 7),),
        "pulse",
        2,
    ),
    "two programs in turn": (
        [step((0xC0, 1)), step((0xC0, 2)), step((0xC0, 1))],
        (Gesture("program", 1), Gesture("program", 2)),
        "alternating",
        3,
    ),
    "alternating start and stop": (
        [step((0xFA,)), step((0xFC,)), step((0xFA,))],
        (Gesture("start"), Gesture("stop")),
        "alternating",
        3,
    ),
    "start alone": ([step((0xFA,))] * 2, (Gesture("start"),), "pulse", 2),
    "two controllers in turn": (
        [step((0xB0, 1, 127), (0xB0, 1, 0)), step((0xB0, 2, 127)), step((0xB0, 1, 127), (0xB0, 1, 0))],
        (Gesture("cc", 1), Gesture("cc", 2, pedal="pulse")),
        "alternating",
        3,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_pedals_are_told_apart(name: str) -> None:
    steps, gestures, kind, count = TABLE[name]
    result, after = learned(steps)
    assert (result.gestures, result.kind, after) == (gestures, kind, count)
    assert result.text


@pytest.mark.parametrize("name", [name for name in TABLE if "too long" not in name and "told first" not in name])
def test_what_was_learned_acts_once_per_step(name: str) -> None:
    steps, _, _, _ = TABLE[name]
    result, _ = learned(steps)
    gestures = Gestures([Binding(gesture, ACTIONS["toggle"]) for gesture in result.gestures], 1000)
    at_ms, commands = 0, 0
    for messages in steps:
        for at_s, message in messages:
            commands += len(gestures.commands((at_ms + round(1000 * at_s), *(*message, 0, 0)[:3])))  # type: ignore[arg-type]
        at_ms += 3000
    assert commands == len(steps)


def test_a_fader_is_learned_by_sliding_it() -> None:
    slide = step(*[(0xB0, 11, value) for value in range(0, 128, 3)], apart_s=0.01)
    assert learned([slide], fader=True)[0] == Learned((Gesture("cc", 11),), "fader")
    with pytest.raises(LearnError, match="only switched on and off"):
        learned([step(ON, OFF)], fader=True)
    with pytest.raises(LearnError, match="no controller moved"):
        learned([step((0x90, 60, 80))], fader=True)


def test_what_cannot_be_told_is_said() -> None:
    with pytest.raises(LearnError, match=r"CC11 sent many values: that is a fader"):
        learned([step(*[(0xB0, 11, value) for value in range(0, 128, 3)])])
    with pytest.raises(LearnError, match=r"each press sent something different .*CC1, CC2, CC3"):
        learned([step((0xB0, number, 127)) for number in (1, 2, 3)])
    with pytest.raises(LearnError, match="not alike"):
        learned([step(ON), step(OFF), step(ON, OFF)])


def steps_beside(
    tremble: list[On], steps_at_s: list[float], messages: list[On], end_s: float
) -> tuple[Learner, Learned]:
    """What is learned of a switch beside a controller that trembles; looked at every 20 ms, as `midi-learn` does."""
    stream = sorted([*tremble, *[(at_s + later_s, message) for at_s in steps_at_s for later_s, message in messages]])
    learner, now_s = Learner(), 0.0
    while now_s < end_s:
        while stream and stream[0][0] <= now_s:
            at_s, message = stream.pop(0)
            learner.take((0, *(*message, 0, 0)[:3]), at_s)  # type: ignore[arg-type]
        if learner.still(now_s):
            result = learner.result()
            if result is not None:
                return learner, result
        now_s += 0.02
    raise AssertionError("it went on listening")


TREMBLES: dict[str, list[On]] = {
    "by one": [(0.2 + 0.21 * k, (0xB0, 27, 64 + k % 2)) for k in range(400)],
    "at the threshold, fast": [(0.02 * k, (0xB3, 11, 61 + k * 7 % 5)) for k in range(4000)],
    "now and then": [(0.3 + 1.7 * k, (0xB0, 27, 70 - k % 2)) for k in range(60)],
    "telling the same all the time": [(0.1 * k, (0xB0, 27, 100)) for k in range(800)],
    "from the second step on": [(4.5 + 0.21 * k, (0xB0, 27, 64 + k % 2)) for k in range(400)],
}


@pytest.mark.parametrize("tremble", TREMBLES)
@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        ([(0.0, (0xB0, 80, 127))], "pulse"),
        ([(0.0, (0xB0, 80, 127)), (0.3, (0xB0, 80, 0))], "press"),
        ([(0.0, (0xB0, 80, 0)), (0.3, (0xB0, 80, 127))], "reversed"),
        ([(0.0, (0xC0, 5))], "pulse"),
    ],
)
def test_a_switch_is_learned_beside_a_pedal_that_trembles(tremble: str, messages: list[On], kind: str) -> None:
    learner, result = steps_beside(TREMBLES[tremble], [3.0 + 3.0 * k for k in range(12)], messages, 30.0)
    assert result.kind == kind
    assert [(gesture.kind, gesture.number) for gesture in result.gestures] in ([("cc", 80)], [("program", 5)])
    assert learner.trembling in (["CC27"], ["CC11"])


def test_a_fader_that_trembles_is_learned_by_sliding_it() -> None:
    trembling = [(0.1 * k, (0xB0, 11, 2 + k % 2)) for k in range(20)]
    slid = [(2.0 + 0.02 * k, (0xB0, 11, 2 + 2 * k)) for k in range(60)]
    learner = Learner(fader=True)
    for at_s, (status, number, value) in [
        *trembling,
        *slid,
        *[(at_s + 3.2 + 2.0 * n, m) for n in range(2) for at_s, m in trembling],
    ]:
        learner.take((0, status, number, value), at_s)
    assert learner.still(6.5)
    assert learner.result() == Learned((Gesture("cc", 11),), "fader")


def test_what_is_no_gesture_is_passed_over() -> None:
    learner = Learner()
    for message in ((0xF8, 0, 0), (0xFE, 0, 0), (0xE0, 1, 2), (0xD0, 1, 0), (0xA0, 1, 2), (0xB0, 300, 2)):
        assert not learner.take((0, *message), 0.0)
    assert not learner.still(100.0)
    assert learner.result() is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from([0xB0, 0x90, 0x80, 0xC0, 0xFA, 0xFC]), st.integers(0, 3), st.integers(0, 127)),
            min_size=1,
            max_size=6,
        ),
        max_size=5,
    ),
    st.booleans(),
)
def test_any_steps_end_in_a_pedal_or_in_words(steps: list[list[tuple[int, int, int]]], fader: bool) -> None:
    learner = Learner(fader)
    for place, messages in enumerate(steps):
        for message in messages:
            learner.take((0, *message), place * 10.0)
        # A step ends each of them, but where nothing moved except a controller that only trembles: that is no step.
        ended = learner.still(place * 10.0 + STILL_S)
        assert ended or (learner.trembling and any(status == 0xB0 for status, *_ in messages))
        try:
            result = learner.result()
        except LearnError as error:
            assert "\n" not in str(error)
            return
        assert result is not None or learner.steps < 3
