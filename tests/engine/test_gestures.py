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
    LoopPress,
    LoopRelease,
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


@pytest.mark.parametrize(("pedal", "down", "up"), [("press", 127, 0), ("reversed", 0, 127)])
def test_the_loopers_pedal_says_when_it_is_let_go(pedal: str, down: int, up: int) -> None:
    gesture = Gesture("cc", 64, pedal=pedal)  # type: ignore[arg-type]
    commands = fed(
        [bind(gesture, "loop")], [(at, (0xB0, 64, value)) for at, value in ((0, up), (500, down), (2000, up))]
    )
    press, release = commands[-2:]
    assert isinstance(press, LoopPress) and press.held
    assert isinstance(release, LoopRelease)
    assert release.at_sample - press.at_sample == 1.5 * RATE_HZ


def test_a_pedal_that_cannot_say_so_is_not_taken_to_be_held() -> None:
    gesture = Gesture("cc", 64, pedal="toggle")
    assert fed([bind(gesture, "loop")], [(500.0, CC_ON)]) == [LoopPress(round(0.5 * RATE_HZ))]
    assert fed([bind(Gesture("program", 3), "loop")], [(500.0, (0xC0, 3))]) == [LoopPress(round(0.5 * RATE_HZ))]


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


S = 1000.0
REVERSED = Gesture("cc", 64, pedal="reversed")


def acted_at_s(
    gesture: Gesture, values: list[tuple[float, int]], connected_s: float | None = 0.0, also_s: tuple[float, ...] = ()
) -> list[float]:
    """When a controller that sent those values, at those seconds, did something."""
    gestures, acted = Gestures([bind(gesture)], RATE_HZ), []
    connections = [] if connected_s is None else [connected_s, *also_s]
    for at_s, value in values:
        while connections and connections[0] <= at_s:
            gestures.connected(round(connections.pop(0) * RATE_HZ))
        if gestures.commands((round(at_s * RATE_HZ), 0xB0, 64, value)):
            acted.append(at_s)
    return acted


STEPS_OF_REVERSED = [(6.0, 0), (7.5, 127), (12.0, 0), (13.5, 127), (14.0, 0), (14.2, 127)]


def test_a_pedal_that_rests_at_127_acts_when_it_is_stepped_on() -> None:
    told = [(0.5, 127), *STEPS_OF_REVERSED]
    assert acted_at_s(CC, told) == [6.0, 12.0, 14.0]
    assert acted_at_s(REVERSED, told) == [6.0, 12.0, 14.0]
    assert acted_at_s(REVERSED, STEPS_OF_REVERSED, None) == [6.0, 12.0, 14.0]
    slides = [(0.2, 127)] + [
        (at_s + 0.01 * i, value) for at_s in (5.0, 9.0) for i, value in enumerate([100, 70, 60, 30, 0, 40, 63, 90, 127])
    ]
    assert len(acted_at_s(CC, slides)) == 2


def test_a_pedal_that_rests_at_127_and_does_not_say_so_is_found_out_by_its_second_step() -> None:
    assert acted_at_s(CC, STEPS_OF_REVERSED, None)[1:] == [12.0, 14.0]
    assert acted_at_s(CC, [(0.5, 127), *STEPS_OF_REVERSED], None)[1:] == [6.0, 12.0, 14.0]


def test_a_pedal_that_rests_at_0_is_not_taken_for_the_other_kind() -> None:
    steps = [(6.0, 127), (6.3, 0), (9.0, 127), (9.2, 0), (9.5, 127), (9.6, 0), (20.0, 127), (29.0, 0), (30.0, 127)]
    pressed = [6.0, 9.0, 9.5, 20.0, 30.0]
    assert acted_at_s(CC, steps) == pressed
    assert acted_at_s(CC, [(0.5, 0), *steps]) == pressed
    # Stepped on as it was plugged in, it acts when it is let go, and from the next rest on as it should.
    assert acted_at_s(CC, [(0.5, 127), (0.8, 0), *steps]) == [0.8, *pressed]
    at_once = [(at_s + later_s, value) for at_s in (0.5, 0.7, 6.0) for later_s, value in ((0.0, 127), (0.003, 0))]
    assert acted_at_s(CC, at_once) == [0.503, 0.7, 6.0]
    # Plugged in anew while it is held down: a pedal that is known needs no rest to be told.
    assert acted_at_s(CC, [*steps, (31.0, 0), (40.5, 127)], also_s=(40.0,)) == [*pressed, 40.5]


def test_how_a_latching_pedal_stands_when_it_is_connected_is_no_step() -> None:
    for first in (0, 127):
        steps = [(0.5, first), (5.0, 127 - first), (9.0, first)]
        assert acted_at_s(CC_TOGGLE, steps) == [5.0, 9.0]
        assert acted_at_s(CC_TOGGLE, [*steps, (20.5, 127 - first), (25.0, first)], also_s=(20.0,)) == [5.0, 9.0, 25.0]


