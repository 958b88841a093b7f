"""The server of the remote: a thread with its own event loop that serves the page and its WebSocket.

Knows the engine by two callables: one takes commands, one gives the latest snapshot. It shares the interpreter with
the inference thread, so everything is bounded: clients, bytes and messages a second, and what waits to be sent. A slow
client gets fewer snapshots, always the latest; nothing ever waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, cast

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from ...engine.commands import Command
from ...engine.status import Status
from . import web_messages
from .access_guard import THIS_MACHINE, RateLimiter, WebAccess, refusal, token_is
from .client_limits import WebCounts, WebLimits
from .pages import page_files, response

WRONG_TOKEN, NO_HELLO, FULL = 4401, 4408, 4503
"""Close codes: a wrong token, none in time, too many clients."""
_SOCKET_PATH = "/ws"
_SAME_AGAIN_S = 1.0
"""An unchanged snapshot is sent again so often, so that a client knows that we live."""
_LISTS_EVERY_S = 0.5
_NEVER_LATE = ("panic", "stop")
_REMEMBERED = 512
_JOIN_S = 3.0
_BACKLOG = 16


class WebRemote:
    """The remote on an open socket. Any thread may read `counts`.

    Each method says its thread.
    """

    def __init__(
        self,
        listening: socket.socket,
        post: Callable[[Command], object],
        status: Callable[[], Status],
        lists: Callable[[], Mapping[str, Any]],
        access: WebAccess = THIS_MACHINE,
        limits: WebLimits | None = None,
    ) -> None:
        """`lists`: presets, songs and sections as plain data. All three callables are called by the server's thread and
        may not wait. With a token in `access` the network is welcome; with its `tls` it is HTTPS.
        """
        self._socket, self._post, self._status, self._lists = listening, post, status, lists
        self._token, self._own_name, self._tls = access.token, access.own_name, access.tls
        self.limits = limits or WebLimits()
        self.counts = WebCounts()
        self._clients: set[_Connection] = set()
        self._open: set[_Connection] = set()
        self._news: deque[str] = deque(maxlen=20)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._ready = threading.Event()
        self._files = page_files()
        self._lists_text = ""
        self._number = 0
        self._sent_s: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        self._thread = threading.Thread(target=self._run, name="gigmate-web", daemon=True)

    def start(self) -> None:
        """Any thread. Begin to serve; returns when clients can come, or cannot."""
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):  # inherited by every connection
            self._socket.setsockopt(socket.SOL_SOCKET, option, self.limits.buffer_bytes)
        self._thread.start()
        self._ready.wait(_JOIN_S)

    def close(self) -> None:
        """Any thread. Let every client go and end. Returns within seconds; may be called twice, or without a start."""
        loop, end = self._loop, self._end
        if loop is not None and end is not None:
            with contextlib.suppress(RuntimeError):  # closed by itself meanwhile
                loop.call_soon_threadsafe(end.set)
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)
        self._socket.close()

    def news(self) -> list[str]:
        """Any thread. Lines for the musician, each once: who came and went, who was turned away, what failed."""
        lines = []
        while self._news:
            lines.append(self._news.popleft())
        return lines

    # ------------------------------------------------------------------------------------------ the server's thread

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - the band plays on without its remote, and it is said
            self._news.append(f"the web remote has failed ({type(error).__name__}: {error}): quit and start anew")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        limits = self.limits
        async with serve(
            self._handle_client,
            sock=self._socket,
            ssl=self._tls,
            backlog=_BACKLOG,
            process_request=self._process_request,
            create_connection=lambda *given, **more: _Connection(self, *given, **more),  # type: ignore[arg-type]
            compression=None,  # small messages gain nothing, and a bomb would grow
            max_size=limits.message_bytes,
            max_queue=8,
            write_limit=limits.buffer_bytes,
            open_timeout=limits.hello_s,
            ping_interval=5.0,
            ping_timeout=10.0,
            close_timeout=0.5,
            server_header=None,
            logger=_silent_logger(),
        ):
            ticking = asyncio.ensure_future(self._send_snapshots())
            ending = asyncio.ensure_future(self._end.wait())
            self._ready.set()
            done, _ = await asyncio.wait((ticking, ending), return_when=asyncio.FIRST_COMPLETED)
            ticking.cancel()
            if ticking in done:
                ticking.result()

    def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """The page's files, or None for a WebSocket that may come in."""
        hosts, origins = request.headers.get_all("Host"), request.headers.get_all("Origin")
        reason = "one Host and one Origin, please" if len(hosts) > 1 or len(origins) > 1 else refusal(
            hosts[0] if hosts else None, origins[0] if origins else None, self._token is not None, self._own_name
        )  # fmt: skip
        if reason is not None:
            self.counts.refused += 1
            return response(http.HTTPStatus.FORBIDDEN, reason)
        path = request.path.partition("?")[0]
        if path == _SOCKET_PATH:
            if len(self._clients) < self.limits.clients:
                return None
            self.counts.refused += 1
            return response(
                http.HTTPStatus.SERVICE_UNAVAILABLE, f"{self.limits.clients} remotes are connected already: close one"
            )
        if path not in self._files:
            return response(http.HTTPStatus.NOT_FOUND, "there is nothing here: open /")
        body, kind = self._files[path]
        return response(http.HTTPStatus.OK, body, kind, connect_to=hosts[0] if hosts else "")

    async def _handle_client(self, connection: ServerConnection) -> None:
        """One client, from its hello to its going."""
        client = cast("_Connection", connection)  # made by ourselves
        try:
            if not await self._is_admitted(client):
                return
            self._clients.add(client)  # at once: nobody may come in between
            await client.send(web_messages.hello(self._lists()))
            client.greeted = True
            self.counts.clients_in_all += 1
            self._news.append(f"a remote is connected: {_peer(client)} ({len(self._clients)} in all)")
            await self._read_commands(client)
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code in (1007, 1009):  # no text, or too long
                self.counts.malformed += 1
        finally:
            if client in self._clients:
                self._clients.discard(client)
                self._news.append(f"a remote has gone: {_peer(client)}")
            self.counts.clients = len(self._clients)

    async def _is_admitted(self, connection: _Connection) -> bool:
        if not await self._has_token(connection):
            return False
        if len(self._clients) < self.limits.clients:
            return True
        self.counts.refused += 1
        await connection.close(FULL, "too many remotes")
        return False

    async def _has_token(self, connection: _Connection) -> bool:
        if self._token is None:
            return True
        try:
            name, arguments = web_messages.read(await asyncio.wait_for(connection.recv(), self.limits.hello_s))
        except asyncio.TimeoutError:
            self.counts.refused += 1
            await connection.close(NO_HELLO, "no token came")
            return False
        except web_messages.WireError:
            name, arguments = "", {}
            self.counts.malformed += 1
        if name == "hello" and token_is(self._token, arguments.get("token")):
            return True
        self.counts.refused += 1
        self._news.append(f"a remote with a wrong token was turned away: {_peer(connection)}")
        await asyncio.sleep(self.limits.wrong_token_s)
        await connection.send(web_messages.error_text('wrong or no token: begin with {"do": "hello", "token": "..."}'))
        await connection.close(WRONG_TOKEN, "wrong or no token")
        return False

    async def _read_commands(self, connection: _Connection) -> None:
        """Commands of one client, as fast as it may send them."""
        limiter = RateLimiter(self.limits.messages_each_s, self.limits.messages_burst)
        async for message in connection:
            wait_s = limiter.take()
            if wait_s > 0.0:
                self.counts.slowed += 1
                await asyncio.sleep(wait_s)
            if self._end is None or self._end.is_set():  # what a flood has left in the queue keeps nobody
                return
            try:
                name, arguments = web_messages.read(message)
                if name == "hello":  # needed only where there is a token, and then it has been here
                    continue
                late_s = self._late_s(arguments.pop("seen", None))
                command = web_messages.command_from(name, arguments)
            except web_messages.WireError as error:
                self.counts.malformed += 1
                await connection.send(web_messages.error_text(str(error)))
                continue
            if late_s > self.limits.late_s and name not in _NEVER_LATE:
                self.counts.late += 1
                line = f"{name} came {late_s:.0f} s late and was not done: the connection is poor"
                await connection.send(web_messages.error_text(line))
                continue
            self.counts.commands += 1
            self._post(command)

    def _late_s(self, seen: object) -> float:
        """For how long there has been a newer snapshot than the one that a client saw; 0 where it does not say."""
        if not isinstance(seen, int) or seen >= self._number:
            return 0.0
        now_s = asyncio.get_running_loop().time()
        first, _ = self._sent_s[0]
        if seen + 1 < first:
            return now_s - self._sent_s[0][1]
        return now_s - self._sent_s[seen + 1 - first][1]

    async def _send_snapshots(self) -> None:
        """The latest snapshot to every client that has got the last one."""
        loop = asyncio.get_running_loop()
        sent_text, sent_s, lists_read_s = "", 0.0, 0.0
        while True:
            await asyncio.sleep(1.0 / self.limits.snapshots_each_s)
            self.counts.clients = len(self._clients)
            if not self._clients:
                continue
            now_s = loop.time()
            if now_s - lists_read_s >= _LISTS_EVERY_S:
                lists_read_s = now_s
                self._lists_text = web_messages.lists_text(self._lists())
            greeted = [client for client in self._clients if client.greeted]
            free = [client for client in greeted if client.transport.get_write_buffer_size() == 0]
            self._send_lists(free)
            text = web_messages.status_text(self._status())
            if text == sent_text and now_s - sent_s < _SAME_AGAIN_S:
                continue
            sent_text, sent_s = text, now_s
            self._number += 1
            self._sent_s.append((self._number, now_s))
            self.counts.snapshots += len(free)
            self.counts.snapshots_skipped += len(greeted) - len(free)
            broadcast(free, web_messages.numbered(text, self._number))

    def _send_lists(self, free: list[_Connection]) -> None:
        behind = [client for client in free if client.lists_text != self._lists_text]
        for client in behind:
            client.lists_text = self._lists_text
        if behind:
            broadcast(behind, self._lists_text)

    def opened(self, connection: _Connection) -> bool:
        """Web thread only. A socket was opened; False where there are too many."""
        if len(self._open) >= self.limits.connections:
            self.counts.refused += 1
            return False
        self._open.add(connection)
        return True

    def lost(self, connection: _Connection) -> None:
        """Web thread only. A socket was closed."""
        self._open.discard(connection)


class _Connection(ServerConnection):
    """A connection that takes no more bytes a second than it may."""

    def __init__(self, remote: WebRemote, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._remote = remote
        self._bytes = RateLimiter(remote.limits.bytes_each_s, remote.limits.bytes_burst)
        self.lists_text = ""
        self.greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._remote.opened(self):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._remote.lost(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        wait_s = self._bytes.take(len(data))
        if wait_s > 0.0 and not self.transport.is_closing():
            self._remote.counts.slowed += 1
            self.transport.pause_reading()
            self.loop.call_later(wait_s, self._resume_reading)

    def _resume_reading(self) -> None:
        if not self.transport.is_closing() and not self.recv_messages.paused:
            self.transport.resume_reading()


def _peer(connection: ServerConnection) -> str:
    address = connection.remote_address
    return str(address[0]) if address else "gone"


def _silent_logger() -> logging.Logger:
    """What clients do wrong is counted here; a log on stderr would tear the terminal's panel."""
    logger = logging.getLogger("gigmate.web")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)
    return logger
