"""The actions of the band by name, with their arguments: for bindings of pedals, OSC and the page.

One table, from a name and its arguments to a command. Knows neither gestures nor networks; values only, any thread.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from . import commands as c
from .errors import ConfigError
from .player import PARTS

OFF_DB = float("-inf")
"""The level of a part that is switched off."""
WORD_LENGTH = 60

Value = float | int | str | bool | None
Kind = Literal["part", "whole", "number", "level", "switch", "word", "time_source"]


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
        if self.kind == "time_source":
            return ", ".join(c.TIME_SOURCES)
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
        if self.kind in ("part", "word", "time_source"):
            if not isinstance(value, str) or len(value) > WORD_LENGTH or not value.isprintable():
                raise ValueError
            if (self.kind == "part" and value not in PARTS) or (
                self.kind == "time_source" and value not in c.TIME_SOURCES
            ):
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


def _control(name: str) -> Callable[..., c.Command]:
    return lambda value: c.SetControl(name, value)


def _mix(name: str) -> Callable[..., c.Command]:
    return lambda part, value: c.SetMix(part, name, value)


def _option(name: str, no: str, yes: str) -> Callable[..., c.Command]:
    words: dict[bool | None, str] = {None: "turn", False: no, True: yes}
    return lambda on: c.SetOption(name, words[on])


_PART = Argument("part", "part")
_BY_NAME = Argument("name", "word")

_ACTIONS = (
    Action("start", "the band comes in", c.Start, stamped=True),
    Action("stop", "the band goes out", c.Stop, stamped=True),
    Action("toggle", "start if stopped, stop if playing", c.Toggle, stamped=True),
    Action("tap", "one tap of the tempo", c.Tap, stamped=True),
    Action(
        "count_in",
        "clicks so many bars, then the band comes in",
        c.CountIn,
        (Argument("bars", "whole", 1, 2, default=1, optional=True),),
    ),
    Action("fill", "a fill up to the next bar line", c.Fill),
    Action("ending", "plays to the next bar line, ends on its downbeat", c.Ending),
    Action(
        "mute",
        "mutes a part or lets it be heard; without a value turns it over",
        c.SetMute,
        (_PART, Argument("muted", "switch", optional=True)),
    ),
    Action(
        "level",
        "level of a part",
        lambda part, value: c.SetLevel(part, value),
        (_PART, Argument("value", "level", -60.0, 12.0)),
        sweep=(-40.0, 6.0),
    ),
    Action(
        "band_level",
        "level of the whole band",
        lambda value: c.SetBandLevel(value),
        (Argument("value", "level", -60.0, 12.0),),
        sweep=(-40.0, 6.0),
    ),
    Action(
        "pan",
        "where a part stands: -1 left, 0 middle, 1 right",
        _mix("pan"),
        (_PART, Argument("value", "number", -1.0, 1.0)),
        sweep=(-1.0, 1.0),
    ),
    Action(
        "width",
        "how wide a part is: 0 a point, 1 from side to side",
        _mix("width"),
        (_PART, Argument("value", "number", 0.0, 1.0)),
        sweep=(0.0, 1.0),
    ),
    Action(
        "room",
        "how much of the room a part has: 0 dry, 1 as much room as part",
        _mix("room"),
        (_PART, Argument("value", "number", 0.0, 1.0)),
        sweep=(0.0, 0.5),
    ),
    Action(
        "compression",
        "how much a part is compressed",
        _mix("compression"),
        (_PART, Argument("value", "number", 0.0, 1.0)),
        sweep=(0.0, 1.0),
    ),
    Action(
        "density",
        "how busy the parts are",
        _control("density"),
        (Argument("value", "number", 0.0, 1.0),),
        sweep=(0.0, 1.0),
    ),
    Action(
        "temperature",
        "how wild the band is",
        _control("temperature"),
        (Argument("value", "number", 0.05, 2.0),),
        sweep=(0.5, 1.5),
    ),
    Action("style", "plays in that style", lambda name: c.SetControl("style", name), (_BY_NAME,)),
    Action(
        "tempo",
        "expects this tempo; 0 finds it by ear",
        c.SetTempo,
        (Argument("tempo_bpm", "number", 0.0, 300.0),),
    ),
    Action("half_beat", "shifts the beat by half a beat", c.ShiftHalfBeat),
    Action("half_time", "counts half as fast from the next bar line on", lambda: c.ScaleCount(0.5)),
    Action("double_time", "counts twice as fast from the next bar line on", lambda: c.ScaleCount(2.0)),
    Action("this_is_one", "a bar begins here", c.ThisIsOne, stamped=True),
    Action(
        "sound",
        "what a part sounds with from the next bar line on: neural, instruments, or an instrument",
        c.SetSound,
        (_PART, _BY_NAME),
    ),
    Action(
        "next_sound",
        "the next sound of a part; without one the whole band turns between neural and instruments",
        c.StepSound,
        (Argument("part", "part", default="", optional=True),),
    ),
    Action("time_source", "whom the band follows", c.SetTimeSource, (Argument("name", "time_source"),)),
    Action("preset", "a preset by name", c.SelectPreset, (_BY_NAME,)),
    Action("next_preset", "the next preset", lambda: c.StepPreset(1)),
    Action("previous_preset", "the preset before", lambda: c.StepPreset(-1)),
    Action("song", "a song of the set list, from 1", c.SelectSong, (Argument("number", "whole", 1, 9999),)),
    Action("next_song", "the next song", lambda: c.StepSong(1)),
    Action("previous_song", "the song before", lambda: c.StepSong(-1)),
    Action(
        "section",
        "at the next bar line to that section of the chart; without a name to the one after this",
        c.JumpSection,
        (Argument("name", "word", default="", optional=True),),
    ),
    Action(
        "by_hand",
        "chords by hand on a MIDI keyboard, or not; without a value turns it over",
        _option("chords", "auto", "midi"),
        (Argument("on", "switch", optional=True),),
    ),
    Action(
        "latch",
        "a chord by hand stays until the next, or until its keys are up; without a value turns it over",
        _option("chords_hold", "held", "latched"),
        (Argument("on", "switch", optional=True),),
    ),
    Action(
        "split",
        "the last key (MIDI note) of the zone that leads the chords; without one it is the next key that you press",
        lambda note: c.SetOption("chords_split", "learn" if note is None else note),
        (Argument("note", "whole", 0, 127, optional=True),),
    ),
    Action("panic", "fades out at once and forgets everything", c.Panic),
    Action("nothing", "does nothing: switches a gesture off", c.Nothing),
)

ACTIONS: dict[str, Action] = {action.name: action for action in _ACTIONS}


def action_named(name: str) -> Action:
    """The action. Raises ActionError, with the nearest name there is."""
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        raise ActionError(f"no action {name!r}{_nearest(str(name), ACTIONS)}: actions are {', '.join(ACTIONS)}")
    return action


def command_of(name: str, values: Mapping[str, object] | None = None, at_sample: int = c.NOW) -> c.Command:
    """The command of an action by its name. Raises ActionError."""
    return action_named(name).command(values, at_sample)


def _nearest(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word[:WORD_LENGTH], list(words), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""
