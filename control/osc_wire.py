"""OSC packets: parsed into named actions; status and beats encoded as packets. No sockets, no threads.

Knows the names of actions and the fields of the status, not what they do. Packets come from anybody: whatever the bytes
are, they are a list of messages or an OscError.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pythonosc import osc_bundle_builder, osc_message_builder
from pythonosc.parsing import osc_types

from ..engine.actions import ACTIONS, ActionError, action_named
from ..engine.commands import Command
from ..engine.status import SILENCE_DB, Status

ROOT = "gigmate"
STATUS_ROOT = f"/{ROOT}/status/"
BEAT_ADDRESS = f"/{ROOT}/beat"
_BUNDLE = b"#bundle\x00"
_MOST_MESSAGES = 512
"""In one packet."""
_DEEPEST = 8
_PACKET_BYTES = 1200
"""What goes out fits into one frame of any network."""


class OscError(Exception):
    """Bytes that are not OSC, or a message that asks for nothing we know. Any thread."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its address, its arguments, and when it is meant for (seconds since 1970; 0: at once).

    Any thread.
    """

    address: str
    arguments: tuple[object, ...] = ()
    due_s: float = 0.0


# -------------------------------------------------------------------------------------------------------------- in


def messages_of(data: bytes) -> list[Message]:
    """The messages in a packet, bundles taken apart. Raises OscError."""
    messages: list[Message] = []
    try:
        _take_apart(data, 0.0, 0, messages)
    except (osc_types.ParseError, struct.error, ValueError, IndexError, OverflowError) as error:
        raise OscError(f"not OSC: {error}") from None
    return messages


def _take_apart(data: bytes, due_s: float, depth: int, messages: list[Message]) -> None:
    if not data.startswith(_BUNDLE):
        messages.append(_message(data, due_s))
        if len(messages) > _MOST_MESSAGES:
            raise OscError(f"more than {_MOST_MESSAGES} messages in one packet")
        return
    if depth >= _DEEPEST:
        raise OscError("bundles are nested too deeply")
    due_s, index = osc_types.get_date(data, len(_BUNDLE))
    due_s = max(0.0, float(due_s))
    while index < len(data):
        (size,) = struct.unpack_from(">i", data, index)
        index += 4
        if size <= 0 or index + size > len(data):
            raise OscError("a bundle's element is longer than the bundle")
        _take_apart(data[index : index + size], due_s, depth + 1, messages)
        index += size


def _message(data: bytes, due_s: float) -> Message:
    if not data.startswith(b"/"):
        raise OscError("an address must begin with /")
    address, index = osc_types.get_string(data, 0)
    if index >= len(data):
        return Message(address, (), due_s)
    tags, index = osc_types.get_string(data, index)
    if not tags.startswith(","):
        raise OscError("type tags must begin with a comma")
    arguments: list[object] = []
    for tag in tags[1:]:
        value, index = _argument(tag, data, index)
        arguments.append(value)
    return Message(address, tuple(arguments), due_s)


_READERS = {
    "i": osc_types.get_int,
    "h": osc_types.get_int64,
    "f": osc_types.get_float,
    "d": osc_types.get_double,
    "s": osc_types.get_string,
    "S": osc_types.get_string,
}
_CONSTANTS: dict[str, object] = {"T": True, "F": False, "N": None, "I": True}


def _argument(tag: str, data: bytes, index: int) -> tuple[object, int]:
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], index
    reader = _READERS.get(tag)
    if reader is None:
        raise OscError(f"arguments of type {tag!r} are not supported")
    value, index = reader(data, index)  # type: ignore[operator]
    return value, index


def command_of(message: Message, explain: bool = True) -> Command | None:
    """The command of a message, or None for a button that is let go (a press that ends in 0).

    Arguments may be parts of the address ("/gigmate/level/bass -6" is "/gigmate/level bass -6"), and of any type that
    can be read as theirs. Raises OscError; without `explain` it does not look for the name that was meant, which costs.
    """
    root, _, rest = message.address.lstrip("/").partition("/")
    if root != ROOT or not rest:
        raise OscError(f"{_shown(message.address)}: addresses begin with /{ROOT}/")
    name, *path = rest.split("/")
    if name not in ACTIONS and not explain:
        raise OscError("no such action")
    values: list[object] = [*path, *message.arguments]
    try:
        action = action_named(name)
        required = [argument for argument in action.arguments if not argument.optional]
        if not required and not path and len(values) == 1 and isinstance(values[0], (int, float, bool)):
            if values[0] == 0:
                return None
            takes_number = action.arguments and action.arguments[0].kind != "word"
            values = values if takes_number else []
        if len(values) > len(action.arguments):
            names = " ".join(argument.name for argument in action.arguments)
            raise OscError(f"{_shown(message.address)} takes {names or 'nothing'}")
        given = {argument.name: value for argument, value in zip(action.arguments, values, strict=False)}
        return action.command(given)
    except ActionError as error:
        raise OscError(f"{_shown(message.address)}: {error}") from None


def _shown(text: str) -> str:
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= 60 else plain[:57] + "..."


# ------------------------------------------------------------------------------------------------------------- out


def status_values(status: Status) -> dict[str, tuple[object, ...]]:
    """Every field of the status by its name, as arguments. Infinite levels become the floor of the meters."""
    values = {}
    for field in dataclasses.fields(status):
        value = getattr(status, field.name)
        values[field.name] = tuple(_sendable(item) for item in (value if isinstance(value, tuple) else (value,)))
    return values


def _sendable(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else SILENCE_DB
    if isinstance(value, bool) or not isinstance(value, int):
        return value if isinstance(value, bool) else str(value)
    return max(-(2**31), min(2**31 - 1, value))


def status_packets(values: dict[str, tuple[object, ...]]) -> Iterator[bytes]:
    """The fields as bundles, none longer than a network's frame unless a single field is."""
    builder, size = None, 0
    for name, arguments in values.items():
        content = _built(STATUS_ROOT + name, arguments)
        if builder is not None and size + content.size + 4 > _PACKET_BYTES:
            yield builder.build().dgram
            builder = None
        if builder is None:
            builder, size = osc_bundle_builder.OscBundleBuilder(osc_bundle_builder.IMMEDIATELY), 16  # type: ignore[arg-type]
        builder.add_content(content)  # type: ignore[arg-type]
        size += content.size + 4
    if builder is not None:
        yield builder.build().dgram


