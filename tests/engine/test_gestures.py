"""Gestures: one command per step of the foot, whatever the pedal is made like and whatever comes between."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from gigmate.engine.actions import ACTIONS, ActionError
from gigmate.engine.commands import (
    NOW,
    Command,
    Fill,
    SelectSong,
    SetControl,
    SetLevel,
    SetMute,
    Start,
    StepPreset,
    Stop,
    Tap,
    Toggle,
)
from gigmate.engine.gestures import (
    ANY,
    Binding,
    BindingTable,
    Gesture,
    Gestures,
)
from hypothesis import given, settings
from hypothesis import strategies as st

RATE_HZ = 48_000
MS = RATE_HZ // 1000

Message = tuple[float, tuple[int, ...]]
"""When, in ms, and the bytes."""


def bind(gesture: Gesture, action: str = "toggle", ends: tuple[float, float] | None = None, **arguments: object):
    return Binding(gesture, ACTIONS[action], tuple(arguments.items()), ends)


def events(messages: Iterable[Message]) -> list[tuple[int, int, int, int]]:
    return [(round(at_ms * MS), *((*message, 0, 0))[:3]) for at_ms, message in messages]  # type: ignore[misc]


def fed(bindings: Iterable[Binding], messages: Iterable[Message]) -> list[Command]:
    gestures = Gestures(bindings, RATE_HZ)
    return [command for event in events(messages) for command in gestures.commands(event)]


def bounced(at_ms: float, on: tuple[int, ...], off: tuple[int, ...]) -> list[Message]:
    """A contact that chatters for 15 ms before it stays."""
    return [(at_ms, on), (at_ms + 4, off), (at_ms + 7, on), (at_ms + 12, off), (at_ms + 15, on)]


CC_ON, CC_OFF = (0xB0, 64, 127), (0xB0, 64, 0)
NOTE_ON, NOTE_0, NOTE_OFF = (0x99, 36, 100), (0x99, 36, 0), (0x89, 36, 64)
STEPS_MS = (0.0, 900.0, 1700.0, 2600.0)
CC = Gesture("cc", 64)
CC_TOGGLE = Gesture("cc", 64, pedal="toggle")
CC_PULSE = Gesture("cc", 64, pedal="pulse")
NOTE = Gesture("note", 36, threshold=1)
TRANSPORT = (Gesture("start"), Gesture("stop"))


def held(on: tuple[int, ...], off: tuple[int, ...], held_ms: float) -> list[Message]:
    return [item for at_ms in STEPS_MS for item in ((at_ms, on), (at_ms + held_ms, off))]


PEDALS: dict[str, tuple[tuple[Gesture, ...], list[Message]]] = {
    "momentary, 127 and 0": ((CC,), held(CC_ON, CC_OFF, 250)),
    "momentary, 127 and 0 at once": ((CC,), held(CC_ON, CC_OFF, 1)),
    "momentary that bounces both ways": (
        (CC,),
        [m for at in STEPS_MS for m in bounced(at, CC_ON, CC_OFF) + bounced(at + 300, CC_OFF, CC_ON)],
    ),
    "half-damper, sliding through all values": (
        (CC,),
        [
            (at + i * 2.0, (0xB0, 64, value))
            for at in STEPS_MS
            for i, value in enumerate([*range(0, 128, 4), *range(127, -1, -4)])
        ],
    ),
    "noise around the threshold while held": (
        (CC,),
        [
            m
            for at in STEPS_MS
            for m in [(at + 25.0 * i, (0xB0, 64, 64 - i % 3)) for i in range(9)] + [(at + 300.0, CC_OFF)]
        ],
    ),
    "toggle, 127 then 0": (
        (CC_TOGGLE,),
        [(at, on) for at, on in zip(STEPS_MS, [CC_ON, CC_OFF] * 2, strict=True)],
    ),
    "toggle, found pressed": (
        (CC_TOGGLE,),
        [(at, on) for at, on in zip(STEPS_MS, [CC_OFF, CC_ON] * 2, strict=True)],
    ),
    "toggle that bounces": (
        (CC_TOGGLE,),
        [
            m
            for at, (on, off) in zip(STEPS_MS, [(CC_ON, CC_OFF), (CC_OFF, CC_ON)] * 2, strict=True)
            for m in bounced(at, on, off)
        ],
    ),
    "pulse, always 127": ((CC_PULSE,), [(at, CC_ON) for at in STEPS_MS]),
    "alternating start and stop": (
        TRANSPORT,
        [(at, (code,)) for at, code in zip(STEPS_MS, [0xFA, 0xFC] * 2, strict=True)],
    ),
    "keyboard key": ((NOTE,), held(NOTE_ON, NOTE_OFF, 180)),
    "note with velocity 0": ((NOTE,), held(NOTE_ON, NOTE_0, 180)),
    "drum pad, never let go": ((NOTE,), [(at, NOTE_ON) for at in STEPS_MS]),
    "program change": ((Gesture("program", 5),), [(at, (0xC3, 5)) for at in STEPS_MS]),
    "program change, sent twice": (
        (Gesture("program", 5),),
        [(at + more, (0xC3, 5)) for at in STEPS_MS for more in (0, 3)],
    ),
}


@pytest.mark.parametrize("name", PEDALS)
def test_each_pedal_acts_once_per_step_and_on_the_press(name: str) -> None:
    gestures, messages = PEDALS[name]
    commands = fed([bind(gesture) for gesture in gestures], messages)
    assert all(isinstance(command, Toggle) for command in commands)
    at_ms = [command.at_sample / MS for command in commands]  # type: ignore[union-attr]
    if name.startswith("half-damper"):
        assert at_ms == [at + 32.0 for at in STEPS_MS]  # where it passes 64
    else:
        assert at_ms == list(STEPS_MS)


def test_a_start_pedal_and_a_stop_pedal_carry_their_sample() -> None:
    bindings = [bind(Gesture("cc", 64), "start"), bind(Gesture("cc", 65), "stop"), bind(Gesture("cc", 66), "tap")]
    messages = [(1.0, (0xB0, 64, 127)), (2.0, (0xB5, 65, 64)), (3.0, (0xB0, 66, 90)), (4.0, (0xB0, 64, 0))]
    assert fed(bindings, messages) == [Start(48), Stop(96), Tap(144)]


def test_without_a_clock_the_commands_mean_now() -> None:
    gestures = Gestures([bind(CC), bind(Gesture("cc", 65), "tap")], 1_000_000, stamped=False)
    assert gestures.commands((5, *CC_ON)) == [Toggle(NOW)]
    assert gestures.commands((9, 0xB0, 65, 127)) == [Tap(NOW)]


def test_channel_threshold_and_number_are_kept_to() -> None:
    assert fed([bind(Gesture("cc", 64, channel=2))], [(0, CC_ON), (50, (0xB1, 64, 127))]) == [Toggle(50 * MS)]
    assert fed([bind(Gesture("cc", 64, threshold=100))], [(0, (0xB0, 64, 99)), (50, (0xB0, 64, 100))]) == [
        Toggle(50 * MS)
    ]
    assert fed([bind(Gesture("note", 36, threshold=40))], [(0, (0x90, 36, 39)), (50, (0x90, 36, 40))]) == [
        Toggle(50 * MS)
    ]
    others: list[Message] = [(0, (0xB0, 65, 127)), (30, (0x90, 64, 127)), (60, (0xE0, 64, 127)), (90, (0xC0, 64))]
    assert fed([bind(CC)], others) == []


def test_two_channels_are_two_feet() -> None:
    messages: list[Message] = [(0, (0xB0, 64, 127)), (5, (0xB1, 64, 127)), (200, CC_OFF), (300, CC_ON)]
    assert fed([bind(CC)], messages) == [Toggle(0), Toggle(5 * MS), Toggle(300 * MS)]


def test_one_gesture_may_mean_two_things() -> None:
    assert fed([bind(CC, "fill"), bind(CC, "mute", part="bass")], held(CC_ON, CC_OFF, 100)[:2]) == [
        Fill(),
        SetMute("bass", None),
    ]


def test_a_controller_moves_a_level_or_the_density() -> None:
    level = bind(Gesture("cc", 7), "level", (-40.0, 6.0), part="bass")
    density = bind(Gesture("cc", 1), "density", (0.0, 1.0))
    messages: list[Message] = [(0, (0xB0, 7, 127)), (1, (0xB0, 7, 0)), (2, (0xB0, 1, 127)), (3, (0xB0, 1, 0))]
    assert fed([level, density], messages) == [
        SetLevel("bass", 6.0),
        SetLevel("bass", float("-inf")),
        SetControl("density", 1.0),
        SetControl("density", 0.0),
    ]
    turned = bind(Gesture("cc", 7), "level", (0.0, -12.0), part="keys")
    assert fed([turned], [(0, (0xB0, 7, 0)), (1, (0xB0, 7, 127))]) == [SetLevel("keys", 0.0), SetLevel("keys", -12.0)]


def test_programs_choose_songs() -> None:
    assert fed([bind(Gesture("program", ANY), "song")], [(0, (0xC0, 0)), (50, (0xCF, 11))]) == [
        SelectSong(1),
        SelectSong(12),
    ]
    assert fed([bind(Gesture("program", ANY), "fill")], [(0, (0xC0, 9))]) == [Fill()]


def test_in_a_batch_only_the_last_value_of_a_controller_counts() -> None:
    gestures = Gestures([bind(Gesture("cc", 7), "level", (-40.0, 6.0), part="bass"), bind(CC)], RATE_HZ)
    flood = [(i, 0xB0, 7, i % 128) for i in range(1_000)]
    batch = [*flood[:500], (500, *CC_ON), *flood[501:], (1000, 0xB0, 7, 127)]
    assert gestures.commands_of(batch) == [Toggle(500), SetLevel("bass", 6.0)]


def test_a_flood_of_presses_is_one_press_and_hides_no_other_pedal() -> None:
    gestures = Gestures([bind(CC), bind(Gesture("note", 36, threshold=1), "fill")], RATE_HZ)
    flood = [(i * 5, 0xB0, 64, 127 * (i % 2)) for i in range(10_000)]  # about 10,000 a second
    flood.insert(7_000, (35_000, *NOTE_ON))
    commands = gestures.commands_of(flood)
    assert [type(command) for command in commands] == [Toggle, Fill]
    assert gestures.commands((flood[-1][0] + 25 * MS, *CC_OFF)) == []
    assert gestures.commands((flood[-1][0] + 600 * MS, *CC_ON)) == [Toggle(flood[-1][0] + 600 * MS)]


def test_the_first_layer_that_knows_a_source_decides() -> None:
    table = BindingTable(asked=[bind(CC, "fill")], user=[bind(CC, "stop"), bind(Gesture("cc", 65), "stop")])
    gestures = Gestures(table, RATE_HZ)
    assert gestures.commands((0, *CC_ON)) == [Fill()]
    assert gestures.commands((0, 0xB0, 65, 127)) == [Stop(0)]
    table.set_preset([bind(Gesture("cc", 65), "next_preset")])
    assert gestures.commands((MS * 400, 0xB0, 65, 0)) == []
    assert gestures.commands((MS * 800, 0xB0, 65, 127)) == [StepPreset(1)]
    table.set_preset(())
    assert gestures.commands((MS * 1200, 0xB0, 65, 0)) == []
    assert gestures.commands((MS * 1600, 0xB0, 65, 127)) == [Stop(MS * 1600)]


def test_what_cannot_be_bound_is_said_at_once() -> None:
    with pytest.raises(ActionError, match="needs part"):
        bind(CC, "mute")
    with pytest.raises(ActionError, match="takes nothing"):
        bind(CC, "fill", bars=1)


def test_gestures_have_names_for_people() -> None:
    names = [Gesture("cc", 64, 2), Gesture("note", 36), Gesture("program", 0), Gesture("program", ANY), Gesture("stop")]
    assert [g.text for g in names] == ["CC64 on channel 2", "note 36", "program 1", "program any", "MIDI stop"]
    assert bind(CC, "mute", part="bass").text == "CC64: mute bass"


EVERYTHING = [
    bind(CC),
    bind(Gesture("cc", 65, pedal="toggle"), "fill"),
    bind(Gesture("note", 36, threshold=1), "start"),
    bind(Gesture("note", 37, pedal="pulse"), "stop"),
    bind(Gesture("program", ANY), "song"),
    bind(Gesture("start"), "start"),
    bind(Gesture("continue"), "panic"),
    bind(Gesture("cc", 7), "level", (-40.0, 6.0), part="drums"),
]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-(2**62), 2**62),
            st.one_of(st.sampled_from([0xB0, 0x90, 0x80, 0xC0, 0xFA, 0xFB]), st.integers(-300, 300)),
            st.one_of(st.sampled_from([7, 36, 37, 64, 65]), st.integers(-300, 300)),
            st.integers(-300, 300),
        ),
        max_size=60,
    )
)
def test_whatever_the_bytes_are_nothing_is_raised(batch: list[tuple[int, int, int, int]]) -> None:
    gestures = Gestures(EVERYTHING, RATE_HZ)
    for event in batch:
        gestures.commands(event)
    gestures.commands_of(batch)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from([CC_ON, CC_OFF])), max_size=80))
def test_two_presses_are_never_closer_than_the_debounce(messages: list[tuple[int, tuple[int, int, int]]]) -> None:
    at_ms, stream = 0, []
    for gap_ms, message in messages:
        at_ms += gap_ms
        stream.append((float(at_ms), message))
    for gesture in (CC, CC_TOGGLE, CC_PULSE):
        at = [command.at_sample for command in fed([bind(gesture)], stream)]  # type: ignore[union-attr]
        assert all(later - earlier >= 20 * MS for earlier, later in itertools.pairwise(at))
