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

from ...dsp.limiter import LOUDEST
from ...engine.errors import EngineError
from ...engine.player import PARTS, NotedPlayer
from ...engine.run.accompaniment import Accompaniment, Stretch
from ...files.channels import ChannelError, picked
from ...files.json_text import json_text
from ...latency.budget import MAX_AHEAD_FRAMES
from ...presets.loader import preset_names
from ...sheets.library import chart_of_text
from ..complete import parse_ahead, parse_parts
from ..complete_job import LONGEST_CONTINUATION_S
from . import stream_messages
from .service_limits import Limits, may_ask
from .stream_controls import set_controls
from .stream_messages import WireError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...band import Band

BAD, FULL, IDLE, REFUSED, FAILED = 4400, 4503, 4408, 4401, 4500
_LATE_S = 0.25
_SAY_EVERY_S = 1.0
_GOODBYE_S = 2.0


class _Idle(Exception):
    pass


class Streams:
    """All WebSocket clients of one server."""

    def __init__(self, band: Band, limits: Limits, token: str | None) -> None:
        self._band, self._limits, self._token = band, limits, token
        self._pool = ThreadPoolExecutor(max(1, limits.streams), thread_name_prefix="gigmate-stream")
        self.count = 0

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def stream(self, socket: WebSocket) -> None:
        """One client of /stream."""
        await self._serve(socket, _Stream(socket, self._band, self._limits, self._pool).run)

    async def player(self, socket: WebSocket) -> None:
        """One client of /player."""
        await self._serve(socket, _Player(socket, self._band, self._limits, self._pool).run)

    async def _serve(self, socket: WebSocket, play: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """Let a client in, if there is room and it may ask, and play; whatever happens ends in an orderly close."""
        await socket.accept()
        if self.count >= self._limits.streams:
            await _bye(socket, FULL, f"{self.count} clients play already: try again later")
            return
        self.count += 1
        try:
            hello = stream_messages.read_json(await _receive_text(socket, self._limits.idle_s))
            given = hello.get("token")
            header = socket.headers.get("authorization") or (f"Bearer {given}" if isinstance(given, str) else None)
            if not may_ask(self._token, header):
                await _bye(socket, REFUSED, "wrong or no token: send it as `token` of the hello")
            elif hello["type"] != "hello" or hello.get("version") != stream_messages.VERSION:
                await _bye(socket, BAD, f"begin with a hello of version {stream_messages.VERSION}")
            else:
                await play(hello)
        except WebSocketDisconnect:
            pass
        except _Idle as idle:
            await _bye(socket, IDLE, str(idle))
        except EngineError as error:
            await _bye(socket, BAD, str(error))
        except Exception:
            await _bye(socket, FAILED, "the server failed: see its log")
            raise
        finally:
            self.count -= 1


class _Stream:
    def __init__(self, socket: WebSocket, band: Band, limits: Limits, pool: ThreadPoolExecutor) -> None:
        self._socket, self._band, self._limits, self._pool = socket, band, limits, pool
        self._sequence_in = self._sequence_out = 0
        self._began_s: float | None = None
        self._least_behind_s = 0.0
        self._said_s = self._moment_s = 0.0
        self._warned = 0

    async def run(self, hello: dict[str, Any]) -> None:
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
        preset = hello.get("preset", "rock")
        if preset not in preset_names():
            raise WireError(f"no such preset: presets are {', '.join(preset_names())}")
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
        await self._say(
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
            await self._say("warning", warning=line)
        await self._play(stream)

    async def _play(self, stream: Accompaniment) -> None:
        while True:
            message = await _receive(self._socket, self._limits.idle_s)
            if message.get("bytes") is not None:
                await self._block(stream, message["bytes"])
                continue
            asked = stream_messages.read_json(message.get("text") or "")
            if asked["type"] == "end":
                await self._end(stream, stream_messages.number(asked, "continue_s", 0.0, 0.0, LONGEST_CONTINUATION_S))
                return
            if asked["type"] == "controls":
                set_controls(stream, asked)
                await self._say("controls", sequence=self._sequence_in)
            elif asked["type"] == "ping":
                await self._say("pong", id=asked.get("id"))
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
        loop = asyncio.get_running_loop()
        made: Stretch = await loop.run_in_executor(self._pool, stream.push, sound)
        await self._send(made)
        await self._say("ack", sequence=sequence, samples=stream.samples_pushed)
        await self._tell(stream)

    async def _end(self, stream: Accompaniment, continue_s: float) -> None:
        loop = asyncio.get_running_loop()
        rest = stream.finish(round(continue_s * self._rate_hz))
        while (made := await loop.run_in_executor(self._pool, lambda: next(rest, None))) is not None:
            await self._send(made)
        await self._say("end", blocks=self._sequence_out)
        await self._socket.close(1000)

    async def _send(self, made: Stretch) -> None:
        if self._with_notes and made.notes:
            await self._say("notes", notes=[list(note) for note in made.notes])
        if made.samples:
            block = stream_messages.pack_block(self._sequence_out, made.position_samples, self._sound_of(made))
            await _taken(self._socket.send_bytes(block), self._limits.idle_s)
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
            await self._say("warning", warning=line)
        now_s = time.monotonic()
        if self._live and self._began_s is not None:
            behind_s = now_s - self._began_s - stream.samples_pushed / self._rate_hz
            self._least_behind_s = min(self._least_behind_s, behind_s)
            late_s = behind_s - self._least_behind_s
            if late_s > _LATE_S and now_s - self._said_s > _SAY_EVERY_S:
                self._said_s = now_s
                await self._say("late", behind_ms=round(1000 * late_s))
        if now_s - self._moment_s > _SAY_EVERY_S:
            self._moment_s = now_s
            moment = stream.moment
            await self._say(
                "moment",
                position_samples=stream.samples_pushed,
                tempo_bpm=round(moment.tempo_bpm, 2),
                beats_per_bar=moment.beats_per_bar,
                bar_phase=round(moment.bar_phase, 4),
                confidence=round(moment.confidence, 3),
                chord_root=moment.chord_root,
                sounds=stream.sounds,
            )

    async def _say(self, kind: str, **values: Any) -> None:
        await _taken(self._socket.send_text(json_text({"type": kind, **values})), self._limits.idle_s)


def _there(heard: list[int], channels: int) -> list[int]:
    """The channels that are heard. Raises WireError for such as the stream does not have."""
    try:
        picked(heard, channels)
    except ChannelError as error:
        raise WireError(f"input: the stream {error}") from None
    return heard


class _Player:
    def __init__(self, socket: WebSocket, band: Band, limits: Limits, pool: ThreadPoolExecutor) -> None:
        self._socket, self._band, self._limits, self._pool = socket, band, limits, pool

    async def run(self, hello: dict[str, Any]) -> None:
        seed = int(stream_messages.number(hello, "seed", 0, 0, 2**63 - 1))
        loop = asyncio.get_running_loop()
        player = await loop.run_in_executor(self._pool, self._band.new_player, seed)
        player.reset(seed, self._ahead(hello))
        chunk = np.zeros(player.tail_samples + player.frame_samples, np.float32)
        ready = {
            "type": "ready",
            "version": stream_messages.PLAYER_VERSION,
            "sample_rate_hz": player.sample_rate_hz,
            "frame_samples": player.frame_samples,
            "play_delay_samples": player.play_delay_samples,
            "parts": list(PARTS),
        }
        await _taken(self._socket.send_text(json_text(ready)), self._limits.idle_s)

        def answer(data: bytes) -> bytes:
            kind, index, body = stream_messages.unpack_call(data)
            if kind == stream_messages.LISTEN:
                chunk[: -player.frame_samples] = chunk[player.frame_samples :].copy()
                sound = stream_messages.unpack_sound(body, player.frame_samples)
                chunk[-player.frame_samples :] = np.clip(sound, -LOUDEST, LOUDEST)
                if not np.isfinite(chunk).all():
                    chunk.fill(0.0)
                    raise WireError("sound that is not finite")
                return stream_messages.pack_call(
                    stream_messages.HEARD, index, stream_messages.pack_heard(player.listen(chunk))
                )
            if kind == stream_messages.PLAY:
                sound = player.play(*stream_messages.unpack_ask(body))
                notes = player.notes() if isinstance(player, NotedPlayer) else ()
                return stream_messages.pack_call(
                    stream_messages.SOUND,
                    index,
                    stream_messages.pack_sound(sound) + stream_messages.pack_notes(notes),
                )
            raise WireError(f"a frame of kind {kind}: give {stream_messages.LISTEN} or {stream_messages.PLAY}")

        while True:
            message = await _receive(self._socket, self._limits.idle_s)
            if message.get("bytes") is not None:
                answered = await loop.run_in_executor(self._pool, answer, message["bytes"])
                await _taken(self._socket.send_bytes(answered), self._limits.idle_s)
                continue
            asked = stream_messages.read_json(message.get("text") or "")
            if asked["type"] == "reset":
                chunk.fill(0.0)
                player.reset(int(stream_messages.number(asked, "seed", 0, 0, 2**63 - 1)), self._ahead(asked))
            elif asked["type"] == "ahead":
                player.set_ahead(self._ahead(asked))
            else:
                raise WireError("types here are reset and ahead")

    @staticmethod
    def _ahead(message: dict[str, Any]) -> int:
        return int(stream_messages.number(message, "ahead_frames", 2, 0, MAX_AHEAD_FRAMES))


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


async def _receive(socket: WebSocket, patience_s: float) -> dict[str, Any]:
    """The next message. Raises _Idle, WebSocketDisconnect."""
    try:
        message = await asyncio.wait_for(socket.receive(), patience_s)
    except asyncio.TimeoutError:
        raise _Idle(f"nothing was sent for {patience_s:g} s") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1005)
    return dict(message)


async def _taken(sending: Awaitable[None], patience_s: float) -> None:
    """Send; a client that does not read would else hold its place for ever. Raises _Idle."""
    try:
        await asyncio.wait_for(sending, patience_s)
    except asyncio.TimeoutError:
        raise _Idle(f"nothing was read for {patience_s:g} s") from None


async def _receive_text(socket: WebSocket, patience_s: float) -> str:
    text = (await _receive(socket, patience_s)).get("text")
    if text is None:
        raise WireError("begin with a hello, as a text message")
    return str(text)


async def _bye(socket: WebSocket, code: int, reason: str) -> None:
    """Say why, and close; a client that has gone, or does not read, does not mind."""
    line = " ".join(reason.split())

    async def say() -> None:
        await socket.send_text(json_text({"type": "error", "code": code, "error": line}))
        await socket.close(code, line.encode(errors="replace")[:120].decode(errors="ignore"))

    with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError, asyncio.TimeoutError):
        await asyncio.wait_for(say(), _GOODBYE_S)
