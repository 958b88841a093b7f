"""OSC's bytes and words: one vocabulary with the pedals, and whatever comes is a command or an error of one line."""

from __future__ import annotations

import struct

import pytest
from gigmate.control.osc_wire import (
    Message,
    OscError,
    command_of,
    messages_of,
)
from gigmate.engine.actions import ACTIONS
from gigmate.engine.commands import (
    Command,
    CountIn,
    JumpSection,
    Panic,
    SelectPreset,
    SelectSong,
    SetControl,
    SetLevel,
    SetMute,
    SetTempo,
    SetTimeSource,
    Start,
    StepSong,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from .osc_packets import bundle, packet


def asked(address: str, *arguments: object) -> Command | None:
    (message,) = messages_of(packet(address, *arguments))
    return command_of(message)


# -------------------------------------------------------------------------------------------------------- the words


@pytest.mark.parametrize(
    ("address", "arguments", "command"),
    [
        ("/gigmate/start", (), Start()),
        ("/gigmate/start", (1,), Start()),
        ("/gigmate/start", (1.0,), Start()),
        ("/gigmate/start", (True,), Start()),
        ("/gigmate/start", (0,), None),  # a button let go
        ("/gigmate/start", (0.0,), None),
        ("/gigmate/start", (False,), None),
        ("/gigmate/count_in", (), CountIn(1)),
        ("/gigmate/count_in", (2,), CountIn(2)),
        ("/gigmate/count_in", (1.0,), CountIn(1)),
        ("/gigmate/count_in", (0,), None),
        ("/gigmate/level", ("bass", -6), SetLevel("bass", -6.0)),
        ("/gigmate/level/bass", (-6.5,), SetLevel("bass", -6.5)),
        ("/gigmate/level/bass/-6", (), SetLevel("bass", -6.0)),
        ("/gigmate/level/bass", ("off",), SetLevel("bass", float("-inf"))),
        ("/gigmate/mute/drums", (), SetMute("drums", None)),
        ("/gigmate/mute/drums", (1,), SetMute("drums", True)),
        ("/gigmate/mute/drums", (0.0,), SetMute("drums", False)),
        ("/gigmate/mute", ("keys", True), SetMute("keys", True)),
        ("/gigmate/density", (1,), SetControl("density", 1.0)),
        ("/gigmate/density", ("0.25",), SetControl("density", 0.25)),
        ("/gigmate/tempo", (120,), SetTempo(120.0)),
        ("/gigmate/tempo", (0,), SetTempo(0.0)),
        ("/gigmate/time_source", ("tap",), SetTimeSource("tap")),
        ("/gigmate/preset", ("funk",), SelectPreset("funk")),
        ("/gigmate/preset/funk", (), SelectPreset("funk")),
        ("/gigmate/song", (3.0,), SelectSong(3)),
        ("/gigmate/next_song", (127,), StepSong(1)),
        ("/gigmate/section", (), JumpSection("")),
        ("/gigmate/section", (1,), JumpSection("")),
        ("/gigmate/section", (0,), None),
        ("/gigmate/section", ("Bridge",), JumpSection("Bridge")),
        ("/gigmate/panic", (), Panic()),
    ],
)
def test_addresses_are_actions(address: str, arguments: tuple[object, ...], command: Command | None) -> None:
    assert asked(address, *arguments) == command


@pytest.mark.parametrize(
    ("address", "arguments", "words"),
    [
        ("/other/start", (), "addresses begin with /gigmate/"),
        ("/gigmate", (), "addresses begin with /gigmate/"),
        ("/gigmate/strat", (), "did you mean start?"),
        ("/gigmate/quit", (), "no action 'quit'"),
        ("/gigmate/start", ("now",), "takes nothing"),
        ("/gigmate/start", (1, 2), "takes nothing"),
        ("/gigmate/level", ("bass",), "needs value"),
        ("/gigmate/level", ("bas", 0), "drums, bass or keys"),
        ("/gigmate/level/bass", (40.0,), "dB from -60 to 12"),
        ("/gigmate/level/bass", (float("nan"),), "dB from -60 to 12"),
        ("/gigmate/density", (float("inf"),), "0 to 1"),
        ("/gigmate/song", (1.5,), "whole number"),
        ("/gigmate/preset", (3,), "a name"),
        ("/gigmate/preset", ("x" * 100,), "a name"),
        ("/gigmate/level/bass/1/2", (), "takes part value"),
    ],
)
def test_what_means_nothing_is_said(address: str, arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(OscError) as caught:
        asked(address, *arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_action_has_its_address() -> None:
    values = {"part": "bass", "value": 0.5, "name": "tap", "number": 1, "tempo_bpm": 100.0, "bar": 3, "to": 1}
    for name, action in ACTIONS.items():
        arguments = [
            argument.choices[0] if argument.choices else values[argument.name]
            for argument in action.arguments
            if not argument.optional
        ]
        assert asked(f"/gigmate/{name}", *arguments) is not None


# -------------------------------------------------------------------------------------------------------- the bytes


def test_bundles_are_taken_apart_and_keep_their_time() -> None:
    inner = bundle(packet("/gigmate/fill"), at_s=2_000_000_000.5)
    messages = messages_of(bundle(packet("/gigmate/start"), inner))
    assert [message.address for message in messages] == ["/gigmate/start", "/gigmate/fill"]
    assert messages[0].due_s == 0.0
    assert messages[1].due_s == pytest.approx(2_000_000_000.5, abs=1e-3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"/no-end",
        b"/a\x00\x00no comma\x00\x00\x00\x00",
        b"/a\x00\x00,i\x00\x00\x00",  # too short for its number
        b"/a\x00\x00,b\x00\x00\x00\x00\x00\x01x\x00\x00\x00",  # a blob
        b"/\xff\xfe\x00,\x00\x00\x00",
        b"#bundle\x00",
        b"#bundle\x00" + b"\x00" * 7 + b"\x01" + struct.pack(">i", -4),  # would go on for ever
        b"#bundle\x00" + b"\x00" * 7 + b"\x01" + struct.pack(">i", 0),
        b"#bundle\x00" + b"\x00" * 7 + b"\x01" + struct.pack(">i", 2**31 - 1),
        b"#bundle\x00" + b"\x00" * 7 + b"\x01" + struct.pack(">i", 8) + b"/a\x00\x00",
    ],
)
def test_bytes_that_are_no_osc(data: bytes) -> None:
    with pytest.raises(OscError):
        messages_of(data)


def test_bundles_do_not_nest_for_ever() -> None:
    data = packet("/gigmate/fill")
    for _ in range(8):
        data = bundle(data)
    assert messages_of(data)
    with pytest.raises(OscError, match="bundles are nested too deeply"):
        messages_of(bundle(data))
    with pytest.raises(OscError, match="more than"):
        messages_of(bundle(*[packet("/a")] * 1000))


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=120),
        st.builds(lambda tail: b"#bundle\x00" + tail, st.binary(max_size=80)),
        st.builds(lambda tags, tail: b"/gigmate/level\x00\x00," + tags + tail, st.binary(max_size=6), st.binary()),
    )
)
def test_any_bytes_are_messages_or_an_error(data: bytes) -> None:
    try:
        messages = messages_of(data)
    except OscError:
        return
    for message in messages:
        try:
            command_of(message)
        except OscError as error:
            assert "\n" not in str(error)


_ARGUMENT = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["bass", "off", "funk", "1"]),
)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.sampled_from(list(ACTIONS)), st.text(max_size=10)),
    st.lists(st.text(max_size=6), max_size=3),
    st.lists(_ARGUMENT, max_size=4),
)
def test_any_message_is_a_command_or_an_error(name: str, path: list[str], arguments: list[object]) -> None:
    try:
        command_of(Message("/".join(["", "gigmate", name, *path]), tuple(arguments)))
    except OscError as error:
        assert len(str(error)) < 1000
