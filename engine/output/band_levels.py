"""How loud each part and the whole band are: what the preset says, and what the musician has changed of it by hand.

Values only: knows no sound. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import ConfigError
from ..player import PARTS

HIGHEST_LEVEL_DB = 24.0


@dataclass(slots=True)
class _Part:
    preset_db: float = 0.0
    preset_muted: bool = False
    offset_db: float = 0.0
    """By hand, over the preset's level; -inf: turned off."""
    hand_muted: bool | None = None
    """By hand; None: as the preset says."""
    woken: bool = False
    """Turned up by hand though the preset has it off."""

    @property
    def muted(self) -> bool:
        return self.preset_muted if self.hand_muted is None else self.hand_muted

    @property
    def level_db(self) -> float:
        if self.preset_db == -math.inf and not self.woken:
            return -math.inf
        return min(self._base_db + self.offset_db, HIGHEST_LEVEL_DB)

    @property
    def _base_db(self) -> float:
        return 0.0 if self.preset_db == -math.inf else self.preset_db

    def set_level(self, level_db: float) -> None:
        self.offset_db = level_db - self._base_db
        self.woken = level_db > -math.inf

    def set_muted(self, muted: bool | None) -> None:
        wanted = not self.muted if muted is None else muted
        self.hand_muted = None if wanted == self.preset_muted else wanted

    def take_preset(self, level_db: float, muted: bool) -> None:
        self.preset_db, self.preset_muted, self.woken = level_db, muted, False
        if self.hand_muted is False:  # what was let in belongs to the preset that had it out
            self.hand_muted = None


class BandLevels:
    """The levels of one run. What is changed by hand stays over presets and songs, as an offset to what those say.

    Inference thread only.
    """

    def __init__(self) -> None:
        self._parts = [_Part() for _ in PARTS]
        self.band_db = 0.0
        """Of the whole band."""

    def take_preset(self, levels_db: tuple[float, ...], muted: tuple[bool, ...]) -> None:
        """Another preset is on."""
        for part, level_db, is_muted in zip(self._parts, levels_db, muted, strict=True):
            part.take_preset(level_db, is_muted)

    def set_level(self, name: str, level_db: float) -> None:
        """By hand. Raises ConfigError for a part or a level that cannot be."""
        part = self._part(name)
        part.set_level(checked_level_db(level_db, name))

    def set_muted(self, name: str, muted: bool | None) -> None:
        """By hand; None turns it over. Raises ConfigError for a part that there is none of."""
        self._part(name).set_muted(muted)

    def set_band(self, level_db: float) -> None:
        """By hand, all parts together. Raises ConfigError for a level that cannot be."""
        self.band_db = checked_level_db(level_db, "the band")

    @property
    def levels_db(self) -> tuple[float, ...]:
        """Of each part, as if none were muted and the band at 0 dB."""
        return tuple(part.level_db for part in self._parts)

    @property
    def muted(self) -> tuple[bool, ...]:
        return tuple(part.muted for part in self._parts)

    @property
    def mix_db(self) -> tuple[float, ...]:
        """What the mix brings each part to."""
        return tuple(-math.inf if part.muted else part.level_db + self.band_db for part in self._parts)

    def _part(self, name: str) -> _Part:
        if name not in PARTS:
            raise ConfigError(f"there is no part {name!r}: the parts are {', '.join(PARTS)}")
        return self._parts[PARTS.index(name)]


def checked_level_db(level_db: float, of: str) -> float:
    """The level. Raises ConfigError for one that cannot be."""
    if math.isnan(level_db) or level_db > HIGHEST_LEVEL_DB:
        raise ConfigError(f"level {level_db} dB of {of}: give at most {HIGHEST_LEVEL_DB:g}")
    return float(level_db)
