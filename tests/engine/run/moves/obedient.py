"""A player for tests that does what a hand asks of it, and sounds what it plays: a burst for each note, keys on top."""

from __future__ import annotations

from typing import Any

import numpy as np
from gigmate.engine.commands import Command
from gigmate.engine.player import Controls, Moment
from gigmate.engine.run.worker import Worker
from gigmate.engine.timing.fixed_grid import GridConductor

from ...fakes import FRAME, PLAYER_HZ, Driven, FakePlayer
from ...note_fakes import Event

HZ = 48_000
BURST = 0.3 * np.exp(-np.arange(FRAME) / 200.0) * np.sin(2 * np.pi * 1000 / PLAYER_HZ * np.arange(FRAME))
PITCHES = (36, 40, 60)


class Obedient(FakePlayer):
    """Eighth notes in every part, and whatever a hand asks for."""

    def __init__(self, play_delay_samples: int = 0) -> None:
        super().__init__(play_delay_samples)
        self.told: list[Controls] = []
        self._events: list[Event] = []
        self._sounding: set[int] = set()
        self._tails = np.zeros((3, 2 * FRAME))

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        self.told.append(controls)
        self.moments.append(moment)
        half = 30.0 / moment.tempo_bpm * PLAYER_HZ
        due = (-2.0 * moment.beat_phase) % 1.0 * half
        self._events = []
        sound = np.zeros((3, 2 * FRAME))
        sound[:, :FRAME] = self._tails[:, FRAME:]
        for part, hand in enumerate(controls.hand.parts):
            at = round(due) if due < FRAME else None
            if hand.hit_at is not None:
                at = int(4 * hand.hit_at) * FRAME // 4
            elif hand.rest or hand.hold:
                at = None
            if part in self._sounding and (at is not None or hand.rest):
                self._events.append(Event(part, PITCHES[part], 0, at or 0))
                self._sounding.discard(part)
            if at is not None:
                self._events.append(Event(part, PITCHES[part], 100, at))
                self._sounding.add(part)
                sound[part, at : at + FRAME] += BURST
        self._events.sort(key=lambda event: event.offset_samples)
        self._tails = sound
        return sound[:, :FRAME].astype(np.float32)

    def notes(self) -> list[Event]:
        return self._events


class Gig:
    """A worker driven by hand, with commands at frames; keeps what was placed and told, by the input's clock."""

    def __init__(
        self,
        tempo_bpm: float = 120.0,
        metre: int = 4,
        conductor: object | None = None,
        player: FakePlayer | None = None,
    ) -> None:
        self.player: Any = Obedient() if player is None else player
        grid = GridConductor(tempo_bpm, metre, HZ)
        self.driven = Driven(self.player, HZ, conductor or grid)  # type: ignore[arg-type]
        self.beat_samples, self.metre = 60.0 / tempo_bpm * HZ, metre
        self.notes: list[tuple[int, float, int]] = []
        """(part, place, velocity), ends too."""
        self.statuses: list[object] = []
        self.cuts: list[float] = []
        self.places: list[int] = []
        """Where the moments of each frame of the player's begin, in the input."""

    @property
    def worker(self) -> Worker:
        return self.driven.worker

    def play(self, seconds: float, at: dict[float, Command] | None = None) -> None:
        """So long, with commands posted when so many seconds were heard."""
        waiting = sorted((at or {}).items())
        frames = round(seconds * HZ / self.worker.host_frame)
        for _ in range(frames):
            heard_s = sum(map(len, self.driven.out)) / HZ
            while waiting and waiting[0][0] <= heard_s:
                self.driven.commands.post(waiting.pop(0)[1])
            made = self.worker.made_frames
            self.driven.callback()
            self.driven.step()
            fresh = self.worker.made_frames - made
            self.places += [self.worker._playout.nominal(self.worker._next - back) for back in range(fresh, 0, -1)]
            if self.worker._band.moves.cut_samples is not None:
                self.cuts.append(self.worker._band.moves.cut_samples)
            if fresh:
                self.notes += [(n.part, n.position_samples, n.velocity) for n in self.worker._band.placed_notes]
            self.statuses.append(self.worker.status)

    def onsets(self, begin: float, end: float, part: int | None = None) -> list[tuple[int, float]]:
        """(part, place) of notes that begin there."""
        return [
            (row, place) for row, place, velocity in self.notes
            if velocity > 0 and begin <= place < end and part in (None, row)
        ]  # fmt: skip

    def energy_db(self, begin: float, end: float) -> float:
        """RMS of what was played there, dBFS."""
        piece = self.driven.played[round(begin) : round(end)].astype(np.float64)
        return float(10 * np.log10(np.mean(piece**2) + 1e-12))
