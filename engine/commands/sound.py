"""What is said of sound: levels, the mix, controls, instruments. Values; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..mix import Mix


@dataclass(frozen=True, slots=True)
class SetLevel:
    """Bring a part to this level, gliding. Any thread."""

    part: str
    level_db: float


@dataclass(frozen=True, slots=True)
class SetBandLevel:
    """The level of the whole band, over those of its parts. Any thread."""

    level_db: float


@dataclass(frozen=True, slots=True)
class SetPresetLevels:
    """What a preset says of each part, in the order of PARTS: what was changed by hand stays over it. Any thread."""

    levels_db: tuple[float, ...]
    muted: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class SetPrograms:
    """The General MIDI program of each part, 0 to 127, in the order of PARTS, for notes that go out. Any thread."""

    programs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetMute:
    """Mute a part or let it be heard; None turns it over. Any thread."""

    part: str
    muted: bool | None = None


@dataclass(frozen=True, slots=True)
class SetMix:
    """Bring a part's pan, width, room or compression there, gliding. Any thread."""

    part: str
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class SetPresetMix:
    """What a preset says of the mix: what was changed by hand stays over it. Any thread."""

    mix: Mix


@dataclass(frozen=True, slots=True)
class SetControl:
    """Change a field of Controls by name: style, density, temperature, top_k, top_p, groove, listening. Any thread."""

    name: str
    value: float | int | str


@dataclass(frozen=True, slots=True)
class SetSound:
    """From the next bar line on a part sounds with that: neural, instruments, or an instrument by name. Any thread."""

    part: str
    name: str


@dataclass(frozen=True, slots=True)
class StepSound:
    """The next sound of a part's round; without a part the whole band turns between neural and instruments.

    Any thread.
    """

    part: str = ""


@dataclass(frozen=True, slots=True)
class SetSounds:
    """What a preset says that the parts sound with, in the order of PARTS (part_sounds.PartSound). Any thread."""

    sounds: tuple[object, ...]
