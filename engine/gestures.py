"""Gestures on MIDI devices (presses, controllers, notes, programs) and the action that each one is bound to.

Pure: messages in, commands out, no port and no clock of its own; time is what the events carry. A `Gestures` belongs to
the thread that feeds it; a `BindingTable` may be changed by any thread while others read it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .actions import Action
from .commands import NOW, Command, Nothing

DEBOUNCE_MS = 20.0
"""A contact that changes again before it was still for so long has bounced."""
CC_THRESHOLD = 64
"""A controller at or above this value is pressed, as MIDI says of switches."""
ANY = -1
"""As a program's number: every program."""
REPORT_MS = 1000.0
"""What a pedal says so soon after it was connected is where it rests, not that somebody has stepped on it."""
SHORTEST_TAP_MS = 60.0
"""Pedals that send 127 and 0 at once do so within this time; a foot is slower."""
LONGEST_TAP_MS = 4000.0
"""Longer than a foot stays down on a switch."""
TOGETHER_MS = 50.0
"""A program change and a controller so close together are one step on one pedal."""

Kind = Literal["cc", "note", "program", "start", "stop", "continue"]
PedalKind = Literal["press", "reversed", "toggle", "pulse"]
Event = tuple[int, int, int, int]
"""A MIDI message: position (samples or other units of time), status byte, two data bytes (0 where there is none)."""

_CONTROL, _NOTE_ON, _NOTE_OFF, _PROGRAM = 0xB0, 0x90, 0x80, 0xC0
_SYSTEM: dict[Kind, int] = {"start": 0xFA, "continue": 0xFB, "stop": 0xFC}
_KIND_OF_STATUS: dict[int, Kind] = {
    _CONTROL: "cc",
    _NOTE_ON: "note",
    _NOTE_OFF: "note",
    _PROGRAM: "program",
    **{status: kind for kind, status in _SYSTEM.items()},
}


@dataclass(frozen=True, slots=True)
class Gesture:
    """One thing that a device can say. A gesture happens once per step of the foot, by the kind of pedal:

    `press`: pressed while held, or for a moment (127, then 0): the pressing counts, the letting go does not. If a
    controller turns out to rest at 127, it is the other way round: the side that it is on for longer is its rest.
    `reversed`: the same of a controller that is known to rest at 127 and is 0 while held.
    `toggle`: 127 and 0 in turn, one for each step, as latching pedals do: each change counts.
    `pulse`: one message for each step, always pressed and never let go: each counts. Any thread.
    """

    kind: Kind
    number: int = 0
    """Controller or note, 0 to 127; program 0 to 127 as on the wire, or ANY; without meaning for the rest."""
    channel: int = 0
    """1 to 16; 0: every channel."""
    threshold: int = CC_THRESHOLD
    """Controllers and notes: the lowest value that is pressed. A note needs 1 or more."""
    pedal: PedalKind = "press"

    @property
    def source(self) -> tuple[Kind, int, int]:
        """What two gestures share that come from the same thing on the device."""
        return self.kind, self.number, self.channel

    @property
    def text(self) -> str:
        """For a person: "CC64", "note 36 on channel 10", "program 3" (counted from 1, as devices do), "MIDI start"."""
        channel = f" on channel {self.channel}" if self.channel else ""
        if self.kind == "cc":
            return f"CC{self.number}{channel}"
        if self.kind == "note":
            return f"note {self.number}{channel}"
        if self.kind == "program":
            return f"program {'any' if self.number == ANY else self.number + 1}{channel}"
        return f"MIDI {self.kind}"


