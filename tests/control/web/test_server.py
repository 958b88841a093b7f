"""The remote over real sockets: pages, guards, commands, snapshots; a flood, a slow client and a crowd do no harm."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest
from gigmate.control.web.server import (
    FULL,
    NO_HELLO,
    WRONG_TOKEN,
    WebRemote,
)
from gigmate.engine.commands import (
    Panic,
    SetLevel,
    Start,
    StepSong,
)
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from . import stand_in
from .stand_in import StandIn, wait_for

Open = Callable[..., tuple[WebRemote, int]]


@pytest.fixture
def open_remote() -> Iterator[Open]:
    faces = []

    def open_one(band: StandIn, token: str | None = None, **limits: Any) -> tuple[WebRemote, int]:
        face, port = stand_in.open_remote(band, token, **limits)
        faces.append(face)
        return face, port

    yield open_one
    for face in faces:
        face.close()
        assert not face._thread.is_alive()


def get(port: int, path: str = "/", host: str | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={**({} if host is None else {"Host": host}), **headers})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def dial(port: int, **more: Any) -> AbstractContextManager[ClientConnection]:
    return connect(f"ws://127.0.0.1:{port}/ws", open_timeout=20, **{"compression": None, **more})


def until(client: ClientConnection, kind: str, true: Callable[[dict[str, Any]], object] = lambda _: True) -> Any:
    for _ in range(400):
        message = json.loads(client.recv(timeout=20))
        if message["type"] == kind and true(message):
            return message
    raise AssertionError(f"no such {kind}")


# --------------------------------------------------------------------------------------------------------- the page


def test_the_page_and_its_files_come_from_here_alone(open_remote: Open) -> None:
    _, port = open_remote(StandIn())
    status, headers, body = get(port)
    assert status == 200 and b"<!doctype html>" in body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and f"connect-src 'self' ws://127.0.0.1:{port};" in policy
    assert "unsafe" not in policy
    for path, kind in (("/page.css", "text/css"), ("/page.js", "text/javascript"), ("/icon.svg", "image/svg+xml")):
        status, headers, more = get(port, path)
        assert status == 200 and headers["Content-Type"].startswith(kind)
        body += more
    outside = body.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"http://" not in outside and b"https://" not in outside and b"innerHTML" not in body
    for path in ("/nothing", "/../server.py", "/page.html", "/%2e%2e/server.py"):
        assert get(port, path)[0] == 404


def test_other_sites_and_bent_names_are_turned_away(open_remote: Open) -> None:
    face, port = open_remote(StandIn())
    assert get(port, host="evil.example")[0] == 403
    assert get(port, Origin="http://evil.example")[0] == 403
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}):
        with pytest.raises(InvalidStatus) as caught, dial(port, additional_headers=headers):
            pass
        assert caught.value.response.status_code == 403
    with dial(port, origin=f"http://127.0.0.1:{port}") as client:
        assert until(client, "hello")
    assert face.counts.refused == 5


def test_two_hosts_are_one_too_many(open_remote: Open) -> None:
    _, port = open_remote(StandIn())
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n")
        assert b" 403 " in raw.makefile("rb").readline()


# -------------------------------------------------------------------------------------------------------- commands


def test_commands_in_snapshots_out(open_remote: Open) -> None:
    band = StandIn(warnings=("the sound system lost a moment of sound: raise the block size to 256",))
    face, port = open_remote(band)
    with dial(port) as client:
        hello = until(client, "hello")
        assert hello["parts"] == ["drums", "bass", "keys"] and hello["songs"][0]["title"] == "Blue Hour"
        first = until(client, "status")
        assert first["words"] == "STOPPED" and "256" in first["warnings"][0]
        client.send('{"do": "start"}')
        assert until(client, "status", lambda message: message["on"])["state"] == "playing"
        client.send('{"do": "level", "part": "bass", "value": -6}')
        until(client, "status", lambda message: message["levels_db"][1] == -6)
        client.send('{"do": "next_song"}')
        until(client, "status", lambda message: message["song_number"] == 2)
        client.send('{"do": "panic"}')
        until(client, "status", lambda message: message["state"] == "stopped")
    assert band.commands == [Start(), SetLevel("bass", -6.0), StepSong(1), Panic()]
    assert face.counts.commands == 4
    wait_for(lambda: face.counts.clients == 0)


def test_what_cannot_be_is_counted_and_answered_in_a_line(open_remote: Open) -> None:
    band = StandIn()
    face, port = open_remote(band)
    with dial(port) as client:
        for text, words in (("no json", "JSON"), ('{"do": "dance"}', "no action"), (b"\x00\x01", "binary")):
            client.send(text)
            error = until(client, "error")["error"]
            assert words in error and "\n" not in error
        client.send('{"do": "start"}')  # nobody bears a grudge
        until(client, "status", lambda message: message["on"])
    assert face.counts.malformed == 3 and band.commands == [Start()]


def test_a_command_that_was_held_up_on_its_way_is_not_done_late(open_remote: Open) -> None:
    band = StandIn()
    face, port = open_remote(band, late_s=0.5)
    with dial(port) as client:
        seen = until(client, "status")["number"]
        client.send(json.dumps({"do": "fill", "seen": seen}))
        wait_for(lambda: len(band.commands) == 1)
        for bar in range(1, 4):
            band.set(bar=bar)
            until(client, "status", lambda message, bar=bar: message["bar"] == bar)
            time.sleep(0.3)
        client.send(json.dumps({"do": "start", "seen": seen}))
        assert "late" in until(client, "error")["error"]
        client.send(json.dumps({"do": "start", "seen": -(10**9)}))
        assert "late" in until(client, "error")["error"]
        client.send(json.dumps({"do": "panic", "seen": seen}))  # is meant whenever it comes
        client.send(json.dumps({"do": "start", "seen": 10**9}))  # no snapshot of ours: whoever says so is not delayed
        client.send(json.dumps({"do": "start", "seen": "x"}))
        wait_for(lambda: len(band.commands) == 4)
    assert band.commands[1:] == [Panic(), Start(), Start()]
    assert face.counts.late == 2


def test_a_message_too_long_ends_that_client_alone(open_remote: Open) -> None:
    face, port = open_remote(StandIn())
    with dial(port) as good:
        with dial(port) as bad:
            bad.send("x" * 5000)
            with pytest.raises(ConnectionClosed) as caught:
                while True:
                    bad.recv(timeout=20)
            assert caught.value.rcvd is not None and caught.value.rcvd.code == 1009
        until(good, "status")
        wait_for(lambda: face.counts.malformed == 1)


def test_new_lists_are_told(open_remote: Open) -> None:
    band = StandIn()
    _, port = open_remote(band)
    with dial(port) as client:
        until(client, "hello")
        band.sections = ["Coda"]
        until(client, "lists", lambda message: message["sections"] == ["Coda"])


def test_an_unchanged_snapshot_is_sent_seldom_a_changed_one_soon(open_remote: Open) -> None:
    band = StandIn()
    face, port = open_remote(band, snapshots_each_s=50.0)
    with dial(port) as client:
        until(client, "status")
        time.sleep(2.2)
        assert face.counts.snapshots <= 5
        band.set(bar=7)
        assert until(client, "status", lambda message: message["bar"] == 7)


# ------------------------------------------------------------------------------------------------------------ token


def test_the_network_needs_the_token(open_remote: Open) -> None:
    band = StandIn()
    face, port = open_remote(band, token="open-sesame", wrong_token_s=0.01)
    for first in ('{"do": "start"}', '{"do": "hello"}', '{"do": "hello", "token": "open-sesam"}', "no json"):
        with dial(port) as client:
            client.send(first)
            with pytest.raises(ConnectionClosed) as caught:
                while True:
                    assert json.loads(client.recv(timeout=20))["type"] == "error"
            assert caught.value.rcvd is not None and caught.value.rcvd.code == WRONG_TOKEN
    assert band.commands == [] and face.counts.refused == 4
    with dial(port) as client:
        client.send('{"do": "hello", "token": "open-sesame"}')
        until(client, "hello")
        client.send('{"do": "panic"}')
        until(client, "status")
        wait_for(lambda: band.commands == [Panic()])
    news = face.news()
    assert sum("wrong token" in line for line in news) == 4
    assert "open-sesam" not in "".join(news)
    assert face.news() == []


def test_with_a_token_this_machine_may_be_asked_by_its_address(open_remote: Open) -> None:
    _, port = open_remote(StandIn(), token="open-sesame")
    assert get(port, host="192.168.1.7:80")[0] == 200
    assert get(port, host="evil.example")[0] == 403


def test_who_says_nothing_has_to_go(open_remote: Open) -> None:
    face, port = open_remote(StandIn(), token="open-sesame", hello_s=0.2)
    with dial(port) as client:
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=20)
        assert caught.value.rcvd is not None and caught.value.rcvd.code == NO_HELLO
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        assert raw.recv(100) == b""  # not even a request
    assert face.counts.refused == 1


# ------------------------------------------------------------------------------------------------------ what is bounded


def test_no_more_clients_than_there_is_room_for(open_remote: Open) -> None:
    face, port = open_remote(StandIn(), clients=2)
    with ExitStack() as stack:
        for _ in range(2):
            until(stack.enter_context(dial(port)), "hello")
        with pytest.raises(InvalidStatus) as caught, dial(port):
            pass
        assert caught.value.response.status_code == 503
        assert face.counts.refused == 1
    wait_for(lambda: face.counts.clients == 0)
    with dial(port) as client:
        until(client, "hello")


def test_clients_that_come_at_the_same_moment_find_no_more_room_either(open_remote: Open) -> None:
    face, port = open_remote(StandIn(), token="open-sesame", clients=1, hello_s=20.0)
    with dial(port) as first, dial(port) as second:  # both were let in, since neither had said who it is
        first.send('{"do": "hello", "token": "open-sesame"}')
        until(first, "hello")
        second.send('{"do": "hello", "token": "open-sesame"}')
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                second.recv(timeout=20)
        assert caught.value.rcvd is not None and caught.value.rcvd.code == FULL
    assert face.counts.clients_in_all == 1


def test_a_crowd_of_silent_sockets_is_turned_away(open_remote: Open) -> None:
    face, port = open_remote(StandIn(), connections=4, hello_s=30.0)
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(10)]
    try:
        wait_for(lambda: face.counts.refused == 6)
    finally:
        for raw in crowd:
            raw.close()
    wait_for(lambda: not face._open)
    assert get(port)[0] == 200


def test_a_flood_is_slowed_and_others_do_not_notice(open_remote: Open) -> None:
    band = StandIn()
    face, port = open_remote(band, messages_each_s=50.0, messages_burst=20.0)
    with dial(port) as good, dial(port) as bad, flood(bad):
        began_s = time.monotonic()
        wait_for(lambda: face.counts.slowed >= 50)
        good.send('{"do": "panic"}')
        wait_for(lambda: Panic() in band.commands)
        until(good, "status")
        elapsed_s = time.monotonic() - began_s
        assert len(band.commands) <= 20 + 50 * elapsed_s + 30


@contextmanager
def flood(client: ClientConnection) -> Iterator[None]:
    """So many messages as the way will take, from another thread."""
    stop = threading.Event()

    def run() -> None:
        try:
            while not stop.is_set():
                client.send('{"do": "fill"}')
        except (ConnectionClosed, OSError):
            pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        client.socket.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_flood_of_bytes_is_slowed_too(open_remote: Open) -> None:
    """Pings are answered by the library itself: the bytes that they come in are counted."""
    face, port = open_remote(StandIn(), bytes_each_s=2000.0, bytes_burst=4000.0)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        raw.sendall(
            b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b" 101 " in raw.recv(1000)
        raw.setblocking(False)
        ping = b"\x89\x80\x00\x00\x00\x00" * 2000
        sent, until_s = 0, time.monotonic() + 1.0
        while time.monotonic() < until_s:
            try:
                sent += raw.send(ping[sent % 6 :])  # whole frames, wherever the last sending broke off
            except BlockingIOError:
                time.sleep(0.01)
        assert sent < 4_000_000
        wait_for(lambda: face.counts.slowed >= 1)
    with dial(port) as other:
        until(other, "status")


def test_a_client_that_does_not_read_gets_the_latest_when_it_does(open_remote: Open) -> None:
    band = StandIn()
    face, port = open_remote(band, snapshots_each_s=200.0)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", port))
    with dial(port) as good, connect(f"ws://127.0.0.1:{port}/ws", sock=raw, compression=None, max_queue=2) as slow:
        until(good, "hello")
        bar = 0
        until_s = time.monotonic() + 60.0
        while face.counts.snapshots_skipped < 100:
            assert time.monotonic() < until_s
            bar += 1
            band.set(bar=bar)
            json.loads(good.recv(timeout=20))  # it is served all the while
        behind = 0
        for _ in range(4000):
            message = json.loads(slow.recv(timeout=20))
            if message["type"] == "status":
                behind += 1
                if message["bar"] == bar:
                    break
        assert message["bar"] == bar and behind < bar  # the latest came, what was old was left out


def test_it_ends_though_clients_are_there_and_frees_the_port(open_remote: Open) -> None:
    face, port = open_remote(StandIn())
    with dial(port) as client:
        until(client, "hello")
        began_s = time.monotonic()
        face.close()
        face.close()
        assert time.monotonic() - began_s < 5.0
        with pytest.raises(ConnectionClosed):
            while True:
                client.recv(timeout=20)
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_fault_of_ours_is_said_and_ends_the_remote_alone(open_remote: Open) -> None:
    band = StandIn()
    face, port = open_remote(band)
    with dial(port) as client:
        until(client, "status")
        band.status = None  # type: ignore[assignment]
        with pytest.raises(ConnectionClosed):
            while True:
                client.recv(timeout=20)
    wait_for(lambda: not face._thread.is_alive())
    assert any("the web remote has failed" in line for line in face.news())
