"""Writes the table of grooves that the band is led by: phrases of each style, several ways, three kinds of sections.

    python -m gigmate.training.band.groove_cells model/weights/grooves.safetensors

Counted nowhere and drawn by nobody: cells are what the arranger's players play over bars of its own songs (training
split), laid out as phrases of eight bars where all three play, with half a beat of fill in the fourth bar and a longer
one in the eighth. A song's sections differ, in two of three parts at least. The same song is written at each density,
so that a cell's busier and thinner forms belong together. What the table holds is said in
model/generator/groove_table.py. Knows no model.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...model.generator import bass_roles
from ...model.generator import score_tokens as st
from ...model.generator.groove_table import DENSITIES, KINDS, ORDER, TICKS, save
from . import feel
from .arrange import play, write_song
from .score import METRES, PARTS, Bar, Note, Score
from .styles import STYLES

SEEDS_FROM = 70_000
CHOICES = 5
"""Cells of each style and metre."""
_TRIES = 160
_SWING_BPM = np.arange(40.0, 250.0, 10.0)
_FILLS = {3: 0.5, 7: 1.0}
"""Beats of fill at the end of the phrase's bars; every other choice has two in the last."""
_STORED = (0, 1, 3, 7)
"""Bars of the phrase that the cell keeps: those that ORDER repeats."""


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
    for score, phrases in _songs(style):
        compound = int(METRES[score.metre][1])
        for kind in range(len(KINDS)):
            for level in range(len(DENSITIES)):
                found = phrases[level][kind]
                row = [list(STYLES).index(style), score.beats_per_bar, compound, kind, level, score.seed, len(found)]
                cells.append(row)
                events += found
    return cells, events


def _swing(name: str, bpm: float) -> tuple[float, float]:
    """The share of the first of two swung notes, and how long these are, in beats."""
    style = STYLES[name]
    if not style.swing_depth:
        return 0.5, 0.5
    pace = bpm * (2 if style.swing_grid_beats == 0.25 else 1)
    return feel.swing_by_tempo(pace, style.swing_depth), style.swing_grid_beats


Events = list[list[int]]


def _songs(style: str) -> Iterator[tuple[Score, list[list[Events]]]]:
    """CHOICES songs of each metre whose sections differ, with the events of each density and kind."""
    counts = dict.fromkeys(STYLES[style].metres, 0)
    for seed in range(SEEDS_FROM, SEEDS_FROM + _TRIES):
        if min(counts.values()) >= CHOICES:
            return
        score = write_song(seed, "train", (style,), seconds=(50.0, 60.0))
        if counts[score.metre] >= CHOICES:
            continue
        score.bars = _phrases(score, counts[score.metre])
        phrases = [_played(score, density) for density in DENSITIES]
        if _differ(phrases[1]) or seed >= SEEDS_FROM + _TRIES // 2:
            counts[score.metre] += 1
            yield score, phrases


def _phrases(score: Score, choice: int) -> list[Bar]:
    """Eight bars of each kind over the song's own chords, and a last one."""
    bars: list[Bar] = []
    beats = score.beats_per_bar
    for number, kind in enumerate(KINDS):
        own = [bar for bar in score.bars[:-1] if bar.section == kind] or score.bars[:-1]
        for k in range(len(ORDER)):
            fill = _FILLS.get(k, 0.0) if k != 7 or choice % 2 == 0 else 2.0
            bars.append(
                dataclasses.replace(
                    own[k % len(own)], index=len(bars), start_beat=len(bars) * beats, section=kind,
                    first_of_section=False, section_number=number, bar_in_section=k,
                    fill_beats=min(fill, float(beats)), parts=(True, True, True), lead_from_beats=0.0,
                    lead_to_beats=99.0, pickup_beats=0.0,
                )
            )  # fmt: skip
    last = dataclasses.replace(
        score.bars[-1], index=len(bars), start_beat=len(bars) * beats, section_number=len(KINDS), bar_in_section=0
    )
    return [*bars, last]


def _differ(kinds: list[Events]) -> bool:
    """Whether any two kinds of sections differ in the rhythm of two of the parts."""

    def rhythm(events: Events, row: int) -> set[tuple[int, int]]:
        return {(tick, what if row == 0 else 0) for part, tick, what, _, _ in events if part == row}

    return all(
        sum(rhythm(a, row) != rhythm(b, row) for row in range(len(PARTS))) >= 2
        for a, b in itertools.combinations(kinds, 2)
    )


def _played(score: Score, density: float) -> list[Events]:
    """The events of each kind's cell at that density: part, tick, what, loudness class, length in ticks."""
    for bar in score.bars:
        bar.density = density
    play(np.random.default_rng([0x67726F, score.seed]), STYLES[score.style], score)
    size = len(ORDER)
    return [_cell(score, score.bars[kind * size : (kind + 1) * size]) for kind in range(len(KINDS))]


def _cell(score: Score, bars: list[Bar]) -> Events:
    events: Events = []
    for row, part in enumerate(PARTS):
        for place, number in enumerate(_STORED):
            bar = bars[number]
            at: dict[int, list[Note]] = {}
            for note in score.notes[part]:
                if bar.start_beat - 1e-6 <= note.beat < bar.start_beat + bar.beats - 1e-6:
                    at.setdefault(round((note.beat - bar.start_beat) * TICKS), []).append(note)
            for tick, notes in sorted(at.items()):
                loudest = st.loudness_class(max(note.velocity for note in notes))
                length = max(1, round(max(note.length_beats for note in notes) * TICKS))
                what = _what(score, part, notes)
                events.append(
                    [row, min(tick, TICKS * bar.beats - 1) + place * TICKS * bar.beats, what, loudest, length]
                )
    return events


def _what(score: Score, part: str, notes: list[Note]) -> int:
    """Of drums the set of voices; of bass its role; of keys the number of notes."""
    if part == "drums":
        return int(np.bitwise_or.reduce([1 << st.VOICE_OF_KEY.get(note.pitch, 2) for note in notes]))
    if part == "keys":
        return min(len(notes), st.NOTE_SLOTS)
    beat = notes[0].beat + 1e-6
    at = next(k for k in range(len(score.bars) - 1, -1, -1) if score.bars[k].start_beat <= beat)
    bar = score.bars[at]
    chord = bar.chord_at(beat - bar.start_beat)
    changes = [bar.start_beat + offset for offset, _ in bar.chords if bar.start_beat + offset > beat]
    turn = min([*changes, float(bar.start_beat + bar.beats)])
    following = (
        bar.chord_at(turn - bar.start_beat) if changes else score.bars[min(at + 1, len(score.bars) - 1)].chords[0][1]
    )
    last = not any(beat < note.beat < turn - 1e-6 for note in score.notes["bass"])
    # over an inversion the bass is what the line stands on
    root = chord.bass if notes[0].pitch % 12 == chord.bass else chord.root
    return bass_roles.role_in(notes[0].pitch, root, chord.tones, following.bass, last)


if __name__ == "__main__":
    main()
