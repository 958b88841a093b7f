"""The WebSockets of the server: /stream (sound in, band out) and /player (the band for a remote engine).

Each client has its own state. Messages are taken one after another, so what is not acknowledged waits with the client
and nothing is dropped. Event loop; the band itself runs in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import WebSocket, WebSocketDisconnect

from ...engine.errors import EngineError
from ...engine.player import PARTS
from ...engine.run.accompaniment import Accompaniment, Stretch
from ...files.channels import ChannelError, picked
from ...files.json_text import json_text
from ...presets.loader import preset_names
from ...sheets.library import chart_of_text
from ..complete import parse_ahead, parse_parts
from ..complete_job import LONGEST_CONTINUATION_S
from . import stream_messages
from .player_socket import PlayerClient
from .service_limits import Limits, may_ask
from .socket_talk import (
    BAD,
    FAILED,
    FULL,
    IDLE,
    LEAVING,
    REFUSED,
    Idle,
    Leaving,
    Place,
    bye,
    receive,
    receive_text,
    taken,
    timed,
)
from .stream_controls import set_controls
from .stream_messages import WireError
from .watch.load import Load, Refusal, Seat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...band import Band

_LATE_S = 0.25
_SAY_EVERY_S = 1.0
_HELLO = (
    "version", "rate_hz", "channels", "preset", "parts", "sound", "seed", "ahead", "output", "output_channels", "wait",
    "chart", "chart_start", "input", "live", "notes", "token",
)  # fmt: skip
_ASKED = {"end": ("continue_s",), "ping": ("id",)}
"""Controls are checked where they are set."""
_HELLO_S = 2.0
"""For which the server is full waits no longer for the hello that may say otherwise."""
_LAST_WORDS_S = 3.0


class Streams:
    """All WebSocket clients of one process."""

    def __init__(self, band: Band, limits: Limits, token: str | None, load: Load | None = None) -> None:
        self._band, self._limits, self._token = band, limits, token
        self._pool = ThreadPoolExecutor(max(1, limits.streams), thread_name_prefix="gigmate-stream")
        self.load = load or Load(most=limits.streams)
        self._clients: set[_Stream] = set()
        self._leaves_s: float | None = None

    @property
    def count(self) -> int:
        return self.load.streams

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def leave(self, within_s: float) -> None:
        """Let nobody in any more; tell those who play that they have so long, and see them off."""
        self._leaves_s = time.monotonic() + within_s
        for client in list(self._clients):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError, Idle):
                await client.say("leaving", within_s=within_s)
        while self.count and time.monotonic() < self._leaves_s + _LAST_WORDS_S:
            await asyncio.sleep(0.05)

    def _over(self) -> bool:
        return self._leaves_s is not None and time.monotonic() >= self._leaves_s

    async def stream(self, socket: WebSocket) -> None:
        """One client of /stream."""

        async def play(place: Place, hello: dict[str, Any]) -> None:
            client = _Stream(place)
            self._clients.add(client)
            try:
                await client.run(hello)
            finally:
                self._clients.discard(client)

        await self._serve(socket, play)

    async def player(self, socket: WebSocket) -> None:
        """One client of /player."""
        await self._serve(socket, lambda place, hello: PlayerClient(place).run(hello))

    async def _serve(self, socket: WebSocket, play: Callable[[Place, dict[str, Any]], Awaitable[None]]) -> None:
        """Let a client in, if there is room and it may ask, and play; whatever happens ends in an orderly close."""
        await socket.accept()
        if self._leaves_s is not None:
            await self._refuse(socket, "this server is about to end: try again later")
            return
        seat = self.load.take()
        if isinstance(seat, Refusal) and seat.for_all:
            await self._refuse(socket, seat.line)
            return
        try:
            patience_s = self._limits.idle_s if isinstance(seat, Seat) else min(_HELLO_S, self._limits.idle_s)
            hello = stream_messages.read_json(await receive_text(socket, patience_s))
            given = hello.get("token")
            header = socket.headers.get("authorization") or (f"Bearer {given}" if isinstance(given, str) else None)
            if not may_ask(self._token, header):
                await bye(socket, REFUSED, "wrong or no token: send it as `token` of the hello")
                return
            if hello["type"] != "hello" or hello.get("version") != stream_messages.VERSION:
                await bye(socket, BAD, f"begin with a hello of version {stream_messages.VERSION}")
                return
            counted = hello.get("live", None) is not False
            if isinstance(seat, Refusal):
                seat = seat if counted else self.load.take(counted=False)
            if isinstance(seat, Refusal):
                await self._refuse(socket, seat.line)
                return
            seat.counted = counted
            await play(Place(socket, self._band, self._limits, self._pool, self.load, seat, self._over), hello)
        except WebSocketDisconnect:
            pass
        except Leaving:
            await bye(socket, LEAVING, "this server ends: connect again")
        except Idle as idle:
            if isinstance(seat, Refusal):
                await self._refuse(socket, seat.line)
            else:
                await bye(socket, IDLE, str(idle))
        except EngineError as error:
            await bye(socket, BAD, str(error))
        except Exception:
            await bye(socket, FAILED, "the server failed: see its log")
            raise
        finally:
            if isinstance(seat, Seat):
                self.load.leave(seat)

    async def _refuse(self, socket: WebSocket, line: str) -> None:
        self.load.counters.add("refusals", 1, what="stream")
        await bye(socket, FULL, line)
        await asyncio.to_thread(self.load.measure_again, self._band)


class _Stream:
    def __init__(self, place: Place) -> None:
        self._place = place
        self._socket, self._band, self._limits, self._pool = place.socket, place.band, place.limits, place.pool
        self._sequence_in = self._sequence_out = 0
        self._began_s: float | None = None
        self._least_behind_s = 0.0
        self._said_s = self._moment_s = 0.0
        self._warned = 0

    async def run(self, hello: dict[str, Any]) -> None:
        stream_messages.check_names(hello, _HELLO)
        self._rate_hz = int(stream_messages.number(hello, "rate_hz", 48_000, 1, 1_000_000))
        self._channels = int(stream_messages.number(hello, "channels", 1, 1, 64))
        self._sides = int(stream_messages.number(hello, "output_channels", 1, 1, 2))
        output = hello.get("output", "mix")
        if output not in ("mix", "parts"):
            raise WireError("output: give mix or parts")
        self._as_parts, self._live = output == "parts", hello.get("live", False) is True
        self._with_notes = hello.get("notes", False)
        if not isinstance(self._with_notes, bool):
            raise WireError("notes: give true or false")
        preset = _preset(hello)
        parts = hello.get("parts", list(PARTS))
        if not isinstance(parts, (str, list)):
            raise WireError('parts: give a list, such as ["drums", "bass"]')
        heard = hello.get("input")
        if heard is not None and not (isinstance(heard, list) and all(type(channel) is int for channel in heard)):
            raise WireError("input: give a list of channels, from 1, such as [1]")
        wait = hello.get("wait", False)
        if not isinstance(wait, bool):
            raise WireError("wait: give true or false")
        sound = hello.get("sound")
        if sound is not None and not isinstance(sound, str):
            raise WireError("sound: give a word, such as instruments or keys=rhodes")
        text, chart_start_s = _chart(hello, wait)
        remarks: list[str] = []

        def begin() -> Accompaniment:
            chart = None if text is None else chart_of_text(text)
            remarks.extend(() if chart is None else chart.remarks)
            return self._band.stream(
                self._rate_hz,
                preset=preset,
                parts=parse_parts(parts if isinstance(parts, str) else ",".join(map(str, parts))),
                seed=int(stream_messages.number(hello, "seed", 0, 0, 2**63 - 1)),
                ahead_frames=parse_ahead(str(hello.get("ahead", "1"))),
                wait=wait,
                chart=chart,
                chart_start_s=chart_start_s,
                input_channels=None if heard is None else _there(heard, self._channels),
                sound=sound,
            )

        loop = asyncio.get_running_loop()
        stream = await loop.run_in_executor(self._pool, begin)
        self._window = int(self._limits.window_s * self._rate_hz)
        await self.say(
            "ready",
            version=stream_messages.VERSION,
            rate_hz=self._rate_hz,
            channels=self._sides * (len(PARTS) if self._as_parts else 1),
            ahead_frames=stream.ahead_frames,
            ahead_ms=stream.ahead_ms,
            window_samples=self._window,
            message_bytes=self._limits.message_bytes,
        )
        for line in remarks:
            await self.say("warning", warning=line)
        await self._play(stream)

    async def _play(self, stream: Accompaniment) -> None:
        while True:
            try:
                message = await receive(self._socket, self._limits.idle_s, self._place.over)
            except Leaving:
                await self._end(stream, 0.0, LEAVING)
                return
            if message.get("bytes") is not None:
                await self._block(stream, message["bytes"])
                continue
            asked = stream_messages.read_json(message.get("text") or "")
            if asked["type"] in _ASKED:
                stream_messages.check_names(asked, _ASKED[asked["type"]])
            if asked["type"] == "end":
                await self._end(stream, stream_messages.number(asked, "continue_s", 0.0, 0.0, LONGEST_CONTINUATION_S))
                return
            if asked["type"] == "controls":
                set_controls(stream, asked)
                await self.say("controls", sequence=self._sequence_in)
            elif asked["type"] == "ping":
                await self.say("pong", id=asked.get("id"))
            else:
                raise WireError("types here are controls, ping and end")

    async def _block(self, stream: Accompaniment, data: bytes) -> None:
        sequence, position, sound = stream_messages.unpack_block(data, self._channels)
        if sequence != self._sequence_in & 0xFFFFFFFF or position != stream.samples_pushed:
            raise WireError(
                f"block {sequence} at sample {position}: {self._sequence_in} at {stream.samples_pushed} was due"
            )
        if len(sound) > self._window:
            raise WireError(f"a block of {len(sound)} samples: the window is {self._window}")
        self._sequence_in += 1
        if self._began_s is None:
            self._began_s = time.monotonic() - len(sound) / self._rate_hz
        await self._give_way()
        loop, began_s = asyncio.get_running_loop(), time.monotonic()
        made, computed_s = await loop.run_in_executor(self._pool, timed, stream.push, sound)
        self._place.load.played(self._place.seat, len(sound) / self._rate_hz, computed_s, time.monotonic() - began_s)
        await self._send(made)
        await self.say("ack", sequence=sequence, samples=stream.samples_pushed)
        await self._tell(stream)

    async def _give_way(self) -> None:
        """A client that need not be in time takes what those leave who must."""
        load, end_s = self._place.load, time.monotonic() + self._limits.window_s
        while not self._place.seat.counted and load.has_counted and load.busy > load.share / 2:
            if time.monotonic() >= end_s:
                return
            await asyncio.sleep(0.05)

    async def _end(self, stream: Accompaniment, continue_s: float, code: int = 1000) -> None:
        loop = asyncio.get_running_loop()
        rest = stream.finish(round(continue_s * self._rate_hz))
        while (made := await loop.run_in_executor(self._pool, lambda: next(rest, None))) is not None:
            await self._send(made)
        await self.say("end", blocks=self._sequence_out)
        await self._socket.close(code)

    async def _send(self, made: Stretch) -> None:
        if self._with_notes and made.notes:
            await self.say("notes", notes=[list(note) for note in made.notes])
        if made.samples:
            block = stream_messages.pack_block(self._sequence_out, made.position_samples, self._sound_of(made))
            await taken(self._socket.send_bytes(block), self._limits.idle_s)
            self._sequence_out += 1

    def _sound_of(self, made: Stretch) -> NDArray[np.float32]:
        """[n] or [n, channels], as the client asked for it."""
        if self._as_parts:
            both = made.parts.swapaxes(0, 1).reshape(made.samples, -1)
            return both if self._sides == 2 else made.mono_parts.T
        return made.mix if self._sides == 2 else made.mono

    async def _tell(self, stream: Accompaniment) -> None:
        """Where the music is, once a second; what is wrong, once; and that a live client is late, when it is."""
        for line in stream.warnings[self._warned :]:
            self._warned += 1
            await self.say("warning", warning=line)
        now_s = time.monotonic()
        if self._live and self._began_s is not None:
            behind_s = now_s - self._began_s - stream.samples_pushed / self._rate_hz
            self._least_behind_s = min(self._least_behind_s, behind_s)
            late_s = behind_s - self._least_behind_s
            if late_s > _LATE_S and now_s - self._said_s > _SAY_EVERY_S:
                self._said_s = now_s
                await self.say("late", behind_ms=round(1000 * late_s))
        if now_s - self._moment_s > _SAY_EVERY_S:
            self._moment_s = now_s
            moment = stream.moment
            await self.say(
                "moment",
                position_samples=stream.samples_pushed,
                tempo_bpm=round(moment.tempo_bpm, 2),
                beats_per_bar=moment.beats_per_bar,
                bar_phase=round(moment.bar_phase, 4),
                confidence=round(moment.confidence, 3),
                chord_root=moment.chord_root,
                sounds=stream.sounds,
            )

    async def say(self, kind: str, **values: Any) -> None:
        await taken(self._socket.send_text(json_text({"type": kind, **values})), self._limits.idle_s)


def _there(heard: list[int], channels: int) -> list[int]:
    """The channels that are heard. Raises WireError for such as the stream does not have."""
    try:
        picked(heard, channels)
    except ChannelError as error:
        raise WireError(f"input: the stream {error}") from None
    return heard


def _preset(hello: dict[str, Any]) -> str:
    """Raises WireError for one that does not ship."""
    name = hello.get("preset", "rock")
    if name not in preset_names():
        raise WireError(f"no such preset: presets are {', '.join(preset_names())}")
    return str(name)


def _chart(hello: dict[str, Any], wait: bool) -> tuple[str | None, float | None]:
    """The chart as text, and where it begins: None is where a band that waits comes in. Raises WireError."""
    text, start = hello.get("chart"), hello.get("chart_start")
    if text is not None and not isinstance(text, str):
        raise WireError("chart: give text, in bar notation (| Am | F | C G |) or another format of charts")
    if start is None:
        return text, None if wait else 0.0
    if text is None:
        raise WireError("chart_start needs a chart")
    return text, stream_messages.number(hello, "chart_start", 0.0, 0.0, LONGEST_CONTINUATION_S)
