"""The last minute of what the listener said, as the metre network looks at it. Inference thread only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .....dsp.metre_slots import SUMS, HeardSpan, frame_sums, tempo_votes
from ....player import Heard


class LastMinute:
    """Rolling arrays of a fixed size: what is heard moves back once a window. Inference thread only."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._frames = self._size = 0
        self._frame_s = 0.0
        self._sub: NDArray[np.float32] = np.zeros((3, 0), np.float32)
        self._sums: NDArray[np.float64] = np.zeros((1, SUMS))
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._at = self._known = 0
        self._end_s = 0.0
        self._played: NDArray[np.float64] = np.zeros(12)  # of the newest frame; all else is told of the one before
        self._votes: NDArray[np.float64] = np.zeros((0, 0))
        self._sub[:], self._sums[:] = 0.0, 0.0

    def _prepare(self, size: int, frame_s: float) -> None:
        frames = round(self._window_s / frame_s)
        if self._frames != frames or self._sub.shape[1] != 2 * frames * size:
            self._frames, self._frame_s, self._size = frames, frame_s, size
            self._sub = np.zeros((3, 2 * frames * size), np.float32)
            self._sums = np.zeros((2 * frames + 1, SUMS))
            self._at = self._known = 0

    def hear(self, heard: Heard, end_s: float, frame_s: float) -> None:
        """One frame, which ends at `end_s`."""
        size = len(heard.beat)
        self._prepare(size, frame_s)
        frames, tempo = self._frames, getattr(heard, "tempo", None)
        votes = 0 if tempo is None else len(tempo)
        if self._votes.shape != (2 * frames + 1, votes):
            self._votes = np.zeros((2 * frames + 1, votes))
        if self._at == 2 * frames:
            self._sub[:, : frames * size] = self._sub[:, frames * size :]
            for kept in (self._sums, self._votes):
                kept[: frames + 1] = kept[frames:] - kept[frames]
            self._at = frames
        newest = self._sub[:, self._at * size : (self._at + 1) * size]
        newest[0], newest[1], newest[2] = heard.beat, heard.downbeat, heard.onset
        said = frame_sums(self._played, heard.chord_root, np.array(heard.activity))
        self._sums[self._at + 1] = self._sums[self._at] + said
        if tempo is not None:
            self._votes[self._at + 1] = self._votes[self._at] + tempo_votes(tempo)
        self._played = np.asarray(heard.played, np.float64)
        self._at += 1
        self._known = min(self._known + 1, frames)
        self._end_s = end_s

    @property
    def begin_s(self) -> float:
        """When the span begins."""
        return self._end_s - self._known * self._frame_s

    @property
    def length_s(self) -> float:
        return self._known * self._frame_s if self._known else 0.0

    def span(self) -> HeardSpan:
        """Views of what is kept, from `begin_s` on; valid until the next frame is heard."""
        first = self._at - self._known
        sub = self._sub[:, first * self._size : self._at * self._size]
        return HeardSpan(sub, self._sums[first : self._at + 1], self._votes[first : self._at + 1], self._frame_s)
