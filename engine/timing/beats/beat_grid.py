"""What was heard lately, laid out along the beats that are held: one cell for each 24th of a beat.

Knows neither filters nor what a beat is: positions come from whoever holds a line. Holds a fixed number of cells.
Inference thread only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...player import Heard

CELLS = 24
"""To a beat: halves, thirds and quarters of it, and of its halves and doubles, fall on cells."""
_BEATS = 48  # remembered
_REACH_S = 0.03  # an activation counts for cells this near
_STRUCK = 0.3  # onset from which a note has begun
_ROOTS = 13

FloatArray = NDArray[np.float64]


class BeatGrid:
    """The last beats, cell by cell: activations, notes struck, and the chord's root. Inference thread only."""

    def __init__(self, chord_lag_s: float) -> None:
        """`chord_lag_s`: how long after a change the listener's root turns."""
        self._chord_lag_s = chord_lag_s
        self._size = 2 * _BEATS * CELLS
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.beat = np.zeros(self._size)
        self.downbeat = np.zeros(self._size)
        self.struck = np.zeros(self._size)
        self.roots = np.zeros((self._size, _ROOTS))
        self._first = 0  # number of the cell at index 0
        self._begun = False
        self._from = self._end = 0  # cells that hold something: numbers
        self._last_onset = np.zeros(2)

    def hear(self, heard: Heard, begins_at: float, ends_at: float, rate_hz: float) -> None:
        """One frame, from beat `begins_at` of the held line to beat `ends_at`, at `rate_hz` beats a second."""
        begin, end = begins_at * CELLS, ends_at * CELLS
        if not self._begun:
            self._begun, self._first = True, math.floor(begin) - 2 * CELLS
            self._from = math.floor(begin)
        reach = max(0.5, _REACH_S * rate_hz * CELLS)
        self._make_room(math.ceil(end + reach) + 1)
        count = len(heard.beat)
        struck = self._strikes(heard.onset)
        for i in range(count):
            at = begin + (i + 0.5) / count * (end - begin) - self._first
            low, high = max(math.ceil(at - reach), 0), math.floor(at + reach) + 1
            for row, value in ((self.beat, heard.beat[i]), (self.downbeat, heard.downbeat[i])):
                piece = row[low:high]
                np.maximum(piece, value, out=piece)
            if struck[i]:  # told one sub-frame late
                self.struck[max(round(at - (end - begin) / count), 0)] = 1.0
        late = self._chord_lag_s * rate_hz * CELLS
        self._add_root(heard.chord_root, begin - late - self._first, end - late - self._first)
        self._end = max(self._end, math.floor(end))

    def _strikes(self, onset: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether the sub-frame before each [S] is where a note began."""
        row = np.concatenate([self._last_onset, np.asarray(onset, np.float64)])
        self._last_onset = row[-2:]
        before, here, after = row[:-2], row[1:-1], row[2:]
        peaks: NDArray[np.bool_] = (here >= before) & (here > after) & (here > _STRUCK)
        return peaks

    def _add_root(self, root: NDArray[np.float32], begin: float, end: float) -> None:
        for cell in range(max(math.floor(begin), 0), math.ceil(end)):
            share = min(end, cell + 1) - max(begin, cell)
            if share > 0:
                self.roots[cell] += share * np.asarray(root, np.float64)

    def _make_room(self, until: int) -> None:
        if until - self._first < self._size:
            return
        gone = until - self._first - self._size // 2
        for row in (self.beat, self.downbeat, self.struck, self.roots):
            kept = row[gone:].copy()
            row[: len(kept)] = kept
            row[len(kept) :] = 0.0
        self._first += gone
        self._from = max(self._from, self._first)

    def recount(self, ratio: float, old_beat: float, new_beat: float) -> None:
        """The held line is another one from now on: its beat `new_beat` was `old_beat`, and one of its beats lasts
        `ratio` of the old ones. What was heard moves to the new cells."""
        if not self._begun:
            return
        length = math.floor((self._end - self._from) / ratio)
        end = new_beat * CELLS
        first = math.floor(end) - min(length, self._size - 4 * CELLS)
        numbers = np.arange(first, math.floor(end) + 1)
        source = (numbers - end) * ratio + old_beat * CELLS - self._first
        index = np.clip(np.round(source).astype(int), 0, self._size - 1)
        self.struck = self._moved_strikes(ratio, old_beat, new_beat, first)
        for name in ("beat", "downbeat"):
            row = np.zeros(self._size)
            row[: len(index)] = getattr(self, name)[index]
            setattr(self, name, row)
        roots = np.zeros((self._size, _ROOTS))
        roots[: len(index)] = self.roots[index] * ratio
        self.roots = roots
        self._first = self._from = first
        self._end = math.floor(end)

    def _moved_strikes(self, ratio: float, old_beat: float, new_beat: float, first: int) -> FloatArray:
        places = np.flatnonzero(self.struck) + self._first
        moved = np.round((places - old_beat * CELLS) / ratio + new_beat * CELLS).astype(int) - first
        row = np.zeros(self._size)
        row[moved[(moved >= 0) & (moved < self._size)]] = 1.0
        return row

    def window(self, beats: float) -> tuple[int, int, int]:
        """First and last index (exclusive) of the last so many beats, and the number of the first one's cell."""
        end = self._end - self._first
        begin = max(end - round(min(beats, _BEATS) * CELLS), self._from - self._first, 0)
        return begin, max(end, begin), begin + self._first
