"""Human timing: wandering tempo, variations of timing and touch. Knows no pitches and no sound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .score import Bar, Note


def pace(rng: np.random.Generator, bars: list[Bar], variety: float) -> np.ndarray:
    """The factor on the tempo at each beat [beats]: sudden changes, sections pushed or dragged, a free start.

    All ones at variety 0.
    """
    count = bars[-1].start_beat + bars[-1].beats
    factors = np.ones(count)
    if variety <= 0.0:
        return factors
    if rng.random() < 0.5 * variety:
        jumps = [b.start_beat for b in bars if b.first_of_section and b.index > 6]
        for at in rng.permutation(jumps)[: int(rng.integers(1, 3))]:
            factors[int(at) :] *= float(rng.choice([0.9, 0.93, 1.07, 1.1])) * float(rng.uniform(0.99, 1.01))
    if rng.random() < 0.5 * variety:
        for bar in bars:
            push = {"chorus": 1.02, "solo": 1.015, "verse": 0.995, "bridge": 0.99}.get(bar.section, 1.0)
            factors[bar.start_beat : bar.start_beat + bar.beats] *= push
    alone = [b for b in bars if b.index < 8 and not b.band]
    if alone and alone[0].index == 0 and rng.random() < 0.5 * variety:
        free = [b for b in alone if b.index < len(alone)]
        end = free[-1].start_beat
        walk = np.cumsum(rng.normal(0.0, 0.05, end))
        factors[:end] *= np.clip(1.0 + walk, 0.8, 1.2)
    return np.clip(factors, 0.75, 1.3)


def beat_times(
    rng: np.random.Generator, bpm: float, beats: int, wander: float, start_s: float, factors: np.ndarray
) -> np.ndarray:
    """When each of `beats` + 1 beats falls, in seconds: a slow walk of the tempo (sd `wander`, pulled back to 1).

    `factors` [beats] multiply the tempo beat by beat.
    """
    walk = 0.0
    times = np.empty(beats + 1)
    times[0] = start_s
    for k in range(beats):
        walk += -0.04 * walk + wander * 0.28 * rng.standard_normal()
        tempo = bpm * float(factors[k]) * (1.0 + float(np.clip(walk, -0.06, 0.06)))
        times[k + 1] = times[k] + 60.0 / tempo
    return times


def swing_by_tempo(bpm: float, depth: float = 1.0) -> float:
    """The share of the beat that the first swung eighth takes: hard at slow tempos, near straight when very fast."""
    ratio = float(np.interp(bpm, [60, 120, 160, 220, 280], [0.68, 0.667, 0.64, 0.585, 0.55]))
    return 0.5 + (ratio - 0.5) * depth


def humanise(
    rng: np.random.Generator,
    notes: Iterable[Note],
    sd_ms: float,
    offset_ms: float,
    velocity_sd: float,
    correlation: float = 0.6,
) -> list[Note]:
    """Adds a player's timing (AR(1) over moments, so chords stay together) and touch. Keeps the notes' own shifts."""
    out: list[Note] = []
    error = sd_ms * rng.standard_normal()
    last = None
    for note in sorted(notes, key=lambda n: (n.beat, n.pitch)):
        if last is None or note.beat - last > 1e-6:
            error = correlation * error + sd_ms * np.sqrt(1.0 - correlation**2) * rng.standard_normal()
            last = note.beat
        shift = note.shift_ms + offset_ms + float(min(max(error, -2.5 * sd_ms), 2.5 * sd_ms))
        velocity = min(max(round(note.velocity + velocity_sd * rng.standard_normal()), 1), 127)
        out.append(Note(note.beat, note.length_beats, note.pitch, velocity, round(shift, 3)))
    return out
