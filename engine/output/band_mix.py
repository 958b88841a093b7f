"""What the preset says of the mix, and what the musician has changed of it by hand.

Values only: knows no sound. Inference thread only.
"""

from __future__ import annotations

from ..mix import FLAT_MIX, RANGES, Mix, checked_value
from ..player import PARTS


class BandMix:
    """The mix of one run. What is changed by hand stays over presets and songs. Inference thread only."""

    def __init__(self) -> None:
        self._preset = FLAT_MIX
        self._by_hand: list[dict[str, float]] = [{} for _ in PARTS]

    def take_preset(self, mix: Mix) -> None:
        """Another preset is on."""
        self._preset = mix

    def set(self, part: str, name: str, value: float) -> None:
        """By hand. Raises ConfigError for what cannot be."""
        self._by_hand[PARTS.index(part) if part in PARTS else 0][name] = checked_value(name, value, part)

    @property
    def mix(self) -> Mix:
        """What is to be heard."""
        mix = self._preset
        for place, changes in enumerate(self._by_hand):
            if changes:
                mix = mix.with_part(place, **changes)
        return mix

    def values(self, name: str) -> tuple[float, ...]:
        """Pan, width, room or compression of each part."""
        if name not in RANGES:
            raise ValueError(f"a part's mix has no {name}")
        return tuple(float(getattr(part, name)) for part in self.mix.parts)
