"""OSC: one vocabulary with the pedals, whatever comes over the network, and status and beats for those who listen."""

from __future__ import annotations

import dataclasses
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest
from gigmate.control.osc import LOCAL_HOST, Osc, OscSetupError, parse_endpoint
from gigmate.control.osc_wire import (
    Beat,
    BeatTeller,
    Message,
    OscError,
    command_of,
    messages_of,
    status_packets,
    status_values,
)
from gigmate.engine.actions import ACTIONS
from gigmate.engine.commands import (
    Command,
    CountIn,
    Fill,
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
    Toggle,
)
from gigmate.engine.status import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.parsing.osc_types import IMMEDIATELY, write_date, write_int


def packet(address: str, *arguments: object) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)  # type: ignore[arg-type]
    return builder.build().dgram


def bundle(*packets: bytes, at_s: float = IMMEDIATELY) -> bytes:
    return b"#bundle\x00" + write_date(at_s) + b"".join(write_int(len(one)) + one for one in packets)


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
    values = {"part": "bass", "value": 0.5, "name": "tap", "number": 1, "tempo_bpm": 100.0}
    for name, action in ACTIONS.items():
        arguments = [values[argument.name] for argument in action.arguments if not argument.optional]
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
    with pytest.raises(OscError, match="bundles within"):
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


# ------------------------------------------------------------------------------------------------------------ sockets


@pytest.fixture
def opened() -> Iterator[Callable[..., Osc]]:
    all_of_them: list[Osc] = []

    def start(*arguments, **named) -> Osc:  # type: ignore[no-untyped-def]
        all_of_them.append(Osc(*arguments, **named))
        return all_of_them[-1]

    yield start
    for one in all_of_them:
        one.close()
        one.close()


class Posted(list):  # type: ignore[type-arg]
    def wait_for(self, count: int, timeout_s: float = 30.0) -> None:
        end_s = time.monotonic() + timeout_s
        while len(self) < count and time.monotonic() < end_s:
            time.sleep(0.005)


def sender(osc: Osc) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.connect((LOCAL_HOST, osc.port))
    return one


def test_commands_come_in_over_the_network(opened: Callable[..., Osc]) -> None:
    posted = Posted()
    osc = opened(listen=(LOCAL_HOST, 0))
    osc.begin(posted.append, Status)
    with sender(osc) as out:
        out.send(packet("/gigmate/toggle"))
        out.send(packet("/gigmate/toggle"))  # said twice: one press
        out.send(bundle(packet("/gigmate/fill"), packet("/gigmate/level/bass", -3)))
        out.send(b"rubbish")
        out.send(packet("/gigmate/strat"))
        out.send(packet("/gigmate/strop"))
        out.send(packet("/gigmate/panic", 1.0))
    posted.wait_for(4)
    assert posted == [Toggle(), Fill(), SetLevel("bass", -3.0), Panic()]
    assert osc.figures() == {"received": 7, "posted": 4, "bad": 3, "limited": 1, "unsent": 0}
    news = osc.news()
    assert len(news) == 2  # each kind once
    assert "did you mean start?" in news[1]
    assert osc.news() == []


def test_a_bundle_waits_for_its_time(opened: Callable[..., Osc]) -> None:
    posted = Posted()
    osc = opened(listen=(LOCAL_HOST, 0))
    osc.begin(posted.append, Status)
    at_s = time.time() + 0.4
    with sender(osc) as out:
        out.send(bundle(packet("/gigmate/fill"), at_s=at_s))
        out.send(bundle(packet("/gigmate/ending"), at_s=at_s + 1e6))
        out.send(bundle(packet("/gigmate/stop"), at_s=at_s - 1e6))
    posted.wait_for(1)
    assert [type(command).__name__ for command in posted] == ["Stop"]
    posted.wait_for(2)
    assert posted[1:] == [Fill()]
    assert time.time() >= at_s - 0.01
    assert osc.figures()["bad"] == 1


