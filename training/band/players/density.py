"""Density: how many notes a bar holds, and which are removed or added first.

Nothing changes about the middle density: there a bar stays as its patterns have it. What a player settles on holds for
a section, so a sparse verse is a pattern and not holes. Knows no pitches and no sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..score import Bar
from .density_habits import Manner

OCTAVES_DOWN, OCTAVES_UP = 3.0, 1.6
"""The number of notes doubles so many times for each 1 of density, below and above the middle: there is more to leave
out than there are hands to put in."""
MIDDLE = 0.5
SHARE_OF_USUAL = 0.75
"""At the far ends a part holds so much more to what its style usually plays than to the song's own pattern."""
SPARSE = 0.3
"""Below this the players change their ways: rim for snare, pads for stabs, two-feel for a walk."""
KEPT = 20.0
"""From this rank on nothing is left out."""
_ROUNDING = (0.2, 0.6, 0.4, 0.8)
"""What is added before the number of notes of a bar is cut off: the fourth of four bars is the busiest."""
Events = list[tuple[float, str]]
Candidate = tuple[float, int, str]
"""Rank (the lowest comes first), step, mark."""


def rank_of_place(offset_beats: float, beats: int) -> float:
    """How much a place in the bar carries: 4 the bar line, 3 a beat, 2 half a beat, about 1 a quarter of one."""
    part = offset_beats % 1.0
    if min(part, 1.0 - part) < 1e-6:
        return 4.0 if offset_beats < 1e-6 else 3.4 if abs(2.0 * offset_beats - beats) < 1e-6 else 3.0
    for place, rank in ((0.5, 2.0), (2.0 / 3.0, 2.1), (1.0 / 3.0, 1.6), (0.75, 1.2), (0.25, 1.0)):
        if abs(part - place) < 1e-3:
            return rank
    return 0.6


@dataclass(frozen=True)
class Busy:
    """One player's sense of how much to play in a song.

    `usual_per_beat`: beginnings a beat of the style's patterns on average. `beat_s`: a beat in seconds. `seed` is the
    player's own, so that what other parts draw does not depend on it. `most_per_beat`: what the grid holds; a style
    that fills it comes near it only in its densest bars.
    """

    manner: Manner
    usual_per_beat: float
    beat_s: float
    seed: int
    most_per_beat: float = 99.0

    def wobble(self, bar: Bar) -> NDArray[np.float64]:
        """0..1 for each twelfth of a beat of a bar: the player's taste in this section."""
        return np.random.default_rng([self.seed, bar.section_number]).random(12 * bar.beats + 12)

    def wanted(self, own: int, bar: Bar, beats: float) -> int:
        """How many beginnings `beats` beats of a bar shall have, where its pattern has `own`."""
        if own == 0 or beats <= 0.0:
            return own
        off = bar.density - MIDDLE
        lean = SHARE_OF_USUAL * min(1.0, abs(off) / 0.35) ** 2
        usual = self.usual_per_beat * beats
        goal = own ** (1.0 - lean) * usual**lean * 2.0 ** (off * (OCTAVES_DOWN if off < 0.0 else OCTAVES_UP))
        goal *= (1.0 + (goal / (self.most_per_beat * beats)) ** 6) ** (-1.0 / 6.0)
        return max(1, int(goal + _ROUNDING[bar.bar_in_section % 4]))


def taste(wobble: NDArray[np.float64], offset_beats: float) -> float:
    """The player's taste for one place."""
    return float(wobble[round(offset_beats * 12)])


def beginnings(events: Events, changes: Iterable[float] = ()) -> set[int]:
    """Steps at which something begins; what is held over a change of chord begins again on it."""
    again = {round(at, 3) for at in changes}
    return {k for k, (at, mark) in enumerate(events) if mark not in "-." or (mark == "-" and round(at, 3) in again)}


def refitted(
    events: Events,
    bar: Bar,
    busy: Busy,
    rank: Callable[[int], float],
    candidates: Callable[[], Iterable[Candidate]],
    hold: bool,
) -> Events:
    """A cell's bar with as many beginnings as its density asks for: `rank` says which steps go first, `candidates`
    which come, `hold` whether what was before holds on over those that went."""
    there = len(beginnings(events, bar.changes))
    wanted = busy.wanted(there, bar, bar.beats)
    if wanted < there:
        held = there - len(beginnings(events))
        return thin(events, wanted - held, rank, hold)
    if wanted > there:
        return thicken(events, wanted, there, candidates())
    return events


def thin(events: Events, count: int, rank: Callable[[int], float], hold: bool) -> Events:
    """Leaves out the beginnings of lowest rank until `count` are left; what was before holds on, or leaves a hole."""
    begin = sorted(sorted(beginnings(events)), key=rank)
    out = list(events)
    for k in begin[: max(0, len(begin) - count)]:
        if rank(k) >= KEPT:
            break
        out[k] = (out[k][0], "-" if hold else ".")
        after = k + 1
        while not hold and after < len(out) and out[after][1] == "-":
            out[after] = (out[after][0], ".")
            after += 1
    return out


def thicken(events: Events, count: int, there: int, candidates: Iterable[Candidate]) -> Events:
    """Puts in candidates, the lowest rank first, until `count` begin where `there` did."""
    out = list(events)
    for _, k, mark in sorted(candidates):
        if there >= count:
            break
        out[k] = (out[k][0], mark)
        there += 1
    return out


def sustained(events: Events) -> Events:
    """Every note held until the next: no rests after the first note."""
    out: Events = []
    for at, mark in events:
        begun = bool(out) and out[-1][1] != "."
        out.append((at, "-" if mark == "." and begun else mark))
    return out


def usual_of_cells(cells: Iterable[str], per_beat: int) -> float:
    """Beginnings a beat of a style's cells on average."""
    rates = [sum(mark not in "-." for mark in cell) * per_beat / len(cell) for cell in cells]
    return sum(rates) / len(rates)
