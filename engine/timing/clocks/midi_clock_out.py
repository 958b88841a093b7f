"""MIDI clock for a drum machine that follows the band: 24 ticks a beat, start and stop, each at its own sample.

Knows musical time as points, and the bridge that takes messages. Inference thread only.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ...position import Point
from .midi_clock_in import TICKS_PER_QUARTER as TICKS_PER_BEAT

CLOCK, START, CONTINUE, STOP, SONG_POSITION = b"\xf8", 0xFA, 0xFB, b"\xfc", 0xF2
_BEFORE_S = 0.002
"""A start stands so long before its first tick, so that slow machines are ready for it."""
_SIXTEENTHS_PER_BEAT = 4


class MidiClockOut:
    """Asked once a frame, in order; never sends what was sent before. Inference thread only."""

    def __init__(self, push: Callable[[int, bytes], bool], rate_hz: int) -> None:
        """`push(position, message)`: takes a message for an output sample; False where there is no room."""
        self._push = push
        self._before = round(_BEFORE_S * rate_hz)
        self._last_tick: int | None = None  # number of the last tick sent
        self._last_position = -(1 << 62)
        self._runs = False  # what the machine was told
        self.dropped = 0

    def frame(
        self, start: int, count: int, peek: Callable[[float], Point], offset: int, known: bool, sounds: bool, off: bool
    ) -> None:
        """Musical time [start, start + count), sent `offset` samples earlier.

        `known`: there is a beat to send. `sounds`: the machine is to play from the next beat on, else to stop on the
        next bar line, or at once where the band is `off`.
        """
        if self._runs and (off or not known):
            self._stop(start - offset)
        if not known:
            self._last_tick = None
            return
        here, there = peek(start), peek(start + count)
        if there.beat <= here.beat:
            return
        first = math.ceil(here.beat * TICKS_PER_BEAT - 1e-6)
        if self._last_tick is not None and self._last_tick - TICKS_PER_BEAT < first <= self._last_tick:
            first = self._last_tick + 1
        per_beat = count / (there.beat - here.beat)
        for tick in range(first, math.ceil(there.beat * TICKS_PER_BEAT - 1e-6)):
            beat = tick / TICKS_PER_BEAT
            position = round(start + (beat - here.beat) * per_beat) - offset
            if tick % TICKS_PER_BEAT == 0:
                bar = there if beat >= there.bar_beat - 1e-6 else here
                self._on_beat(position, round(beat - bar.bar_beat), sounds and not off)
            self._send(position, CLOCK)
            self._last_tick = tick

    def _on_beat(self, position: int, place: int, sounds: bool) -> None:
        """The tick to come is a beat: the one at which the machine begins, or ends on a bar line."""
        if sounds and not self._runs:
            self._runs = True
            before = position - self._before
            if place == 0:
                self._send(before, bytes([START]))
            else:
                sixteenths = place * _SIXTEENTHS_PER_BEAT
                self._send(before, bytes([SONG_POSITION, sixteenths & 0x7F, sixteenths >> 7 & 0x7F]))
                self._send(before, bytes([CONTINUE]))
        elif self._runs and not sounds and place == 0:
            self._stop(position)

    def _stop(self, position: int) -> None:
        self._runs = False
        self._send(position, STOP)

    def _send(self, position: int, message: bytes) -> None:
        self._last_position = max(position, self._last_position)
        if not self._push(self._last_position, message):
            self.dropped += 1
