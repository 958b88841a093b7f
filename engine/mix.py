"""How the parts are mixed: what a preset says of each, and of the room that they stand in. Values only; any thread."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from .errors import ConfigError

BAND_LUFS = -21.0
"""What the whole band comes to, mixed as written: within 1.5 LU in every style (`gigmate eval balance`)."""
RANGES: dict[str, tuple[float, float]] = {
    "pan": (-1.0, 1.0),
    "width": (0.0, 1.0),
    "room": (0.0, 1.0),
    "compression": (0.0, 1.0),
}
"""Of what is said of a part."""


@dataclass(frozen=True, slots=True)
class PartMix:
    """One part. Any thread."""

    pan: float = 0.0
    """-1 left, 1 right."""
    width: float = 0.0
    """0: in one point; 1: as wide as its sound is, or as sound that is mono can be made."""
    room: float = 0.0
    """0: dry; 1: as much room as part."""
    compression: float = 0.0
    """0: none; 1: as much as is still gentle."""


@dataclass(frozen=True, slots=True)
class Mix:
    """All parts, in the order of PARTS, and the room. Any thread."""

    parts: tuple[PartMix, ...] = (PartMix(),) * 3
    decay_s: float = 0.5
    """How long the room rings: until it has fallen by 60 dB."""
    room_level: float = 1.0
    """Over what each part says of its room."""
    flat: bool = False
    """Parts as they come: no trims to the balance as written (balance_table.py), no width of our making."""

    def with_part(self, place: int, **changes: float) -> Mix:
        """The same with one part changed."""
        parts = list(self.parts)
        parts[place] = dataclasses.replace(parts[place], **changes)
        return dataclasses.replace(self, parts=tuple(parts))


HOUSE_MIX = Mix(
    (
        PartMix(width=0.8, room=0.14, compression=0.5),
        PartMix(compression=0.5),
        PartMix(pan=0.15, width=1.0, room=0.18, compression=0.2),
    )
)
"""What a preset that says nothing gets."""
FLAT_MIX = Mix((PartMix(width=1.0),) * 3, flat=True)
"""Parts as they come."""


def checked_value(name: str, value: float, part: str) -> float:
    """A value of a part's mix. Raises ConfigError for a name, a part or a value that cannot be."""
    from .player import PARTS  # which brings numpy along

    if part not in PARTS:
        raise ConfigError(f"there is no part {part!r}: the parts are {', '.join(PARTS)}")
    if name not in RANGES:
        raise ConfigError(f"there is no {name!r} in the mix: a part has {', '.join(RANGES)}")
    low, high = RANGES[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigError(f"{name} {value!r} of {part}: give a number from {low:g} to {high:g}")
    return float(value)
