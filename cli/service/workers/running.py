"""How one process of the server runs: uvicorn, and an end that lets what was begun be finished. Main thread."""

from __future__ import annotations

import asyncio
import socket
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from ..app import create_app
from ..service import Service
from ..service_limits import Limits
from ..upload_guard import Door

if TYPE_CHECKING:
    from ....band import Band

LAST_BYTES_S = 3
"""For answers that are still being sent when the time is over."""


def server_config(band: Band, limits: Limits, token: str | None, service: Service | None = None) -> uvicorn.Config:
    """How uvicorn runs the app."""
    return uvicorn.Config(
        create_app(band, limits, token, service),
        log_level="warning",
        loop="asyncio",  # the sockets that workers/handed_socket.py hands over are its kind
        http="h11",  # it bounds the headers too
        limit_concurrency=limits.connections,
        ws="auto",
        ws_max_size=limits.message_bytes,
        ws_per_message_deflate=False,  # sound does not shrink, and a bomb would grow
        timeout_graceful_shutdown=LAST_BYTES_S,
    )


class DrainingServer(uvicorn.Server):
    """A server that the first signal asks to finish what it has begun, and the second one to end."""

    def __init__(self, config: uvicorn.Config, drain_s: float, heeds_signals: bool = True) -> None:
        super().__init__(config)
        self._drain_s, self._heeds_signals = drain_s, heeds_signals
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Task[None] | None = None
        self.exit_code = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self._heeds_signals:  # a terminal sends Ctrl-C to every process: the front says what to do
            return
        if self.exit_code or self._loop is None:
            self.should_exit = self.force_exit = True
            return
        self.exit_code = 128 + sig
        self._loop.call_soon_threadsafe(self.leave, self._drain_s)

    def leave(self, within_s: float) -> None:
        """End, at the latest after so many seconds. Event loop only."""
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._leave(within_s))

    async def _leave(self, within_s: float) -> None:
        door = self.config.app
        try:
            if isinstance(door, Door):
                await door.leave(within_s)
        finally:
            self.should_exit = True
