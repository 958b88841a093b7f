"""Reads a loop along the input's time: which sound lies where, faded where that changes, switched and levelled.

Knows no commands. Positions are samples of the input clock: sound that is given for position s is heard together with
input sample s. Inference thread only.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dsp.crossfade import Gate, crossfade

Array = NDArray[np.float32]
GATE_MS = 20.0


class Segment(NamedTuple):
    """From a position on, this sound, whose first sample lies at `anchor`. Inference thread only."""

    position: int
    sound: Array
    anchor: int


class LoopReader:
    """Sound by input positions. Inference thread only."""

    def __init__(self, rate_hz: int, fade_samples: int) -> None:
        self._fade = fade_samples
        self._segments: list[Segment] = []
        self._gate = Gate(max(1, round(GATE_MS * rate_hz / 1000)))
        self._switches: list[tuple[int, bool]] = []
        self._open = False
        self._gain: float | None = None  # nobody hears it yet: it may be at its level at once

    @property
    def silent(self) -> bool:
        """Whether nothing is to be heard, and nothing was asked for."""
        return self._gate.closed and not self._open and not self._switches

    @property
    def opened(self) -> bool:
        """Whether it sounds, or is about to."""
        return self._switches[-1][1] if self._switches else self._open

    def lay(self, position: int, sound: Array, anchor: int) -> None:
        """From that position on, faded over from what was."""
        if self.silent:
            self._segments.clear()  # there is nothing to fade from
            self._gain = None
        self._segments = [segment for segment in self._segments if segment.position < position]
        self._segments.append(Segment(position, sound, anchor))

    def swap(self, sound: Array) -> None:
        """The same sound in other memory."""
        self._segments[-1] = self._segments[-1]._replace(sound=sound)

    def switch(self, position: int, opened: bool) -> None:
        """From that position on it is heard, or goes out."""
        self._switches = [one for one in self._switches if one[0] < position]
        self._switches.append((position, opened))

    def anchor_at(self, position: float) -> int:
        """Where the first sample of what lies there lies; for a position before all of it the first that there is."""
        place = bisect_right(self._segments, position, key=lambda segment: segment.position)
        return self._segments[max(0, place - 1)].anchor

    def read(self, position: int, count: int, gain: float) -> Array:
        """The next `count` samples, float32; the gain glides to that."""
        sound = self._laid(position, count)
        sound *= self._gates(position, count)
        before, self._gain = self._gain, gain
        if before is not None and before != gain:
            sound *= np.linspace(before, gain, count + 1, dtype=np.float32)[1:]
        elif gain != 1.0:
            sound *= np.float32(gain)
        while len(self._segments) > 1 and self._segments[1].position + self._fade < position - 2 * count:
            self._segments.pop(0)
        return sound

    def _laid(self, position: int, count: int) -> Array:
        sound = np.zeros(count, np.float32)
        end = position + count
        for place, segment in enumerate(self._segments):
            until = self._segments[place + 1].position if place + 1 < len(self._segments) else end
            first, last = max(position, segment.position), min(end, until)
            if place == 0:
                first = position
            if last > first:
                sound[first - position : last - position] = _round(segment, first, last - first)
            fade_end = segment.position + self._fade
            if place and max(position, segment.position) < min(end, fade_end):
                first, last = max(position, segment.position), min(end, fade_end)
                old = _round(self._segments[place - 1], segment.position, self._fade)
                new = _round(segment, segment.position, self._fade)
                faded = crossfade(old, new, equal_power=False)
                sound[first - position : last - position] = faded[first - segment.position : last - segment.position]
        return sound

    def _gates(self, position: int, count: int) -> Array:
        gains, done = [], 0
        while self._switches and self._switches[0][0] < position + count:
            at, opened = self._switches.pop(0)
            until = max(done, at - position)
            gains.append(self._gate.gains(until - done, self._open))
            self._open, done = opened, until
        gains.append(self._gate.gains(count - done, self._open))
        return np.concatenate(gains)


def _round(segment: Segment, position: int, count: int) -> Array:
    """The segment's sound from that position on, round and round."""
    sound, start = segment.sound, (position - segment.anchor) % segment.sound.size
    if start + count <= sound.size:
        return sound[start : start + count].copy()
    return sound[(start + np.arange(count)) % sound.size]
