"""Limits the rate of commands: fader values are thinned, presses pass.

Knows no device and no network. One thread at a time: the one that feeds it.
"""

from __future__ import annotations

from collections.abc import Callable

from ..engine.commands import (
    Command,
    SetBandLevel,
    SetControl,
    SetLevel,
    SetLoop,
    SetMix,
    SetTempo,
)

PERIOD_S = 0.02
"""A fader is followed 50 times a second; a step of the band takes 40 ms."""


def fader_of(command: Command) -> tuple[object, ...] | None:
    """What a command moves, if it is of those of which only the last matters; None for a press."""
    if isinstance(command, SetLevel):
        return SetLevel, command.part
    if isinstance(command, SetMix):
        return SetMix, command.part, command.name
    if isinstance(command, SetBandLevel):
        return (SetBandLevel,)
    if isinstance(command, SetControl):
        return SetControl, command.name
    if isinstance(command, SetLoop) and command.name == "level":
        return (SetLoop,)
    if isinstance(command, SetTempo):
        return (SetTempo,)
    return None


class CommandThrottle:
    """Lets presses through at once, and of each fader one value per PERIOD_S, the last one never lost.

    One thread at a time.
    """

    def __init__(self, post: Callable[[Command], object], period_s: float = PERIOD_S) -> None:
        self._post = post
        self._period_s = period_s
        self._waiting: dict[tuple[object, ...], Command] = {}
        self._next_s: dict[tuple[object, ...], float] = {}
        self.thinned = 0
        """Values that were passed over because a later one took their place."""

    @property
    def waiting(self) -> bool:
        """Whether a `flush` will have something to post."""
        return bool(self._waiting)

    def put(self, command: Command, now_s: float) -> None:
        """Post it now, or with the next `flush` that it is due in."""
        fader = fader_of(command)
        if fader is None:
            self._post(command)
        elif fader not in self._waiting and now_s >= self._next_s.get(fader, float("-inf")):
            self._next_s[fader] = now_s + self._period_s
            self._post(command)
        else:
            self.thinned += fader in self._waiting
            self._waiting[fader] = command

    def flush(self, now_s: float) -> None:
        """Call it often: posts the faders' last values that are due."""
        if not self._waiting:
            return
        for fader in [fader for fader in self._waiting if now_s >= self._next_s[fader]]:
            self._next_s[fader] = now_s + self._period_s
            self._post(self._waiting.pop(fader))
