"""What is asked of the looper. Values; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .stamp import NOW

LoopDeed = Literal["record", "play", "overdub", "stop", "undo", "redo", "clear", "half", "double"]


@dataclass(frozen=True, slots=True)
class LoopPress:
    """The looper's one button goes down, at a sample of the port's clock; NOW where only the time of day is known.

    Any thread.
    """

    at_sample: int = NOW
    held: bool = False
    """Whether its release will be told (LoopRelease): then a long press clears."""


@dataclass(frozen=True, slots=True)
class LoopRelease:
    """The looper's one button is let go. Any thread."""

    at_sample: int = NOW


@dataclass(frozen=True, slots=True)
class LoopDo:
    """One thing that the looper does, by name. Any thread."""

    deed: LoopDeed
    at_sample: int = NOW


@dataclass(frozen=True, slots=True)
class LoopKeep:
    """Make a loop of the bars that were played last. Any thread."""

    bars: int = 4
    at_sample: int = NOW


@dataclass(frozen=True, slots=True)
class SetLoop:
    """The loop's level in dB ("level"), whether it is heard ("muted"), and whether the band hears it ("heard");
    None turns a switch over. Any thread."""

    name: Literal["level", "muted", "heard"]
    value: float | bool | None = None
