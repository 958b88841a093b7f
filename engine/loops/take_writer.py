"""Writes what is heard into the takes of a loop: the first as it comes in, others over it, faded at both ends.

Knows neither commands nor bars. Positions are samples of the input clock. Inference thread only; float32, mono.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .input_history import InputHistory
from .loop_reader import LoopReader
from .loop_sound import LoopSound

Array = NDArray[np.float32]


@dataclass
class _Filling:
    """A first take that plays before its end is heard: input [begin, end)."""

    loop: LoopSound
    begin: int
    end: int


@dataclass
class _Overdub:
    loop: LoopSound
    begin: int


class TakeWriter:
    """One run's. Inference thread only."""

    def __init__(self, history: InputHistory, reader: LoopReader, fade_samples: int, rate_hz: int) -> None:
        """`history`: what was heard, newest last; `reader`: it knows where the loop lies."""
        self._history, self._reader = history, reader
        self._fade, self._rate_hz = fade_samples, rate_hz
        self._filling: _Filling | None = None
        self._overdub: _Overdub | None = None

    @property
    def whole(self) -> bool:
        """Whether the first take's end has been heard."""
        return self._filling is None

    def hear(self, position: int, count: int) -> None:
        """So many samples from that position on are in the history now."""
        self._fill(position)
        if self._overdub is not None:
            self._add(max(position, self._overdub.begin), position + count)

    # ------------------------------------------------------------------------------------------------ the first take

    def first_take(self, loop: LoopSound, begin: int, end: int) -> None:
        """Input [begin, end) is the loop's first take; what of it is still to come comes in as it is heard."""
        self._filling = _Filling(loop, begin, end)
        self._fill(begin)

    def _fill(self, first: int) -> None:
        filling = self._filling
        if filling is None:
            return
        loop, last = filling.loop, min(self._history.end, filling.end)
        first = max(first, filling.begin)
        if last > first:
            loop.fill(first - filling.begin, self._history.read(first, last - first))
        if self._history.end >= filling.end:
            loop.close(self._history.read(filling.begin - loop.seam_samples, loop.seam_samples))
            self._filling = None

    # -------------------------------------------------------------------------------------------------- what follows

    def begin(self, loop: LoopSound, position: int) -> None:
        """From that position on, which may be past, what is heard is a take over the others."""
        loop.begin_take(self._rate_hz)
        self._reader.swap(loop.sound)
        self._overdub = _Overdub(loop, position)
        self._add(position, self._history.end)

    def end(self, position: int) -> None:
        """It ends there: what was added beyond is taken away again, and a short fall before it."""
        overdub, self._overdub = self._overdub, None
        if overdub is None:
            return
        begin, heard = overdub.begin, self._history.end
        end = min(max(position, begin), heard)
        first = max(begin, end - self._fade)
        too_much = self._history.read(first, heard - first)
        too_much *= self._rise(first - begin, too_much.size)
        too_much *= self._rise(0, too_much.size, max(1, end - first))
        overdub.loop.add(self._place(overdub.loop, first), -too_much)

    def drop(self) -> None:
        """The take that is being written was none."""
        if self._overdub is not None:
            self._overdub.loop.drop_take()
            self._reader.swap(self._overdub.loop.sound)
        self._overdub = None

    def lay_over(self, loop: LoopSound, first: int, last: int) -> None:
        """Input [first, last), which is past, as a take over the others, where it was played."""
        loop.begin_take(self._rate_hz)
        sound = self._history.read(first, last - first)
        sound *= self._rise(0, sound.size)
        sound *= self._rise(0, sound.size)[::-1]
        loop.add(self._place(loop, first), sound)

    def _add(self, first: int, last: int) -> None:
        if self._overdub is not None and last > first:
            sound = self._history.read(first, last - first)
            sound *= self._rise(first - self._overdub.begin, sound.size)
            self._overdub.loop.add(self._place(self._overdub.loop, first), sound)

    def _place(self, loop: LoopSound, position: int) -> int:
        """Where in the loop that input lies."""
        return (position - self._reader.anchor_at(position)) % loop.length

    def _rise(self, since: int, count: int, fade: int | None = None) -> Array:
        """Gain of `count` samples, the first of which comes so long after a fade in has begun."""
        return np.clip((since + np.arange(1, count + 1)) / (fade or self._fade), 0.0, 1.0).astype(np.float32)
