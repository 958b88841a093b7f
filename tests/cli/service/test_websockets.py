"""/stream over 127.0.0.1: the same samples as offline, sequence, window, limits, late clients, bad messages."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from gigmate.band import Band
from gigmate.cli.service import stream_messages
from gigmate.engine.player import PARTS, Controls, Moment
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync import client
from websockets.sync.client import ClientConnection

from .service_fakes import RATE_HZ, Echoist, Noted, Server, SlowEchoist, ask, lead, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(streams=3, idle_s=2.0, window_s=1.0) as server:
        yield server


def connect(url: str, **options: object) -> ClientConnection:
    """A connection that is open now (newer releases wait until it is used)."""
    return client.connect(url, **options).__enter__()  # type: ignore[arg-type]


def hello(server: Server, **fields: object) -> tuple[ClientConnection, dict[str, object]]:
    """A client that was let in, and what it was told."""
    socket = connect(server.ws + "/stream", max_size=None)
    socket.send(json.dumps({"type": "hello", "version": 1, **fields}))
    return socket, json.loads(socket.recv(30))


def play(socket: ClientConnection, sound: np.ndarray, block: int, continue_s: float = 0.0) -> tuple[np.ndarray, list]:
    """Send it all, acknowledged block by block; what the band played, and what was told besides."""
    channels = sound.shape[1] if sound.ndim == 2 else 1
    out, told, position, due = [], [], 0, 0
    for sequence, at in enumerate(range(0, len(sound), block)):
        socket.send(stream_messages.pack_block(sequence, at, sound[at : at + block]))
        while True:
            message = socket.recv(30)
            if isinstance(message, bytes):
                number, begin, made = stream_messages.unpack_block(message, 1)
                assert (number, begin) == (due, position)
                due, position = due + 1, position + len(made)
                out.append(made[:, 0])
                continue
            told.append(json.loads(message))
            if told[-1]["type"] == "ack":
                assert told[-1]["sequence"] == sequence
                assert told[-1]["samples"] == min(at + block, len(sound))
                break
    assert channels >= 1
    socket.send(json.dumps({"type": "end", "continue_s": continue_s}))
    while isinstance(message := socket.recv(30), bytes) or json.loads(message)["type"] != "end":
        if isinstance(message, bytes):
            number, begin, made = stream_messages.unpack_block(message, 1)
            assert (number, begin) == (due, position)
            due, position = due + 1, position + len(made)
            out.append(made[:, 0])
    return np.concatenate(out), told


@pytest.mark.parametrize("block", [480, 5000])
def test_streamed_and_offline_are_the_same_samples(server: Server, block: int) -> None:
    sound = lead(1.1)
    socket, ready = hello(server, rate_hz=RATE_HZ, seed=6, preset="swing")
    assert ready["type"] == "ready"
    assert ready["channels"] == 1
    assert ready["ahead_frames"] == 1
    played, told = play(socket, sound, block, continue_s=0.3)
    ours = Band(Echoist).accompany(sound, RATE_HZ, seed=6, preset="swing", continue_s=0.3)
    np.testing.assert_array_equal(played, ours.mono)
    assert any(message["type"] == "moment" for message in told)
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000


def test_a_band_that_waits(server: Server) -> None:
    """An echoist hears no beat: it is silent until the musician has ended."""
    sound = lead(0.6)
    played, _ = play(hello(server, rate_hz=RATE_HZ, wait=True)[0], sound, 1920, continue_s=0.4)
    assert np.abs(played[: sound.size]).max() == 0.0
    ours = Band(Echoist).accompany(sound, RATE_HZ, wait=True, continue_s=0.4)
    np.testing.assert_array_equal(played, ours.mono)
    assert np.abs(played).max() > 0.01


class Reader(Echoist):
    """Sounds as the chord that it is told."""

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        return np.full((3, 1280), 0.001 * (moment.chord_root + 2), np.float32)  # too soft to be compressed


def test_a_chart_gives_the_chords() -> None:
    chart, sound = "tempo: 240\n[A]\n| Dm7 | G7/B |", lead(4.0)
    with serving(Band(Reader), streams=2) as server:
        for asked, start_s in (({}, 0.0), ({"chart_start": 1.5}, 1.5), ({"wait": False}, 0.0)):
            played, _ = play(hello(server, rate_hz=RATE_HZ, chart=chart, **asked)[0], sound, 1920)
            ours = Band(Reader).accompany(sound, RATE_HZ, chart=chart, chart_start_s=start_s)
            np.testing.assert_array_equal(played, ours.mono)
        inside = played[RATE_HZ:-RATE_HZ]
        low, high = np.percentile(inside, [20, 80])
        assert high / low == pytest.approx(9 / 4, rel=0.08), "G against D, a little compressed"


def test_a_chart_of_another_format_gives_the_same_chords_and_says_what_is_left_out() -> None:
    sound = lead(2.0)
    with serving(Band(Reader), streams=2) as server:
        ours, _ = play(hello(server, rate_hz=RATE_HZ, chart="tempo: 240\nend: stop\n| Dm7 | G7/B |")[0], sound, 1920)
        chart = "{title: Pier}\n{tempo: 240}\n[Dm7]One [G7/B]two\n"
        theirs, told = play(hello(server, rate_hz=RATE_HZ, chart=chart)[0], sound, 1920)
    np.testing.assert_array_equal(theirs, ours)
    assert [one["warning"] for one in told if one["type"] == "warning"] == [
        "line 3: words tell no bars: there each chord lasts one bar"
    ]


@pytest.mark.parametrize("block", [480, 4_800])
def test_notes_come_with_the_sound_that_they_belong_to(block: int) -> None:
    with serving(Band(Noted), window_s=1.0) as server:
        socket, _ = hello(server, rate_hz=RATE_HZ, notes=True)
        _, told = play(socket, lead(2.0), block)
        socket, _ = hello(server, rate_hz=RATE_HZ)
        _, without = play(socket, lead(1.0), block)
    assert not [message for message in without if message["type"] == "notes"]
    notes = [note for message in told if message["type"] == "notes" for note in message["notes"]]
    onsets = [at for part, pitch, velocity, at in notes if velocity]
    assert all((part, pitch, velocity) in {("drums", 36, 100), ("drums", 36, 0)} for part, pitch, velocity, _ in notes)
    assert np.diff(onsets).tolist() == [pytest.approx(19_200, abs=750)] * (len(onsets) - 1)
    assert len(onsets) >= 4
    assert len(notes) == 2 * len(onsets), "every note that begins also ends"
    assert [at for *_, at in notes] == sorted(at for *_, at in notes)


def test_parts_stereo_and_controls(server: Server) -> None:
    socket, ready = hello(server, rate_hz=44_100, channels=2, output="parts", parts=["bass"])
    assert ready["channels"] == 3
    socket.send(json.dumps({"type": "controls", "density": 0.9, "levels_db": {"bass": -6}}))
    assert json.loads(socket.recv(10))["type"] == "controls"
    socket.send(stream_messages.pack_block(0, 0, np.stack([lead(0.5, 44_100)] * 2, axis=1)))
    made = socket.recv(10)
    assert isinstance(made, bytes)
    _, _, parts = stream_messages.unpack_block(made, 3)
    assert np.abs(parts[:, [0, 2]]).max() == 0.0
    assert np.abs(parts[:, 1]).max() > 0.0
    socket.close()


def test_stereo_for_who_asks_for_it(server: Server) -> None:
    sound = lead(0.6)
    ours = Band(Echoist).accompany(sound, RATE_HZ, seed=2)
    for output, channels, wanted in (
        ("mix", 2, ours.mix),
        ("parts", 6, np.concatenate([ours.parts[part] for part in PARTS], axis=1)),
    ):
        client, ready = hello(server, rate_hz=RATE_HZ, seed=2, output=output, output_channels=2)
        assert ready["channels"] == channels
        for sequence, at in enumerate(range(0, len(sound), 4800)):
            client.send(stream_messages.pack_block(sequence, at, sound[at : at + 4800]))
        client.send(json.dumps({"type": "end"}))
        made = []
        while isinstance(message := client.recv(30), bytes) or json.loads(message)["type"] != "end":
            if isinstance(message, bytes):
                made.append(stream_messages.unpack_block(message, channels)[2])
        np.testing.assert_array_equal(np.concatenate(made), wanted)
    refused, answer = hello(server, rate_hz=RATE_HZ, output_channels=3)
    assert answer["type"] == "error"
    refused.close()


def test_channels_that_are_heard(server: Server) -> None:
    one = lead(0.5)
    both = np.stack([np.zeros_like(one), one], axis=1)
    alone, _ = hello(server, rate_hz=RATE_HZ)
    chosen, _ = hello(server, rate_hz=RATE_HZ, channels=2, input=[2])
    np.testing.assert_array_equal(play(chosen, both, 999)[0], play(alone, one, 999)[0])


def closed_with(socket: ClientConnection) -> tuple[int, str]:
    """(code, the one line) of a server that says goodbye."""
    text = ""
    try:
        while True:
            message = socket.recv(15)
            if isinstance(message, str) and json.loads(message)["type"] == "error":
                text = json.loads(message)["error"]
    except ConnectionClosed as error:
        assert error.rcvd is not None
        assert text
        assert "\n" not in text
        return error.rcvd.code, text


SOUND = lead(0.1)
WRONG = {
    "a gap": (lambda: stream_messages.pack_block(3, 0, SOUND), "was due"),
    "another place": (lambda: stream_messages.pack_block(0, 99, SOUND), "was due"),
    "half a sample": (lambda: stream_messages.pack_block(0, 0, SOUND)[:-2], "whole float32"),
    "a stub": (lambda: b"x", "header"),
    "more than the window": (lambda: stream_messages.pack_block(0, 0, np.zeros(RATE_HZ + 1, np.float32)), "window"),
    "no json": (lambda: "hello", "no JSON"),
    "no type": (lambda: "[1]", "type"),
    "no such type": (lambda: '{"type": "dance"}', "types here"),
    "no such control": (lambda: '{"type": "controls", "density": 9}', "density"),
    "no control of that name": (lambda: '{"type": "controls", "densty": 0.5}', "densty"),
    "no such style": (lambda: '{"type": "controls", "style": "polka"}', "polka"),
    "a control of no kind": (lambda: '{"type": "controls", "density": null}', "density"),
    "no such part": (lambda: '{"type": "controls", "levels_db": {"flute": 0}}', "flute"),
    "too long an end": (lambda: '{"type": "end", "continue_s": 1e9}', "continue_s"),
}


def test_an_empty_block_is_a_block(server: Server) -> None:
    """As the last one of a file often is; stereo, since that is another shape."""
    socket, _ = hello(server, rate_hz=44_100, channels=2)
    for sequence in (0, 1):
        socket.send(stream_messages.pack_block(sequence, 0, np.zeros((0, 2), np.float32)))
        while (answer := json.loads(socket.recv(10)))["type"] == "moment":
            pass
        assert (answer["type"], answer.get("sequence"), answer.get("samples")) == ("ack", sequence, 0)
    socket.close()


@pytest.mark.parametrize("name", WRONG)
def test_what_the_protocol_does_not_know_is_said(server: Server, name: str) -> None:
    make, word = WRONG[name]
    socket, _ = hello(server, rate_hz=RATE_HZ)
    socket.send(make())
    code, text = closed_with(socket)
    assert code == 4400
    assert word in text


@pytest.mark.parametrize(
    "fields",
    [{"rate_hz": 10}, {"rate_hz": "fast"}, {"channels": 0}, {"preset": "/etc/passwd"}, {"parts": ["flute"]},
     {"ahead": 99}, {"seed": -1}, {"output": "all"}, {"version": 2}, {"wait": "long"}, {"parts": ["\ud800"]},
     {"parts": 5}, {"input": [2]}, {"input": [0]}, {"input": "1"}, {"input": [1, 1]}, {"input": []}, {"input": [True]}],
)  # fmt: skip
def test_a_hello_that_cannot_be(server: Server, fields: dict[str, object]) -> None:
    socket = connect(server.ws + "/stream")
    socket.send(json.dumps({"type": "hello", "version": 1, **fields}))
    assert closed_with(socket)[0] == 4400


@pytest.mark.parametrize(
    ("fields", "word"),
    [({"chart": "| C | Xm |"}, "line 1, bar 2"), ({"chart": "/etc/passwd"}, "chart line 1"), ({"chart": ""}, "no bar"),
     ({"chart": "| \ud800 |"}, "line 1, bar 1"), ({"chart": ["| C |"]}, "bar notation"),
     ({"chart": "| C " * 30_000}, "20000 letters"), ({"chart": "| C |\n" * 20_000}, "too long for a chart"),
     ({"chart": "|: C :| x99\n" * 99}, "4000 bars"),
     ({"chart_start": 1}, "needs a chart"), ({"chart": "| C |", "chart_start": -1}, "chart_start")],
)  # fmt: skip
def test_a_chart_that_cannot_be(server: Server, fields: dict[str, object], word: str) -> None:
    socket = connect(server.ws + "/stream")
    socket.send(json.dumps({"type": "hello", "version": 1, **fields}))
    code, text = closed_with(socket)
    assert code == 4400
    assert word in text


def open_raw(server: Server) -> socket.socket:
    """A client of /stream that was let in and reads nothing more by itself."""
    line = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    line.sendall(
        f"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert line.recv(1000).startswith(b"HTTP/1.1 101")
    return line


def test_a_client_that_sends_and_does_not_read_is_held_back_and_then_goes() -> None:
    """Its sending blocks after what the sockets hold, the server's memory stays, and its place is free again."""
    with serving(streams=1, idle_s=1.0) as server:
        line = open_raw(server)
        fields = {"type": "hello", "version": 1, "rate_hz": RATE_HZ, "output": "parts"}
        line.sendall(Frame(Opcode.TEXT, json.dumps(fields).encode()).serialize(mask=True))
        line.settimeout(1.0)
        sent = 0
        with pytest.raises((TimeoutError, OSError)):
            while sent < 1000:
                block = stream_messages.pack_block(sent, sent * RATE_HZ, np.zeros(RATE_HZ, np.float32))
                line.sendall(Frame(Opcode.BINARY, block).serialize(mask=True))
                sent += 1
        assert sent < 200
        end_s = time.monotonic() + 15
        while json.loads(ask(server.url + "/health")[1])["streams"] and time.monotonic() < end_s:
            time.sleep(0.05)
        again, ready = hello(server)
        assert ready["type"] == "ready"
        again.close()
        line.close()


