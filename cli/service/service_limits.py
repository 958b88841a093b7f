"""The limits of the server and its access check, in one place. Frozen values; any thread."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
TOKEN_VARIABLE = "GIGMATE_TOKEN"


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit that a client can meet. `GET /health` shows them."""

    upload_bytes: int = 200 * 2**20
    upload_pause_s: float = 30.0
    """An upload that stands still for so long is broken off."""
    upload_s: float = 1800.0
    """And so is one that takes longer than this, however steadily it drips."""
    uploads: int = 16
    """Uploads that may be on their way at the same time."""
    connections: int = 512
    """Of any kind at the same time; those beyond it are told 503."""
    predict_s: float = 600.0
    """Longest sound in and out of /predict."""
    job_s: float = 4 * 3600.0
    files: int = max(1, os.cpu_count() or 1)
    """Files completed at the same time."""
    waiting: int = 16
    """Files that may wait for a worker."""
    kept: int = 64
    """Results that may wait to be fetched."""
    result_bytes: int = 4 * 2**30
    """Largest result: many channels and high rates fill a disk sooner than they last long."""
    keep_s: float = 900.0
    """A job's result is kept for so long after it was made."""
    streams: int = 8
    """WebSocket clients at the same time, each with a band of its own."""
    message_bytes: int = 2**20
    window_s: float = 2.0
    """Sound that a stream may send before it is acknowledged."""
    idle_s: float = 30.0
    """A stream that says nothing for so long is closed."""

    def shown(self) -> dict[str, float]:
        """As plain values."""
        return asdict(self)


def may_ask(token: str | None, authorization: str | None) -> bool:
    """Whether an Authorization header opens the door; anything does where no token is set."""
    if token is None:
        return True
    return authorization is not None and hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def comes_from_elsewhere(headers: Iterable[tuple[bytes, bytes]], token: str | None) -> bool:
    """Whether a web page of another site asks in its visitor's name (by Origin, or by a name that is not ours)."""
    values = {name.lower(): value.decode("latin-1") for name, value in headers}
    host = values.get(b"host", "")
    origin = values.get(b"origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return True
    return token is None and urlsplit(f"//{host}").hostname not in LOOPBACK
