"""Learns a pedal: recognises the kind of pedal from the MIDI messages of two or three presses.

Pure: knows no port, prints nothing, waits for nothing; time is what is given. One thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from ..engine.gestures import (
    CC_THRESHOLD,
    Event,
    Gesture,
    PedalKind,
)

Source = tuple[str, int, int]
"""Kind ("cc", "note", "program", "start", "continue", "stop"), number, channel (1 to 16; 0 for the last three)."""

TREMBLE_VALUES = 10
"""A controller that stays within so many values, and does not stay on one, is at rest: an expression pedal trembles."""
TREMBLE_S = 2.0
"""How far back a controller's values are looked at for that."""
_TREMBLE_MESSAGES = 4
_SAME_MESSAGES = 8
"""So many times the same value, without a pause for a step, is a device that tells its state all the time."""
STILL_S = 1.0
"""A step is over when nothing came for so long: a foot that taps is up again by then."""
SWEEP_VALUES = 5
"""So many different values of one controller are a slide, not a press."""
_BANK_SELECT = (0, 32)
_SYSTEM = {0xFA: "start", 0xFB: "continue", 0xFC: "stop"}
_PROGRESS_STEPS = 3


class LearnError(Exception):
    """No gesture can be made of what came: one line that says why and what to do. Any thread."""


