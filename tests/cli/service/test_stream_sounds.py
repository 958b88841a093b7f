"""What a client of /stream changes of sound and mix while its band plays, over 127.0.0.1."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from gigmate.band import Band
from gigmate.cli.service import stream_messages
from gigmate.sound import banks
from gigmate.sound.fluid_library import InstrumentError, fluid_library
from websockets.sync import client
from websockets.sync.client import ClientConnection

from ...sound.tiny_bank import write_bank
from .service_fakes import RATE_HZ, Noted, Server, lead, serving

try:
    fluid_library()
except InstrumentError as error:
    pytest.skip(str(error), allow_module_level=True)

CHART = "tempo: 240\n| C | F |"
BAR = RATE_HZ
"""Samples of a bar at 240."""


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(banks, "FOLDERS", ())
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    path = write_bank(tmp_path / "all.sf2", tuple(range(128)), (0,))
    monkeypatch.setenv(banks.VARIABLE, str(path))
    return path


@pytest.fixture
def server(bank: Path) -> Iterator[Server]:
    with serving(Band(Noted), window_s=1.0) as server:
        yield server


def told(socket: ClientConnection, kind: str) -> dict[str, object]:
    """The next message of that kind."""
    while isinstance(message := socket.recv(30), bytes) or json.loads(message)["type"] != kind:
        pass
    return dict(json.loads(message))


def played(
    server: Server, seconds: float, changes: Sequence[tuple[float, dict[str, object]]]
) -> tuple[np.ndarray, list]:
    """The parts [n, 6] of a stream that begins in the neural voice, with `changes` (second, controls); messages."""
    sound, waiting, out, messages = lead(seconds), list(changes), [], []
    with client.connect(server.ws + "/stream", max_size=None) as socket:
        socket.send(json.dumps({
            "type": "hello", "version": 1, "rate_hz": RATE_HZ, "output": "parts", "output_channels": 2,
            "sound": "neural", "chart": CHART,
        }))  # fmt: skip
        assert json.loads(socket.recv(30))["type"] == "ready"
        for sequence, at in enumerate(range(0, len(sound), 4_800)):
            while waiting and at >= waiting[0][0] * RATE_HZ:
                socket.send(json.dumps({"type": "controls", **waiting.pop(0)[1]}))
                told(socket, "controls")
            socket.send(stream_messages.pack_block(sequence, at, sound[at : at + 4_800]))
            while isinstance(message := socket.recv(30), bytes) or json.loads(message)["type"] != "ack":
                if isinstance(message, bytes):
                    out.append(stream_messages.unpack_block(message, 6)[2])
                else:
                    messages.append(json.loads(message))
    return np.concatenate(out), messages


def test_a_sound_changes_on_the_bar_line_and_no_other_part_with_it(server: Server) -> None:
    before, _ = played(server, 4.5, [])
    after, messages = played(server, 4.5, [(1.4, {"sound": "drums=kit 1"})])
    n = min(len(before), len(after))
    np.testing.assert_array_equal(after[:n, 2:], before[:n, 2:])
    changed = np.flatnonzero(np.abs(after[:n, :2] - before[:n, :2]).max(axis=1) > 1e-4)
    assert 2 * BAR - 0.06 * RATE_HZ < changed[0] <= 2 * BAR  # 20 ms before the line, and the trim from the frame on
    assert {2, 3, 4} <= set((changed // BAR).tolist()), "to the end"
    sounds = [message["sounds"] for message in messages if message["type"] == "moment"]
    assert sounds[0] == ["neural"] * 3
    assert ["standard kit", "neural", "neural"] in sounds or len(sounds) < 2  # told once a second of the server's time


def test_a_part_goes_to_its_side(server: Server) -> None:
    sound, _ = played(
        server,
        1.0,
        [(0.0, {"pan": {"keys": -1, "bass": 1}, **{name: {"keys": 0, "bass": 0} for name in ("width", "room")}})],
    )
    late = sound[RATE_HZ // 5 :]
    assert np.abs(late[:, 4]).max() > 0.01
    assert np.abs(late[:, 5]).max() < 1e-4, "nothing of the keys on the right"
    assert np.abs(late[:, 2]).max() < 1e-4
    assert np.abs(late[:, 3]).max() > 0.01


def test_what_cannot_be_is_said_and_nothing_of_it_done(server: Server) -> None:
    for asked, word in (
        ({"sound": "keys=kazoo"}, "kazoo"), ({"sound": 5}, "sound"), ({"sound": "flute=5"}, "flute"),
        ({"density": 0.1, "pan": {"keys": 3}}, "pan"), ({"pan": 0.5}, "pan"), ({"width": {"flute": 0.1}}, "flute"),
        ({"room": {"keys": None}}, "room"),
    ):  # fmt: skip
        with client.connect(server.ws + "/stream", max_size=None) as socket:
            socket.send(json.dumps({"type": "hello", "version": 1, "rate_hz": RATE_HZ}))
            told(socket, "ready")
            socket.send(json.dumps({"type": "controls", **asked}))
            error = told(socket, "error")
            assert error["code"] == 4400
            assert word in str(error["error"])


def test_an_instrument_that_cannot_be_had_is_said_and_the_part_stays(server: Server, bank: Path) -> None:
    bank.unlink()
    before, _ = played(server, 2.5, [])
    after, messages = played(server, 2.5, [(0.3, {"sound": "instruments"})])
    np.testing.assert_array_equal(after, before)
    warnings = [message["warning"] for message in messages if message["type"] == "warning"]
    assert len(warnings) == 1
    assert "no bank of instruments was found" in warnings[0]
