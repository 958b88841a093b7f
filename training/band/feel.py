"""How people play: tempo that wanders, timing and touch that vary. Knows no pitches and no sound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .score import Note


def beat_times(rng: np.random.Generator, bpm: float, beats: int, wander: float, start_s: float,
               steps: dict[int, float] | None = None) -> np.ndarray:
    """When each of `beats` + 1 beats falls, in seconds: a slow walk of the tempo (sd `wander`, pulled back to 1).

    `steps` maps a beat to the factor by which the tempo changes there for good.
    """
    walk = 0.0
    factor = 1.0
    times = np.empty(beats + 1)
    times[0] = start_s
    for k in range(beats):
        if steps and k in steps:
            factor *= steps[k]
        walk += -0.04 * walk + wander * 0.28 * rng.standard_normal()
        tempo = bpm * factor * (1.0 + float(np.clip(walk, -0.06, 0.06)))
        times[k + 1] = times[k] + 60.0 / tempo
    return times


def swing_by_tempo(bpm: float, depth: float = 1.0) -> float:
    """The share of the beat that the first swung eighth takes: hard at slow tempos, near straight when very fast."""
    ratio = float(np.interp(bpm, [60, 120, 160, 220, 280], [0.68, 0.667, 0.64, 0.585, 0.55]))
    return 0.5 + (ratio - 0.5) * depth


def humanise(rng: np.random.Generator, notes: Iterable[Note], sd_ms: float, offset_ms: float,
             velocity_sd: float, correlation: float = 0.6) -> list[Note]:
    """Adds a player's timing (AR(1) over moments, so chords stay together) and touch. Keeps the notes' own shifts."""
    out: list[Note] = []
    error = sd_ms * rng.standard_normal()
    last = None
    for note in sorted(notes, key=lambda n: (n.beat, n.pitch)):
        if last is None or note.beat - last > 1e-6:
            error = correlation * error + sd_ms * np.sqrt(1.0 - correlation**2) * rng.standard_normal()
            last = note.beat
        shift = note.shift_ms + offset_ms + float(np.clip(error, -2.5 * sd_ms, 2.5 * sd_ms))
        velocity = int(np.clip(round(note.velocity + velocity_sd * rng.standard_normal()), 1, 127))
        out.append(Note(note.beat, note.length_beats, note.pitch, velocity, round(shift, 3)))
    return out
