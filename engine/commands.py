"""Everything that a gesture can ask of the engine: small frozen values, carried by one bounded queue.

Knows neither where a command came from nor what it does. Any thread may make and post commands; the worker alone
takes them, between steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True, slots=True)
class Start:
    """The band comes in (from the worker's next frame)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The band goes out with a ramp."""


@dataclass(frozen=True, slots=True)
class Toggle:
    """Start if stopped, stop if playing: one foot switch."""


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap of the tempo, at a sample of the port's clock."""

    at_sample: int


@dataclass(frozen=True, slots=True)
class SetLevel:
    part: str
    level_db: float


@dataclass(frozen=True, slots=True)
class SetControl:
    """Change a field of Controls by name: style, density, temperature, top_k, top_p."""

    name: str
    value: float | int | str


@dataclass(frozen=True, slots=True)
class Panic:
    """Fade out at once, forget everything, stay stopped."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Stop with a ramp, then end the run."""


Command = Union[Start, Stop, Toggle, Tap, SetLevel, SetControl, Panic, Quit]  # noqa: UP007 - a runtime value on 3.10
