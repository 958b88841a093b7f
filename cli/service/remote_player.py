"""A Player on a server: calls `/player`, keeps several frames in flight, and reconnects.

Knows no sound card. `listen` and `play` belong to the inference thread and wait no longer than their patience; two
threads of its own send and receive.

A frame asked for now is answered `depth` frames later. That is declared like any other delay of a player (as part of
`play_delay_samples` and of what was heard), so the engine's budget makes the band so much further ahead, and the
musical moments stay true.
"""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from websockets.exceptions import WebSocketException
from websockets.sync import client
from websockets.sync.client import ClientConnection

from ...engine.errors import ConfigError, EngineError
from ...engine.player import (
    PARTS,
    Controls,
    Harmonist,
    HeardFrame,
    Moment,
)
from ...files.json_text import json_text
from . import stream_messages
from .stream_messages import WireError

Array = NDArray[np.float32]
DEEPEST_FRAMES = 8
"""Beyond this the band would answer too late to be played with."""
_MARGIN_S = 0.005
_TRIES = 12
_OPEN_S = 5.0
_FIRST_PATIENCE_S = 10.0
_LONGEST_PAUSE_S = 4.0
_QUEUE = 64
_SILENT = Moment(0.0, 0.0, 120.0, 4, 0.0, playing=False)
_NETWORK_ERRORS = (OSError, WebSocketException, TimeoutError, WireError, ValueError, KeyError)