def beat_packet(beat: Beat) -> bytes:
    """`/gigmate/beat beat bar beats_per_bar tempo_bpm`."""
    return bytes(_built(BEAT_ADDRESS, (beat.beat, beat.bar, beat.beats_per_bar, beat.tempo_bpm)).dgram)


def _built(address: str, arguments: Sequence[object]):  # type: ignore[no-untyped-def]
    builder = osc_message_builder.OscMessageBuilder(address)
    for argument in arguments:
        kind = "f" if isinstance(argument, float) else None  # never a double, which few programs read
        builder.add_arg(argument, kind)  # type: ignore[arg-type]
    return builder.build()


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat that falls now: its number in the bar from 1, the bar, and how fast it goes. Any thread."""

    beat: int
    bar: int
    beats_per_bar: int
    tempo_bpm: float


class BeatAnnouncer:
    """Says each beat once, as it falls, from snapshots that come several times a beat. One thread at a time."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None  # bar and beat said last
        self._last_s = float("-inf")
        self._phase = -1.0
        self._due_s: float | None = None
        """When the next one falls, as far as the snapshots tell."""

    @property
    def due_s(self) -> float | None:
        """When to ask again at the latest; None where nobody knows the beat."""
        return self._due_s

    def beats(self, status: Status, now_s: float) -> list[Beat]:
        """The beats that have fallen since the last call: none or one."""
        if status.beat < 1 or not 10.0 <= status.tempo_bpm <= 1000.0:
            self._last, self._due_s = None, None
            return []
        beat_s = 60.0 / status.tempo_bpm
        place = (status.bar, status.beat)
        if self._last is None:  # the beat that was found is under way: the next one is the first to be said
            self._last, self._last_s = place, now_s - 0.6 * beat_s
            self._phase = -1.0
        self._predict_beat(status, place, now_s, beat_s)
        due = self._due_s is not None and now_s >= self._due_s
        moved = place != self._last and now_s - self._last_s > 0.5 * beat_s
        if not due and not moved:
            return []
        if moved:
            self._last = place
        else:
            self._last = _after(self._last, status.beats_per_bar)
        self._last_s, self._due_s = now_s, None
        return [Beat(self._last[1], self._last[0], status.beats_per_bar, status.tempo_bpm)]

    def _predict_beat(self, status: Status, place: tuple[int, int], now_s: float, beat_s: float) -> None:
        """A snapshot is never early: of what they foretell of one beat, the earliest is the truest."""
        if status.beat_phase == self._phase:
            return
        self._phase = status.beat_phase
        if place != self._last and now_s - self._last_s <= 0.5 * beat_s:
            if _after(place, status.beats_per_bar) == self._last:
                return  # the beat was said before the snapshot got there
            self._last = place  # the same beat under another number
        foreseen_s = now_s + (1.0 - status.beat_phase) * beat_s
        if self._due_s is None or abs(foreseen_s - self._due_s) > 0.06:
            self._due_s = foreseen_s
        else:
            self._due_s = min(self._due_s, foreseen_s)


def _after(place: tuple[int, int], beats_per_bar: int) -> tuple[int, int]:
    bar, beat = place
    return (bar + 1, 1) if beat >= beats_per_bar else (bar, beat + 1)