@dataclass(frozen=True, slots=True)
class Binding:
    """A gesture and the action that it asks for. Raises ActionError for arguments that the action does not take.

    Any thread.
    """

    gesture: Gesture
    action: Action
    arguments: tuple[tuple[str, object], ...] = ()
    ends: tuple[float, float] | None = None
    """For a controller that moves the action's value: the values at 0 and at 127."""

    def __post_init__(self) -> None:
        self.command()  # what cannot be is said now, not in the middle of a song

    @property
    def swept(self) -> bool:
        """Whether every value of the controller counts, not its pressing."""
        return self.ends is not None

    def command(self, at_sample: int = NOW, data: int = 0) -> Command:
        """What to ask for; `data`: the controller's value, or the program's number."""
        arguments = dict(self.arguments)
        if self.ends is not None:
            low, high = self.ends
            # The bottom of a level that goes up is silence: a pedal at its heel shuts the part off.
            off = data == 0 and self.action.argument("value").kind == "level" and low < high
            arguments["value"] = "off" if off else low + (high - low) * min(max(data, 0), 127) / 127.0
        elif self.gesture.kind == "program" and self.gesture.number == ANY and self.action.takes("number"):
            arguments["number"] = data + 1
        return self.action.command(arguments, at_sample)

    @property
    def text(self) -> str:
        """For a person: "CC7: level bass"."""
        words = [f"{value}" for _, value in self.arguments]
        return f"{self.gesture.text}: {' '.join([self.action.name, *words])}"


class BindingTable:
    """Which gestures mean what: three layers, of which the first that knows a gesture's source decides.

    Any thread. A layer may be replaced meanwhile: a reader sees the old table or the new one, never a mixture.
    """

    def __init__(
        self, asked: Iterable[Binding] = (), preset: Iterable[Binding] = (), user: Iterable[Binding] = ()
    ) -> None:
        """`asked`: on the command line; `preset`: of the preset that is on; `user`: from the user's own file."""
        self._lock = threading.Lock()
        self._layers = [tuple(asked), tuple(preset), tuple(user)]
        self._merge()

    def set_preset(self, bindings: Iterable[Binding]) -> None:
        """Any thread. The bindings of the preset that is on now."""
        with self._lock:
            self._layers[1] = tuple(bindings)
            self._merge()

    def _merge(self) -> None:
        taken: dict[tuple[Kind, int, int], int] = {}
        kept: list[Binding] = []
        for layer, bindings in enumerate(self._layers):
            for binding in bindings:
                if taken.setdefault(binding.gesture.source, layer) == layer:
                    kept.append(binding)
        lookup: dict[tuple[Kind, int], tuple[Binding, ...]] = {}
        for binding in kept:
            gesture = binding.gesture
            key = (gesture.kind, gesture.number if gesture.kind in ("cc", "note", "program") else 0)
            lookup[key] = (*lookup.get(key, ()), binding)
        self.bindings: tuple[Binding, ...] = tuple(kept)
        self.has_switches = any(b.gesture.kind in ("cc", "note") and not b.swept for b in kept)
        """Whether controllers or notes are bound as switches, which a pedal may send together with a program."""
        self._lookup = lookup  # replaced whole: reading a reference is atomic

    def meaning(self, kind: Kind, number: int, channel: int) -> Sequence[Binding]:
        """Any thread. The bindings of a message of that kind, number and channel (1 to 16)."""
        lookup = self._lookup
        found: Sequence[Binding] = lookup.get((kind, number), ())
        if kind in _SYSTEM:
            return found
        found = [binding for binding in found if binding.gesture.channel in (0, channel)]
        if kind == "program" and not found:  # what is said of one program is not said of every one
            return [binding for binding in lookup.get((kind, ANY), ()) if binding.gesture.channel in (0, channel)]
        return found


@dataclass(slots=True)
class _Contact:
    """What is known of one gesture: the side it is on, and when it last changed."""

    high: bool | None = None
    """Whether the value is on the upper side: pressed, but for a pedal that rests there."""
    since: int = 0
    """When it came to that side, or was first seen there."""
    changed: int | None = None
    before: int = 0
    """How long it was on the other side before it last changed; 0 where that is not known."""
    reversed: bool = False
    known: bool = False
    """Whether a whole step has shown which side is its rest."""


@dataclass(frozen=True, slots=True)
class _HeldBack:
    """What a program change asks for, unless a controller says that it was only its companion."""

    position: int
    commands: tuple[Command, ...]


