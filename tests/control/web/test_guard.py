"""Who may use the remote: names, origins, tokens; and what a limiter makes of a flood."""

from __future__ import annotations

import socket

import pytest
from gigmate.control.web.access_guard import (
    TOKEN_LEAST,
    RateLimiter,
    is_loopback,
    new_token,
    refusal,
    token_is,
)


@pytest.mark.parametrize(
    ("host", "origin", "open_to_network", "may"),
    [
        ("127.0.0.1:8765", None, False, True),
        ("localhost:8765", "http://localhost:8765", False, True),
        ("[::1]:8765", "http://[::1]:8765", False, True),
        ("127.0.0.1:8765", "http://evil.example", False, False),
        ("127.0.0.1:8765", "http://127.0.0.1:9999", False, False),  # another program of this machine
        ("127.0.0.1:8765", "null", False, False),
        ("127.0.0.1:8765", "file://", False, False),
        ("evil.example:8765", "http://evil.example:8765", False, False),  # a name bent to 127.0.0.1
        ("evil.example:8765", "http://evil.example:8765", True, False),
        ("192.168.1.7:8765", "http://192.168.1.7:8765", False, False),
        ("192.168.1.7:8765", "http://192.168.1.7:8765", True, True),
        ("192.168.1.7:8765", "https://192.168.1.7:8765", True, True),
        ("stage.example:8765", "http://stage.example:8765", True, True),  # what --host says
        (socket.gethostname().lower() + ":8765", None, True, "." in socket.gethostname() or True),
        (None, None, True, False),
        ("", None, True, False),
        ("[::1", None, True, False),
        ("localhost;script-src", None, True, False),
        ("a b", None, True, False),
        ("localhost:8765@evil.example", None, True, False),
    ],
)
def test_hosts_and_origins(host: str | None, origin: str | None, open_to_network: bool, may: bool) -> None:
    assert (refusal(host, origin, open_to_network, "stage.example") is None) == may


def test_tokens() -> None:
    token = new_token()
    assert len(token) >= TOKEN_LEAST and token != new_token()
    assert token_is(token, token) and token_is(token, f" {token}\n")
    for wrong in (None, 5, "", token[:-1], token + "x", ["a"], "\ud800", "ü"):
        assert not token_is(token, wrong)


def test_loopback() -> None:
    assert is_loopback("127.0.0.1") and is_loopback("127.1.2.3") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0") and not is_loopback("192.168.1.7") and not is_loopback("stage.example")


def test_a_bucket_lets_a_burst_through_and_then_so_much_a_second() -> None:
    now_s = 0.0
    limiter = RateLimiter(10.0, 5.0, lambda: now_s)
    assert [limiter.take() for _ in range(5)] == [0.0] * 5
    taken = 0
    while now_s < 10.0:
        now_s += limiter.take()  # waits as long as it is told
        taken += 1
    assert 95 <= taken <= 105
    now_s += 100.0
    assert [limiter.take() for _ in range(5)] == [0.0] * 5  # no more than the burst is saved up
    assert limiter.take() > 0.0
