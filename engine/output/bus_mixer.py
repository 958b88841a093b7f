"""From parts to buses: where each part stands between left and right, how loud it is, and which rows it goes to.

Knows neither players nor rings. Inference thread only; arrays are float32 at the host rate, parts in the order of
PARTS.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...dsp.loudness import FLOOR_DB, db_of_gain, gain_of_db
from ..buses import BusLayout
from ..errors import ConfigError
from ..player import PARTS

Array = NDArray[np.float32]
MIDDLE = (0.0,) * len(PARTS)
SILENT_PEAKS_DB = (FLOOR_DB,) * len(PARTS)
_MONO = np.float32(0.5)
"""(left + right) by this has what is in the middle as loud as it is on each side."""


def pan_gains(pan: float) -> tuple[float, float]:
    """Gains (left, right) of a mono sound at -1 (left) to 1 (right), of one power everywhere; 1 and 1 in the middle.

    Raises ConfigError for a place that is not between left and right.
    """
    if not -1.0 <= pan <= 1.0:
        raise ConfigError(f"pan {pan:g}: give a place from -1 (left) to 1 (right)")
    if pan == 0.0:
        return 1.0, 1.0
    angle = (pan + 1.0) * math.pi / 4
    return math.sqrt(2.0) * math.cos(angle), math.sqrt(2.0) * math.sin(angle)


def mono_of(sound: Array) -> Array:
    """[2, n], or [parts, 2, n], as one channel: [n] or [parts, n]."""
    return np.asarray((sound[..., 0, :] + sound[..., 1, :]) * _MONO, np.float32)


class PartMixer:
    """Places mono parts between left and right, and brings parts to their levels, gliding over one frame.

    Inference thread only; what it gives holds until the next call.
    """

    def __init__(self, frame_samples: int) -> None:
        self._glide = np.linspace(0.0, 1.0, frame_samples + 1, dtype=np.float32)[1:]
        self._placed = np.zeros((len(PARTS), 2, frame_samples), np.float32)
        self._levels: Array | None = None  # the first frame is at its levels at once: a muted part never sounds
        self._sides: Array | None = None
        self._pans = MIDDLE
        self._wanted_sides = np.ones((len(PARTS), 2), np.float32)

    def place(self, parts: Array, pans: tuple[float, ...] = MIDDLE) -> Array:
        """Mono [parts, frame] -> [parts, 2, frame]. Raises ConfigError for a pan that cannot be."""
        if pans != self._pans:
            self._wanted_sides = np.array([pan_gains(pan) for pan in pans], np.float32)
            self._pans = pans
        count = parts.shape[1]
        gains = self._gliding(self._sides, self._wanted_sides, count)
        self._sides = self._wanted_sides
        return np.multiply(parts[:, None, :], gains, out=self._placed if count == self._glide.size else None)

    def level(self, placed: Array, levels_db: tuple[float, ...]) -> Array:
        """[parts, 2, frame] brought to their levels, in place."""
        wanted = np.array([gain_of_db(level_db) for level_db in levels_db], np.float32)[:, None]
        gains = self._gliding(self._levels, wanted, placed.shape[2])
        self._levels = wanted
        placed *= gains
        return placed

    def _gliding(self, before: Array | None, wanted: Array, count: int) -> Array:
        if before is None or np.array_equal(before, wanted):
            return wanted[..., None]
        glide = self._glide if count == self._glide.size else np.linspace(0.0, 1.0, count + 1, dtype=np.float32)[1:]
        return np.asarray(before[..., None] + (wanted - before)[..., None] * glide)

    @staticmethod
    def peaks_db(parts: Array) -> tuple[float, ...]:
        """Peak of each part, [parts, 2, n], in dBFS."""
        return tuple(db_of_gain(float(peak)) for peak in np.abs(parts).max(axis=(1, 2)))


class BusMixer:
    """Sums parts into the rows of a layout's buses. Inference thread only; what it gives holds until the next call."""

    def __init__(self, layout: BusLayout, frame_samples: int) -> None:
        self._layout = layout
        own = {part for part, _ in layout.parts}
        self._all_in_main = not own or layout.parts_in_main
        self._in_main = [index for index, part in enumerate(PARTS) if part not in own]
        self._own = [
            (PARTS.index(bus.name), slice(first, first + bus.rows))
            for bus, first in zip(layout.buses, layout.first_rows, strict=False)
            if bus.name in own and bus.name in PARTS  # a loop's rows are filled by the callback alone
        ]
        self._main = slice(0, layout.buses[0].rows)
        self._mix = np.zeros((2, frame_samples), np.float32)
        plain = not own and layout.rows == 2
        self._rows = self._mix if plain else np.zeros((layout.rows, frame_samples), np.float32)

    def sum(self, parts: Array) -> tuple[Array, Array]:
        """[parts, 2, frame] -> (mix of all of them [2, frame], rows of the buses [rows, frame])."""
        if parts.shape[2] != self._mix.shape[1]:  # a frame that makes room
            return BusMixer(self._layout, parts.shape[2]).sum(parts)
        np.sum(parts, axis=0, out=self._mix)
        if self._rows is not self._mix:
            main = self._mix if self._all_in_main else parts[self._in_main].sum(axis=0)
            _fit(main, self._rows[self._main])
            for part, rows in self._own:
                _fit(parts[part], self._rows[rows])
        return self._mix, self._rows


def _fit(sound: Array, rows: Array) -> None:
    """[2, n] into two rows, or into one as mono."""
    rows[:] = sound if len(rows) == 2 else mono_of(sound)
