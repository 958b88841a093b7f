"""How the server's WebSockets are spoken with: patience, closing codes, a word at the end. Event loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from fastapi import WebSocket, WebSocketDisconnect

from ...files.json_text import json_text
from .service_limits import Limits
from .stream_messages import WireError
from .watch.load import Load, Seat

if TYPE_CHECKING:
    from ...band import Band

Given = TypeVar("Given")
Made = TypeVar("Made")

BAD, FULL, IDLE, REFUSED, FAILED = 4400, 4503, 4408, 4401, 4500
LEAVING = 1001
"""Going away: the server ends."""
_GOODBYE_S = 2.0
_LOOK_EVERY_S = 1.0


class Idle(Exception):
    """A client that says or reads nothing. Any thread."""


class Leaving(Exception):
    """The server's last moment has come. Any thread."""


class Place(NamedTuple):
    """A client that is let in, and what it plays with. Event loop only."""

    socket: WebSocket
    band: Band
    limits: Limits
    pool: ThreadPoolExecutor
    load: Load
    seat: Seat
    over: Callable[[], bool]
    """Whether the server's last moment has come."""


def timed(work: Callable[[Given], Made], given: Given) -> tuple[Made, float]:
    """What `work(given)` makes, and the processor time that this thread spent on it."""
    began_s = time.thread_time()
    made = work(given)
    return made, time.thread_time() - began_s


async def receive(socket: WebSocket, patience_s: float, over: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """The next message. Raises Idle, WebSocketDisconnect, and Leaving as soon as it is `over`."""
    end_s = time.monotonic() + patience_s
    while True:
        if over():
            raise Leaving
        left_s = end_s - time.monotonic()
        try:
            message = await asyncio.wait_for(socket.receive(), max(0.0, min(left_s, _LOOK_EVERY_S)))
        except asyncio.TimeoutError:
            if left_s <= _LOOK_EVERY_S:
                raise Idle(f"nothing was sent for {patience_s:g} s") from None
            continue
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1005)
        return dict(message)


async def taken(sending: Awaitable[None], patience_s: float) -> None:
    """Send; a client that does not read would else hold its place for ever. Raises Idle."""
    try:
        await asyncio.wait_for(sending, patience_s)
    except asyncio.TimeoutError:
        raise Idle(f"nothing was read for {patience_s:g} s") from None


async def receive_text(socket: WebSocket, patience_s: float) -> str:
    text = (await receive(socket, patience_s)).get("text")
    if text is None:
        raise WireError("begin with a hello, as a text message")
    return str(text)


async def bye(socket: WebSocket, code: int, reason: str) -> None:
    """Say why, and close; a client that has gone, or does not read, does not mind."""
    line = " ".join(reason.split())

    async def say() -> None:
        await socket.send_text(json_text({"type": "error", "code": code, "error": line}))
        await socket.close(code, line.encode(errors="replace")[:120].decode(errors="ignore"))

    with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError, asyncio.TimeoutError):
        await asyncio.wait_for(say(), _GOODBYE_S)
