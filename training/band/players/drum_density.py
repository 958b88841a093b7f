"""The drummer's sense of density: which hits of a bar are left out, and which are put in. Knows no sound."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..score import Bar, unwarp
from ..style import Groove
from .density import (
    KEPT,
    SPARSE,
    Busy,
    rank_of_place,
    taste,
)

KICK, STICK, SNARE, CLOSED, OPEN, RIDE, SHAKER, LOW_TOM = 36, 37, 38, 42, 46, 51, 70, 41
_FASTEST_HAND_S, _FASTEST_KICK_S, _FASTEST_FEET_S = 0.108, 0.15, 0.074
"""Between two hits of one hand, of one foot, and of both feet in turn."""


@dataclass(frozen=True)
class Hit:
    """One hit of a bar: where, on what, how (the pattern's mark, scaled), and whose line it is: kick, snare, hat,
    pedal or extra."""

    offset_beats: float
    pitch: int
    mark: str
    scale: float
    line: str


def usual_of_groove(groove: Groove, beats: int) -> float:
    """Moments with a hit, a beat, of a groove's patterns on average."""
    size = beats * groove.steps_per_beat
    silent = np.ones(size)
    lines = [groove.kicks, groove.snares, groove.hats, (groove.pedal,), *((text,) for _, text in groove.extra)]
    for patterns in lines:
        struck = np.zeros(size)
        for text in patterns:
            for k, mark in enumerate(text):
                struck[k % size] += {".": 0.0, "?": 0.25, "g": 0.7}.get(mark, 1.0) / (len(text) / size) / len(patterns)
        silent *= 1.0 - np.minimum(struck, 1.0)
    return float((1.0 - silent).sum() / beats)


def most_per_beat(groove: Groove, triplets: bool) -> float:
    """A little more than a beat of the groove's grid has places."""
    return 6.2 if groove.steps_per_beat == 3 else 3.2 if triplets else 4.2


def fitted(hits: list[Hit], bar: Bar, busy: Busy, groove: Groove, swing: float, triplets: bool) -> list[Hit]:
    """The bar's hits before its fill, as many moments as its density asks for; what lies in the fill stays."""
    until = bar.beats - bar.fill_beats
    inside = [hit for hit in hits if hit.offset_beats < until - 1e-6]
    own = len(_moments(inside))
    wanted = busy.wanted(own, bar, until)
    wobble = busy.wobble(bar)
    if wanted < own:
        kept = _thinned(inside, wanted, bar, busy, wobble)
    elif wanted > own:
        kept = inside + _added(inside, wanted - own, bar, busy, groove, wobble, swing if triplets else 0.0)
    else:
        return hits
    return kept + [hit for hit in hits if hit.offset_beats >= until - 1e-6]


def _moments(hits: list[Hit]) -> dict[float, list[Hit]]:
    at: dict[float, list[Hit]] = defaultdict(list)
    for hit in hits:
        at[round(hit.offset_beats, 3)].append(hit)
    return at


def _rank(hit: Hit, bar: Bar, busy: Busy) -> float:
    """What the groove loses with a hit: first ghosts go, then what lies between the beats; the backbeat stays."""
    place = rank_of_place(hit.offset_beats, bar.beats)
    if hit.line == "kick":
        return {"X": KEPT, "x": place + 1.0, "o": place + 0.4}.get(hit.mark, 0.5)
    if hit.line == "snare":
        if hit.mark == "g" or hit.mark == "?":
            return 0.2 + 0.1 * place
        return place + 0.3 if hit.mark == "o" and not busy.manner.clave else KEPT
    if hit.line == "pedal" or (hit.line == "hat" and "c" in busy.manner.drums and place > 3.1):
        return KEPT  # what is left of jazz: the cymbal in two, the foot between
    if hit.line == "extra":
        return KEPT if hit.pitch == LOW_TOM else place + 0.1
    if busy.manner.off_hat:
        place = 3.3 if abs(hit.offset_beats % 1.0 - 0.5) < 1e-3 else place - 0.6
    return place + (0.0 if hit.mark in "og" else 0.3)


def _thinned(hits: list[Hit], wanted: int, bar: Bar, busy: Busy, wobble: NDArray[np.float64]) -> list[Hit]:
    moments = _moments(hits)
    rank = {
        at: max(_rank(hit, bar, busy) for hit in there) + 0.15 * taste(wobble, _twin(at, bar))
        for at, there in moments.items()
    }
    order = sorted(rank, key=lambda at: rank[at])
    last, first_kept = rank[order[len(order) - wanted - 1]], rank[order[len(order) - wanted]]
    # Two places that stand alike in their halves of the bar stay or go together.
    spared = last == first_kept and (bar.density >= SPARSE or busy.manner.off_hat)
    gone = {at for at in order if rank[at] < min(last, KEPT) or (rank[at] == last < KEPT and not spared)}
    # The hand that has gone to quarters does not strike between them because a kick happens to be there.
    line = max((rank[at] for at in gone), default=0.0)
    return [
        hit for at, there in moments.items() if at not in gone
        for hit in there if hit.line in ("kick", "pedal") or _rank(hit, bar, busy) > line - 0.2
    ]  # fmt: skip


def _added(
    hits: list[Hit], more: int, bar: Bar, busy: Busy, groove: Groove, wobble: NDArray[np.float64], swing: float
) -> list[Hit]:
    """`more` hits at moments that were free, what the style adds first coming first."""
    until = bar.beats - bar.fill_beats
    taken = set(_moments(hits))
    found: list[tuple[float, Hit]] = []
    for at in _places(until, groove.steps_per_beat, swing):
        if round(at, 3) not in taken:
            found += [
                (rank + 0.7 * taste(wobble, _twin(at, bar)), hit)
                for rank, hit in _choices(at, hits, bar, busy, groove, swing)
            ]
    out: list[Hit] = []
    ghosts = 99 if "G" in busy.manner.drums else bar.beats // 2
    for _, hit in sorted(found, key=lambda pair: (pair[0], pair[1].offset_beats, pair[1].pitch)):
        if len(out) == more:
            break
        ghost = hit.line == "snare" and not swing
        if round(hit.offset_beats, 3) not in taken and (not ghost or ghosts > 0):
            ghosts -= ghost
            taken.add(round(hit.offset_beats, 3))
            out.append(hit)
    return out


def _twin(offset_beats: float, bar: Bar) -> float:
    """The place in the first half of an even bar that stands for one in the second: both halves are struck alike."""
    return offset_beats % 2.0 if bar.beats % 2 == 0 else offset_beats


def _places(until: float, steps_per_beat: int, swing: float) -> list[float]:
    """Where hits may be put in: eighths and sixteenths, eighths and middle triplets, or the parts of a dotted beat."""
    parts: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75)
    if steps_per_beat == 3:
        parts = (0.0, 1 / 3, 2 / 3, 1 / 6, 0.5, 5 / 6)
    elif swing:
        parts = (0.0, 0.5, unwarp(1 / 3, swing))
    return [beat + part for beat in range(int(np.ceil(until))) for part in parts if beat + part < until - 1e-6]


