"""The bass player's sense of density: long notes and two-feel in sparse bars, pumping, pops and skips in dense ones.

Knows cells and lines, no styles' names and no sound.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..chord_theory import fifth
from ..score import Bar, Note
from .density import (
    KEPT,
    MIDDLE,
    SPARSE,
    Busy,
    Candidate,
    Events,
    beginnings,
    rank_of_place,
    refitted,
    sustained,
    taste,
)

_FASTEST_FINGER_S = 0.1
_WORTH = {"R": 0.4, "r": -0.3, "5": 0.3, "a": -0.2, "x": -2.0}
TWO_FEEL, WALKS = 0.2, 0.38
"""From the one density to the other more and more bars of four walk."""


def fitted(events: Events, bar: Bar, busy: Busy, kicks: set[float]) -> Events:
    """A cell's bar with as many notes as its density asks for, those that meet the kick first. `kicks`: beats of the
    song, to three places."""
    wobble = busy.wobble(bar)
    changes = bar.changes
    met = [round(bar.start_beat + at, 3) in kicks for at, _ in events]

    def rank(k: int) -> float:
        at, mark = events[k]
        if at == 0 or at in changes:
            return KEPT
        return rank_of_place(at, bar.beats) + _WORTH.get(mark, 0.0) + (0.7 if met[k] else 0.0) + 0.3 * taste(wobble, at)

    sustain = busy.manner.sustain
    played = refitted(events, bar, busy, rank, lambda: _candidates(events, bar, busy, met, wobble), sustain)
    return sustained(played) if bar.density < SPARSE and sustain else played


def _candidates(events: Events, bar: Bar, busy: Busy, met: list[bool], wobble: NDArray[np.float64]) -> list[Candidate]:
    found: list[Candidate] = []
    free = set(range(len(events))) - beginnings(events, bar.changes)
    half = bar.beats - 0.5
    for k in sorted(free - {0}):
        at = events[k][0]
        place = rank_of_place(at, bar.beats)
        fine = place < 1.55
        if fine and not (busy.manner.fine and busy.beat_s * 0.25 >= _FASTEST_FINGER_S):
            continue
        marks = busy.manner.bass.replace("x", "") if not fine else busy.manner.bass
        mark = marks[int(taste(wobble, at) * len(marks))] if marks else "r"
        if mark == "=":
            before = [m for _, m in events[:k] if m not in "-.xa"]
            mark = (before[-1] if before else "R").replace("R", "r")
        lead = at >= half - 1e-6 and (k + 1 == len(events) or abs(at - half) < 1e-6)
        rank = 4.0 - place - (0.8 if met[k] else 0.0) - (0.5 if lead else 0.0) + 0.5 * taste(wobble, at)
        found.append((rank, k, "a" if lead else mark))
    return found


def paced(line: list[Note], bar: Bar, busy: Busy, late: float, low: int) -> list[Note]:
    """A walking line at the bar's density: in two where it is sparse, with skipped notes where it is dense. `late`:
    where in the beat a skipped note lies; no pitch below `low`."""
    share = (bar.density - TWO_FEEL) / (WALKS - TWO_FEEL)
    if share < 1.0 and bar.bar_in_section % 4 < 4.0 * (1.0 - share):
        return _in_two(line, bar, low)
    wobble = busy.wobble(bar)
    more = round(bar.beats * max(0.0, bar.density - MIDDLE - 0.08) * 1.3)
    on_beat = [n for n in line if (n.beat - bar.start_beat) % 1.0 < 1e-6]
    skipped = {int(n.beat) for n in line if n not in on_beat}
    open_beats = [k for k, n in enumerate(on_beat[:-1]) if int(n.beat) not in skipped]
    chosen = sorted(open_beats, key=lambda k: taste(wobble, k + 0.5))[: max(0, more - len(skipped))]
    out = list(line)
    for k in chosen:
        note, following = on_beat[k], on_beat[k + 1]
        out[out.index(note)] = replace(note, length_beats=late - 0.02)
        pitch = note.pitch if taste(wobble, k) < 0.6 else following.pitch
        out.append(Note(note.beat + late, (1.0 - late) * 0.8, pitch, int(note.velocity * 0.72)))
    return sorted(out, key=lambda n: n.beat)


def _in_two(line: list[Note], bar: Bar, low: int) -> list[Note]:
    """Half notes: the roots of the walking line on its changes, and a fifth in the middle of a bar of one chord."""
    at = {round(n.beat - bar.start_beat, 3): n for n in line}
    kept = [at[round(offset, 3)] for offset, _ in bar.chords if round(offset, 3) in at]
    chord = bar.chords[0][1]
    if len(kept) == 1 and bar.beats == 4 and 2.0 in at:
        root = kept[0]
        pitch = root.pitch + fifth(chord) if chord.bass == chord.root else root.pitch
        pitch = pitch - 12 if pitch - 12 >= low and root.pitch >= 38 else pitch
        kept.append(replace(at[2.0], pitch=pitch))
    elif len(kept) == 1 and bar.beats in (3, 5) and bar.bar_in_section % 2 and bar.beats - 1.0 in at:
        kept.append(at[bar.beats - 1.0])
    ends = [n.beat for n in kept[1:]] + [float(bar.start_beat + bar.beats)]
    return [replace(n, length_beats=(end - n.beat) * 0.95) for n, end in zip(kept, ends, strict=True)]
