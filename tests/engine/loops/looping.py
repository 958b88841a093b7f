"""A looper with a musician and a clock of its own, driven frame by frame without a band."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from gigmate.engine.commands import Command, LoopDo, LoopKeep, LoopPress, SetTempo
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.loops.looper import Looper
from gigmate.engine.position import Point
from gigmate.engine.timing.anchor import Anchor
from gigmate.engine.timing.conductor import Conductor
from gigmate.engine.timing.entrance_cue import EntranceCue
from numpy.typing import NDArray

RATE = 48_000
FRAME = 1920
AHEAD = 3 * FRAME
Array = NDArray[np.float32]


def numbered(position: int, count: int) -> Array:
    """Input whose every sample says where it is, as far as float32 can: a value of its own within 20 s, never 0."""
    return (((position + np.arange(count)) % 960_000 + 1) / 1_000_000).astype(np.float32)


class OtherClock:
    """Somebody else's time, whose tempo a test may change. Beats run from position 0."""

    name = "transport"

    def __init__(self, tempo_bpm: float) -> None:
        self.line = Anchor(0.0, 0.0, tempo_bpm, 1.0, 4, 0)
        self.stopped = False
        self.starts = 0

    def anchor(self, position_samples: float) -> Anchor | None:
        if self.stopped:
            return None
        beat = self.line.beat_at(position_samples, RATE)
        return Anchor(position_samples, beat, self.line.tempo_bpm, 1.0, 4, int(beat // 1 % 4))

    def turn_to(self, tempo_bpm: float, position: float) -> None:
        self.line = Anchor(position, self.line.beat_at(position, RATE), tempo_bpm, 1.0, 4, 0)


class PlainTime:
    """A conductor of a steady tempo, as quick as a test of an hour needs it; a loop that plays leads it."""

    def __init__(self, tempo_bpm: float, looper: Looper | None = None) -> None:
        self._steady = Anchor(0.0, 0.0, tempo_bpm, 1.0, 4, 0)
        self._looper = looper

    def _line(self, position: float) -> Anchor:
        led = None if self._looper is None else self._looper.time.anchor(position)
        return led or replace(self._steady, position_samples=position, beat=self._steady.beat_at(position, RATE))

    def peek(self, position: float) -> Point:
        beat = self._line(position).beat
        return Point(position, beat, beat // 4 * 4, int(beat // 4), 4)

    moment = peek

    def hear(self, heard: object, end: float, frame: float) -> None:
        """It does not listen."""

    def bar_samples(self) -> int:
        return round(240.0 / self._steady.tempo_bpm * RATE)

    def entrance_cue(self) -> EntranceCue:
        led = self._looper is not None and self._looper.time.anchor(0.0) is not None
        return EntranceCue(source="loop" if led else "tempo", beat=True, bar=True)


class Rig:
    """Input in, the loop's sound out, by input positions."""

    def __init__(self, tempo_bpm: float = 120.0, sound: Callable[[int, int], Array] = numbered) -> None:
        self.conductor = Conductor(RATE, tempo_bpm, listen=False)
        self.conductor.moment(0)  # bars begin at position 0
        self.faults = FaultLog()
        self.looper = Looper(RATE, FRAME, self.conductor, self.faults)
        self.conductor.follow_loop(self.looper.time)
        self.sound = sound
        self.at = 0
        self.heard_by_band: list[Array] = []
        self.out = np.zeros(0, np.float32)
        """The loop's sound by input positions, from 0."""

    def run(self, until: int) -> None:
        """Go on until that input position (of whole frames)."""
        from gigmate.engine.player import HeardFrame

        pieces = [self.out]
        while self.at + FRAME <= until:
            block = self.sound(self.at, FRAME)
            self.heard_by_band.append(self.looper.hear(self.at, block))
            self.at += FRAME
            self.conductor.hear(HeardFrame(), self.at, FRAME)
            made = self.looper.make(self.at + AHEAD)
            have = sum(piece.size for piece in pieces)
            if made is not None:
                position, sound = made
                pieces += [np.zeros(position - have, np.float32), sound]
        missing = self.at + AHEAD - sum(piece.size for piece in pieces)
        self.out = np.concatenate([*pieces, np.zeros(max(0, missing), np.float32)])

    def ask(self, command: Command, at: float | None = None) -> None:
        """A command that is meant at an input position, by default now."""
        position = self.at if at is None else at
        if isinstance(command, SetTempo):
            if not self.looper.set_tempo(command.tempo_bpm):
                raise AssertionError("no loop leads")
            return
        self.looper.obey(command, position)  # type: ignore[arg-type]

    def press(self, at: float | None = None) -> None:
        self.ask(LoopPress(), at)

    def do(self, deed: str, at: float | None = None) -> None:
        self.ask(LoopDo(deed), at)  # type: ignore[arg-type]

    def keep(self, bars: int) -> None:
        self.ask(LoopKeep(bars))

    @property
    def phase(self) -> str:
        return self.looper.phase


def looped(rig: Rig, begin: int, length: int) -> Array:
    """What a loop of that input is, but for the seam at its end."""
    return rig.sound(begin, length)
