"""The table of grooves: two bars of each style, several ways, at three densities, as the arranger's parts play them.

Written by training/band/groove_cells.py; on stage the band is led by them (groove_hand.py). Numpy; any thread.

    cells  [c, 6]  style, beats to the bar, 1 in a compound metre, place among DENSITIES, seed bar, number of events
    events [e, 5]  part, tick, what, loudness class, length in ticks; those of a cell follow those of the cell before
    swing  [styles, tempi, 2]  share of the first of two swung notes and their length in beats, at the tempi `swing_bpm`

Ticks are straight; `what` is the set of voices of drums, semitones above the chord's root of bass, notes of keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

TICKS = 24
"""Of a beat: sixteenths, triplets and thirty-seconds fall on them."""
CELL_BARS = 2
DENSITIES = (0.15, 0.5, 0.85)
SHIPPED = Path(__file__).resolve().parent.parent / "weights" / "grooves.safetensors"

Ints = NDArray[np.integer[Any]]


class CellEvent(NamedTuple):
    """A note, chord or hit of a cell. Any thread."""

    beat: float
    """From the cell's beginning, swung."""
    what: int
    loudness: int
    beats: float
    """How long it sounds."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Bars of a style. Any thread."""

    beats: int
    """Its length."""
    level: int
    """Place among DENSITIES."""
    parts: tuple[tuple[CellEvent, ...], ...]
    """Of drums, bass and keys, in order of time."""


@dataclass(frozen=True, slots=True)
class GrooveTable:
    """All that is in the file. Any thread."""

    styles: tuple[str, ...]
    cells: Ints
    events: Ints
    swing_bpm: NDArray[np.float32]
    swing: NDArray[np.float32]

    def cells_of(self, style: str, beats_per_bar: int, tempo_bpm: float) -> tuple[tuple[Cell, ...], ...]:
        """Each choice at all densities, swung for that tempo; empty where style or metre is not known."""
        if style not in self.styles:
            return ()
        index = self.styles.index(style)
        ends = np.cumsum(self.cells[:, 5])
        rows = [row for row in range(len(self.cells)) if self.cells[row, 0] == index]
        known = [row for row in rows if self.cells[row, 1] == beats_per_bar]
        if not known and beats_per_bar in (2, 4):
            known = [row for row in rows if self.cells[row, 1] in (2, 4)]
        simple = [row for row in known if not self.cells[row, 2]]
        share, grid = (float(np.interp(tempo_bpm, self.swing_bpm, self.swing[index, :, k])) for k in range(2))
        made = []
        for row in simple or known:
            own = self.events[ends[row] - self.cells[row, 5] : ends[row]]
            made.append(_cell(own, self.cells[row], share, grid))
        return tuple(tuple(made[k : k + len(DENSITIES)]) for k in range(0, len(made), len(DENSITIES)))


def _cell(events: Ints, cell: Ints, share: float, grid: float) -> Cell:
    parts = []
    for part in range(3):
        own = events[events[:, 0] == part]
        parts.append(
            tuple(
                CellEvent(swung(tick / TICKS, share, grid), what, loud, length / TICKS)
                for _, tick, what, loud, length in own.tolist()
            )
        )
    return Cell(CELL_BARS * int(cell[1]), int(cell[3]), tuple(parts))


def swung(beat: float, share: float, grid: float) -> float:
    """A straight place as it is swung: of two notes of `grid` beats the first takes `share` of their time."""
    pair, part = divmod(beat / (2.0 * grid), 1.0)
    bent = part * 2.0 * share if part < 0.5 else share + (part - 0.5) * 2.0 * (1.0 - share)
    return float((pair + bent) * 2.0 * grid)


def save(
    path: Path, styles: Sequence[str], cells: Ints, events: Ints, swing_bpm: NDArray[np.float32],
    swing: NDArray[np.float32],
) -> None:  # fmt: skip
    """Write the file: safetensors, the names of the styles beside the arrays."""
    arrays = {
        "cells": cells.astype(np.int16),
        "events": events.astype(np.int16),
        "swing_bpm": swing_bpm,
        "swing": swing,
    }
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path, {"styles": ",".join(styles)})


@lru_cache(maxsize=1)
def shipped() -> GrooveTable:
    """The table that comes with the program. Raises OSError where it is missing."""
    with safe_open(SHIPPED, framework="numpy") as kept:
        styles = tuple(kept.metadata()["styles"].split(","))
        return GrooveTable(styles, *(kept.get_tensor(name) for name in ("cells", "events", "swing_bpm", "swing")))
