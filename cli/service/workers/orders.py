"""What the front and a worker say to each other: JSON, a line each, over a Unix socket. Pure but for the socket."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from ....files.json_text import json_text

MOST_BYTES = 2**20
"""Of a line. Counters are what takes room in it."""


def line_of(message: dict[str, Any]) -> bytes:
    return json_text(message, compact=True).encode() + b"\n"


class Orders:
    """A worker's end: read one by one until the event loop runs, and from then on in it."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._rest = b""

    def say(self, **message: Any) -> None:
        """Raises OSError where the front has gone."""
        self._socket.sendall(line_of(message))

    def next(self) -> dict[str, Any]:
        """Wait for the next one. Raises EOFError where the front has gone."""
        while b"\n" not in self._rest:
            data = self._socket.recv(65_536)
            if not data:
                raise EOFError
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return dict(json.loads(line))

    async def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The same as asyncio has it; what was read beyond the last line is in it."""
        reader, writer = await asyncio.open_connection(sock=self._socket, limit=MOST_BYTES)
        if self._rest:
            reader.feed_data(self._rest)
        return reader, writer
