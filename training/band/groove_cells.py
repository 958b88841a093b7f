"""Writes the table of grooves that the band is led by: two bars of each style, several ways, three densities.

    python -m gigmate.training.band.groove_cells model/weights/grooves.safetensors

Counted nowhere and drawn by nobody: cells are cut out of songs that the arranger writes (training split), where all
three play, nobody fills and no section begins. The same song is written at each density, so that a cell's busier and
thinner forms belong together. What the table holds is said in model/generator/groove_table.py. Knows no model.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...model.generator import score_tokens as st
from ...model.generator.groove_table import CELL_BARS, DENSITIES, TICKS, save
from . import feel
from .arrange import play, write_song
from .score import METRES, PARTS, Bar, Score
from .styles import STYLES

SEEDS_FROM = 70_000
CHOICES = 6
"""Cells of each style and metre."""
_TRIES = 120
_SWING_BPM = np.arange(40.0, 250.0, 10.0)


def main() -> None:
    """Write the table to the path given."""
    path = Path(sys.argv[1])
    cells, events = [], []
    for style in STYLES:
        own_cells, own_events = cells_of(style)
        cells += own_cells
        events += own_events
    swing = np.array([[_swing(style, bpm) for bpm in _SWING_BPM] for style in STYLES], np.float32)
    save(path, list(STYLES), np.array(cells), np.array(events), _SWING_BPM.astype(np.float32), swing)
    print(f"{len(cells)} cells, {len(events)} events, {path.stat().st_size / 1024:.0f} KiB")


def cells_of(style: str) -> tuple[list[list[int]], list[list[int]]]:
    """Rows of the table's cells and of their events."""
    cells, events = [], []
    for score, start in _songs(style):
        for level, density in enumerate(DENSITIES):
            found = _cell(score, start, density)
            compound = int(METRES[score.metre][1])
            cells.append([list(STYLES).index(style), score.beats_per_bar, compound, level, start.index, len(found)])
            events += found
    return cells, events


def _swing(name: str, bpm: float) -> tuple[float, float]:
    """The share of the first of two swung notes, and how long these are, in beats."""
    style = STYLES[name]
    if not style.swing_depth:
        return 0.5, 0.5
    pace = bpm * (2 if style.swing_grid_beats == 0.25 else 1)
    return feel.swing_by_tempo(pace, style.swing_depth), style.swing_grid_beats


def _songs(style: str) -> Iterator[tuple[Score, Bar]]:
    """CHOICES songs of each metre, each with the bar where its cell begins."""
    counts = dict.fromkeys(STYLES[style].metres, 0)
    for seed in range(SEEDS_FROM, SEEDS_FROM + _TRIES):
        if min(counts.values()) >= CHOICES:
            return
        score = write_song(seed, "train", (style,), seconds=(50.0, 60.0))
        start = next((bar for bar in score.bars if _can_begin(score, bar)), None)
        if start is not None and counts[score.metre] < CHOICES:
            counts[score.metre] += 1
            yield score, start


def _can_begin(score: Score, bar: Bar) -> bool:
    bars = score.bars[bar.index : bar.index + CELL_BARS]
    plain = all(all(b.parts) and not b.fill_beats and not b.first_of_section for b in bars)
    kind = score.bars[bar.index].section in ("verse", "chorus")
    return plain and kind and len(bars) == CELL_BARS and bar.bar_in_section % CELL_BARS == 0 and bar.index > 2


def _cell(score: Score, start: Bar, density: float) -> list[list[int]]:
    """Events of the bars from `start` on at that density: part, tick, what, loudness class, length in ticks."""
    for bar in score.bars:
        bar.density = density
    play(np.random.default_rng([0x67726F, score.seed]), STYLES[score.style], score)
    first, last = start.start_beat, start.start_beat + CELL_BARS * start.beats
    events = []
    for row, part in enumerate(PARTS):
        at: dict[int, list[tuple[int, int, float]]] = {}
        for note in score.notes[part]:
            if first - 1e-6 <= note.beat < last - 1e-6:
                at.setdefault(round((note.beat - first) * TICKS), []).append(
                    (note.pitch, note.velocity, note.length_beats)
                )
        for tick, notes in sorted(at.items()):
            loudest = st.loudness_class(max(velocity for _, velocity, _ in notes))
            length = max(1, round(max(length for _, _, length in notes) * TICKS))
            events.append([row, tick, _what(score, part, first + tick / TICKS, notes), loudest, length])
    return events


def _what(score: Score, part: str, beat: float, notes: list[tuple[int, int, float]]) -> int:
    """Of drums the set of voices; of bass semitones above the root of the chord; of keys the number of notes."""
    if part == "drums":
        return int(np.bitwise_or.reduce([1 << st.VOICE_OF_KEY.get(pitch, 2) for pitch, _, _ in notes]))
    if part == "keys":
        return min(len(notes), st.NOTE_SLOTS)
    bar = next(b for b in reversed(score.bars) if b.start_beat <= beat + 1e-6)
    return (notes[0][0] - bar.chord_at(beat - bar.start_beat).root) % 12


if __name__ == "__main__":
    main()
