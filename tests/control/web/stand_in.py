"""A band that keeps what it is told and shows it as the real one does, so that a remote can be tried without sound."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from gigmate.control.web.access_guard import WebAccess
from gigmate.control.web.client_limits import WebLimits
from gigmate.control.web.server import WebRemote
from gigmate.engine.actions import PARTS
from gigmate.engine.commands import (
    Command,
    Panic,
    SelectPreset,
    SelectSong,
    SetBandLevel,
    SetLevel,
    SetMix,
    SetMute,
    Start,
    StepSong,
    Stop,
)
from gigmate.engine.status import Status

PRESETS = [{"name": "rock", "title": "Rock"}, {"name": "swing", "title": "Late set", "description": "Brushes"}]
SONGS = [
    {"title": "Blue Hour", "preset": "Late set", "key": "Am", "tempo_bpm": 121.5},
    {"title": "<b>Loud</b>", "preset": "Rock", "key": None, "tempo_bpm": None},
    {"title": "Last One", "preset": "Rock", "key": "G", "tempo_bpm": 96.0},
]


class StandIn:
    """`post` and `status` as the session has them."""

    def __init__(self, **status: Any) -> None:
        self.commands: list[Command] = []
        self.status = Status(**{"songs": len(SONGS), "song_number": 1, "song": "Blue Hour", **status})
        self.sections = ["A", "Bridge"]
        self.more: dict[str, Any] = {}
        self._lock = threading.Lock()

    def set(self, **changes: Any) -> None:
        with self._lock:
            self.status = dataclasses.replace(self.status, **changes)

    def post(self, command: Command) -> None:
        self.commands.append(command)
        status = self.status
        if isinstance(command, Start):
            self.set(state="playing")
        elif isinstance(command, (Stop, Panic)):
            self.set(state="stopped")
        elif isinstance(command, SetLevel):
            levels = list(status.levels_db)
            levels[PARTS.index(command.part)] = command.level_db
            self.set(levels_db=tuple(levels))
        elif isinstance(command, SetBandLevel):
            self.set(band_level_db=command.level_db)
        elif isinstance(command, SetMix):
            values = list(getattr(status, f"{command.name}s"))
            values[PARTS.index(command.part)] = command.value
            self.set(**{f"{command.name}s": tuple(values)})
        elif isinstance(command, SetMute):
            muted = list(status.muted)
            place = PARTS.index(command.part)
            muted[place] = not muted[place] if command.muted is None else command.muted
            self.set(muted=tuple(muted))
        elif isinstance(command, (StepSong, SelectSong)):
            number = command.number if isinstance(command, SelectSong) else status.song_number + command.by
            self.set(song_number=number, song=SONGS[number - 1]["title"])
        elif isinstance(command, SelectPreset):
            self.set(preset=command.name)

    def lists(self) -> dict[str, Any]:
        return {"presets": PRESETS, "songs": SONGS, "sections": list(self.sections), **self.more}


def open_remote(
    band: StandIn, token: str | None = None, tls: ssl.SSLContext | None = None, **limits: Any
) -> tuple[WebRemote, int]:
    """A remote on a free port of this machine, started, and the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    access = WebAccess(token, tls=tls)
    face = WebRemote(listening, band.post, lambda: band.status, band.lists, access, WebLimits(**limits))
    face.start()
    return face, port


def wait_for(true: Callable[[], object], patience_s: float = 20.0) -> None:
    """Return once it holds; the tests fail where it never does."""
    until_s = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < until_s, "waited in vain"
        time.sleep(0.01)
