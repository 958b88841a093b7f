"""When each move comes and when it is over, in beats: for whoever shows what waits and what is on.

Frames are made ahead of what is heard, so a move that is done already is still to come for the listener. Inference
thread only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

_KEPT_BEATS = 16.0
_OVER = {
    "break": "back",
    "build": "release",
    "solo": "solo over",
    "half_time_feel": "usual feel",
    "double_time_feel": "usual feel",
}
"""What the end of each is called; the end of a hit is not worth a word."""


class _Span(NamedTuple):
    since: float
    until: float = math.inf
    begun: bool = False
    """Done, and not only asked for."""


class MoveTimes:
    """Spans by name. Inference thread only."""

    def __init__(self) -> None:
        self._spans: dict[str, _Span] = {}

    def clear(self) -> None:
        """Nothing is known."""
        self._spans.clear()

    def drop(self, *names: str) -> None:
        """These are known no more."""
        for name in names:
            self._spans.pop(name, None)

    def begin(self, name: str, beat: float, until: float = math.inf) -> None:
        """It is on from that beat on; a name that is empty is nothing."""
        if name:
            self._spans[name] = _Span(beat, until, begun=True)

    def end(self, name: str, beat: float) -> None:
        """It is over on that beat."""
        if name in self._spans:
            self._spans[name] = self._spans[name]._replace(until=beat)

    def expect(self, name: str, beat: float | None, until: float = math.inf) -> None:
        """It is to begin on that beat; None: it is not asked for, or has begun."""
        if beat is not None:
            self._spans[name] = _Span(beat, until)
        elif name in self._spans and not self._spans[name].begun:
            del self._spans[name]

    def turn(self, name: str, on: bool, wanted: bool, beat: float) -> None:
        """It is on or not, and is wanted or not from that beat on."""
        if on and name in self._spans and self._spans[name].begun:
            self.end(name, math.inf if wanted else beat)
        elif not on:
            over = name in self._spans and self._spans[name].until < math.inf
            if wanted or not over:
                self.expect(name, beat if wanted else None)

    def on(self, beat: float) -> tuple[str, ...]:
        """The names of what is on at a beat of musical time."""
        return tuple(name for name, span in self._spans.items() if span.since <= beat < span.until)

    def pending(self, beat: float) -> tuple[str, float]:
        """What comes next, in words, and in how many beats; soonest first. Empty and 0 for nothing."""
        coming: dict[str, float] = {}
        for name, span in tuple(self._spans.items()):
            if span.until < beat - _KEPT_BEATS:
                del self._spans[name]
            elif span.since > beat:
                coming[name.replace("_time_feel", "-time feel")] = span.since - beat
            elif beat < span.until < math.inf and name in _OVER:
                coming[_OVER[name]] = span.until - beat
        if not coming:
            return "", 0.0
        words = sorted(coming, key=lambda word: coming[word])
        return ", ".join(words), coming[words[0]]
