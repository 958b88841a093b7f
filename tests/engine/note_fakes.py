"""A player with notes for tests: an impulse and a drum on every beat, a long bass note and a chord on every bar."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from gigmate.engine.player import Controls, Moment

from .fakes import FRAME, PLAYER_HZ, Clicker


class Event(NamedTuple):
    part: int
    pitch: int
    velocity: int
    offset_samples: int


class Trio(Clicker):
    """What it sounds and what it writes are at the same moments."""

    def __init__(self, *args: int) -> None:
        super().__init__(*args)
        self._events: list[Event] = []
        self._sounding: set[tuple[int, int]] = set()

    def reset(self, seed: int, ahead_frames: int) -> None:
        super().reset(seed, ahead_frames)
        self._sounding.clear()

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        sound = super().play(moment, controls)
        beat = 60.0 / moment.tempo_bpm * PLAYER_HZ
        at = round((1.0 - moment.beat_phase) % 1.0 * beat)
        self._events = [Event(part, pitch, 0, 0) for part, pitch in sorted(self._sounding) if part == 0]
        self._sounding = {key for key in self._sounding if key[0] != 0}
        if at < FRAME:
            last = round(moment.bar_phase * moment.beats_per_bar + at / beat) % moment.beats_per_bar == 0
            keys = [(0, 36), *([(1, 40), (2, 60), (2, 64)] if last else [])]
            self._events += [Event(*key, 0, at) for key in keys if key in self._sounding]
            self._events += [Event(*key, 100, at) for key in keys]
            self._sounding.update(keys)
        return sound

    def notes(self) -> list[Event]:
        return self._events