@settings(max_examples=100, deadline=None)
@given(
    st.booleans(),
    st.floats(0.0, 0.9),
    st.lists(st.tuples(st.floats(0.05, 1.5), st.floats(4.0, 60.0)), min_size=1, max_size=8),
)
def test_whichever_side_it_rests_on_each_step_acts_once_and_on_the_press(
    rests_high: bool, told_s: float, steps: list[tuple[float, float]]
) -> None:
    rest, values, at_s, pressed = 127 * rests_high, [(told_s, 127 * rests_high)], 5.0, []
    for held_s, rest_s in steps:
        pressed.append(at_s)
        values += [(at_s, 127 - rest), (at_s + held_s, rest)]
        at_s += held_s + rest_s
    assert acted_at_s(CC, values) == pressed


SONGS = bind(Gesture("program", ANY), "song")


def played(bindings: list[Binding], messages: list[Message], until_ms: float = 30_000.0) -> list[Command]:
    """As the engine takes them: 40 ms of messages, and then the time."""
    gestures, commands, batch = Gestures(bindings, RATE_HZ), [], 40 * MS
    stream = events(messages)
    for end in range(batch, round(until_ms * MS), batch):
        commands += gestures.commands_of([event for event in stream if end - batch <= event[0] < end])
        commands += gestures.due(end)
    return commands


@pytest.mark.parametrize("apart_ms", [-30.0, -1.0, 0.0, 1.0, 20.0, 39.0])
@pytest.mark.parametrize("switch", [CC, CC_PULSE, NOTE])
def test_a_program_that_comes_with_a_bound_controller_chooses_no_song(switch: Gesture, apart_ms: float) -> None:
    on, off = (CC_ON, CC_OFF) if switch.kind == "cc" else (NOTE_ON, NOTE_OFF)
    steps = [m for at in (1000.0, 3000.0) for m in ((at, (0xC0, 2)), (at + apart_ms, on), (at + 300, off))]
    steps.sort(key=lambda message: message[0])
    commands = played([bind(switch), SONGS], steps)
    assert [type(command) for command in commands] == [Toggle, Toggle]


def test_a_program_that_comes_with_a_controller_that_does_nothing_anew_chooses_no_song_either() -> None:
    always_127 = [
        m for at in (1000.0, 3000.0) for m in ((at, (0xC0, 2)), (at + 1, CC_ON))
    ]  # bound as a pedal that lets go
    assert [type(command) for command in played([bind(CC), SONGS], always_127)] == [Toggle]


def test_a_program_alone_or_beside_a_fader_chooses_its_song() -> None:
    alone: list[Message] = [(1000.0, (0xC0, 2)), (1060.0, CC_ON), (3000.0, (0xC0, 4))]
    assert played([bind(CC), SONGS], alone) == [SelectSong(3), Toggle(1060 * MS), SelectSong(5)]
    fader = bind(Gesture("cc", 7), "level", (-40.0, 6.0), part="bass")
    moved: list[Message] = [
        (1000.0, (0xC0, 2)),
        (1001.0, (0xB0, 7, 127)),
        (3000.0, (0xC0, 4)),
        (3001.0, (0xB0, 9, 127)),
    ]
    assert played([fader, bind(CC), SONGS], moved) == [SetLevel("bass", 6.0), SelectSong(3), SelectSong(5)]
    # Where no switch is bound nothing has to be waited for.
    assert Gestures([fader, SONGS], RATE_HZ).commands((0, 0xC0, 2, 0)) == [SelectSong(3)]


def test_what_is_said_of_one_program_is_not_said_of_every_one() -> None:
    with_cc: list[Message] = [(1000.0, (0xC0, 5)), (1001.0, CC_ON)]
    bindings = [bind(Gesture("program", 5), "fill"), bind(CC), SONGS]
    assert played(bindings, with_cc) == [Fill(), Toggle(1001 * MS)]
    silent = [bind(Gesture("program", 5), "nothing"), SONGS]
    assert played(silent, [(0.0, (0xC0, 5)), (500.0, (0xC0, 6))]) == [SelectSong(7)]


def test_nothing_is_a_meaning() -> None:
    table = BindingTable(asked=[bind(Gesture("program", ANY), "nothing"), bind(CC, "nothing")], user=[SONGS, bind(CC)])
    gestures = Gestures(table, RATE_HZ)
    assert gestures.commands((0, 0xC0, 3, 0)) == [] == gestures.commands((10, *CC_ON))
    assert gestures.due(10**9) == []


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
