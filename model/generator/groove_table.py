"""The table of grooves: patterns of each style as the arranger's parts play them, for kinds of sections.

Written by training/band/groove_cells.py; on stage the band is led by them (groove_hand.py). Numpy; any thread.

    cells  [c, 7]  style, beats to the bar, 1 in a compound metre, kind among KINDS, place among DENSITIES, seed, number
                   of events; a style's choices follow one another, each with all kinds, each kind with all densities
    events [e, 5]  part, tick, what, loudness class, length in ticks; those of a cell follow those of the cell before
    swing  [styles, tempi, 2]  share of the first of two swung notes and their length in beats, at the tempi `swing_bpm`

A cell keeps four bars: the two of the pattern, and how its second one is varied in the fourth and in the eighth bar.
Ticks are straight; `what` is the set of voices of drums, the role of bass (bass_roles.py), the number of notes of keys.
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
STORED_BARS = 4
ORDER = (0, 1, 0, 2, 0, 1, 0, 3)
"""Which of the stored bars each bar of a phrase is."""
KINDS = ("verse", "chorus", "bridge")
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
    """A phrase of eight bars of a style. Any thread."""

    beats: int
    """Its length."""
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

    def rows(self, style: str, beats_per_bar: int) -> Ints:
        """The cells of a style and metre, [choices, KINDS, DENSITIES] rows of `cells`; no choices where either is not
        known."""
        found = np.zeros(0, np.intp)
        if style in self.styles:
            own = np.flatnonzero(self.cells[:, 0] == self.styles.index(style))
            found = own[self.cells[own, 1] == beats_per_bar]
            if not len(found) and beats_per_bar in (2, 4):
                found = own[np.isin(self.cells[own, 1], (2, 4))]
            simple = found[self.cells[found, 2] == 0]
            found = simple if len(simple) else found
        return found.reshape(-1, len(KINDS), len(DENSITIES))

    def cell(self, row: int, tempo_bpm: float) -> Cell:
        """One of them, swung for that tempo."""
        style, metre = int(self.cells[row, 0]), int(self.cells[row, 1])
        share, grid = (float(np.interp(tempo_bpm, self.swing_bpm, self.swing[style, :, k])) for k in range(2))
        end = int(self.cells[: row + 1, 6].sum())
        own = self.events[end - int(self.cells[row, 6]) : end]
        parts = []
        for part in range(3):
            bars: list[list[CellEvent]] = [[] for _ in range(STORED_BARS)]
            for _, tick, what, loud, length in own[own[:, 0] == part].tolist():
                bar, rest = divmod(tick, TICKS * metre)
                bars[bar].append(CellEvent(swung(rest / TICKS, share, grid), what, loud, length / TICKS))
            parts.append(
                tuple(
                    event._replace(beat=place * metre + event.beat)
                    for place, bar in enumerate(ORDER)
                    for event in bars[bar]
                )
            )
        return Cell(len(ORDER) * metre, tuple(parts))


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
        "cells": cells.astype(np.int32),
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
