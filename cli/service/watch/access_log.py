"""The access log: one line for each request and each WebSocket, when it is over. Event loop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, MutableMapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ....engine.errors import EngineError
from ....files.json_text import json_text

Say = Callable[[str], None]


def opened(target: str) -> Say | None:
    """What writes a line to it: "-" is the standard output, "off" none. Raises EngineError where it cannot be."""
    if target == "off":
        return None
    if target == "-":
        return lambda line: print(line, file=sys.stdout, flush=True)
    try:
        file = Path(target).open("a", buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    except OSError as error:
        raise EngineError(f"--access-log {target}: {error.strerror}: choose a file that can be written") from None
    return lambda line: print(line, file=file)


class Visit:
    """One request: what is known of it while its answer goes out."""

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self._scope, self._began_s = scope, time.monotonic()
        self.status = 0
        self._sent_bytes = 0

    def sent(self, message: MutableMapping[str, Any]) -> None:
        """A message of the answer."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = int(message["status"])
        elif kind == "http.response.body":
            self._sent_bytes += len(message.get("body", b""))
        elif kind == "websocket.send":
            self._sent_bytes += len(message.get("bytes") or message.get("text") or b"")
        elif kind == "websocket.close":
            self.status = int(message.get("code") or 1000)

    def line(self) -> str:
        """Time, client, request, status (of a WebSocket the code that it was closed with; 0: the client went), bytes
        sent and seconds. Nothing that a client sends can break the line."""
        client = (self._scope.get("client") or ("-", 0))[0]
        method = self._scope.get("method", "WebSocket")
        what = json_text(f"{method} {self._scope['path'][:200]}")
        at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{at} {client} {what} {self.status} {self._sent_bytes} B {time.monotonic() - self._began_s:.3f} s"