class Gestures:
    """Recognises gestures in one stream of MIDI messages. One thread at a time.

    One device, one stream: two devices that share a `Gestures` would share their contacts.
    """

    def __init__(self, table: BindingTable | Iterable[Binding], rate_hz: float, stamped: bool = True) -> None:
        """`rate_hz`: units of an event's position in a second. `stamped`: positions are samples of the port's clock
        and go into the commands; else the commands mean now."""
        self._table = table if isinstance(table, BindingTable) else BindingTable(table)
        self._bounce = DEBOUNCE_MS * rate_hz / 1000.0
        self._report = REPORT_MS * rate_hz / 1000.0
        self._shortest_tap = SHORTEST_TAP_MS * rate_hz / 1000.0
        self._longest_tap = LONGEST_TAP_MS * rate_hz / 1000.0
        self._together = TOGETHER_MS * rate_hz / 1000.0
        self._stamped = stamped
        self._contacts: dict[tuple[Gesture, int], _Contact] = {}
        self._connected: int | None = None
        self._switched: int | None = None  # when a bound switch last said anything
        self._held_back: list[_HeldBack] = []

    def connected(self, position: int) -> None:
        """A device was connected at that position: what it says of itself at first is how it stands."""
        self._connected = position
        for contact in self._contacts.values():
            contact.high = contact.changed = None
            contact.before = 0

    def commands(self, event: Event) -> list[Command]:
        """What one message asks for: often nothing. Whatever the bytes are, it raises nothing.

        What a program change asks for may come out later: call `due` often.
        """
        position, status, number, value = event
        code = status & 0xF0 if status < 0xF0 else status
        kind = _KIND_OF_STATUS.get(code)
        if kind is None or not 0 <= number < 128 or not 0 <= value < 128:
            return []
        channel = (status & 0x0F) + 1
        if kind in _SYSTEM:
            number = channel = 0
        meaning = self._table.meaning(kind, number, channel)
        if not meaning:
            return []
        if code == _NOTE_OFF:
            value = 0
        at_sample = position if self._stamped else NOW
        data = number if kind == "program" else value
        commands = []
        happened: dict[Gesture, bool] = {}  # a gesture with two bindings happens once
        for binding in meaning:
            gesture = binding.gesture
            if binding.swept:
                commands.append(binding.command(at_sample, value))
                continue
            if gesture not in happened:
                happened[gesture] = self._happens(gesture, channel, position, value)
            if happened[gesture]:
                commands.append(self._told(binding, binding.command(at_sample, data)))
            elif binding.action.release is not None and self._let_go(gesture, channel, position):
                commands.append(binding.action.release(at_sample))
        commands = [command for command in commands if not isinstance(command, Nothing)]
        return self._without_companions(kind, meaning, position, commands)

    @staticmethod
    def _told(binding: Binding, command: Command) -> Command:
        """A press whose end will be told says so."""
        gesture = binding.gesture
        told = gesture.kind in ("cc", "note") and gesture.pedal in ("press", "reversed")
        return replace(command, held=True) if told and binding.action.release is not None else command  # type: ignore[arg-type]

    def _let_go(self, gesture: Gesture, channel: int, position: int) -> bool:
        """Whether the message just read says that a pedal that was pressed is at rest again."""
        contact = self._contacts[gesture, channel]
        return contact.changed == position and contact.high == contact.reversed

    def due(self, position: int) -> list[Command]:
        """What programs asked for that came alone, now that the stream has gone on to that position."""
        ready = [held for held in self._held_back if not 0 <= position - held.position < self._together]
        if not ready:
            return []
        self._held_back = [held for held in self._held_back if held not in ready]
        return [command for held in ready for command in held.commands]

    def _without_companions(
        self, kind: Kind, meaning: Sequence[Binding], position: int, commands: list[Command]
    ) -> list[Command]:
        """Some pedals send a program and a controller with each step: where the controller is bound, it is what counts.

        A program that is bound by its own number is meant; one that came under "any" waits for a controller, and gives
        way to it.
        """
        if kind in ("cc", "note") and not all(binding.swept for binding in meaning):
            self._switched = position
            self._held_back = [h for h in self._held_back if abs(position - h.position) >= self._together]
        any_program = kind == "program" and meaning[0].gesture.number == ANY
        if not any_program or not commands or not self._table.has_switches:
            return commands
        if self._switched is None or abs(position - self._switched) >= self._together:
            self._held_back.append(_HeldBack(position, tuple(commands)))
        return []

    def commands_of(self, events: Iterable[Event]) -> list[Command]:
        """What a batch of messages asks for; of the values that a controller went through, only where it is now."""
        latest: dict[int, tuple[Binding, Event]] = {}
        commands: list[Command] = []
        for event in events:
            _, status, number, value = event
            if status & 0xF0 == _CONTROL and 0 <= number < 128 and 0 <= value < 128:
                meaning = self._table.meaning("cc", number, (status & 0x0F) + 1)
                if meaning and all(binding.swept for binding in meaning):
                    for binding in meaning:
                        latest[id(binding)] = (binding, event)
                    continue
            commands += self.due(event[0])
            commands += self.commands(event)
        for binding, (position, _, _, value) in latest.values():
            commands.append(binding.command(position if self._stamped else NOW, value))
        return commands

    def _happens(self, gesture: Gesture, channel: int, position: int, value: int) -> bool:
        contact = self._contacts.setdefault((gesture, channel), _Contact(reversed=gesture.pedal == "reversed"))
        quiet = contact.changed is None or position - contact.changed >= self._bounce
        if gesture.kind not in ("cc", "note"):
            contact.changed = position
            return quiet
        high = value >= _threshold(gesture, contact)
        if contact.high is None and self._is_rest(gesture, contact, position, high):
            contact.high, contact.since = high, position
            if gesture.pedal == "press" and not contact.known:
                contact.reversed = high
            return False
        changed = high != contact.high
        # A note that is struck again without having been let go, and each message of a pulse, is a step of its own.
        again = high and not changed and (gesture.pedal == "pulse" or gesture.kind == "note")
        if not (changed or again):
            return False
        lasted = 0 if contact.high is None else position - contact.since
        if gesture.pedal == "press" and gesture.kind == "cc" and not contact.known:
            if contact.reversed and contact.changed is None and lasted < self._shortest_tap:
                contact.reversed = False  # 127 and 0 at once: that was no rest but a step
                contact.high, contact.since, contact.changed = high, position, position
                return True
            if lasted >= self._bounce:
                self._learn_rest(contact, high, lasted)
        contact.before = lasted if lasted >= self._bounce else contact.before
        contact.high, contact.since, contact.changed = high, position, position
        return quiet and (gesture.pedal == "toggle" or high != contact.reversed)

    def _is_rest(self, gesture: Gesture, contact: _Contact, position: int, high: bool) -> bool:
        """Whether the first value that is heard of a contact says how it stands, not that somebody stepped on it."""
        just_connected = self._connected is not None and position - self._connected < self._report
        if gesture.pedal == "toggle":
            return just_connected and gesture.kind == "cc"
        if gesture.pedal == "press" and gesture.kind == "cc" and just_connected and not contact.known:
            return True
        return high == contact.reversed

    def _learn_rest(self, contact: _Contact, high: bool, lasted: int) -> None:
        """The contact leaves a side after having been on it for `lasted`: which of the two is its rest?"""
        if not contact.before:
            contact.reversed = contact.reversed or (not high and lasted >= self._longest_tap)
            return
        rest_is_high = (lasted > contact.before) != high  # the side that it is on for longer
        shorter, longer = sorted((lasted, contact.before))
        if rest_is_high == contact.reversed:
            contact.known = 2 * shorter <= min(longer, self._longest_tap)
        elif longer >= self._longest_tap:  # two quick steps say nothing against what is believed
            contact.reversed = rest_is_high


def _threshold(gesture: Gesture, contact: _Contact) -> int:
    """The lowest value that is on the upper side now: noise about the threshold is no drum roll."""
    if gesture.kind == "note":
        return max(gesture.threshold, 1)
    if contact.high:
        return gesture.threshold - min(8, gesture.threshold // 4)
    if contact.high is False and contact.reversed:
        return min(127, gesture.threshold + 8)
    return gesture.threshold