def test_who_goes_before_the_hello_leaves_no_trace(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    connect(server.ws + "/stream").close()
    silent = connect(server.ws + "/stream")
    assert closed_with(silent)[0] == 4408
    wrong = connect(server.ws + "/stream")
    wrong.send(b"sound")
    assert closed_with(wrong) == (4400, "begin with a hello, as a text message")
    assert json.loads(ask(server.url + "/health")[1])["streams"] == 0
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_message_beyond_the_limit_ends_the_stream(server: Server) -> None:
    socket, ready = hello(server, rate_hz=RATE_HZ)
    with pytest.raises(ConnectionClosed):
        socket.send(bytes(int(ready["message_bytes"]) + 1))  # type: ignore[call-overload]
        while True:
            socket.recv(10)


def test_no_more_than_the_limit_at_once_and_idle_ones_go(server: Server) -> None:
    sockets = [hello(server)[0] for _ in range(3)]
    late = connect(server.ws + "/stream")
    assert closed_with(late)[0] == 4503
    assert {closed_with(socket)[0] for socket in sockets} == {4408}
    again, ready = hello(server)
    assert ready["type"] == "ready"
    again.close()


def test_clients_at_once_each_with_its_own_band(server: Server) -> None:
    sound = lead(0.8)
    played: dict[int, np.ndarray] = {}

    def musician(seed: int) -> None:
        socket, _ = hello(server, rate_hz=RATE_HZ, seed=seed)
        played[seed] = play(socket, sound, 1920)[0]

    threads = [threading.Thread(target=musician, args=(seed,)) for seed in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for seed in (1, 2, 3):
        np.testing.assert_array_equal(played[seed], Band(Echoist).accompany(sound, RATE_HZ, seed=seed).mono)


def test_late_clients_are_told_and_nothing_is_dropped() -> None:
    with serving(Band(lambda seed: SlowEchoist(seed)), streams=1) as server:
        socket, _ = hello(server, rate_hz=RATE_HZ, live=True)
        sound = lead(1.6)
        played, told = play(socket, sound, 1920)  # 50 ms of work for each 40 ms
        assert played.size == sound.size
        late = [message for message in told if message["type"] == "late"]
        assert late
        assert late[0]["behind_ms"] > 200


class OneCore(Echoist):
    """Eight of them need twice the time that there is."""

    turn = threading.Lock()

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        with self.turn:
            time.sleep(0.01)
            return super().play(moment, controls)


def test_eight_streams_on_a_core_for_four_are_late_evenly_and_lose_nothing() -> None:
    sound, block = lead(1.2), 1920
    played: dict[int, np.ndarray] = {}
    told: dict[int, list] = {}
    ended_s: dict[int, float] = {}
    with serving(Band(OneCore), streams=8) as server:
        clients = {seed: hello(server, rate_hz=RATE_HZ, seed=seed, live=True)[0] for seed in range(8)}
        ninth = connect(server.ws + "/stream")
        code, text = closed_with(ninth)
        assert code == 4503
        assert "8 clients" in text
        assert json.loads(ask(server.url + "/health")[1])["streams"] == 8

        def musician(seed: int) -> None:
            played[seed], told[seed] = play(clients[seed], sound, block)
            ended_s[seed] = time.monotonic()

        began_s = time.monotonic()
        threads = [threading.Thread(target=musician, args=(seed,)) for seed in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        took_s = [ended_s[seed] - began_s for seed in clients]
        for seed in clients:
            np.testing.assert_array_equal(played[seed], Band(Echoist).accompany(sound, RATE_HZ, seed=seed).mono)
            assert any(message["type"] == "late" for message in told[seed]), "whoever is late is told"
        assert max(took_s) < 2.0 * min(took_s), "evenly"
        again, ready = hello(server)
        assert ready["type"] == "ready"
        again.close()


def test_the_token_in_the_hello_or_the_header() -> None:
    with serving(token="sesame", idle_s=2.0) as server:
        socket, ready = hello(server, token="sesame")
        assert ready["type"] == "ready"
        socket.close()
        assert hello(server, token="wrong")[1]["code"] == 4401
        with connect(server.ws + "/stream", additional_headers={"Authorization": "Bearer sesame"}) as open_:
            open_.send('{"type": "hello", "version": 1}')
            assert json.loads(open_.recv(10))["type"] == "ready"


def test_pages_of_other_sites_are_refused(server: Server) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        connect(server.ws + "/stream", origin="http://elsewhere.example").recv(10)  # type: ignore[arg-type]


def test_a_client_that_vanishes_frees_its_place(server: Server) -> None:
    for _ in range(5):
        socket, _ = hello(server, rate_hz=RATE_HZ)
        socket.send(stream_messages.pack_block(0, 0, SOUND))
        socket.socket.close()
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s:
        with contextlib.suppress(ConnectionClosed):  # refused before it was greeted
            socket, ready = hello(server)
            socket.close()
            if ready["type"] == "ready":
                return
        time.sleep(0.2)
    pytest.fail("no place was freed")
