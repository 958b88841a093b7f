"""The schema of bindings: one line for each gesture of a pedal or key, with its action.

Knows neither MIDI ports nor what the band does when it is asked. Values do not change. Any thread; files are read and
written only by the functions that take a path.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from ..engine.actions import (
    ACTIONS,
    OFF_DB,
    ActionError,
    action_named,
)
from ..engine.errors import ConfigError
from ..engine.gestures import (
    ANY,
    CC_THRESHOLD,
    Binding,
    Gesture,
)
from .strict import (
    Strict,
    fault_line,
    nearest,
    parse_yaml,
    read_yaml,
)

FILE_NAME = "bindings.yaml"
MIDI_WORDS = ("start", "stop", "continue")
_HEADER = """\
# What pedals and keys do. `gigmate midi-learn ACTION` writes here; lines may also be written and changed by hand.
# A gesture (cc, note, program or midi), then `does:` and what it takes. See docs/pedals.md.
"""


class BindingsError(ConfigError):
    """Bindings that do not hold: one line that says where and what to write instead."""


class BindingRow(Strict):
    """One gesture and its action. Field names are the keys of the YAML file."""

    cc: int | None = Field(default=None, ge=0, le=127)
    """A controller."""
    note: int | None = Field(default=None, ge=0, le=127)
    program: int | Literal["any"] | None = None
    """A program change, from 1 to 128 as devices show it, or any."""
    midi: str | None = None
    """start, stop or continue: what the buttons of a sequencer send."""
    channel: int | None = Field(default=None, ge=1, le=16)
    """Only this channel; else all."""
    threshold: int | None = Field(default=None, ge=1, le=127)
    """The lowest value that counts as pressed: 64 for controllers, 1 for notes."""
    pedal: Literal["press", "reversed", "toggle", "latching", "pulse"] | None = None
    """press (127 while held), reversed (0 while held), toggle or latching (127 and 0 in turn), pulse (127 always)."""
    does: str
    """An action's name."""
    part: str | None = None
    name: str | None = None
    number: int | None = None
    to: int | None = None
    bar: int | None = None
    beat: int | None = None
    bars: int | None = None
    muted: bool | None = None
    value: float | Literal["off"] | None = None
    tempo_bpm: float | None = None
    at_0: float | None = None
    """For a controller that moves a value: what it is at 0 ..."""
    at_127: float | None = None
    """... and at 127."""

    @field_validator("does")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            return action_named(value).name
        except ActionError as error:
            raise ValueError(str(error)) from None

    @field_validator("midi")
    @classmethod
    def _known_midi(cls, value: str | None) -> str | None:
        if value is not None and value not in MIDI_WORDS:
            raise ValueError(f"give start, stop or continue{nearest(value, MIDI_WORDS)}")
        return value

    @field_validator("value", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        return "off" if value is False else value  # plain `off` is a boolean in YAML

    @field_validator("program", mode="before")
    @classmethod
    def _program(cls, value: object) -> object:
        if value is None or value == "any" or (type(value) is int and 1 <= value <= 128):
            return value
        raise ValueError("give a program from 1 to 128, or any")

    @model_validator(mode="after")
    def _whole(self) -> BindingRow:
        self._made()
        return self

    def binding(self) -> Binding:
        """The gesture and action as the engine takes them."""
        return self._made()

    def _made(self) -> Binding:
        gesture, action = self._gesture(), ACTIONS[self.does]
        keys = ("part", "name", "number", "to", "bar", "beat", "bars", "muted", "value", "tempo_bpm")
        arguments = {key: getattr(self, key) for key in keys if getattr(self, key) is not None}
        ends = None
        if action.sweep is not None and gesture.kind == "cc" and self.value is None:
            argument = action.argument("value")
            ends = tuple(
                default if given is None else given
                for default, given in zip(action.sweep, (self.at_0, self.at_127), strict=True)
            )
            if not all(argument.low <= end <= argument.high for end in ends):
                raise ValueError(f"at_0 and at_127: give {argument.text}")
            if self.pedal is not None or self.threshold is not None:
                raise ValueError(f"{self.does} follows the controller: leave pedal and threshold out, or give a value")
        elif self.at_0 is not None or self.at_127 is not None:
            raise ValueError("at_0 and at_127 belong to a controller (cc) that moves level, density or temperature")
        try:
            return Binding(gesture, action, tuple(arguments.items()), ends)  # type: ignore[arg-type]
        except ActionError as error:
            raise ValueError(str(error)) from None

    def _gesture(self) -> Gesture:
        given = [key for key in ("cc", "note", "program", "midi") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"one gesture belongs to each line (cc, note, program or midi): {' and '.join(given) or 'none'} given"
            )
        kind = given[0]
        if kind in ("program", "midi"):
            for key in ("threshold", "pedal", *(("channel",) if kind == "midi" else ())):
                if getattr(self, key) is not None:
                    raise ValueError(f"{kind} takes no {key}: leave it out")
        if self.midi is not None:
            return Gesture(self.midi)  # type: ignore[arg-type]
        channel = self.channel or 0
        if self.program is not None:
            return Gesture("program", ANY if self.program == "any" else int(self.program) - 1, channel)
        pedal = "toggle" if self.pedal == "latching" else (self.pedal or "press")
        if pedal == "reversed" and self.cc is None:
            raise ValueError("pedal: reversed belongs to a controller (cc): a note that is held down is not at rest")
        if self.cc is not None:
            return Gesture("cc", self.cc, channel, self.threshold or CC_THRESHOLD, pedal)
        return Gesture("note", self.note or 0, channel, self.threshold or 1, pedal)

    def line(self) -> str:
        """The row as it stands in a file: `{cc: 64, does: toggle}`."""
        values = self.model_dump(exclude_none=True)
        return yaml.safe_dump(values, default_flow_style=True, sort_keys=False, width=10_000).strip()


class _File(Strict):
    bindings: list[BindingRow] = Field(max_length=1000)

    @field_validator("bindings", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return [] if value is None else value


def bindings_of(rows: Iterable[BindingRow]) -> tuple[Binding, ...]:
    """The rows as the engine takes them."""
    return tuple(row.binding() for row in rows)


def pedal_row(text: str) -> BindingRow:
    """The row of a pedal that starts and stops, from its short form: "CC64", "NOTE36". Raises BindingsError."""
    match = re.fullmatch(r"(cc|note)[ :]?(\d{1,3})", text.strip().lower(), re.ASCII)
    if match is None or int(match[2]) > 127:
        raise BindingsError(f"--pedal {text}: give a controller or a note from 0 to 127, such as CC64 or NOTE36")
    return BindingRow.model_validate({match[1]: int(match[2]), "does": "toggle"})


def row_of(binding: Binding) -> BindingRow:
    """The row that says the same as a binding."""
    gesture = binding.gesture
    values: dict[str, Any] = {}
    if gesture.kind in MIDI_WORDS:
        values["midi"] = gesture.kind
    elif gesture.kind == "program":
        values["program"] = "any" if gesture.number == ANY else gesture.number + 1
    else:
        values[gesture.kind] = gesture.number
    if gesture.channel:
        values["channel"] = gesture.channel
    if gesture.kind in ("cc", "note") and not binding.swept:
        if gesture.threshold != (CC_THRESHOLD if gesture.kind == "cc" else 1):
            values["threshold"] = gesture.threshold
        if gesture.pedal != "press":
            values["pedal"] = gesture.pedal
    values.update(does=binding.action.name, **dict(binding.arguments))
    if values.get("value") == OFF_DB:
        values["value"] = "off"
    if binding.ends is not None and binding.ends != binding.action.sweep:
        values["at_0"], values["at_127"] = binding.ends
    return BindingRow.model_validate(values)


def parse_bindings(values: object, where: str) -> tuple[BindingRow, ...]:
    """Check what a YAML file held. `where` names the file in the error. Raises BindingsError."""
    if values is None:
        return ()
    if not isinstance(values, Mapping):
        raise BindingsError(f"{where}: write `bindings:`, and below it one line `- {{cc: 64, does: toggle}}` for each")
    try:
        return tuple(_File.model_validate(dict(values)).bindings)
    except ValidationError as error:
        raise BindingsError(f"{where}: {fault_line(error, _File)}") from None


def read_bindings(path: Path) -> tuple[BindingRow, ...]:
    """The rows of a file. Raises BindingsError: not there, unreadable, not YAML, against the schema."""
    return parse_bindings(read_yaml(path, "bindings", BindingsError), str(path))


# ------------------------------------------------------------------------------------------------- changing a file


def add_rows(path: Path, rows: Sequence[BindingRow]) -> tuple[BindingRow, ...]:
    """Write rows into a file, made if it is not there; returns those that had the same gestures and gave way.

    All else in the file, remarks too, stays as it is. Raises BindingsError.
    """
    new = {row.binding().gesture.source for row in rows}
    before = read_bindings(path) if path.exists() else ()
    replaced = [place for place, row in enumerate(before) if row.binding().gesture.source in new]
    _change(path, before, replaced, rows)
    return tuple(before[place] for place in replaced)


def forget_rows(path: Path, what: str) -> tuple[BindingRow, ...]:
    """Take out the rows of an action ("fill") or of a gesture ("CC64", "note 36"); returns them.

    Raises BindingsError, also where nothing fits.
    """
    before = read_bindings(path) if path.exists() else ()
    wanted = what.replace(" ", "").lower()
    names = [(row.does, row.binding().gesture.text.replace(" ", "").lower()) for row in before]
    gone = [place for place, names_of_row in enumerate(names) if wanted in names_of_row]
    if not gone:
        there = ", ".join(row.binding().text for row in before) or "none"
        raise BindingsError(f"nothing is bound to {what!r} in {path}; bindings are {there}")
    _change(path, before, gone, ())
    return tuple(before[place] for place in gone)


def _change(path: Path, before: Sequence[BindingRow], gone: Sequence[int], new: Sequence[BindingRow]) -> None:
    """Replace the file. Lines are changed where they stand; a file that is written otherwise is written anew."""
    after = [row for place, row in enumerate(before) if place not in gone] + list(new)
    text = _edited(path, gone, new) if path.exists() else None
    if text is None or not _holds(text, after):
        if text is not None or path.exists():
            with contextlib.suppress(OSError):
                path.replace(path.with_name(path.name + ".before"))
        lines = "\n".join(f"  - {row.line()}" for row in after)
        text = f"{_HEADER}bindings:\n{lines}\n" if after else f"{_HEADER}bindings: []\n"
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise BindingsError(f"{path}: cannot be written ({error.strerror or error}): name a file of your own") from None


def _holds(text: str, rows: Sequence[BindingRow]) -> bool:
    try:
        return list(parse_bindings(parse_yaml(text.encode(), "", BindingsError), "")) == list(rows)
    except BindingsError:
        return False


def _edited(path: Path, gone: Sequence[int], new: Sequence[BindingRow]) -> str | None:
    """The file's text with lines taken out and added, or None where its form does not allow that."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:  # YAML may be UTF-16 too
        return None
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or len(root.value) != 1:
        return None
    key, rows = root.value[0]
    lines = text.splitlines()
    if isinstance(rows, yaml.ScalarNode) and not rows.value:  # `bindings:` and nothing
        after = key.end_mark.line + 1
        return "\n".join([*lines[:after], *(f"  - {row.line()}" for row in new), *lines[after:]]) + "\n"
    if not isinstance(rows, yaml.SequenceNode) or rows.flow_style or not rows.value:
        return None
    starts = [item.start_mark.line for item in rows.value]
    ends = [_last_line(item) + 1 for item in rows.value]
    if len(set(starts)) != len(starts) or any(not lines[start].lstrip().startswith("-") for start in starts):
        return None
    indent = lines[starts[0]][: len(lines[starts[0]]) - len(lines[starts[0]].lstrip())]
    lines[ends[-1] : ends[-1]] = [f"{indent}- {row.line()}" for row in new]
    for place in sorted(gone, reverse=True):
        del lines[starts[place] : ends[place]]
    return "\n".join(lines) + "\n"


def _last_line(node: yaml.Node) -> int:
    """Where a node's text ends: what YAML calls the end of a block is the next thing that comes, remarks and all."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line)