@dataclass(slots=True)
class _Step:
    """One step of the foot: what came, in order."""

    values: dict[Source, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learned:
    """What the pedal turned out to be. Any thread."""

    gestures: tuple[Gesture, ...]
    kind: Literal["press", "reversed", "toggle", "pulse", "alternating", "fader"]

    @property
    def text(self) -> str:
        """The kind in words."""
        return {
            "press": "a pedal that presses and lets go",
            "reversed": "a pedal of reversed polarity: it rests at 127 and is 0 while it is down",
            "toggle": "a toggle (latching) pedal: on with one step, off with the next",
            "pulse": "a pedal that sends the same at each step",
            "alternating": "a pedal that sends two messages in turn",
            "fader": "a fader or an expression pedal",
        }[self.kind]


class Learner:
    """Takes messages, says when a step is over and when enough is known. `fader`: asks for a slide, not for steps.

    One thread at a time.
    """

    def __init__(self, fader: bool = False) -> None:
        self._fader = fader
        self._steps: list[_Step] = []
        self._now = _Step()
        self._last_s: dict[Source, float] = {}
        """When each source of the step that has begun last spoke."""
        self._recent: dict[Source, deque[tuple[float, int]]] = {}
        self.trembling: list[str] = []
        """What was passed over because it never is still, in words."""

    @property
    def steps(self) -> int:
        """Steps that are over."""
        return len(self._steps)

    @property
    def listening(self) -> bool:
        """Whether a step has begun and is not over."""
        return bool(self._last_s)

    def take(self, event: Event, at_s: float) -> bool:
        """A message; whether it can be part of a gesture (clock, pressure and bends cannot, nor what only trembles)."""
        found = _source_of(event)
        if found is None:
            return False
        source, value = found
        if source[0] == "cc" and self._trembles(source, value, at_s):
            if _text(source) not in self.trembling:
                self.trembling.append(_text(source))
            if _is_narrow(self._now.values.get(source, [])):  # else it was moved before it came to rest here
                self._now.values.pop(source, None)
                self._last_s.pop(source, None)
            return False
        self._now.values.setdefault(source, []).append(value)
        self._last_s[source] = at_s
        return True

    def still(self, now_s: float) -> bool:
        """Whether a step has ended since the last call; it is then counted."""
        if not self._last_s or now_s - max(self._last_s.values()) < STILL_S:
            return False
        self._steps.append(self._now)
        self._now, self._last_s = _Step(), {}
        return not self._drop_slow_tremble()

    def _trembles(self, source: Source, value: int, at_s: float) -> bool:
        """Whether this controller goes on and on by small amounts, this value included."""
        recent = self._recent.setdefault(source, deque())
        if recent and at_s - recent[-1][0] >= STILL_S:
            recent.clear()
        recent.append((at_s, value))
        while at_s - recent[0][0] > TREMBLE_S:
            recent.popleft()
        values = [one for _, one in recent]
        if not _is_narrow(values):
            return False
        turns = len({later > earlier for earlier, later in pairwise(values) if later != earlier}) == 2  # no slow slide
        return len(values) >= (_TREMBLE_MESSAGES if turns else _SAME_MESSAGES) and (turns or len(set(values)) == 1)

    def _drop_slow_tremble(self) -> bool:
        """Forget steps that were none: those of a controller whose values differ by little, with pauses between."""
        values: dict[Source, list[int]] = {}
        for step in self._steps:
            for source, heard in step.values.items():
                values.setdefault(source, []).extend(heard)
        slow = {s for s, heard in values.items() if s[0] == "cc" and len(set(heard)) > 1 and _is_narrow(heard)}
        if not slow:
            return False
        self.trembling += [_text(source) for source in slow if _text(source) not in self.trembling]
        last = self._steps[-1]
        for step in self._steps:
            step.values = {source: heard for source, heard in step.values.items() if source not in slow}
        self._steps = [step for step in self._steps if step.values]
        return last not in self._steps

    def result(self) -> Learned | None:
        """What the pedal is, or None while another step is needed. Raises LearnError where it cannot be told."""
        if not self._steps:
            return None
        if self._fader:
            return self._fader_result()
        main = _main(self._steps[0])
        if main[0] == "cc" and len(set(self._steps[0].values[main])) >= SWEEP_VALUES and not _is_press(self._steps[0]):
            raise LearnError(f"{_text(main)} sent many values: that is a fader; bind it to level or density")
        if len(self._steps) < 2:
            return None
        second = _main(self._steps[1])
        if second != main and main not in self._steps[1].values:
            return self._two_in_turn(main, second)
        return self._one(main)

    def _fader_result(self) -> Learned:
        moved = {source: values for source, values in self._steps[-1].values.items() if source[0] == "cc"}
        if not moved:
            raise LearnError("no controller moved: level and density need a fader or an expression pedal (CC)")
        source = max(moved, key=lambda one: len(set(moved[one])))
        if len(set(moved[source])) < 3:
            raise LearnError(f"{_text(source)} only switched on and off: move a fader from one end to the other")
        return Learned((_gesture(source, "press"),), "fader")

    def _two_in_turn(self, first: Source, second: Source) -> Learned | None:
        if len(self._steps) < _PROGRESS_STEPS:
            return None
        third = _main(self._steps[2])
        if third != first:
            names = ", ".join(_text(source) for source in (first, second, third))
            raise LearnError(f"each press sent something different ({names}): edit the bindings file by hand")
        kinds = [self._kind_within(place, source) for place, source in enumerate((first, second))]
        gestures = (_gesture(first, kinds[0]), _gesture(second, kinds[1]))
        return Learned(gestures, "alternating")

    def _kind_within(self, place: int, source: Source) -> PedalKind:
        sides = _sides(source, self._steps[place].values[source])
        if sides[-1:] == [False]:
            return "press"
        return "reversed" if source[0] == "cc" and False in sides else "pulse"

    def _one(self, source: Source) -> Learned | None:
        """The kind of a pedal that speaks of the same thing at each step."""
        if source[0] not in ("cc", "note"):
            return Learned((_gesture(source, "press"),), "pulse")
        sides = [_sides(source, step.values.get(source, [])) for step in self._steps]
        if all(len(one) >= 2 for one in sides[:2]):
            return self._press(source, sides[:2])
        if all(one == [True] for one in sides[:2]):
            return Learned((_gesture(source, "pulse"),), "pulse")
        if len(sides) < _PROGRESS_STEPS:
            return None
        if [len(one) for one in sides[:3]] == [1, 1, 1] and sides[0] == sides[2] != sides[1]:
            return Learned((_gesture(source, "toggle"),), "toggle")
        # One of the steps was held for long, or a second one came too soon: the last two decide.
        if all(len(one) >= 2 for one in sides[1:3]):
            return self._press(source, sides[1:3])
        raise LearnError(
            f"the presses of {_text(source)} were not alike: press it once each time, and wait for the prompt"
        )

    def _press(self, source: Source, sides: list[list[bool]]) -> Learned:
        """A pedal that goes down and comes up: after both steps it is where it rests."""
        if source[0] == "cc" and all(one[-1] for one in sides):
            return Learned((_gesture(source, "reversed"),), "reversed")
        return Learned((_gesture(source, "press"),), "press")


def _source_of(event: Event) -> tuple[Source, int] | None:
    _, status, number, value = event
    if status in _SYSTEM:
        return (_SYSTEM[status], 0, 0), 127
    if status >= 0xF0 or not 0 <= number < 128 or not 0 <= value < 128:
        return None
    channel = (status & 0x0F) + 1
    code = status & 0xF0
    if code == 0xB0:
        return ("cc", number, channel), value
    if code in (0x80, 0x90):
        return ("note", number, channel), value if code == 0x90 else 0
    if code == 0xC0:
        return ("program", number, channel), 127
    return None


def _main(step: _Step) -> Source:
    """What the step is known by: a program rather than its bank, and else what came first."""
    for source in step.values:
        if source[0] == "program":
            return source
    plain = [source for source in step.values if not (source[0] == "cc" and source[1] in _BANK_SELECT)]
    return (plain or list(step.values))[0]


def _sides(source: Source, values: Sequence[int]) -> list[bool]:
    """Pressed or not, each change once."""
    threshold = CC_THRESHOLD if source[0] == "cc" else 1
    sides: list[bool] = []
    for value in values:
        pressed = value >= threshold
        if sides[-1:] != [pressed]:
            sides.append(pressed)
    return sides


def _is_narrow(values: Sequence[int]) -> bool:
    return bool(values) and max(values) - min(values) < TREMBLE_VALUES


def _is_press(step: _Step) -> bool:
    """A half-damper pedal slides up and back down; one that rests at the other end, down and back up."""
    source = _main(step)
    sides = _sides(source, step.values[source])
    return len(set(sides)) == 2 and (not sides[-1] or sides[0])


def _gesture(source: Source, pedal: PedalKind) -> Gesture:
    """The gesture on any channel: a device that is set to another one goes on working."""
    kind, number, _ = source
    if kind == "cc":
        return Gesture("cc", number, pedal=pedal)
    if kind == "note":
        return Gesture("note", number, threshold=1, pedal=pedal)
    return Gesture(kind, number)  # type: ignore[arg-type]


def _text(source: Source) -> str:
    return _gesture(source, "press").text