def _choices(at: float, hits: list[Hit], bar: Bar, busy: Busy, groove: Groove, swing: float) -> list[tuple[float, Hit]]:
    """What could be put in at a free place, with its rank."""
    more, place = busy.manner.drums, rank_of_place(at, bar.beats)
    fine = place < 1.55
    grid_beats = 1 / 6 if groove.steps_per_beat == 3 else 0.25
    hand = not fine or busy.beat_s * grid_beats >= _FASTEST_HAND_S
    backbeats = [hit.offset_beats for hit in hits if hit.line == "snare" and hit.mark in "Xx"]
    kicks = [hit.offset_beats for hit in hits if hit.line == "kick"]
    hats = {hit.pitch for hit in hits if hit.line == "hat"} & {CLOSED, RIDE}
    snare = STICK if any(hit.pitch == STICK for hit in hits) else SNARE
    out: list[tuple[float, Hit]] = []
    if "h" in more and hats and not (busy.manner.off_hat and place >= 3.0):
        pitch = min(hats)
        if not fine or (hand and pitch == CLOSED and not swing):
            out.append((3.4 - place, Hit(at, pitch, "o", 0.78, "hat")))
    if "s" in more and (not fine or busy.beat_s * grid_beats >= 0.09):
        out.append((2.0 - 0.3 * place, Hit(at, SHAKER, "o" if fine else "x", 0.75, "extra")))
    before = any(abs(at + grid_beats - beat) < 1e-3 for beat in backbeats)
    if "g" in more.lower() and place < 3.0 and hand and not swing and snare == SNARE and not before:
        out.append((3.1 - place if fine else 2.6, Hit(at, SNARE, "g", 1.0, "snare")))
    if "t" in more and swing and place < 3.0 and abs(at % 1.0 - 0.5) > 1e-3 and busy.beat_s / 3.0 >= 0.12:
        out.append((2.6, Hit(at, snare, "g", 1.3, "snare")))
    if "c" in more and abs(at % 1.0 - 0.5) < 1e-3:
        out.append((1.6, Hit(at, snare, "g", 1.6, "snare")))
    if "k" in more and place < 3.0 and min((abs(at - k) for k in backbeats), default=9.0) > 1e-3:
        alone = min((abs(at - k) for k in kicks), default=9.0) * busy.beat_s
        metal = more[0] == "k"
        if alone >= (_FASTEST_FEET_S if metal else _FASTEST_KICK_S):
            out.append((0.9 if metal else 3.9 - place, Hit(at, KICK, "x" if metal else "o", 1.0, "kick")))
    return out
