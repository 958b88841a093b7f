"""The beats of a stretch that is learnt, numbered evenly: what the ear told late or twice is put in order.

Positions are samples of the input clock. Knows no chords. Inference thread only; offline one thread at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

_NEAR = 0.25
"""A told beat so far from a whole number of beats after another belongs to another count."""
_OTHER_TEMPO = 0.15
"""So far from the length of the beats after it, a beat was told in another tempo: before the right one was found."""
_BEGINS_BY = 8
"""Beats whose mean length goes on to the time before the first."""
_FOLLOWS = 0.2
"""How far the expected length of a beat follows the one just seen."""
_MOST = 16_384
_KEPT = 8_192


class BeatGrid:
    """Told beats in; a count without gaps out, which goes on in both directions. Inference thread only."""

    def __init__(self) -> None:
        self._positions: list[float] = []
        self._first = 0  # number of the first one kept
        self._period = 0.0

    @property
    def known(self) -> bool:
        """Whether there are beats enough to count by."""
        return len(self._positions) > 1

    @property
    def last(self) -> int:
        """Number of the last beat that was told."""
        return self._first + len(self._positions) - 1

    @property
    def mean_period_samples(self) -> float:
        """Length of a beat, on average over all that are kept."""
        if not self.known:
            return self._period
        return (self._positions[-1] - self._positions[0]) / (len(self._positions) - 1)

    def start(self, told: list[float], period_samples: float) -> None:
        """Begin with beats that were told, oldest first, as whoever knows the tempo by now would count them: what was
        told before the count was right is left out or filled in. The last is right."""
        positions, period = [told[-1]], period_samples
        for position in reversed(told[:-1]):
            count = round((positions[0] - position) / period)
            off = abs((positions[0] - position) / period - count)
            each = (positions[0] - position) / max(1, count)
            if count < 1 or off > _NEAR or abs(each - period) > _OTHER_TEMPO * period:
                continue
            positions[:0] = [position + each * number for number in range(count)]
            period += _FOLLOWS * (each - period)
        self._positions, self._first = positions, 0
        self._period = period_samples

    def tell(self, position: float, period_samples: float) -> None:
        """The next beat, as the conductor has it, and how long it says that a beat is."""
        last = self._positions[-1]
        count = round((position - last) / period_samples)
        if count < 1:  # the same beat, found elsewhere
            self._positions[-1] = position
        else:
            each = (position - last) / count
            self._positions += [last + each * number for number in range(1, count + 1)]
        self._period = period_samples
        if len(self._positions) > _MOST:
            self._first += len(self._positions) - _KEPT
            del self._positions[:-_KEPT]

    def shift_half(self, later: bool) -> None:
        """Every beat is half a beat later than it was counted, or earlier; numbers stay."""
        positions = self._positions
        between = [0.5 * (one + other) for one, other in pairwise(positions)]
        if later:
            self._positions = [*between, positions[-1] + 0.5 * self._period]
        else:
            self._positions = [positions[0] - 0.5 * self._first_period(), *between]

    def lay(self, first: int, begin: float, end: float, count: int) -> None:
        """Beat `first` is at `begin`, and so many evenly spaced ones after it the last, at `end`; those before stay."""
        period = (end - begin) / count
        kept = [one for one in self._positions[: max(0, first - self._first)] if one < begin - 0.5 * period]
        missing = first - self._first - len(kept)
        kept += [begin - period * before for before in range(missing, 0, -1)]
        self._first = min(self._first, first)
        self._positions = kept + [begin + period * number for number in range(count + 1)]
        self._period = period

    def beat_at(self, position: float) -> float:
        """The count at any position, going on evenly beyond both ends."""
        positions = self._positions
        if position >= positions[-1]:
            return self.last + (position - positions[-1]) / self._period
        if position <= positions[0]:
            return self._first - (positions[0] - position) / self._first_period()
        after = bisect_right(positions, position)
        share = (position - positions[after - 1]) / (positions[after] - positions[after - 1])
        return self._first + after - 1 + share

    def _first_period(self) -> float:
        by = min(_BEGINS_BY, len(self._positions) - 1)
        return (self._positions[by] - self._positions[0]) / by if by else self._period

    def position_of(self, beat: float) -> float:
        """Where a beat is, whole or not, told or to come."""
        positions, place = self._positions, beat - self._first
        if place >= len(positions) - 1:
            return positions[-1] + (place - len(positions) + 1) * self._period
        if place <= 0:
            return positions[0] + place * self._first_period()
        whole = int(place)
        return positions[whole] + (place - whole) * (positions[whole + 1] - positions[whole])
