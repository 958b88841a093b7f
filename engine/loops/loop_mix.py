"""How loud the loop is, whether it is heard, and by whom. Values; inference thread only."""

from __future__ import annotations

from typing import NamedTuple

from ...dsp.loudness import gain_of_db
from ..commands.looping import SetLoop
from ..errors import ConfigError

HIGHEST_DB = 12.0


class LoopMix:
    """As asked for by hand. Inference thread only."""

    def __init__(self) -> None:
        self.level_db = 0.0
        self.muted = False
        self.heard_by_band = False

    @property
    def gain(self) -> float:
        """What the loop's sound is multiplied by."""
        return 0.0 if self.muted else gain_of_db(self.level_db)

    def set(self, command: SetLoop) -> None:
        """Change it. Raises ConfigError for a level that cannot be."""
        value = command.value
        if command.name == "level":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value <= HIGHEST_DB:
                raise ConfigError(f"loop level {value!r}: give dB, at most {HIGHEST_DB:g}, or off")
            self.level_db = float(value)
        elif command.name == "muted":
            self.muted = not self.muted if value is None else bool(value)
        else:
            self.heard_by_band = not self.heard_by_band if value is None else bool(value)


class LoopView(NamedTuple):
    """What is told of the looper. Any thread."""

    phase: str = "empty"
    """"empty", "armed", "recording", "playing", "overdubbing" or "stopped"."""
    bars: int = 0
    """Of the loop; while it is recorded, of what is recorded so far."""
    takes: int = 0
    """The first, and those played over it."""
    place: float = 0.0
    """How far round it is, 0 to 1."""
    waits: str = ""
    """For what it waits: "line", "tempo" or nothing."""
