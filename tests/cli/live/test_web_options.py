"""`gigmate-live --web`: what its options mean, and a whole run that is played from a WebSocket."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gigmate.session
import pytest
from gigmate.cli.live.live_run import Request
from gigmate.cli.live.web_options import (
    DEFAULT_PORT,
    Remote,
    WebAsk,
    addresses,
    phone_address,
    web_asked,
    with_port,
)
from gigmate.engine.errors import ConfigError, EngineError
from websockets.sync.client import ClientConnection, connect

from .test_live import FakeBand, one_line, pulse_file, run


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--web"], ["--web", str(DEFAULT_PORT)]),
        (["--web", "--fast"], ["--web", str(DEFAULT_PORT), "--fast"]),
        (["--web", "9000", "--fast"], ["--web", "9000", "--fast"]),
        (["--web=9000"], ["--web=9000"]),
        (["--fast"], ["--fast"]),
    ],
)
def test_a_port_may_be_left_out(given: list[str], meant: list[str]) -> None:
    assert with_port(given) == meant


def test_here_without_a_token_elsewhere_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIGMATE_TOKEN", raising=False)
    assert web_asked(None, None, None) is None
    assert web_asked(80, None, None) == WebAsk(80)
    assert web_asked(80, "::1", None) == WebAsk(80, "::1")
    assert web_asked(80, None, "open-sesame") == WebAsk(80, token="open-sesame")
    fresh = web_asked(80, "0.0.0.0", None)
    assert fresh is not None and fresh.fresh and fresh.token and fresh.token != web_asked(80, "0.0.0.0", None).token  # type: ignore[union-attr]
    monkeypatch.setenv("GIGMATE_TOKEN", "of-the-house")
    assert web_asked(80, "0.0.0.0", None) == WebAsk(80, "0.0.0.0", "of-the-house")
    assert web_asked(80, "0.0.0.0", "open-sesame") == WebAsk(80, "0.0.0.0", "open-sesame")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((None, "0.0.0.0", None), "--web"),
        ((None, None, "open-sesame"), "--web"),
        ((70_000, None, None), "65535"),
        ((None, None, None, "self"), "need --web"),
        ((80, None, None, None, Path("key.pem")), "--tls-key"),
        ((80, None, None, "self", Path("key.pem")), "--tls-key"),
        ((80, None, "short"), "8 to 200"),
        ((80, None, "with\nbreaks"), "8 to 200"),
    ],
)
def test_what_cannot_be(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        web_asked(*arguments)


def test_addresses_to_type() -> None:
    assert addresses(WebAsk(80), 80) == ["remote on http://127.0.0.1:80/"]
    assert addresses(WebAsk(80, "::1"), 80) == ["remote on http://[::1]:80/"]
    fresh = WebAsk(80, "0.0.0.0", "abcd-efgh", fresh=True)
    assert addresses(fresh, 81, lambda: "192.168.1.7") == ["remote on http://192.168.1.7:81/#token=abcd-efgh"]
    (line,) = addresses(WebAsk(80, "192.168.1.7", "of-the-house"), 80)
    assert "of-the-house" not in line and "token" in line


def test_a_phone_gets_the_whole_address_or_none() -> None:
    assert phone_address(WebAsk(80), 80) is None and phone_address(WebAsk(80, "::1"), 80) is None
    own = WebAsk(80, "0.0.0.0", "of the/house")
    assert phone_address(own, 81, lambda: "192.168.1.7") == "http://192.168.1.7:81/#token=of%20the%2Fhouse"
    assert phone_address(WebAsk(80, "fd00::7", None), 80) == "http://[fd00::7]:80/"


def test_the_token_of_a_server_is_not_that_of_the_remote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGMATE_TOKEN", "of-the-server")
    ask = web_asked(80, "0.0.0.0", None, env_token=False)
    assert ask is not None and ask.fresh and ask.token != "of-the-server"


def test_a_certificate_of_its_own_is_told_by_its_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    ask = web_asked(0, None, None, "self")
    assert ask is not None
    remote = Remote(ask)
    try:
        assert addresses(ask, remote.port) == [f"remote on https://127.0.0.1:{remote.port}/"]
        assert re.search("SHA-256 is ([0-9A-F]{2}:){31}[0-9A-F]{2}$", remote._seal)
    finally:
        remote.close()


def test_a_certificate_that_is_not_there_is_said_before_anything_loads() -> None:
    ask = web_asked(0, None, None, "none.pem")
    assert ask is not None
    with pytest.raises(EngineError, match=r"none\.pem: no such file"):
        Remote(ask)


def test_a_port_that_is_taken_is_said_before_anything_loads(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match="another --web or --host"):
            Remote(WebAsk(port))


def test_bad_options_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--host", "0.0.0.0") == 2
    assert "--web" in one_line(capsys)
    assert run("--web", "mine") == 2
    assert "--web" in one_line(capsys)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def dial(port: int, patience_s: float = 60.0) -> ClientConnection:
    until_s = time.monotonic() + patience_s
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/ws", open_timeout=20)
        except OSError:
            assert time.monotonic() < until_s, "the remote never came"
            time.sleep(0.05)


def comes_true(client: ClientConnection, true: Callable[[dict[str, Any]], bool]) -> bool:
    until_s = time.monotonic() + 20.0
    while time.monotonic() < until_s:
        message = json.loads(client.recv(timeout=20))
        if message["type"] == "status" and true(message):
            return True
    return False


def test_a_run_played_from_a_remote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gigmate.session, "_shipped_player", lambda weights, seed: FakeBand())
    take = pulse_file(tmp_path / "take.wav", 60)
    port, report, seen = free_port(), tmp_path / "report.json", []

    def play() -> None:
        try:
            with dial(port) as client:
                hello = json.loads(client.recv(timeout=20))
                seen.append(len(hello["presets"]) >= 8)
                for message, true in (
                    ({"do": "start"}, lambda status: status["on"]),
                    ({"do": "level", "part": "bass", "value": -6}, lambda status: status["levels_db"][1] == -6.0),
                    ({"do": "preset", "name": "swing"}, lambda status: status["style"] == "swing"),
                    ({"do": "panic"}, lambda status: not status["on"]),
                ):
                    client.send(json.dumps(message))
                    seen.append(comes_true(client, true))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=play)
    thread.start()
    code = run("--input-file", take, "--output-file", tmp_path / "band.wav", "--web", str(port), "--report", report)
    thread.join()
    assert code == 128 + signal.SIGTERM
    assert seen == [True] * 5
    assert f"remote on http://127.0.0.1:{port}/" in capsys.readouterr().out
    figures = json.loads(report.read_text())["web"]
    assert figures["commands"] == 4 and figures["malformed"] == 0 and figures["clients_in_all"] == 1
    assert "gigmate-web" not in [thread.name for thread in threading.enumerate()]
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_request_without_the_remote_opens_no_port() -> None:
    assert Request.__dataclass_fields__["web"].default is None
