"""The keyboard player's sense of density: held chords or lone stabs in sparse bars, more comping in dense ones.

Knows cells, no chords' notes and no sound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..score import Bar
from .density import (
    KEPT,
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

_FASTEST_HANDS_S = 0.12


def fitted(events: Events, bar: Bar, busy: Busy) -> Events:
    """A cell's bar with as many strikes as its density asks for: the style's own places go last and come first."""
    wobble = busy.wobble(bar)
    changes = bar.changes
    first = min((k for k, (_, mark) in enumerate(events) if mark not in "-."), default=0)

    def rank(k: int) -> float:
        at, mark = events[k]
        if at in changes:
            return KEPT
        return _worth(at, bar, busy, wobble) + (0.5 if mark in "XH" or k == first else 0.0)

    lies = any(mark in "Hh" for _, mark in events) or busy.manner.pad
    played = refitted(events, bar, busy, rank, lambda: _candidates(events, bar, busy, wobble), lies)
    if bar.density < SPARSE and busy.manner.pad:
        return sustained([(at, {"x": "h", "X": "H"}.get(mark, mark)) for at, mark in played])
    return played


def _worth(at: float, bar: Bar, busy: Busy, wobble: NDArray[np.float64]) -> float:
    """How much the style needs a strike there."""
    place, own = rank_of_place(at, bar.beats), taste(wobble, at)
    if busy.manner.keys == "back":
        return KEPT if at % 2.0 == 1.0 else place
    if busy.manner.keys == "off":
        return 3.3 + 0.3 * own if abs(at % 1.0 - 0.5) < 1e-3 else place - 1.0
    if busy.manner.keys == "free":
        return 1.5 + 0.2 * place + own
    return place + 0.3 * own


def _candidates(events: Events, bar: Bar, busy: Busy, wobble: NDArray[np.float64]) -> list[Candidate]:
    found: list[Candidate] = []
    begun = beginnings(events, bar.changes)
    broken = [int(mark) for _, mark in events if mark.isdigit()]
    for k in sorted(set(range(len(events))) - begun):
        at, mark = events[k]
        place = rank_of_place(at, bar.beats)
        fine = place < 1.55
        if fine and not (busy.manner.fine and busy.beat_s * 0.25 >= _FASTEST_HANDS_S):
            continue
        crowded = 0.6 if {k - 1, k + 1} & begun and fine else 0.0
        rank = 5.0 - min(5.0, _worth(at, bar, busy, wobble)) + crowded + (0.8 if fine else 0.0)
        if broken:
            before = [int(m) for _, m in events[:k] if m.isdigit()]
            put = str(((before[-1] if before else 0) + 1 + int(taste(wobble, at) * 2.0)) % 4)
        else:
            put = "h" if mark == "-" else "x"
        found.append((rank, k, put))
    return found
