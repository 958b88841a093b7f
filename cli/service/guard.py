"""The door of the server: an ASGI layer that bounds and times uploads and asks for the token. Event loop only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .limits import Limits, comes_from_elsewhere, may_ask

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

OPEN_PATHS = ("/health",)


class _Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Door:
    """Wraps an app. HTTP bodies beyond the limit end in 413, stalled ones in 408, strangers in 401 or 403.

    WebSockets from other sites are refused here; their token is checked with their first message, where browsers
    can send one.
    """

    def __init__(self, app: App, limits: Limits, token: str | None) -> None:
        self._app, self._limits, self._token = app, limits, token

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if comes_from_elsewhere(scope["headers"], self._token):
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": "asked from another site"})
                return
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if comes_from_elsewhere(scope["headers"], self._token):
            await _answer(send, 403, "asked from another site: call the server by its own address")
            return
        authorization = headers.get(b"authorization")
        if scope["path"] not in OPEN_PATHS and not may_ask(
            self._token, None if authorization is None else authorization.decode("latin-1")
        ):
            await _answer(send, 401, "wrong or no token: send the header `Authorization: Bearer TOKEN`")
            return
        claimed = headers.get(b"content-length", b"0")
        if not claimed.isdigit() or len(claimed) > 18:
            await _answer(send, 400, "Content-Length is no number")
            return
        if int(claimed) > self._limits.upload_bytes:
            await _answer(send, 413, self._too_large())
            return
        await self._bounded(scope, receive, send)

    def _too_large(self) -> str:
        return f"larger than the {self._limits.upload_bytes} bytes that are taken here: send less, or compress it"

    async def _bounded(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Run the app with a body that is counted and timed. Its own answer to a broken body is replaced by ours."""
        taken, over, refusal, begun = 0, False, None, False

        async def counted() -> Message:
            nonlocal taken, over, refusal
            if refusal is not None:
                raise refusal
            if over:  # only a disconnection can come: that may take its time
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._limits.upload_pause_s)
            except asyncio.TimeoutError:
                refusal = _Refused(408, f"nothing came for {self._limits.upload_pause_s:g} s: send it again")
                raise refusal from None
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                over = not message.get("more_body", False)
                if taken > self._limits.upload_bytes:
                    refusal = _Refused(413, self._too_large())
                    raise refusal
            return message

        async def replaced(message: Message) -> None:
            nonlocal begun
            if refusal is None or begun:
                begun = True
                await send(message)

        try:
            await self._app(scope, counted, replaced)
        except Exception:  # whatever the app made of our own refusal
            if refusal is None:
                raise
        if refusal is not None and not begun:
            await _answer(send, refusal.status, str(refusal))


async def _answer(send: Send, status: int, text: str) -> None:
    body = json.dumps({"error": text}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
