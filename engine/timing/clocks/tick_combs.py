"""Tells whether the ticks of one stream form one even train or several mixed ones, by their timing alone.

Knows no song and no source: places in, trains of places out. Any thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from .tick_line import QUICK_TICKS, SLOWEST_TICK_S

_FASTEST_TICK_S = 60.0 / (400.0 * 24)
_NEAR = 0.2
_NEAR_S = 0.0012
"""A tick is met that is no further off than this part of one, or so many seconds."""
_LEAST_SHARE = 0.85
"""Of the ticks that trains must explain together, and of the places of a train that must be met."""
_FIRST_FROM = 8
"""A train's newest tick is among so many of the newest."""
_MOST_TRAINS = 3
_MOST_MISSED = 2
"""So many places in a row without a tick, and the train had not begun yet."""


def trains_in(places: Sequence[float], rate_hz: float) -> list[list[float]]:
    """The trains that explain these places (in order) between them, the longest first; empty where they do not.

    Each is a list of places at even distances; one alone: the ticks are of one train.
    """
    left = list(places)
    trains: list[list[float]] = []
    while len(left) >= QUICK_TICKS and len(trains) < _MOST_TRAINS:
        train = _longest(left, rate_hz)
        if train is None:
            break
        trains.append(train)
        taken = set(train)
        left = [place for place in left if place not in taken]
    if not trains:
        return []
    # A train that begins late explains what came since then, no more.
    begins = min(train[0] for train in trains)
    inside = [place for place in places if place >= begins]
    explained = sum(len(train) for train in trains)
    return trains if explained >= _LEAST_SHARE * len(inside) else []


def _longest(places: list[float], rate_hz: float) -> list[float] | None:
    best: list[float] | None = None
    least, most = _FASTEST_TICK_S * rate_hz, SLOWEST_TICK_S * rate_hz
    for newest in range(len(places) - 1, max(-1, len(places) - 1 - _FIRST_FROM), -1):
        for older in range(newest - 1, -1, -1):
            period = places[newest] - places[older]
            if period > most:
                break
            if period >= least:
                train = _walk(places, newest, period, rate_hz)
                if len(train) >= QUICK_TICKS and (best is None or len(train) > len(best)):
                    best = train
    return best


def _walk(places: list[float], newest: int, period: float, rate_hz: float) -> list[float]:
    """The ticks of a train, back from its newest one, as long as it goes on; empty where too many are missing."""
    begin = at = places[newest]
    train, steps, missed, missed_last = [begin], 0, 0, 0
    while at - 0.5 * period >= places[0] and missed_last <= _MOST_MISSED:
        steps += 1
        due = at - period
        found = _nearest(places, due)
        if abs(found - due) <= max(_NEAR * period, _NEAR_S * rate_hz) and found < train[-1]:
            train.append(found)
            at = 0.5 * (due + found)
            period = (begin - at) / steps
            missed += missed_last
            missed_last = 0
        else:
            at, missed_last = due, missed_last + 1
    return train[::-1] if len(train) >= _LEAST_SHARE * (len(train) + missed) else []


def _nearest(places: list[float], at: float) -> float:
    place = bisect_left(places, at)
    if place == len(places) or (place and at - places[place - 1] <= places[place] - at):
        return places[place - 1]
    return places[place]
