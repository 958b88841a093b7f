"""The parameters of the plug-in: what a host shows, automates and saves, in the order in which the shell numbers them.

Values only; any thread. What a change does to a running band is in `commands.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..engine.player import PARTS
from ..presets.schema import STYLES

Kind = Literal["number", "switch", "trigger", "whole", "choice"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. Any thread."""

    symbol: str
    name: str
    kind: Kind
    low: float
    high: float
    default: float
    text: str
    """What it does, as a musician says it."""
    unit: str = ""
    """"db" or "ms"."""
    choices: tuple[str, ...] = ()
    """Names of the values from `low` on."""


def shipped_presets() -> tuple[str, ...]:
    """Names of the presets that ship, in the order of the parameter's values from 1 on."""
    from ..presets.loader import preset_files

    return tuple(sorted(preset_files(())))


def _level(part: str) -> Parameter:
    return Parameter(
        f"{part}_level", f"{part.title()} level", "number", -60, 12, 0, f"{part}, against the preset's level", "db"
    )


def _mute(part: str) -> Parameter:
    return Parameter(f"{part}_mute", f"Mute {part}", "switch", 0, 1, 0, f"{part} are silent")


def parameters() -> tuple[Parameter, ...]:
    """All of them, in order."""
    presets = shipped_presets()
    return (
        Parameter("play", "Play", "switch", 0, 1, 1, "the band plays: with the transport, or when it hears you"),
        Parameter(
            "preset", "Preset", "choice", 0, len(presets), 0, "kind of band; 0: the one named in the session",
            choices=("as named", *presets),
        ),
        Parameter(
            "style", "Style", "choice", 0, len(STYLES), 0, "style of playing; 0: the preset's",
            choices=("as the preset", *STYLES),
        ),
        Parameter("density", "Density", "number", -1, 1, 0, "how busy the band is: -1 least, 0 as the preset, 1 most"),
        *(_level(part) for part in PARTS),
        Parameter("band_level", "Band level", "number", -60, 12, 0, "level of the whole band", "db"),
        *(_mute(part) for part in PARTS),
        Parameter("fill", "Fill", "trigger", 0, 1, 0, "a fill up to the next bar line"),
        Parameter("ending", "Ending", "trigger", 0, 1, 0, "plays to the next bar line, and ends on its downbeat"),
        Parameter("section", "Section", "whole", 0, 32, 0, "goes to that section of the chart at the next bar line"),
        Parameter("go_on", "Go on alone", "switch", 0, 1, 0, "plays on where the preset would stop with you"),
        Parameter("seed", "Seed", "whole", 0, 9999, 0, "another take: from the next bounce, or start of the band, on"),
        Parameter(
            "early", "Play ahead", "switch", 0, 1, 1,
            "on: no latency, the band plays ahead. Off: latency, for hosts that make up for it and tell the transport "
            "of what the plug-in hears; the band is at once in its place after a start or a jump",
        ),
        Parameter(
            "round_trip", "Round trip", "number", 0, 200, 0,
            "of the sound card, where no transport leads: the band plays so much earlier", "ms",
        ),
    )  # fmt: skip


SHELL_ONLY = ("early", "round_trip")
"""What the shell itself obeys."""
