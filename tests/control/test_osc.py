"""OSC that comes in over the network: commands in order, bundles in time, floods and rubbish without harm."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable

import pytest
from gigmate.control.osc import (
    LOCAL_HOST,
    Osc,
    OscSetupError,
    parse_endpoint,
)
from gigmate.engine.commands import (
    Fill,
    Panic,
    SelectSong,
    SetLevel,
    Start,
    Stop,
    Toggle,
)
from gigmate.engine.status import Status
from hypothesis import given, settings
from hypothesis import strategies as st

from .osc_packets import bundle, packet


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


@pytest.mark.parametrize("ahead_s", [4.0, 45.0, 1e6, -3600.0])
def test_a_tablet_whose_clock_is_wrong_is_obeyed_at_once(opened: Callable[..., Osc], ahead_s: float) -> None:
    posted = Posted()
    osc = opened(listen=(LOCAL_HOST, 0))
    osc.begin(posted.append, Status)
    begin_s = time.monotonic()
    with sender(osc) as out:
        for action in ("start", "fill", "stop", "panic"):
            out.send(bundle(packet(f"/gigmate/{action}", 1.0), at_s=time.time() + ahead_s))
    posted.wait_for(4)
    assert posted == [Start(), Fill(), Stop(), Panic()]
    assert time.monotonic() - begin_s < 3.5
    assert osc.figures()["bad"] == 0 and osc.news() == []


@pytest.mark.parametrize("action", ["stop", "panic", "toggle"])
def test_what_stops_the_band_never_waits(opened: Callable[..., Osc], action: str) -> None:
    posted = Posted()
    osc = opened(listen=(LOCAL_HOST, 0), by_time_tags=True)
    osc.begin(posted.append, lambda: Status(state="playing"))
    with sender(osc) as out:
        out.send(bundle(packet("/gigmate/start"), at_s=time.time() + 1.0))
        out.send(bundle(packet(f"/gigmate/{action}"), at_s=time.time() + 45.0))
        posted.wait_for(1, timeout_s=0.9)
        assert [type(command).__name__.lower() for command in posted] == [action]
        out.send(bundle(packet("/gigmate/fill"), at_s=time.time() + 1.2))
    posted.wait_for(2)
    assert posted[1:] == [Fill()]  # the start was to come before the end


def test_a_bundle_waits_for_its_time_where_that_is_asked_for(opened: Callable[..., Osc]) -> None:
    posted = Posted()
    osc = opened(listen=(LOCAL_HOST, 0), by_time_tags=True)
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
    assert parse_endpoint("--osc", "9100", False) == (LOCAL_HOST, 9100)
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
