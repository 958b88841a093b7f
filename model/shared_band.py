"""Loaded bands that many streams share: one program computes for one thread at a time. Knows no engine and no card.

Any thread may ask for a player; each player belongs to one thread at a time.
"""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .accompanist import Accompanist, ControlsLike, MomentLike
from .heard import HeardByModel
from .note_events import NoteEvent
from .runtime import LoadedBand, load_band


class SharedPrograms:
    """Loaded bands for players on any threads. A compiled program computes nonsense when two threads run it at once,
    so each has a lock, and there are as many as there are cores to run them, loaded as they are needed. Any thread.
    """

    def __init__(self, weights: Path | None) -> None:
        self._load = lambda: load_band(weights)
        self._lock = threading.Lock()
        self._programs: list[tuple[LoadedBand, threading.Lock, weakref.WeakSet[SharedAccompanist]]] = []
        self._most = max(1, os.cpu_count() or 1)
        self._add()

    def _add(self) -> None:
        self._programs.append((self._load(), threading.Lock(), weakref.WeakSet()))

    def new_player(self, seed: int) -> SharedAccompanist:
        """A player on the program that the fewest others use now."""
        with self._lock:
            if all(players for _, _, players in self._programs) and len(self._programs) < self._most:
                self._add()
            loaded, lock, players = min(self._programs, key=lambda program: len(program[2]))
            with lock:
                player = SharedAccompanist(Accompanist(loaded, seed), lock)
            players.add(player)
            return player


class SharedAccompanist:
    """An Accompanist that waits for its turn on a program that others use too. One thread at a time."""

    def __init__(self, player: Accompanist, turn: threading.Lock) -> None:
        self._player, self._turn = player, turn
        self.sample_rate_hz, self.frame_samples = player.sample_rate_hz, player.frame_samples
        self.tail_samples, self.play_delay_samples = player.tail_samples, player.play_delay_samples
        self.harmonist = player.harmonist  # no part of the program, so it waits for no turn

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
