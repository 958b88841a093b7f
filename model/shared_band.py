"""Loaded bands that many streams share: one program computes for one thread at a time. Knows no engine and no card.

Any thread may ask for a player; each player belongs to one thread at a time.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .accompanist import Accompanist, ControlsLike, MomentLike
from .band_stream import LoadedBand
from .heard import HeardByModel
from .loading import load_band
from .note_events import NoteEvent

Turn = contextlib.AbstractContextManager[Any]


class FrameTurn:
    """One stream's Python at a time: `with turn:` around a frame, `with turn.aside():` around what needs none.

    Python computes on one core at a time, and streams that fight for it inside of a frame lose a third. What is
    compiled runs beside another stream's Python. Any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    def __enter__(self) -> None:
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(self, *error: object) -> None:
        self._holder = None
        self._lock.release()

    def aside(self) -> Turn:
        """Let others have their turn meanwhile; nothing where this thread has none."""
        return _Aside(self) if self._holder == threading.get_ident() else contextlib.nullcontext()


class _Aside:
    """A turn, turned round. The thread that has it only."""

    def __init__(self, turn: FrameTurn) -> None:
        self._turn = turn

    def __enter__(self) -> None:
        self._turn.__exit__()

    def __exit__(self, *error: object) -> None:
        self._turn.__enter__()


class SharedPrograms:
    """Loaded bands for players on any threads. The step in C serves any number of threads at once. A program of
    TorchScript computes nonsense when two threads run it at once, so each has a lock, and there are as many as there
    are cores to run them, loaded as they are needed. Any thread.
    """

    def __init__(self, weights: Path | None) -> None:
        self._load = lambda: load_band(weights)
        self._lock = threading.Lock()
        self._frame_turn = FrameTurn()
        self._programs: list[tuple[LoadedBand, Turn, weakref.WeakSet[SharedAccompanist]]] = []
        self._add()
        self._most = 1 if self._programs[0][0].concurrent else max(1, os.cpu_count() or 1)

    def _add(self) -> None:
        band = self._load()
        self._programs.append(
            (band, contextlib.nullcontext() if band.concurrent else threading.Lock(), weakref.WeakSet())
        )

    def new_player(self, seed: int) -> SharedAccompanist:
        """A player on the program that the fewest others use now."""
        with self._lock:
            if all(players for _, _, players in self._programs) and len(self._programs) < self._most:
                self._add()
            loaded, turn, players = min(self._programs, key=lambda program: len(program[2]))
            with turn:
                frame_turn = self._frame_turn if loaded.concurrent else None
                aside = frame_turn.aside if frame_turn is not None else contextlib.nullcontext
                player = SharedAccompanist(Accompanist(loaded, seed, aside), turn, frame_turn)
            players.add(player)
            return player


class SharedAccompanist:
    """An Accompanist that waits for its turn on a program that others use too. One thread at a time."""

    def __init__(self, player: Accompanist, turn: Turn, frame_turn: FrameTurn | None = None) -> None:
        self._player, self._turn = player, turn
        self.sample_rate_hz, self.frame_samples = player.sample_rate_hz, player.frame_samples
        self.tail_samples, self.play_delay_samples = player.tail_samples, player.play_delay_samples
        self.harmonist = player.harmonist  # no part of the program, so it waits for no turn
        self.frame_turn = frame_turn
        """To be held for a whole frame of a stream, where there is one; stepped aside from where much is computed."""

    @property
    def tuning_hz(self) -> float:
        return self._player.tuning_hz

    def notes(self) -> list[NoteEvent]:
        return self._player.notes()

    def fix_tuning(self, tuning_hz: float | None) -> None:
        self._player.fix_tuning(tuning_hz)

    def reset(self, seed: int, ahead_frames: int) -> None:
        with self._turn:
            self._player.reset(seed, ahead_frames)

    def set_ahead(self, ahead_frames: int) -> None:
        with self._turn:
            self._player.set_ahead(ahead_frames)

    def listen(self, chunk: NDArray[np.float32]) -> HeardByModel:
        with self._turn:
            return self._player.listen(chunk)

    def play(self, moment: MomentLike, controls: ControlsLike) -> NDArray[np.float32]:
        with self._turn:
            return self._player.play(moment, controls)

    def draw(self, moment: MomentLike, controls: ControlsLike) -> None:
        with self._turn:
            self._player.draw(moment, controls)

    def sound(self) -> NDArray[np.float32]:
        with self._turn:
            return self._player.sound()

    def pass_over(self) -> None:
        self._player.pass_over()