class RemotePlayer:
    """The band of a server, for the engine here. Close it.

    Raises EngineError where no server answers, or one that is too far away; ConfigError for an address that is none.
    """

    def __init__(self, address: str, token: str | None = None, seed: int = 0, patience_s: float | None = None) -> None:
        """`patience_s` None waits one frame at most for an answer that is late (live); files may wait longer."""
        self.url = url_of(address)
        self._token, self._seed, self._ahead_frames = token, seed, 2
        self._lock = threading.Condition()
        self._link: ClientConnection | None = None
        self._outgoing: queue.Queue[bytes | str | None] = queue.Queue(_QUEUE)
        self._answers: dict[tuple[int, int], bytes] = {}
        self._next = {stream_messages.LISTEN: 0, stream_messages.PLAY: 0}
        self._first = {stream_messages.LISTEN: 0, stream_messages.PLAY: 0}
        self._listens_since_play = 0
        self._closed = threading.Event()
        self._patience_s = _FIRST_PATIENCE_S
        self._notes: list[stream_messages.SentNote] = []
        self.depth = 0
        self.reconnections = 0
        self.harmonist: Harmonist | None = None
        """For the conductor, which is here: the server only says what its listener hears."""
        self._connect()
        ready = self._ready
        self.sample_rate_hz, self.frame_samples = int(ready["sample_rate_hz"]), int(ready["frame_samples"])
        self._frame_s = self.frame_samples / self.sample_rate_hz
        self.tail_samples = 0
        self._later_patience_s = self._frame_s if patience_s is None else patience_s
        self._thread = threading.Thread(target=self._run, name="gigmate-net", daemon=True)
        self._thread.start()
        try:
            self.round_trip_s = self._measure()
            self._first = dict(self._next)  # those answers were taken at once
            self.depth = max(1, math.ceil((self.round_trip_s + _MARGIN_S) / self._frame_s))
            if self.depth > DEEPEST_FRAMES:
                raise EngineError(
                    f"{self.url} answers in {1000 * self.round_trip_s:.0f} ms: too slow to play with: "
                    "use a nearer or a faster server"
                )
        except BaseException:
            self.close()
            raise
        self.play_delay_samples = int(ready["play_delay_samples"]) + self.depth * self.frame_samples

    def close(self) -> None:
        """Let the connection go. May be called twice."""
        self._closed.set()
        with self._lock:
            link, self._link = self._link, None
            self._lock.notify_all()
        with contextlib.suppress(queue.Full):
            self._outgoing.put_nowait(None)
        if link is not None:
            link.close()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_OPEN_S)

    # ---------------------------------------------------------------------------------------- the Player protocol

    def reset(self, seed: int, ahead_frames: int) -> None:
        """Forget everything; what is still on its way is not taken any more."""
        with self._lock:
            self._seed, self._ahead_frames = seed, ahead_frames
            self._first = dict(self._next)
            self._answers.clear()
            self._patience_s = self._later_patience_s
        self._send(json_text({"type": "reset", "seed": seed, "ahead_frames": ahead_frames}))

    def set_ahead(self, ahead_frames: int) -> None:
        """Tell the server that the budget changed."""
        self._ahead_frames = ahead_frames
        self._send(json_text({"type": "ahead", "ahead_frames": ahead_frames}))

    def listen(self, chunk: Array) -> HeardFrame:
        """Send what is new, and say what was heard `depth` frames ago. Raises EngineError if that is not there."""
        self._listens_since_play += 1
        body = self._ask(stream_messages.LISTEN, stream_messages.pack_sound(chunk[-self.frame_samples :]))
        later = self.depth * self.frame_samples
        return HeardFrame(delay_samples=later) if body is None else stream_messages.unpack_heard(body, later)

    def play(self, moment: Moment, controls: Controls) -> Array:
        """Ask for this frame, and return that of `depth` frames ago. Raises EngineError if that is not there."""
        if self._listens_since_play > 2:  # the band rested: what is on its way is of another time
            with self._lock:
                self._first[stream_messages.PLAY] = self._next[stream_messages.PLAY]
        self._listens_since_play = 0
        self._notes = []
        body = self._ask(stream_messages.PLAY, stream_messages.pack_ask(moment, controls))
        shape = (len(PARTS), self.frame_samples)
        if body is None:
            return np.zeros(shape, np.float32)
        size = 4 * len(PARTS) * self.frame_samples
        self._notes = stream_messages.unpack_notes(body[size:])
        return stream_messages.unpack_sound(body[:size], *shape)

    def notes(self) -> list[stream_messages.SentNote]:
        """Of the frame that `play` gave last, which is the one of `depth` frames ago."""
        return self._notes

    @property
    def notes_late_samples(self) -> int:
        """By how much the notes that are given belong to an earlier frame than the one that was asked for."""
        return self.depth * self.frame_samples

    def _ask(self, kind: int, body: bytes) -> bytes | None:
        """Send one call and take the answer due now; None where none is due yet."""
        index = self._next[kind]
        self._next[kind] += 1
        self._send(stream_messages.pack_call(kind, index, body))
        wanted = (kind, index - self.depth)
        end_s = time.monotonic() + self._patience_s
        with self._lock:
            if wanted[1] < self._first[kind]:
                return None
            for old in [key for key in self._answers if key[0] == kind and key[1] < wanted[1]]:
                del self._answers[old]
            while wanted not in self._answers:
                if self._link is None:
                    raise EngineError(f"no connection to {self.url}: trying again")
                if wanted[1] < self._first[kind]:  # connected anew meanwhile
                    return None
                left_s = end_s - time.monotonic()
                if left_s <= 0:
                    raise EngineError("the server answers too late")
                self._lock.wait(left_s)
            answer = self._answers.pop(wanted)
            if not answer:
                raise EngineError("the server's band failed")
            return answer

    def _send(self, message: bytes | str) -> None:
        """Never waits: where the network takes nothing more, the connection counts as broken."""
        with self._lock:
            link = self._link
        if link is None:
            return
        try:
            self._outgoing.put_nowait(message)
        except queue.Full:
            self._lose(link)

    def _measure(self) -> float:
        """Seconds from a frame's question to its answer, the slowest of some."""
        times_s = []
        silence = np.zeros(self.frame_samples, np.float32)
        for _ in range(_TRIES):
            begin_s = time.perf_counter()
            self.listen(silence)
            self.play(_SILENT, Controls())
            times_s.append(time.perf_counter() - begin_s)
        return max(times_s[2:])

    # -------------------------------------------------------------------------------------- threads of its own

    def _connect(self) -> None:
        """One try. Raises EngineError."""
        try:
            link = client.connect(
                self.url, open_timeout=_OPEN_S, close_timeout=1.0, max_size=2**20, compression=None
            ).__enter__()
        except _NETWORK_ERRORS as error:
            raise EngineError(f"no server at {self.url} ({_plain(error)}): start `gigmate serve` there") from error
        try:
            hello = {
                "type": "hello",
                "version": stream_messages.VERSION,
                "seed": self._seed,
                "ahead_frames": self._ahead_frames,
            }
            if self._token is not None:
                hello["token"] = self._token
            link.send(json_text(hello))
            text = link.recv(timeout=_FIRST_PATIENCE_S)
            ready = stream_messages.read_json(text if isinstance(text, str) else "")
            if ready["type"] != "ready":
                raise EngineError(f"{self.url}: {ready.get('error', 'refused the connection')}")
            if ready.get("version") != stream_messages.PLAYER_VERSION or ready.get("parts") != list(PARTS):
                raise EngineError(f"{self.url}: uses another version: install the same GigMate on both sides")
        except BaseException as error:
            link.close()
            if isinstance(error, _NETWORK_ERRORS):
                raise EngineError(f"{self.url}: did not answer ({_plain(error)})") from error
            raise
        self._ready: dict[str, Any] = ready
        with self._lock:
            self._outgoing = queue.Queue(_QUEUE)
            self._first = dict(self._next)
            self._answers.clear()
            self._link = link
        sender = threading.Thread(
            target=self._sender, args=(link, self._outgoing), name="gigmate-net-send", daemon=True
        )
        sender.start()

    def _run(self) -> None:
        pause_s = 0.1
        while not self._closed.is_set():
            with self._lock:
                link = self._link
            if link is not None:
                self._receive(link)
                pause_s = 0.1
                continue
            if self._closed.wait(pause_s):
                break
            try:
                self._connect()
                self.reconnections += 1
            except EngineError:
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _receive(self, link: ClientConnection) -> None:
        """Until the connection ends."""
        try:
            for message in link:
                if isinstance(message, str):
                    continue  # a goodbye, or news that this version does not know
                kind, index, body = stream_messages.unpack_call(message)
                asked = {
                    stream_messages.HEARD: stream_messages.LISTEN,
                    stream_messages.SOUND: stream_messages.PLAY,
                }.get(kind)
                with self._lock:
                    if asked is not None and index >= self._first[asked] and link is self._link:
                        self._answers[asked, index] = body
                    self._lock.notify_all()
        except _NETWORK_ERRORS:
            pass  # said where an answer is missed
        finally:
            self._lose(link)

    def _sender(self, link: ClientConnection, outgoing: queue.Queue[bytes | str | None]) -> None:
        try:
            while (message := outgoing.get()) is not None:
                link.send(message)
        except _NETWORK_ERRORS:
            self._lose(link)

    def _lose(self, link: ClientConnection) -> None:
        with self._lock:
            ours = link is self._link
            if ours:
                self._link = None
            outgoing = self._outgoing
            self._lock.notify_all()
        if ours:
            with contextlib.suppress(queue.Full):  # the sender then finds the connection closed
                outgoing.put_nowait(None)
            threading.Thread(target=link.close, name="gigmate-net-close", daemon=True).start()


def url_of(address: str) -> str:
    """The WebSocket address of "host:8000", "http://host:8000" or "ws://...". Raises ConfigError."""
    wrong = ConfigError(f"server {address}: give an address such as ws://192.168.1.20:8000")
    text = address if "://" in address else f"ws://{address}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # half an address of IPv6, a port that is no number or too large
        raise wrong from None
    scheme = {"http": "ws", "ws": "ws", "https": "wss", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.username:
        raise wrong
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    path = parts.path.rstrip("/")
    return f"{scheme}://{place}{path if path.endswith('/player') else path + '/player'}"


def _plain(error: BaseException) -> str:
    text = str(getattr(error, "strerror", "") or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
