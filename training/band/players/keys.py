"""The keyboard player: comping from rhythm cells, with voicings that lead. Knows no sound. Range C3 to C6."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..chord_theory import lead_voices
from ..form import choose
from ..score import (
    METRES,
    Bar,
    Chord,
    Note,
)
from ..style import Style
from .density import SPARSE, Busy, usual_of_cells
from .density_habits import MANNERS
from .drums import kind_of, steps
from .keys_density import fitted


def write_keys(
    rng: np.random.Generator, style: Style, bars: list[Bar], metre: str, accents: Callable[[str], set[float]],
    bpm: float, seed: int,
) -> list[Note]:  # fmt: skip
    """All notes of the keys of a song. `accents`: where the lead leans in a kind of section; the keys look for room.
    `seed`: of what density makes of the cells."""
    per_beat = style.steps("keys", metre)
    busy = Busy(MANNERS[style.name], usual_of_cells(style.keys[metre], per_beat), 60.0 / bpm, seed)
    cells = {
        kind: _between(rng, style.keys[metre], per_beat * METRES[metre][0], per_beat, accents(kind))
        for kind in ("verse", "chorus", "bridge")
    }
    low, high = style.keys_range
    previous: tuple[int, ...] | None = None
    voiced: tuple[Chord, tuple[int, ...]] | None = None
    notes: list[Note] = []
    for bar in bars:
        if not bar.parts[2]:
            continue
        if bar is bars[-1]:
            chord = bar.chords[0][1]
            for p in lead_voices(chord, style.keys_voicing, previous, low, high):
                notes.append(Note(float(bar.start_beat), bar.beats - 0.5, p, 84))
            continue
        events = fitted(steps(cells[kind_of(bar)], bar, per_beat), bar, busy)
        upcoming = bars[min(bar.index + 1, len(bars) - 1)].chords[0][1]
        for k, (offset, mark) in enumerate(events):
            if mark in "-.":
                if not (mark == "-" and any(abs(at - offset) < 1e-6 for at, _ in bar.chords[1:])):
                    continue
                mark = "h"
            chord = bar.chord_at(offset)
            if mark == "P":
                chord, mark = upcoming, "h"
            if voiced is None or voiced[0] is not chord:
                previous = lead_voices(chord, style.keys_voicing, previous, low, high)
                voiced = (chord, previous)
            notes += _play(rng, per_beat, bar, events, k, mark, voiced[1])
    return _no_overlap(notes)


def _between(
    rng: np.random.Generator, cells: tuple[str, ...], bar_steps: int, per_beat: int, accents: set[float]
) -> str:
    """A cell, the likelier the less it strikes where the lead does."""
    if not accents:
        return choose(rng, cells)
    weights = []
    for cell in cells:
        struck = {k / per_beat for k, mark in enumerate(cell[:bar_steps]) if mark not in "-."}
        weights.append(1.3 - len(struck & accents) / max(1, len(struck)))
    chances = np.array(weights) / sum(weights)
    return cells[int(rng.choice(len(cells), p=chances))]


def _play(
    rng: np.random.Generator,
    per_beat: int,
    bar: Bar,
    events: list[tuple[float, str]],
    k: int,
    mark: str,
    voicing: tuple[int, ...],
) -> list[Note]:
    offset = events[k][0]
    step = 1.0 / per_beat
    gain = 0.82 + 0.26 * bar.density
    beat = bar.start_beat + offset
    if mark.isdigit():
        pitch = voicing[min(int(mark), len(voicing) - 1)]
        rings = 2
        while bar.density < SPARSE and k + rings < len(events) and events[k + rings][1] in "-.":
            rings += 1
        return [Note(beat, rings * step, pitch, int(np.clip(78 * gain + 5 * (offset % 1 == 0), 20, 120)))]
    length = 1
    stops = {at for at, _ in bar.chords}
    while k + length < len(events) and events[k + length][1] == "-" and events[k + length][0] not in stops:
        length += 1
    if mark in "Xx":
        sounding = min(step * 0.7, 0.3)
    else:
        sounding = length * step * 0.95
    base = {"X": 98, "x": 84, "H": 88, "h": 76}[mark]
    notes = []
    for n, p in enumerate(voicing):
        touch = base * gain + (4 if n == len(voicing) - 1 else 0) + rng.normal(0, 2.0)
        spread = 0.0 if mark in "Xx" else float(rng.uniform(0.0, 2.5)) * n
        notes.append(Note(beat, sounding, p, int(np.clip(touch, 18, 122)), spread))
    return notes


def _no_overlap(notes: list[Note]) -> list[Note]:
    """Ends a held key before it is struck again."""
    out: list[Note] = []
    later: dict[int, float] = {}
    for note in sorted(notes, key=lambda n: -n.beat):
        end = note.beat + note.length_beats
        limit = later.get(note.pitch)
        if limit is not None and end > limit - 0.02:
            note = Note(note.beat, max(limit - 0.02 - note.beat, 0.04), note.pitch, note.velocity, note.shift_ms)
        if limit is None or limit - note.beat > 0.03:
            out.append(note)
            later[note.pitch] = note.beat
    return out[::-1]
