"""Measures of a groove by its notes: likeness of bars, what the bass does, and whether it strikes with the kick."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....model.generator import score_tokens as st
from ..note_figures import begins
from .note_takes import NoteTake

FloatArray = NDArray[np.floating[Any]]
TICKS = 12
"""Of a beat: sixteenths and triplets fall on them."""
_BLUR = np.array([0.5, 1.0, 0.5])
VOICES = (1 << 0, 1 << 1, (1 << 3) | (1 << 4), (1 << 2) | (1 << 5) | (1 << 6))
"""Kick; snare; hats and ride; all other drums."""
ROWS = len(VOICES) + 2


class Onset(NamedTuple):
    """What begins. Any thread."""

    bar: int
    tick: int
    what: int
    """The set of drums, or the lowest note."""
    loudness: int
    frame: int


def onsets(take: NoteTake, part: int) -> list[Onset]:
    """Of one part, in order; what comes within half a tick of the next bar line belongs to it."""
    slots, size = take.slots[part], take.beats_per_bar * TICKS
    found = []
    for at in np.flatnonzero(begins(slots)).tolist():
        beats = take.tempo_bpm[at] / 60.0 * 0.04 * (slots[st.STATE, at] - 0.5) / st.ONSET_QUARTERS
        tick, bar = round((take.beat[at] + beats) * TICKS), int(take.bar[at])
        what, loudness = int(slots[st.FIRST_NOTE, at]), int(slots[st.LOUDNESS, at])
        found.append(Onset(bar + tick // size, tick % size, what, loudness, at))
    return found


def bar_patterns(take: NoteTake) -> dict[int, FloatArray]:
    """[ROWS, ticks] of each whole bar: where kick, snare, hats, other drums, bass and keys begin."""
    size = take.beats_per_bar * TICKS
    patterns: dict[int, FloatArray] = {
        bar: np.zeros((ROWS, size)) for bar in range(int(take.bar[0]) + 1, int(take.bar[-1]))
    }
    for part in range(3):
        for onset in onsets(take, part):
            if onset.bar in patterns:
                rows = [row for row, voices in enumerate(VOICES) if onset.what & voices] if part == 0 else [3 + part]
                for row in rows:
                    patterns[onset.bar][row, onset.tick] = 1.0
    return patterns


def likeness(a: FloatArray, b: FloatArray) -> float:
    """Correlation of two bars' patterns, where a twelfth of a beat apart counts half: 1 for the same, 0 for chance."""

    def blurred(pattern: FloatArray) -> FloatArray:
        rows = np.stack([np.convolve(row, _BLUR, "same") for row in pattern]).ravel()
        return np.asarray(rows - rows.mean())

    x, y = blurred(a), blurred(b)
    norm = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / norm if norm > 1e-9 else 0.0


def repetition(take: NoteTake, back: int = 4) -> float:
    """Mean over bars of the largest likeness to one of the `back` bars before."""
    bars = bar_patterns(take)
    best = [max(likeness(bars[k], bars[j]) for j in range(k - back, k) if j in bars) for k in bars if k - 1 in bars]
    return float(np.mean(best)) if best else float("nan")


class BassFigures(NamedTuple):
    """Shares, in [0, 1]. Any thread."""

    roots: float
    fifths: float
    others: float
    """Notes that are neither."""
    led: float
    """Of the changes of chord before which the bass plays within a beat: led by one or two semitones to the root."""
    on_kick: float
    """Of the kicks, with which the bass begins too, a twelfth of a beat apart at most."""


def bass_figures(take: NoteTake) -> BassFigures:
    """What the bass does."""
    notes = [note for note in onsets(take, 1) if note.what > 0 and take.chord_root[note.frame] >= 0]
    pitch = np.array([note.what + st.LOWEST_NOTE - 1 for note in notes])
    roots = np.array([take.chord_root[min(note.frame + 1, len(take.chord_root) - 1)] for note in notes])
    steps = (pitch - roots) % 12 if len(notes) else np.zeros(0)
    led = []
    for k in range(len(notes) - 1):
        gap = _beats(take, notes[k + 1]) - _beats(take, notes[k])
        if roots[k] != roots[k + 1] and gap <= 1.05:
            led.append(abs((int(pitch[k]) - int(roots[k + 1]) + 6) % 12 - 6) in (1, 2))
    struck = {(note.bar, note.tick) for note in notes}
    kicks = [hit for hit in onsets(take, 0) if hit.what & 1]
    met = [any((hit.bar, hit.tick + near) in struck for near in (-1, 0, 1)) for hit in kicks]
    root, fifth = float((steps == 0).mean()), float((steps == 7).mean())
    return BassFigures(root, fifth, 1.0 - root - fifth, _mean(led), _mean(met))


def _beats(take: NoteTake, note: Onset) -> float:
    return note.bar * take.beats_per_bar + note.tick / TICKS


def _mean(values: list[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")
