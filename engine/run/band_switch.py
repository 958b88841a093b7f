"""Starts and stops the band at an exact sample of the port.

Inference thread only. Positions are output samples.
"""

from __future__ import annotations

from collections.abc import Callable

from ..callback.bridge import Bridge
from .stage import Stage


class Switch:
    """What was asked for, and what the callback was told of it. Inference thread only."""

    def __init__(self, bridge: Bridge, on: bool) -> None:
        self._bridge = bridge
        self.on = on
        """The band is asked to play."""
        self.entering = on
        """It is, and the callback does not know of it yet: the first frames must lie ready."""
        self._from: int | None = None
        self._until = -1
        self._opens_at = -1

    def start(self, at_position: int | None = None) -> bool:
        """Switch on, not before that position. False where it is on already."""
        if self.on:
            return False
        self.on = self.entering = True
        self._from = at_position
        return True

    def enter(self, first_position: int) -> int:
        """Sound lies ready from that position on: open there, or where it was asked for. Returns where that is."""
        now = self._bridge.position
        position = max(first_position, now, self._from or 0)
        if self._until > now and self._opens_at > now:  # stopped and begun anew before it had begun
            position = self._opens_at
        self._opens_at, self._until = position, -1 if position <= self._until else self._until
        self._bridge.notes.tell_programs()  # to whoever was connected meanwhile without a word to us
        self._bridge.set_playing(True, position)
        self.entering = False
        return position

    def stop(self, at_position: int | None = None) -> int | None:
        """Ramp out from that position on, or now. Where the ramp begins; None where nothing had sounded."""
        sounded = self.on and not self.entering
        self.on = self.entering = False
        now = self._bridge.position
        if at_position is None or at_position <= now or not sounded:
            self._bridge.set_playing(False)
            return now if sounded else None
        self._until = at_position
        self._bridge.stop_at(at_position)
        return at_position

    @property
    def resting(self) -> bool:
        """Off, and nothing of it is to be heard any more."""
        return not self.on and self._bridge.gain == 0.0 and self._bridge.position >= self._until

    def settle(self) -> None:
        """While resting: the callback need not wait for anything any more."""
        if self._bridge.playing:
            self._bridge.set_playing(False)


class Entrance:
    """Lets the band in on a line that somebody else knows (learning/learner.py). Inference thread only."""

    def __init__(self, switch: Switch, stage: Stage, first_free_samples: Callable[[], float]) -> None:
        """`first_free_samples()`: the first input position at which a bar may be made to begin."""
        self._switch, self._stage, self._first_free_samples = switch, stage, first_free_samples

    @property
    def sounds(self) -> bool:
        """Whether the band is on, heard or about to be."""
        return self._switch.on and self._stage.phase not in ("waiting", "resting")

    def come_in(self, position: float) -> None:
        """Let the band sound from that place of the input on: at once where that is too soon to be met."""
        if not self.sounds:
            self._stage.start_on(position if position > self._first_free_samples() else None)
            self._switch.start()
