"""What an action is: a name, its arguments, and the command that it makes. Values only, any thread."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from .. import commands as c
from ..errors import ConfigError
from ..player import PARTS

OFF_DB = float("-inf")
"""The level of a part that is switched off."""
WORD_LENGTH = 60

Value = float | int | str | bool | None
Kind = Literal["part", "whole", "number", "level", "switch", "word", "choice"]


class ActionError(ConfigError):
    """No such action, or an argument that cannot be: one line that says what to write. Any thread."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an action. `low` and `high` bound numbers; without a default it must be given. Any thread."""

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    default: Value = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    """The words of a choice."""

    @property
    def text(self) -> str:
        """What may be written, in a few words."""
        if self.kind == "part":
            return ", ".join(PARTS[:-1]) + f" or {PARTS[-1]}"
        if self.kind == "whole":
            return f"a whole number from {self.low:g} to {self.high:g}"
        if self.kind == "level":
            return f"dB from {self.low:g} to {self.high:g}, or off"
        if self.kind == "number":
            return f"a number from {self.low:g} to {self.high:g}"
        if self.kind == "switch":
            return "1 or 0"
        if self.kind == "choice":
            return ", ".join(self.choices)
        return "a name"

    def take(self, value: object) -> Value:
        """The value as this argument's kind, whatever type it came in. Raises ActionError."""
        try:
            return self._taken(value)
        except (ValueError, TypeError, OverflowError):
            shown = repr(value)
            shown = shown if len(shown) <= 40 else shown[:37] + "..."
            raise ActionError(f"{self.name} {shown}: give {self.text}") from None

    def _taken(self, value: object) -> Value:
        if self.kind in ("part", "word", "choice"):
            if not isinstance(value, str) or len(value) > WORD_LENGTH or not value.isprintable():
                raise ValueError
            if (self.kind == "part" and value not in PARTS) or (self.kind == "choice" and value not in self.choices):
                raise ValueError
            return value
        if self.kind == "switch":
            return None if value is None else _number(value) != 0.0
        if self.kind == "level" and (value == "off" or value is False):  # plain `off` is a boolean in YAML
            return OFF_DB
        number = _number(value)
        if self.kind == "level" and number == OFF_DB:
            return OFF_DB
        if not self.low <= number <= self.high or (self.kind == "whole" and number != int(number)):
            raise ValueError
        return int(number) if self.kind == "whole" else number


def _number(value: object) -> float:
    if not isinstance(value, (int, float, str, bool)) or (isinstance(value, str) and len(value) > 30):
        raise TypeError
    number = float(value)
    if math.isnan(number):
        raise ValueError
    return number


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be asked for. Any thread."""

    name: str
    text: str
    """What it does, as a musician says it."""
    make: Callable[..., c.Command]
    arguments: tuple[Argument, ...] = ()
    stamped: bool = False
    """`make` takes `at_sample`."""
    release: Callable[..., c.Command] | None = None
    """What letting go of a pedal asks for, by `at_sample`: only of an action for which it matters how long it is
    held, whose command then has `held`."""
    sweep: tuple[float, float] | None = None
    """A continuous controller may move the argument `value`, by default between these ends."""

    def takes(self, name: str) -> bool:
        return any(argument.name == name for argument in self.arguments)

    def argument(self, name: str) -> Argument:
        return next(argument for argument in self.arguments if argument.name == name)

    def command(self, values: Mapping[str, object] | None = None, at_sample: int = c.NOW) -> c.Command:
        """The command, with arguments of any type that can be read as theirs. Raises ActionError."""
        values = values or {}
        names = [argument.name for argument in self.arguments]
        for name in values:
            if name not in names:
                raise ActionError(
                    f"{self.name} has no {name!r}: " + (f"it takes {', '.join(names)}" if names else "it takes nothing")
                )
        taken: dict[str, Value] = {}
        for argument in self.arguments:
            if argument.name in values:
                taken[argument.name] = argument.take(values[argument.name])
            elif not argument.optional:
                raise ActionError(f"{self.name} needs {argument.name}: {argument.text}")
            else:
                taken[argument.name] = argument.default
        if self.stamped:
            return self.make(at_sample=at_sample, **taken)
        return self.make(**taken)
