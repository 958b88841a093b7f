"""MIDI clock output: 24 ticks per quarter note, start and stop, each sent at its own sample.

Knows musical time as points, and the bridge that takes messages. A beat has as many ticks as the metre says: 36 where
it is a dotted quarter. Inference thread only.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ...position import Point
from .midi_clock_in import TICKS_PER_QUARTER

CLOCK, START, CONTINUE, STOP, SONG_POSITION = b"\xf8", 0xFA, 0xFB, b"\xfc", 0xF2
_BEFORE_S = 0.002
"""A start stands so long before its first tick, so that slow machines are ready for it."""
_SIXTEENTHS_PER_QUARTER = 4
_HAIR_BEATS = 1e-6


class MidiClockOut:
    """Asked once a frame, in order; never sends what was sent before. Inference thread only."""

    def __init__(self, push: Callable[[int, bytes], bool], rate_hz: int) -> None:
        """`push(position, message)`: takes a message for an output sample; False where there is no room."""
        self._push = push
        self._before = round(_BEFORE_S * rate_hz)
        self._last_beat: float | None = None  # place of the last tick sent
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
            self._last_beat = None
            return
        here, there = peek(start), peek(start + count)
        if there.beat <= here.beat:
            return
        per_beat = count / (there.beat - here.beat)
        ticks = self._ticks(here, there)
        if self._runs and ticks and self._leapt(*ticks[0]):
            self._stop(start - offset)
        for beat, bar in ticks:
            position = round(start + (beat - here.beat) * per_beat) - offset
            if beat == math.floor(beat):
                self._on_beat(position, round(beat - bar.bar_beat) * bar.beat_quarters, sounds and not off)
            self._send(position, CLOCK)
            self._last_beat = beat

    def _ticks(self, here: Point, there: Point) -> list[tuple[float, Point]]:
        """Places of the ticks from one point to the other, and the bar that each is in, without those already sent."""
        ticks: list[tuple[float, Point]] = []
        last = self._last_beat
        for whole in range(math.floor(here.beat + _HAIR_BEATS), math.ceil(there.beat - _HAIR_BEATS)):
            bar = there if whole >= there.bar_beat - _HAIR_BEATS else here
            number = round(TICKS_PER_QUARTER * bar.beat_quarters)
            for tick in range(number):
                beat = whole + tick / number
                sent = last is not None and last - 1.0 < beat <= last + _HAIR_BEATS
                if here.beat - _HAIR_BEATS <= beat < there.beat - _HAIR_BEATS and not sent:
                    ticks.append((beat, bar))
        return ticks

    def _leapt(self, beat: float, bar: Point) -> bool:
        """Whether ticks were left out: a machine that plays would be behind for ever, and must begin anew."""
        usual = 1.0 / (TICKS_PER_QUARTER * bar.beat_quarters)
        return self._last_beat is not None and not 0.0 < beat - self._last_beat < 2.5 * usual

    def _on_beat(self, position: int, quarters: float, sounds: bool) -> None:
        """The tick to come is a beat, so many quarters into its bar: there the machine begins, or ends on a line."""
        if sounds and not self._runs:
            self._runs = True
            before = position - self._before
            if quarters == 0:
                self._send(before, bytes([START]))
            else:
                sixteenths = round(quarters * _SIXTEENTHS_PER_QUARTER)
                self._send(before, bytes([SONG_POSITION, sixteenths & 0x7F, sixteenths >> 7 & 0x7F]))
                self._send(before, bytes([CONTINUE]))
        elif self._runs and not sounds and quarters == 0:
            self._stop(position)

    def _stop(self, position: int) -> None:
        self._runs = False
        self._send(position, STOP)

    def _send(self, position: int, message: bytes) -> None:
        self._last_position = max(position, self._last_position)
        if not self._push(self._last_position, message):
            self.dropped += 1
