"""Connections that another process has accepted, as a listening socket would give them. POSIX only.

The front sends each connection's descriptor over a Unix socket, with one byte. Event loop of the receiver.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any


def hand_over(channel: socket.socket, connection: socket.socket) -> None:
    """Give the connection to whoever holds the other end. Raises BlockingIOError where it takes no more now, OSError
    where it has gone."""
    socket.send_fds(channel, [b"c"], [connection.fileno()])


class HandedSocket(socket.socket):
    """The receiving end, with which asyncio's and uvicorn's servers do what they do with a socket that listens."""

    on_end: Callable[[], None] = staticmethod(lambda: None)
    """Called once, where the front has gone."""

    def listen(self, backlog: int = 0, /) -> None:
        """The front listens."""

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection and its address. Raises BlockingIOError where there is none now."""
        data, descriptors, _, _ = socket.recv_fds(self, 1, 1)
        if not data:
            asyncio.get_running_loop().remove_reader(self.fileno())
            self.on_end()
            raise BlockingIOError
        if not descriptors:  # this process has too many files open: the connection is lost
            raise BlockingIOError
        connection = socket.socket(fileno=descriptors[0])
        try:
            return connection, connection.getpeername()
        except OSError:  # gone already
            connection.close()
            raise BlockingIOError from None
