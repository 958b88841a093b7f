"""The JSON messages of the WebSocket: {"do": name, ...} in; hello, lists, status and errors out.

Knows no sockets. The names and arguments are those of engine.actions, as pedals and OSC have them. Pure functions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ...engine.actions import PARTS, ActionError, command_of
from ...engine.commands import Command
from ...engine.status import SILENCE_DB, Status
from ...files.json_text import json_text, plain
from ..display_text import big_state, is_on

VERSION = 1
_FIELDS = tuple(field.name for field in fields(Status))


class WireError(Exception):
    """What came is no command: one line that says what to send. Any thread."""


def read(text: str | bytes) -> tuple[str, dict[str, Any]]:
    """(name, arguments) of a message. Raises WireError."""
    if not isinstance(text, str):
        raise WireError('send text, such as {"do": "start"}: binary messages are not used')
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise WireError('that is not JSON: send {"do": "start"} or similar') from None
    if not isinstance(message, dict) or not isinstance(message.get("do"), str):
        raise WireError('a message has a "do": send {"do": "start"} or similar')
    return message.pop("do"), message


def command_from(name: str, arguments: Mapping[str, Any]) -> Command:
    """The command of a message. Raises WireError, with what the action takes."""
    try:
        return command_of(name[:60], arguments)
    except ActionError as error:
        raise WireError(" ".join(str(error).split())) from None


def hello(lists: Mapping[str, Any]) -> str:
    """The first message to a client: who we are and what can be chosen."""
    return json_text({"type": "hello", "version": VERSION, "parts": PARTS, **lists})


def lists_text(lists: Mapping[str, Any]) -> str:
    """Presets, songs and sections, when they have changed."""
    return json_text({"type": "lists", **lists})


def numbered(text: str, number: int) -> str:
    """A snapshot's text with its number, which a client gives back as `seen`."""
    return f'{text[:-1]},"number":{number}}}'


def status_text(status: Status) -> str:
    """The snapshot: every field of Status by its name, and the words that the faces show. Still without a number."""
    words, mood = big_state(status)
    values: dict[str, Any] = {"type": "status", "words": words, "mood": mood, "on": is_on(status)}
    for name in _FIELDS:
        values[name] = getattr(status, name)
    return json_text(_short(plain(values, SILENCE_DB)), compact=True)


def error_text(line: str) -> str:
    """The answer to what cannot be."""
    return json_text({"type": "error", "error": line[:300]})


def _short(value: Any) -> Any:
    """Plain values with numbers cut to what a page shows."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return value
