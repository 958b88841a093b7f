"""The `controls` of /stream: what a client changes while its band plays, checked as a whole before any of it is done.

Knows no socket. The thread that pushes the stream's blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.commands import SetControl, SetLevel, SetMix
from ...engine.mix import RANGES
from ...engine.output.mixer import controls_after
from ...engine.part_sounds import PartSound, sounds_of
from ...engine.run.accompaniment import Accompaniment
from .stream_messages import WireError, number

_OF_PARTS = ("levels_db", *RANGES)
"""Fields that hold a number for each part that shall change."""


def set_controls(stream: Accompaniment, asked: Mapping[str, Any]) -> None:
    """Do what the message asks for. Raises EngineError, and does nothing of it, for what cannot be."""
    controls = stream.controls
    for name, value in asked.items():
        if name not in ("type", "sound", "do", *_OF_PARTS):  # another name is refused there
            controls = controls_after(controls, SetControl(name, value))
    levels = _by_part(asked, "levels_db")
    for part in levels:
        controls = controls_after(controls, SetLevel(part, number(levels, part, 0.0, -120.0, 24.0)))
    mix = [SetMix(part, name, value) for name in RANGES for part, value in _by_part(asked, name).items()]
    sounds = _sounds(asked["sound"]) if "sound" in asked else {}
    stream.check_changes(mix, sounds)
    if "do" in asked:
        name, arguments = _move(asked["do"])
        stream.do(name, **arguments)
    stream.controls = controls
    stream.change_mix(mix)
    stream.change_sounds(sounds)


def _by_part(asked: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    values = asked.get(name, {})
    if not isinstance(values, dict):
        raise WireError(f'{name}: give a number for each part that shall change, such as {{"bass": 0}}')
    return values


def _sounds(wanted: object) -> dict[str, PartSound]:
    if not isinstance(wanted, str):
        raise WireError("sound: give a word, such as instruments or keys=rhodes")
    return sounds_of(wanted)


def _move(asked: object) -> tuple[str, dict[str, Any]]:
    """ "hit", or {"name": "break", "bars": 2}."""
    if isinstance(asked, str):
        return asked, {}
    if not isinstance(asked, dict) or not isinstance(asked.get("name"), str):
        raise WireError('do: give the name of a move, or {"name": "break", "bars": 2}')
    return asked["name"], {str(key): value for key, value in asked.items() if key != "name"}
