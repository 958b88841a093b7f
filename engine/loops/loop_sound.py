"""A loop's sound: its bars, and its takes, each with all that was played over the one before. Seams are crossfaded.

Knows neither time nor commands: positions count from the loop's first sample. Inference thread only; float32, mono.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...dsp.crossfade import crossfade

Array = NDArray[np.float32]
MOST_TAKES = 16
MOST_SECONDS = 600.0
"""Of all takes together; beyond that, or beyond MOST_TAKES, the oldest go, and undo leads back less far."""


class LoopSound:
    """Takes of one length; the last is what is heard. Inference thread only."""

    def __init__(self, offsets: tuple[int, ...], beats: tuple[int, ...], seam_samples: int) -> None:
        """`offsets`: where each bar begins, from 0, and the loop's end; `beats`: of each bar."""
        self.offsets, self.beats = offsets, beats
        self.seam_samples = min(seam_samples, offsets[-1] // 2)
        self.takes: list[Array] = [np.zeros(offsets[-1], np.float32)]
        self.version = 0
        """Another after each change."""
        self._undone: list[Array] = []
        self._whole: tuple[tuple[int, ...], tuple[int, ...], list[Array], list[Array]] | None = None  # before `halve`

    @property
    def length(self) -> int:
        """In samples."""
        return self.offsets[-1]

    @property
    def bars(self) -> int:
        return len(self.beats)

    @property
    def sound(self) -> Array:
        """What is heard of it: [length]."""
        return self.takes[-1]

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def bar_at(self, place: float) -> int:
        """The bar that holds a place of the loop."""
        return int(np.searchsorted(self.offsets, place, side="right")) - 1 if place < self.length else self.bars - 1

    # ---------------------------------------------------------------------------------------------- what is played

    def fill(self, place: int, block: Array) -> None:
        """The first take from that place on, as it comes in; every take holds it."""
        self.version += 1
        for take in (*self.takes, *self._undone):
            take[place : place + block.size] = block

    def close(self, before: Array) -> None:
        """The first take is whole: its end goes over into what was heard `before` its beginning, [seam_samples]."""
        self.version += 1
        seam = self.seam_samples
        end = crossfade(self.takes[0][-seam:], before[-seam:], equal_power=False)
        change = end - self.takes[0][-seam:]
        for take in (*self.takes, *self._undone):
            take[-seam:] += change

    def begin_take(self, rate_hz: int) -> None:
        """What is added from now on can be undone."""
        self.version += 1
        self.takes.append(self.sound.copy())
        self._undone.clear()
        self._whole = None
        most = max(2, min(MOST_TAKES, int(MOST_SECONDS * rate_hz / self.length)))
        del self.takes[:-most]

    def add(self, place: int, block: Array) -> None:
        """Play over the last take: from that place on, round and round."""
        self.version += 1
        done = 0
        while done < block.size:
            at = (place + done) % self.length
            count = min(block.size - done, self.length - at)
            self.sound[at : at + count] += block[done : done + count]
            done += count

    # --------------------------------------------------------------------------------------------- what is changed

    def undo(self) -> bool:
        """Back to the take before; False where there is none."""
        self.version += 1
        if len(self.takes) < 2:
            return False
        self._undone.append(self.takes.pop())
        return True

    def drop_take(self) -> None:
        """The last take was none: it cannot be done again."""
        self.version += 1
        if len(self.takes) > 1:
            self.takes.pop()

    def redo(self) -> bool:
        """What was undone last is there again; False where nothing was."""
        self.version += 1
        if not self._undone:
            return False
        self.takes.append(self._undone.pop())
        return True

    def halve(self) -> bool:
        """Its first half is the loop from now on; False where that is not a whole number of bars."""
        self.version += 1
        if self.bars % 2:
            return False
        self._whole = (self.offsets, self.beats, self.takes, self._undone)
        half = self.bars // 2
        self.offsets, self.beats = self.offsets[: half + 1], self.beats[:half]
        self.takes = [self._first_half(take) for take in self.takes]
        self._undone = [self._first_half(take) for take in self._undone]
        return True

    def _first_half(self, take: Array) -> Array:
        seam, half = self.seam_samples, take[: self.length].copy()
        half[-seam:] = crossfade(half[-seam:], take[-seam:], equal_power=False)  # that leads to the beginning
        return half

    def double(self) -> None:
        """Twice as many bars: those that were left out by `halve`, if nothing was played since, else the same again."""
        self.version += 1
        if self._whole is not None:
            self.offsets, self.beats, self.takes, self._undone = self._whole
            self._whole = None
            return
        self.offsets = (*self.offsets, *(self.length + offset for offset in self.offsets[1:]))
        self.beats = self.beats * 2
        self.takes = [np.tile(take, 2) for take in self.takes]
        self._undone = [np.tile(take, 2) for take in self._undone]

    def at_length(self, offsets: tuple[int, ...], takes: list[Array]) -> LoopSound:
        """The same loop, its takes brought to another length."""
        other = LoopSound(offsets, self.beats, self.seam_samples)
        other.takes = takes
        return other
