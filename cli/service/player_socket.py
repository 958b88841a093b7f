"""One client of /player: the band for an engine that runs elsewhere. Event loop; the band itself runs in threads."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np

from ...dsp.limiter import LOUDEST
from ...engine.player import PARTS, NotedPlayer
from ...files.json_text import json_text
from ...latency.budget import MAX_AHEAD_FRAMES
from . import stream_messages
from .socket_talk import Place, receive, taken, timed
from .stream_messages import WireError


class PlayerClient:
    """Event loop only."""

    def __init__(self, place: Place) -> None:
        self._socket, self._limits, self._pool, self._over = place.socket, place.limits, place.pool, place.over
        self._place = place

    async def run(self, hello: dict[str, Any]) -> None:
        stream_messages.check_names(hello, ("version", "seed", "ahead_frames", "token"))
        seed = int(stream_messages.number(hello, "seed", 0, 0, 2**63 - 1))
        loop = asyncio.get_running_loop()
        player = await loop.run_in_executor(self._pool, self._place.band.new_player, seed)
        player.reset(seed, self._ahead(hello))
        chunk = np.zeros(player.tail_samples + player.frame_samples, np.float32)
        frame_s = player.frame_samples / player.sample_rate_hz
        ready = {
            "type": "ready",
            "version": stream_messages.PLAYER_VERSION,
            "sample_rate_hz": player.sample_rate_hz,
            "frame_samples": player.frame_samples,
            "play_delay_samples": player.play_delay_samples,
            "parts": list(PARTS),
        }
        await taken(self._socket.send_text(json_text(ready)), self._limits.idle_s)

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
            message = await receive(self._socket, self._limits.idle_s, self._over)
            if message.get("bytes") is not None:
                began_s = time.monotonic()
                answered, computed_s = await loop.run_in_executor(self._pool, timed, answer, message["bytes"])
                played_s = frame_s if message["bytes"][:1] == bytes([stream_messages.PLAY]) else 0.0
                self._place.load.played(self._place.seat, played_s, computed_s, time.monotonic() - began_s)
                await taken(self._socket.send_bytes(answered), self._limits.idle_s)
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
