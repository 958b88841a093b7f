"""Bars of stop time: a few loud strokes with silence between them. When one comes back, and what of it is to come.

A figure is expected by its period (it came four, eight ... bars ago, and as long before that), by what leads to it (the
two bars before are as they were), or by its own beginning, which is heard while it is played: its first strokes, the
silence after them. Without any of that, four or eight bars after it came the first time, its strokes are only struck
along, and nobody stops. Knows the lead's memory; no band. Inference thread only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .lead_memory import STEPS, LeadBar, LeadMemory

FALL_DB = 8.0
"""So far the level falls behind a stroke."""
LOW_SHARE, LOWER_THAN_BEFORE = 0.3, 0.2
"""So much of the bar is that low, and so much more of it than of the two bars before."""
MOST_STROKES = 3
"""More in one bar are a phrase, and the silence behind them its pause."""
LOUD_DB, LOUDER_DB = -1.5, 1.5
"""Strokes are no softer than that beside what is usual; if all are so much louder than any of the two bars before,
those may be as full of holes."""
AS_LOUD_DB = 6.0
"""What is that much softer than a figure's strokes is not its beginning."""
SILENT_SHARE = 0.6
"""So much of the time behind strokes that were heard is low where it is the figure's silence."""
NEAR_BEATS = 0.2
"""Two strokes are the same so near to one another, by the grid of the bar."""
SEEN_BEATS = 0.15
"""What should have been heard so long ago was not there."""
PERIODS_BARS = (4, 8, 12, 16)
ALIKE = 0.75


class StopBar(NamedTuple):
    """What is expected of a bar. Any thread."""

    strokes: tuple[float, ...]
    """Beats of the bar."""
    sure: bool
    """Whether the silence between them is kept as well."""


class StopTime:
    """Of one run. Inference thread only."""

    def __init__(self, memory: LeadMemory) -> None:
        self._memory = memory
        self._known: dict[int, tuple[float, ...]] = {}
        self._judged: set[int] = set()

    def expect(self, bar: int) -> StopBar | None:
        """The figure of a bar that is not over; None where none is expected, or what is heard is another."""
        self._learn()
        best: StopBar | None = None
        for number in sorted(self._known, reverse=True):
            lag = bar - number
            if lag <= 0 or number not in self._judged:
                continue
            strokes = self._known[number]
            heard = self._heard(bar, number)
            if heard < 0:
                continue
            if heard > 0 or self._periodic(number, lag) or self._led_to(bar, number, lag):
                return StopBar(strokes, True)
            if best is None and self._along(number, lag):
                best = StopBar(strokes, False)
        return best

    def _learn(self) -> None:
        """Judge bars that are over since."""
        memory = self._memory
        for number in memory.bars:
            if number < memory.heard_bar and number not in self._judged:
                self._judged.add(number)
                strokes = self._strokes_of(number)
                if strokes:
                    self._known[number] = strokes
        oldest = memory.bars[0] if memory.bars else 0
        for number in [known for known in self._judged if known < oldest]:
            self._judged.discard(number)
            self._known.pop(number, None)

    def _strokes_of(self, number: int) -> tuple[float, ...]:
        """The strokes of a bar of stop time; empty for any other bar."""
        bar = self._memory.bar(number)
        if bar is None or not 2 <= len(bar.attacks) <= min(bar.beats, MOST_STROKES) or number - 1 in self._known:
            return ()
        levels = [attack.level_db for attack in bar.attacks]
        if min(levels) < max(self._memory.usual_db + LOUD_DB, max(levels) - AS_LOUD_DB):
            return ()
        before = 0.5 * (self._low_share(number - 1) + self._low_share(number - 2))
        stands_out = min(levels) >= self._loudest(number - 1, number - 2) + LOUDER_DB
        lower = 0.0 if stands_out else LOWER_THAN_BEFORE + before
        if self._low_share(number) < max(LOW_SHARE, lower):
            return ()
        return tuple(sorted(attack.beat for attack in bar.attacks)) if _falls_behind_each(bar) else ()

    def _low_share(self, number: int) -> float:
        bar = self._memory.bar(number)
        if bar is None or not bar.attacks:
            return 1.0
        return float((bar.loudest_db < bar.loudest_db.max() - FALL_DB).mean())

    def _loudest(self, *numbers: int) -> float:
        """The strongest attack of these bars, dB; that of no bar is louder than anything."""
        bars = [self._memory.bar(number) for number in numbers]
        return max((attack.level_db for bar in bars if bar is not None for attack in bar.attacks), default=math.inf)

    def _heard(self, bar: int, number: int) -> int:
        """What was heard of the bar, beside a figure: -1 another thing, 0 too little to tell, 1 its beginning."""
        memory, strokes = self._memory, self._known[number]
        now, then = memory.bar(bar), memory.bar(number)
        if now is None or then is None or memory.heard_bar < bar:
            return 0
        heard = memory.heard_beat - memory.first_beat(bar) if memory.heard_bar == bar else float(now.beats)
        softest = min(attack.level_db for attack in then.attacks) - AS_LOUD_DB
        for attack in now.attacks:
            if attack.level_db < softest or min(abs(attack.beat - stroke) for stroke in strokes) > NEAR_BEATS:
                return -1
        due = [stroke for stroke in strokes if stroke < heard - SEEN_BEATS]
        for stroke in due:
            if min((abs(attack.beat - stroke) for attack in now.attacks), default=math.inf) > NEAR_BEATS:
                return -1
        behind = [step for step in range(int(STEPS * heard)) if _behind(step, due)]
        low = [now.loudest_db[step] < now.loudest_db.max() - FALL_DB for step in behind]
        return 1 if low and sum(low) >= SILENT_SHARE * len(low) else 0

    def _periodic(self, number: int, lag: int) -> bool:
        """Whether it came as long before it came last."""
        return lag in PERIODS_BARS and self._same(number, number - lag)

    def _along(self, number: int, lag: int) -> bool:
        """Whether the figure is to be struck along, though nobody knows that it comes: a phrase or two later, or later
        still where it came more than once; not while the lead rests."""
        memory, bar = self._memory, self._memory.bar(number)
        if bar is None or memory.heard_beat - memory.last_attack_beat > bar.beats:
            return False
        before = any(self._same(number, other) and (number - other) % 4 == 0 for other in self._known if other < number)
        return lag in (PERIODS_BARS if before else PERIODS_BARS[:2])

    def _led_to(self, bar: int, number: int, lag: int) -> bool:
        return lag % PERIODS_BARS[0] == 0 and self._memory.alike(bar, number) >= ALIKE

    def _same(self, a: int, b: int) -> bool:
        one, other = self._known.get(a, ()), self._known.get(b, ())
        return len(one) == len(other) > 0 and all(abs(x - y) <= NEAR_BEATS for x, y in zip(one, other, strict=True))


def _behind(step: int, strokes: list[float]) -> bool:
    """Whether a step is one of silence behind the strokes before it."""
    since = [step / STEPS - stroke for stroke in strokes if stroke <= (step + 1) / STEPS]
    return bool(since) and min(since) >= 0.5 - 1e-6


def _falls_behind_each(bar: LeadBar) -> bool:
    """Whether the level falls behind each stroke that has a beat to itself, and behind the last."""
    attacks = sorted(attack.beat for attack in bar.attacks)
    low = bar.loudest_db < bar.loudest_db.max() - FALL_DB
    for stroke, following in zip(attacks, [*attacks[1:], float(bar.beats)], strict=True):
        between = low[int(STEPS * stroke) + 1 : int(np.ceil(STEPS * following))]
        if following - stroke >= 0.9 and not between.any():
            return False
    return True
