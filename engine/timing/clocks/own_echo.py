"""Recognises the band's own MIDI clock when it comes back through a thru or a connection.

Whoever followed it would follow himself, later each time. Knows what was sent and what comes, by samples of the port's
clock, and no musical time. Inference thread only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

CLOCK = 0xF8
_MOST_SENT = 512
_WAY_S = 0.15
"""A message needs no longer than this for the way out and back."""
_NEAR_S = 0.0015
_NEAR = 0.08
"""A tick that is no further off than this (or than this part of a tick) came as late as the others."""
_KNOWN, _UNKNOWN, _MOST = 10.0, 3.0, 24.0
"""Score at which it is our own, and below which it no longer is. A match gives 1, a miss takes a half."""
_MISS = 0.5
_LATELY = 24
_OTHERS = 6
"""So many of the last ticks are of somebody else, where there are two."""


class OwnEcho:
    """Told of each message that is sent, asked of each that comes. Inference thread only."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._ticks: list[int] = []
        self._words: deque[tuple[int, int]] = deque(maxlen=32)
        self._late: float | None = None  # samples by which what comes is behind what was sent last
        self._score = 0.0
        self._matches: deque[bool] = deque(maxlen=_LATELY)
        self._somebody = False  # has said start that was not ours
        self.known = False
        """Whether our own clock comes back."""

    def sent(self, position: int, message: bytes) -> None:
        """A message goes out at that output sample."""
        if message[0] == CLOCK:
            self._ticks.append(position)
            if len(self._ticks) > 2 * _MOST_SENT:
                del self._ticks[:-_MOST_SENT]
        else:
            self._words.append((position, message[0]))

    def is_own_word(self, position: int, status: int) -> bool:
        """Whether start, continue, stop or a song position is one of ours. One that is not is somebody else's."""
        near = _NEAR_S * self._rate_hz
        own = any(
            sent == status and -near <= position - at <= _WAY_S * self._rate_hz for at, sent in self._words
        )  # fmt: skip
        if not own:
            self._somebody = True
        return own

    def is_own_tick(self, position: int, follows: bool) -> bool:
        """Whether a tick is one of ours. `follows`: the band follows a clock, whose ticks ours are on by themselves."""
        matches = self._match(position, learn=not follows or self.known)
        self._matches.append(matches)
        if not matches:
            self._score = max(0.0, self._score - _MISS)
        elif not follows or self.known:
            self._score = min(_MOST, self._score + 1.0)
        if self._score < _UNKNOWN:
            self.known = False
        elif self._score >= _KNOWN:
            # Somebody who said start, and whose ticks are all as ours, plays in our very tempo.
            self.known = not self._somebody or self._matches.count(False) >= _OTHERS
        return self.known and matches

    def _match(self, position: int, learn: bool) -> bool:
        place = bisect_right(self._ticks, position + _NEAR_S * self._rate_hz)
        if place < 2:
            return False
        last, tick = self._ticks[place - 1], self._ticks[place - 1] - self._ticks[place - 2]
        late = position - last
        if tick <= 0 or late > max(2 * tick, _WAY_S * self._rate_hz):
            return False
        if self._late is None or (self._score == 0.0 and learn):
            self._late = float(late)
            return True
        off = (late - self._late + 0.5 * tick) % tick - 0.5 * tick
        if abs(off) > max(_NEAR * tick, _NEAR_S * self._rate_hz):
            return False
        self._late += 0.1 * off
        return True
