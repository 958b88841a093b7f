"""Access to the remote: host names, origins, the token, and token buckets that limit floods.

Knows no sockets. Pure functions and small values; a RateLimiter belongs to one thread.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
TOKEN_LEAST = 8
"""Characters of a token that somebody chose."""
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without those that look alike: a token may have to be typed into a phone."""


@dataclass(frozen=True, slots=True)
class WebAccess:
    """Who may come in, and by which way. Any thread."""

    token: str | None = None
    """Without one only programs of this machine may."""
    own_name: str = ""
    """The name by which this machine may be asked, if --host says one."""
    tls: ssl.SSLContext | None = None


THIS_MACHINE = WebAccess()


def new_token() -> str:
    """A fresh token, such as "k7mp-2xqv-9dw3": 59 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


def token_is(token: str, given: object) -> bool:
    """Whether that is the token; takes as long for a nearly right one as for a wrong one."""
    return isinstance(given, str) and hmac.compare_digest(_bytes(given.strip()), _bytes(token))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # JSON can bring halves of letters


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach an address."""
    return host in LOOPBACK_NAMES or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def refusal(host: str | None, origin: str | None, open_to_network: bool, own_name: str = "") -> str | None:
    """Why a request is not answered, in one line; None where it may come in.

    `host`, `origin`: those headers. A page of another site is told by its origin; a name that was bent to point here
    (DNS rebinding) by the host. Addresses cannot be bent, so they are welcome where the network is; `own_name` is what
    --host says, if that is a name.
    """
    if host is None or not re.fullmatch(r"[\w.:\[\]-]{1,260}", host, re.ASCII):
        return "a request needs a Host"
    try:
        name = urlsplit(f"//{host}").hostname or ""
        origin_at = None if origin is None else urlsplit(origin)
    except ValueError:
        return "Host or Origin cannot be read"
    if origin_at is not None and (origin_at.scheme not in ("http", "https") or origin_at.netloc != host):
        return "asked from another site: open the page by its own address"
    welcome = is_loopback(name) or (open_to_network and (_is_address(name) or name in _our_names(own_name)))
    return None if welcome else "asked by a name that is not ours: open the page by the address that was printed"


def _our_names(own_name: str) -> set[str]:
    here = socket.gethostname().lower()
    return {own_name.lower(), here, f"{here.partition('.')[0]}.local"} - {""}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class RateLimiter:
    """So much a second, and a burst that was saved up; what is over is paid by waiting. One thread at a time."""

    def __init__(self, each_s: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._each_s, self._burst, self._clock = each_s, burst, clock
        self._left = burst
        self._at_s = clock()

    def take(self, amount: float = 1.0) -> float:
        """Take that much, at once; the seconds to wait before the next is taken (0 while the burst lasts)."""
        now_s = self._clock()
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._each_s) - amount
        self._at_s = now_s
        return max(0.0, -self._left / self._each_s)
