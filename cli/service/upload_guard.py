"""An ASGI middleware that limits and times uploads and checks the token. Event loop only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ...files.json_text import json_text
from .service import Service
from .service_limits import Limits, comes_from_elsewhere, may_ask
from .watch.access_log import Visit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

OPEN_PATHS = ("/health", "/livez", "/readyz", "/", "/page.js", "/page.css")
RETRY_AFTER_S = 10


class _Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Door:
    """Wraps an app. HTTP bodies beyond the limit end in 413, stalled or endless ones in 408, more of them at once than
    are taken in 503, strangers in 401 or 403.

    WebSockets from other sites are refused here; their token is checked with their first message, where browsers
    can send one.
    """

    def __init__(self, app: App, limits: Limits, token: str | None, service: Service) -> None:
        self._app, self._limits, self._token = app, limits, token
        self._service = service
        self._uploads = 0
        self.active = 0
        """Requests that are being answered."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] not in ("websocket", "http"):
            await self._app(scope, receive, send)
            return
        visit, is_http = Visit(scope), scope["type"] == "http"
        self.active += is_http

        async def watched(message: Message) -> None:
            visit.sent(message)
            await send(message)

        try:
            await self._let_in(scope, receive, watched)
        finally:
            self.active -= is_http
            if is_http:
                self._service.load.counters.add("requests", 1, status=visit.status)
            if self._service.say is not None:
                self._service.say(visit.line())

    async def leave(self, within_s: float) -> None:
        """Take no new work, tell the streams, and return when all that was begun is done, or after `within_s`."""
        await self._service.leave(within_s)
        end_s = time.monotonic() + within_s
        while self.active and time.monotonic() < end_s:
            await asyncio.sleep(0.05)

    async def _let_in(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if comes_from_elsewhere(scope["headers"], self._token):
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": "asked from another site"})
                return
            await self._app(scope, receive, send)
        else:
            await self._http(scope, receive, send)

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
        if not (int(claimed) or b"transfer-encoding" in headers):
            await self._bounded(scope, receive, send, lambda: None)
            return
        if self._uploads >= self._limits.uploads:
            self._service.load.counters.add("refusals", 1, what="upload")
            await _answer(send, 503, f"{self._uploads} uploads are on their way: try again later")
            return
        self._uploads += 1
        counted = True

        def came_in() -> None:
            nonlocal counted
            self._uploads -= counted
            counted = False

        try:
            await self._bounded(scope, receive, send, came_in)
        finally:
            came_in()

    def _too_large(self) -> str:
        return f"larger than the {self._limits.upload_bytes} bytes that are taken here: send less, or compress it"

    async def _bounded(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, came_in: Callable[[], None]
    ) -> None:
        """Run the app with a body that is counted and timed. Its own answer to a broken body is replaced by ours.

        `came_in()` is called once the body is there.
        """
        taken, over, refusal, begun = 0, False, None, False
        limits = self._limits
        end_s = time.monotonic() + limits.upload_s

        async def counted() -> Message:
            nonlocal taken, over, refusal
            if refusal is not None:
                raise refusal
            if over:  # only a disconnection can come: that may take its time
                return await receive()
            left_s = end_s - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, min(limits.upload_pause_s, left_s)))
            except asyncio.TimeoutError:
                if left_s < limits.upload_pause_s:
                    refusal = _Refused(408, f"not all of it came in {limits.upload_s:g} s: send less, or compress it")
                else:
                    refusal = _Refused(408, f"nothing came for {limits.upload_pause_s:g} s: send it again")
                raise refusal from None
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                over = not message.get("more_body", False)
                if over:
                    came_in()
                if taken > limits.upload_bytes:
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
    body = json_text({"error": text}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