def test_a_flood_neither_fills_the_queue_nor_hides_the_panic(opened: Callable[..., Osc]) -> None:
    posted = Posted()
    osc = opened(listen=(LOCAL_HOST, 0))
    osc.begin(posted.append, Status)
    messages = [packet("/gigmate/level/bass", -i % 60) for i in range(60)]
    messages += [packet("/gigmate/song", i + 1) for i in range(60)] + [b"\x00" * 40, packet("/gigmate/none")]
    shuffled = random.Random(1)
    begin_s = time.monotonic()
    with sender(osc) as out:
        for i in range(10_000):
            out.send(shuffled.choice(messages))
            if i % 40 == 0:
                time.sleep(0.001)
        time.sleep(0.7)  # until there is room in the socket's buffer again
        out.send(packet("/gigmate/panic"))
        while Panic() not in posted and time.monotonic() - begin_s < 60:
            time.sleep(0.01)
    seconds = time.monotonic() - begin_s
    assert Panic() in posted
    songs = [command for command in posted if isinstance(command, SelectSong)]
    levels = [command for command in posted if isinstance(command, SetLevel)]
    assert len(songs) <= 50 + 101 * seconds
    assert len(levels) <= 2 + 51 * seconds
    assert len(osc.news()) <= 3


def test_random_packets_do_no_harm(opened: Callable[..., Osc]) -> None:
    posted = Posted()
    osc = opened(listen=(LOCAL_HOST, 0))
    osc.begin(posted.append, Status)
    noise = random.Random(2)
    with sender(osc) as out:
        for i in range(500):
            head = noise.choice([b"", b"#bundle\x00", b"/gigmate/", b"/gigmate/level\x00\x00,"])
            out.send(head + noise.randbytes(noise.randrange(100)))
            if i % 20 == 0:
                time.sleep(0.005)
        time.sleep(0.3)
        out.send(packet("/gigmate/toggle"))
    posted.wait_for(1)
    assert posted == [Toggle()]


def test_it_listens_on_this_machine_alone_unless_told(opened: Callable[..., Osc]) -> None:
    assert parse_endpoint("--osc", "9000", False) == (LOCAL_HOST, 9000)
    assert parse_endpoint("--osc", "0.0.0.0:9000", False) == ("0.0.0.0", 9000)
    assert parse_endpoint("--osc-to", "light-desk.local:7700", True) == ("light-desk.local", 7700)
    assert parse_endpoint("--osc", "[::1]:9000", False) == ("::1", 9000)
    for text in ("", "x", "0", "70000", "host:", ":9000", "::1:9000", "a b:1", "9000 9001", "٣٤٥"):
        with pytest.raises(OscSetupError, match=r"--osc .*PORT"):
            parse_endpoint("--osc", text, False)
    with pytest.raises(OscSetupError, match="HOST:PORT"):
        parse_endpoint("--osc-to", "9000", True)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.booleans())
def test_any_address_is_an_endpoint_or_one_line(text: str, host_needed: bool) -> None:
    try:
        host, port = parse_endpoint("--osc", text, host_needed)
    except OscSetupError as error:
        assert "PORT" in str(error)
        return
    assert host
    assert 1 <= port <= 65535


def test_what_cannot_be_opened_is_said(opened: Callable[..., Osc]) -> None:
    first = opened(listen=(LOCAL_HOST, 0))
    with pytest.raises(OscSetupError, match=r"cannot listen on 127.0.0.1:\d+ .*another port"):
        opened(listen=(LOCAL_HOST, first.port))
    with pytest.raises(OscSetupError, match=r"no host nowhere\.invalid"):
        opened(tell=[("nowhere.invalid", 9000)])


# ----------------------------------------------------------------------------------------------------- what goes out


