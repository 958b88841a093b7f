"""The musical time given to the band: it converges to the time source without ever going back.

Knows no source of time, only anchors. What has been told once stays told: positions asked again, or between two asked
before, give the same answer. Holds a fixed number of points. Inference thread only.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

from ..position import Point
from .anchor import Anchor
from .conductor_settings import TimelineSettings

_STEP_S = 0.02
_POINTS = 2048
_WRITTEN_BARS = range(3)
"""A guess holds while the chart has these bars as it had them."""


class Timeline:
    """A continuous beat count over positions, bent toward an anchor by at most the configured share of the tempo.

    Inference thread only.
    """

    def __init__(
        self,
        config: TimelineSettings,
        rate_hz: float,
        beats_per_bar: int,
        written: Callable[[int], int | None] = lambda bar: None,
    ) -> None:
        """`written(bar)`: beats of the bar of that number where a chart that changes its metre says it, else None."""
        self._written = written
        self._config = config
        self._rate_hz = rate_hz
        self._points: list[Point] = []
        self._places: list[float] = []  # of the points
        self._first_metre = beats_per_bar
        self._target: Anchor | None = None
        self._most = config.slew
        self._leap = False
        self._count = 0  # our beat count less the source's
        self._guess: list[tuple[Point, bool]] = []  # steps beyond the end, and whether a leap is to come after each
        self._guess_places: list[float] = []  # of these steps
        self._guessed_by: list[int | None] = []

    @property
    def started(self) -> bool:
        return bool(self._points)

    @property
    def target(self) -> Anchor | None:
        """The line that is followed, in the timeline's own count of beats."""
        return self._target

    @property
    def end_samples(self) -> float:
        return self._points[-1].position_samples if self._points else -math.inf

    def error_beats(self) -> float:
        """How far the told time is behind its target at its end, in beats."""
        if not self._points or self._target is None:
            return 0.0
        return self._target.beat_at(self._points[-1].position_samples, self._rate_hz) - self._points[-1].beat

    def aim(self, anchor: Anchor, same_source: bool = True) -> None:
        """Follow another line from where the timeline ends: the nearest one that has its beats where `anchor` has.

        From the same source the count goes on as before until it is clearly off by a whole beat.
        """
        if not self._points:
            self._count = -math.floor(anchor.beat)
            self._target = replace(anchor, beat=anchor.beat + self._count)
            beat = self._target.beat
            place = max(anchor.beat_in_bar, 0)
            metre = anchor.beats_per_bar or self._first_metre
            self._bind(Point(anchor.position_samples, beat, math.floor(beat) - place % metre, 0, metre))
            return
        last = self._points[-1]
        off = last.beat - anchor.beat_at(last.position_samples, self._rate_hz)
        if not same_source or abs(off - self._count) > 0.6:
            self._count = round(off)
        self._target = replace(anchor, beat=anchor.beat + self._count)
        self._guess_anew()

    def bend(self, most: float) -> None:
        """Correct by at most `config.slew` of the tempo from now on, and the further off, the more: up to `most`."""
        self._most = most
        self._guess_anew()

    def leap(self, at_downbeat: bool) -> None:
        """Take the target's phase without gliding: at once, or where the target's next bar begins."""
        if not at_downbeat:
            self._jump()
        self._leap = at_downbeat
        self._guess_anew()

    def stop_leap(self) -> None:
        """Think better of a leap that has not happened yet."""
        self._leap = False
        self._guess_anew()

    def advance(self, position_samples: float) -> None:
        """Tell time up to a position: what was told is bound from now on."""
        points = self._walk(position_samples)
        if points:
            self._bind(*points)
            self._guess_anew()
        if len(self._points) > 2 * _POINTS:
            del self._points[:-_POINTS], self._places[:-_POINTS]

    def _bind(self, *points: Point) -> None:
        """These are told from now on."""
        self._points += points
        self._places += [point.position_samples for point in points]

    def at(self, position_samples: float) -> Point:
        """Musical time at any position: told, older than what is remembered, or guessed ahead (binds nothing)."""
        if position_samples > self.end_samples:
            return self._guessed(position_samples)
        i = bisect_right(self._places, position_samples) - 1
        if i < 0:
            return self._before(position_samples)
        here = self._points[i]
        if i + 1 == len(self._points) or here.position_samples == position_samples:
            return here
        after = self._points[i + 1]
        share = (position_samples - here.position_samples) / (after.position_samples - here.position_samples)
        return _moved(here, position_samples, here.beat + share * (after.beat - here.beat))

    def _before(self, position_samples: float) -> Point:
        first = self._points[0]
        tempo_bpm = self._target.tempo_bpm if self._target else 120.0
        beat = first.beat - (first.position_samples - position_samples) / self._rate_hz * tempo_bpm / 60.0
        bars = math.floor((beat - first.bar_beat) / first.beats_per_bar)
        return Point(
            position_samples, beat, first.bar_beat + bars * first.beats_per_bar, first.bar + bars, first.beats_per_bar
        )

    def _guessed(self, position_samples: float) -> Point:
        """Time beyond the end. It is asked for some dozen positions a frame: steps that were made are not made again
        until anything changes."""
        here, of = self._points[-1], self._written
        written = [of(here.bar + bars) for bars in _WRITTEN_BARS]
        if written != self._guessed_by:
            self._guess_anew()
            self._guessed_by = written
        place = bisect_right(self._guess_places, position_samples)
        here, leap = self._guess[place - 1] if place else (here, self._leap)
        while here.position_samples < position_samples:
            here, leap = self._step(here, leap, position_samples)
            if place == len(self._guess) and here.position_samples < position_samples:  # a whole step
                self._guess.append((here, leap))
                self._guess_places.append(here.position_samples)
                place += 1
        return here

    def _guess_anew(self) -> None:
        self._guess.clear()
        self._guess_places.clear()

    def _walk(self, position_samples: float) -> list[Point]:
        """The points from the end to a later position, with one exactly on every beat that is crossed: bound."""
        here, points = self._points[-1], []
        while here.position_samples < position_samples:
            here, self._leap = self._step(here, self._leap, position_samples)
            points.append(here)
        self._settle_count(here)
        return points

    def _step(self, here: Point, leap: bool, position_samples: float) -> tuple[Point, bool]:
        """Toward a position, at most to the next beat; and whether a leap is still to come."""
        target = self._target
        assert target is not None
        rate = target.tempo_bpm / 60.0
        dt = min(_STEP_S, (position_samples - here.position_samples) / self._rate_hz)
        error = target.beat_at(here.position_samples, self._rate_hz) - here.beat
        most = self._most_at(error) * rate
        speed = rate + min(max(error / max(self._config.glide_s, _STEP_S), -most), most)
        to_next = (math.floor(here.beat) + 1 - here.beat) / speed
        if leap and self._downbeat_within(here, dt):
            return self._leapt(here, dt), False
        if to_next <= dt + 1e-9:  # a step that ends on the beat would else pass over it
            return self._over_beat(here, to_next), leap
        position = min(here.position_samples + dt * self._rate_hz, position_samples)
        return _moved(here, position, here.beat + speed * dt), leap

    def _most_at(self, error_beats: float) -> float:
        slew = self._config.slew
        return slew + (self._most - slew) * min(abs(error_beats) / self._config.far_beats, 1.0)

    def _over_beat(self, here: Point, after_s: float) -> Point:
        """The point on the next whole beat, in a new bar where one is due."""
        beat = math.floor(here.beat) + 1
        position = here.position_samples + after_s * self._rate_hz
        target = self._target
        assert target is not None
        metre = self._written(here.bar + 1) or target.beats_per_bar or here.beats_per_bar
        place = self._place_of(beat, here)
        due = beat - here.bar_beat >= here.beats_per_bar if place is None else place == 0
        if due or beat - here.bar_beat >= here.beats_per_bar:
            return Point(position, float(beat), float(beat), here.bar + 1, metre)
        return _moved(here, position, float(beat))

    def _place_of(self, beat: int, here: Point) -> int | None:
        """Place in its bar of one of the target's beats, as seen from a point; None where the target cannot say."""
        target = self._target
        if target is None or target.beat_in_bar < 0:
            return None
        first = math.floor(target.beat) - target.beat_in_bar
        written = self._written(here.bar)
        if written is None:
            return (beat - first) % (target.beats_per_bar or here.beats_per_bar)
        # Where bars differ the target knows its own one and where the next begins, and no more.
        length = target.beats_per_bar if first < here.bar_beat and target.beats_per_bar else written
        if beat >= first + length and target.beats_per_bar:
            first, length = first + length, written
        return beat - first if 0 <= beat - first < length else None

    def _downbeat_within(self, here: Point, dt: float) -> bool:
        target = self._target
        assert target is not None
        now = target.beat_at(here.position_samples, self._rate_hz)
        then = now + dt * target.tempo_bpm / 60.0
        if math.floor(then) == math.floor(now):
            return False
        return self._place_of(math.floor(then), here) in (0, None)

    def _leapt(self, here: Point, dt: float) -> Point:
        """The target's downbeat within dt, as the next whole beat of our own count and the first of a bar."""
        target = self._target
        assert target is not None
        now = target.beat_at(here.position_samples, self._rate_hz)
        after_s = (math.floor(now) + 1 - now) * 60.0 / target.tempo_bpm
        beat = float(math.ceil(here.beat - 1e-6))
        position = here.position_samples + max(after_s, 1e-6) * self._rate_hz
        bar = here.bar + (here.bar_beat != beat)
        return Point(position, beat, beat, bar, self._written(bar) or target.beats_per_bar or here.beats_per_bar)

    def _jump(self) -> None:
        """At the end of what was told, go forward by less than a beat to the target's phase, into its bar."""
        target, last = self._target, self._points[-1]
        assert target is not None
        there = target.beat_at(last.position_samples, self._rate_hz)
        beat = last.beat + (there - last.beat) % 1.0
        metre = self._written(last.bar) or target.beats_per_bar or last.beats_per_bar
        self._shift_count(round(beat - there))
        place = self._place_of(math.floor(beat), last)
        bar_beat = last.bar_beat if place is None else math.floor(beat) - place
        while beat - bar_beat >= metre:
            bar_beat += metre
        new_bar = bar_beat != last.bar_beat
        self._bind(Point(last.position_samples + 1e-3, beat, bar_beat, last.bar + new_bar, metre))

    def _settle_count(self, here: Point) -> None:
        """After a leap the target's count may be off by a whole beat: bring it to ours."""
        if self._target is not None:
            off = here.beat - self._target.beat_at(here.position_samples, self._rate_hz)
            if abs(off) > 0.6:
                self._shift_count(round(off))

    def _shift_count(self, beats: int) -> None:
        if self._target is not None:
            self._guess_anew()
            self._count += beats
            self._target = replace(self._target, beat=self._target.beat + beats)


def _moved(point: Point, position_samples: float, beat: float) -> Point:
    """In the same bar. (Some twenty a frame: `_replace` takes several times as long.)"""
    return Point(position_samples, beat, point.bar_beat, point.bar, point.beats_per_bar, point.beat_quarters)
