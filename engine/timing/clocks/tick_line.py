"""A steady line through MIDI clock ticks that are each some milliseconds early or late.

A second-order loop over the numbers and places of the ticks. It begins as a least-squares line through all of them and
goes on with a memory of fixed length: quick at first, calm later. Knows no song and no other train. Positions are
samples of the input clock. Inference thread only.
"""

from __future__ import annotations

import math

MEMORY_TICKS = 96
"""How many ticks the line remembers, about: four quarter notes."""
QUICK_TICKS = 12
"""From so many on the line is worth following; so few it remembers where the tempo has changed."""
SLOWEST_TICK_S = 60.0 / (20.0 * 24)
_SILENT_S = 0.5
"""Without a tick for so long (and for some ticks' time) the cable is out."""
_EARLY = 0.75
"""A tick that comes earlier than the one that is due by this part of a tick does not belong to the line."""
_LOST = 1.6
"""After so many ticks' time without one some were lost."""
_STRANGERS = 6
"""So many in a row are another line."""
_LEANING = 0.25
"""Ticks that are off to one side by this part of a tick, on the average, have another tempo."""
_SAME_TICK = 0.35
_TRIAL_TICKS = 4
"""A train that begins again has the pace that it had, unless one of its first ticks is so far off (part of a tick)."""
_UNEVEN_MEMORY = 8.0


class TickLine:
    """Ticks in; number, place and pace of the newest out. Inference thread only."""

    def __init__(self, rate_hz: float, number: int = -1) -> None:
        """`number`: of the last tick before this line's first."""
        self._rate_hz = rate_hz
        self.number = number
        """Of the newest tick, of all that have come or were lost."""
        self.last = -math.inf
        """Where the newest tick really came."""
        self.song_tick: int | None = None
        """Number of the tick on which the song began; None where nobody said it."""
        self.resume_ticks: int | None = None
        """Place in the song of the tick that comes next, where that was just said."""
        self.met = 0
        """Ticks that the line went through since it began."""
        self.position = 0.0
        """Where the line has the newest tick."""
        self.period = 0.0
        """Samples a tick."""
        self.uneven = 0.0
        """How far off its ticks are, as a part of a tick, on the average of late."""
        self.gaps: list[float] = []
        """Samples that were lost since the last tick, by each loss."""
        self._pace = 0.0  # samples a tick, as it was before the train fell silent
        self.forget()

    def forget(self, pace_too: bool = False) -> None:
        """The line goes, the numbers stay. The pace is remembered, in case the same train goes on, or goes too."""
        if pace_too:
            self._pace = 0.0
        elif self.met >= QUICK_TICKS:
            self._pace = self.period
        self.met, self.position, self.period, self.uneven = 0, 0.0, 0.0, 0.0
        self._strangers = 0
        self._leaning = 0.0
        self._on_trial = 0  # ticks until the remembered pace is believed

    def silent(self, position: float) -> bool:
        """Whether no tick has come for long."""
        return position - self.last > max(_SILENT_S * self._rate_hz, 6.0 * self.period)

    @property
    def sure(self) -> bool:
        """Whether it is worth following."""
        return self.met >= QUICK_TICKS

    @property
    def confidence(self) -> float:
        return min(1.0, 0.5 + self.met / MEMORY_TICKS)

    def ticks_at(self, position: float) -> float:
        """Number of ticks at any place, with the fraction."""
        return self.number + (position - self.position) / self.period if self.period > 0 else float(self.number)

    def close_gaps(self, position: float) -> float:
        """A tick comes after samples were lost: its place says for how many the train went on. Moves the line."""
        gaps, self.gaps = self.gaps, []
        if not gaps or self.met < QUICK_TICKS:
            return 0.0
        sums = [sum(gaps[:count]) for count in range(len(gaps) + 1)]

        def miss(lost: float) -> float:
            ticks = (position + lost - self.position) / self.period
            return abs(ticks - max(1, round(ticks)))

        lost = min(sums, key=miss)
        self.position -= lost
        self.last -= lost
        return lost

    def add(self, position: float) -> None:
        """The next tick of this train."""
        position = max(float(position), self.last + 1.0)
        if self.met and self.silent(position):
            self.forget()
        gap, self.last = position - self.last, position
        if self.met == 0:
            self._begin(position)
        elif self.met == 1:
            if gap <= SLOWEST_TICK_S * self._rate_hz:
                self.period = gap
                self._meet(position, gap)
            else:
                self._begin(position)
        else:
            self._meet(position, gap)
        if self.resume_ticks is not None:
            self.song_tick, self.resume_ticks = self.number - self.resume_ticks, None

    def _begin(self, position: float, pace_too: bool = False) -> None:
        """A line begins at this tick; the numbers go on."""
        self.forget(pace_too)
        self.met, self.number, self.position, self.last = 1, self.number + 1, position, position
        if self._pace > 0.0:  # nearly always it goes on as it was
            self.period, self.met, self._on_trial = self._pace, QUICK_TICKS, _TRIAL_TICKS

    def _meet(self, position: float, gap: float) -> None:
        """Let the line go through the tick that is due, or through a later one where some were lost."""
        if self._on_trial:
            self._on_trial -= 1
            if abs(gap / self.period - 1.0) > _SAME_TICK:
                self._begin_at_other_pace(position, gap)
                return
        due = 1
        if self.met >= QUICK_TICKS and gap > _LOST * self.period:
            due = round(gap / self.period)
        miss = position - (self.position + due * self.period)
        strange = due > 1 or miss < -_EARLY * self.period
        self._strangers = self._strangers + 1 if strange and self.met >= QUICK_TICKS else 0
        self.uneven += (min(abs(miss) / self.period, 1.0) - self.uneven) / _UNEVEN_MEMORY
        if self._strangers >= _STRANGERS:
            self._begin(position, pace_too=True)
            return
        if due == 1 and self._strangers:
            return  # too early to be the one that is due
        self.number += due
        self.met += 1
        n = min(self.met, MEMORY_TICKS)
        self.position += due * self.period + miss * (2.0 * (2.0 * n - 1.0) / (n * (n + 1.0)))
        self.period = max(1.0, self.period + miss / due * (6.0 / (n * (n + 1.0))))
        self._leaning += 0.35 * (miss / self.period - self._leaning)
        if n == MEMORY_TICKS and abs(self._leaning) > _LEANING:
            self.met, self._leaning = QUICK_TICKS, 0.0

    def _begin_at_other_pace(self, position: float, gap: float) -> None:
        """The train came back with another tempo: its line begins at the tick before this one."""
        self.forget(pace_too=True)
        self.met, self.position, self.period = 1, position - gap, gap
        self._meet(position, gap)