def test_status_goes_out_and_beats_as_they_fall(opened: Callable[..., Osc]) -> None:
    begin_s = time.monotonic()

    def status() -> Status:
        beats = (time.monotonic() - begin_s) * 4.0  # 240 bpm
        return Status(
            state="playing", bar=int(beats // 4) + 1, beat=int(beats % 4) + 1, beat_phase=beats % 1, tempo_bpm=240.0,
            preset="Rock", muted=(False, True, False), input_db=float("-inf"), warnings=("ä",),
        )  # fmt: skip

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((LOCAL_HOST, 0))
        listener.settimeout(30)
        osc = opened(tell=[listener.getsockname()])
        osc.begin(lambda command: None, status)
        seen: dict[str, list[tuple[object, ...]]] = {}
        packets = 0
        while time.monotonic() - begin_s < 2.5:
            data = listener.recv(65_535)
            packets += 1
            assert len(data) <= 1500
            contents = list(OscBundle(data)) if OscBundle.dgram_is_bundle(data) else messages_of(data)
            for one in contents:
                arguments = one.arguments if isinstance(one, Message) else one.params
                seen.setdefault(one.address, []).append(tuple(arguments))
    for field in dataclasses.fields(Status):
        assert f"/gigmate/status/{field.name}" in seen
    assert seen["/gigmate/status/state"][0] == ("playing",)
    assert len(seen["/gigmate/status/state"]) <= 4  # once a second, as it does not change
    assert seen["/gigmate/status/muted"][0] == (False, True, False)
    assert seen["/gigmate/status/input_db"][0] == (-120.0,)
    assert len(seen["/gigmate/status/beat_phase"]) <= 2.5 * 20 + 3
    beats = [(bar - 1) * 4 + beat for beat, bar, _, _ in seen["/gigmate/beat"]]  # type: ignore[operator]
    assert beats == list(range(beats[0], beats[0] + len(beats)))  # each once, in order
    assert len(beats) >= 5
    assert seen["/gigmate/beat"][0][2:] == (4, 240.0)


def test_nobody_there_is_counted_and_said_once(opened: Callable[..., Osc]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind((LOCAL_HOST, 0))
        address = gone.getsockname()
    osc = opened(tell=[address])
    osc.begin(lambda command: None, Status)
    time.sleep(0.5)
    assert len(osc.news()) <= 1
    osc.close()


def test_the_status_fits_into_the_networks_frames() -> None:
    status = Status(warnings=tuple(f"warning number {i} with its mend" for i in range(20)))
    packets = list(status_packets(status_values(status)))
    assert len(packets) > 1
    sent = [message.address for data in packets for message in messages_of(data)]
    assert sent == [f"/gigmate/status/{field.name}" for field in dataclasses.fields(Status)]


def told(tempo_bpm: float, seconds: float, step_s: float, late_s: float = 0.0, meter: int = 4) -> list[float]:
    """Times at which beats are said, in beats, when the snapshot is renewed every `step_s`, each a little late."""
    teller, said, now_s = BeatTeller(), [], 0.0
    chance = random.Random(3)
    snapshot = Status()
    next_s = 0.0
    while now_s < seconds:
        if now_s >= next_s:
            beats = now_s * tempo_bpm / 60
            next_s = now_s + step_s + chance.random() * late_s
            snapshot = Status(
                bar=int(beats // meter) + 1, beat=int(beats % meter) + 1, beats_per_bar=meter,
                beat_phase=beats % 1.0, tempo_bpm=tempo_bpm,
            )  # fmt: skip
        for beat in teller.beats(snapshot, now_s):
            said.append(now_s * tempo_bpm / 60)
            assert (beat.bar - 1) * meter + beat.beat - 1 == round(said[-1])
        now_s += 0.002
    return said


@pytest.mark.parametrize("tempo_bpm", [45.0, 120.0, 200.0, 290.0])
@pytest.mark.parametrize("meter", [3, 4, 7])
def test_beats_fall_when_they_fall(tempo_bpm: float, meter: int) -> None:
    said = told(tempo_bpm, 20.0, 0.04, 0.02, meter)
    assert [round(beats) for beats in said] == list(range(1, len(said) + 1))
    assert len(said) >= int(20.0 * tempo_bpm / 60) - 1
    late_s = [(beats - round(beats)) * 60 / tempo_bpm for beats in said]
    assert max(late_s) < 0.004
    assert min(late_s) > -0.001


def test_beats_that_are_counted_anew_are_not_said_twice() -> None:
    teller = BeatTeller()
    said: list[Beat] = []
    for i in range(4000):
        now_s = i * 0.005
        beats = now_s * 2.0
        shifted = beats + (2 if now_s > 10.2 else 0)  # the downbeat is found elsewhere, in the middle of a beat
        said += teller.beats(
            Status(bar=int(shifted // 4) + 1, beat=int(shifted % 4) + 1, beat_phase=shifted % 1, tempo_bpm=120.0), now_s
        )
    assert len(said) == 39
    assert teller.beats(Status(), 99.0) == []
    assert teller.due_s is None
