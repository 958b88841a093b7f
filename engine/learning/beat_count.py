"""The learner's own count of beats beside the conductor's: whole beats without gaps, back to the first note.

Positions are samples of the input clock. Knows no chords. Inference thread only.
"""

from __future__ import annotations

import math

from ..charts.chart import Chart
from ..commands import ShiftHalfBeat, ThisIsOne
from ..errors import ConfigError
from ..style_priors import StylePrior
from ..timing.conducting import Conducting
from .beat_grid import BeatGrid

_LATE_BEATS, _LATE_BAR = 1.0, 0.3
"""A press so soon after a bar line counts for it: beats, and share of a bar."""
_TOLD_KEPT = 300
_SHIFTED_BEATS = 0.3
_BETWEEN, _NEAR_LINE = 0.33, 0.67
"""What is beside a line of ours by so many beats, at least and at most, lies between two beats."""
_OTHER_TEMPO = 0.15
"""Beats that are so much longer or shorter than the song's are none of its."""
_WHOLE_BARS = 0.3
"""So far from a whole number of bars, in bars, a section may seem to be: tempo drifts, and feet are not exact."""
_MOVING_BEATS = 1.5
"""So long after a correction what was made ahead still goes by the count from before."""
_SLOPE_S = 0.2
_TOLD_FIRST = 4
"""Beats that must have been told before they are counted back."""


def late_beats(metre: int) -> float:
    """So long after a bar line a press counts for it."""
    return min(_LATE_BEATS, _LATE_BAR * metre)


class BeatCount:
    """Beats by number, from the conductor's word. Inference thread only."""

    def __init__(self, time: Conducting, rate_hz: float, most_told: int = _TOLD_KEPT) -> None:
        """`most_told`: beats that are remembered, to be counted back."""
        self._time, self._rate_hz, self._most_told = time, rate_hz, most_told
        self._told: list[float] = []
        self.grid = BeatGrid()
        self.now = 0.0
        self._moves_until = -math.inf  # what the conductor tells until there is the count from before it was corrected
        self._beside = 0.0  # how far what the musician did last on a bar line was beside ours, in beats
        self._held_period = 0.0
        self._song_period = 0.0  # of the sections that are known, in samples
        self.song_metre = 0
        """Beats of a bar, once a section of the song is known; 0 before."""

    @property
    def told(self) -> int:
        """How many beats were told since the conductor has held one."""
        return len(self._told)

    @property
    def beats_known(self) -> bool:
        """Whether the conductor holds a beat."""
        return len(self._told) > 1

    @property
    def metre(self) -> int:
        """Beats of the running bar."""
        return self.song_metre or self._time.peek(self.now).beats_per_bar

    @property
    def tempo_bpm(self) -> float:
        """The mean since the count began."""
        return 60.0 * self._rate_hz / self.grid.mean_period_samples

    def hear(self, position: float) -> bool:
        """A frame was heard that ends there; True where a beat was told since the last one."""
        self.now = position
        if position < self._moves_until:
            return False
        if not self._time.entrance_cue().beat:
            self._told.clear()
            return False
        period = self._period()
        if not period:
            return False
        beat = self._time.peek(position).beat
        at = position - (beat - math.floor(beat)) * period
        again = bool(self._told) and at - self._told[-1] < 0.5 * period
        if again:
            self._told[-1] = at
        else:
            self._told.append(at)
            del self._told[: -self._most_told]
        if self.grid.known and (not again or at > self.grid.position_of(self.grid.last - 0.5)):
            self.grid.tell(at, period)
        return not again

    def start(self) -> None:
        """Begin to count with what was told lately."""
        self.grid = BeatGrid()
        self.grid.start(self._told, self._period())

    def first_beat(self, began: float) -> int | None:
        """Count back to a note that was played there: its beat; None while too little is known."""
        if len(self._told) < _TOLD_FIRST:
            return None
        self.start()
        return round(self.grid.beat_at(began))

    def meet(self, position: float, a_line: int) -> bool:
        """The musician did something there that belongs on a bar line, of which `a_line` is one.

        True where it lies between two of our beats for the second time in a row, on the same side: the beat was heard
        half a beat beside, and is moved, the conductor's too. Far from a line it says nothing: who presses early means
        the line to come.
        """
        metre = self.metre
        beside = (self.grid.beat_at(position) - a_line + 0.5 * metre) % metre - 0.5 * metre
        if abs(beside) > _NEAR_LINE:
            return False
        before, self._beside = self._beside, beside
        if before * beside <= 0.0 or min(abs(before), abs(beside)) < _BETWEEN:
            return False
        if not self._tell(ShiftHalfBeat(), self.now):
            return False
        self.grid.shift_half(later=beside > 0.0)
        self._told = [one + math.copysign(0.5, beside) * self._period() for one in self._told]
        self._beside, self._moves_until = 0.0, self.now + _MOVING_BEATS * self._period()
        return True

    def this_is_one(self, position: float) -> None:
        """A bar begins there by the musician's word, on a beat of ours: what the conductor hears later is no other
        count."""
        self._tell(ThisIsOne(), position)

    def _tell(self, command: ShiftHalfBeat | ThisIsOne, position: float) -> bool:
        """Correct the conductor; False where another clock counts: that is right, whatever a foot says."""
        try:
            self._time.obey(command, position)
        except ConfigError:
            return False
        return True

    def section_is(self, first: int, end: int) -> None:
        """A section of the song is played in from one beat to the other: that is the song's tempo."""
        self._song_period = (self.grid.position_of(end) - self.grid.position_of(first)) / (end - first)

    def forget_song(self) -> None:
        """The next section is another song's."""
        self.song_metre, self._song_period, self._beside = 0, 0.0, 0.0

    def lay_by_song(self, first: int, began: float, ended: float) -> bool:
        """A section is played in between those two positions. Where its beats were counted in quite another tempo than
        the song's, and the song's makes whole bars of it, they are laid so, and the conductor goes on in that tempo."""
        if not self._song_period:
            return False
        expected = (ended - began) / self._song_period
        bars = round(expected / self.metre)
        counted = self.grid.beat_at(ended) - first
        if bars < 1 or abs(counted / expected - 1.0) < _OTHER_TEMPO or abs(expected / self.metre - bars) > _WHOLE_BARS:
            return False
        self._lay(first, began, ended, bars * self.metre)
        return True

    def lay_by_style(self, first: int, began: float, ended: float, style: StylePrior) -> bool:
        """The same for the first section: where it was counted twice as fast as the style ever is, or half as fast, and
        the other makes whole bars in a usual tempo. Not where somebody gives the time."""
        if self._song_period or self._time.entrance_cue().free:
            return False
        counted = self.grid.beat_at(ended) - first
        counted_bpm = 60.0 * self._rate_hz * counted / (ended - began)
        most, least = style.high_bpm * (1.0 + _OTHER_TEMPO), style.low_bpm / (1.0 + _OTHER_TEMPO)
        times = 0.5 if counted_bpm > most else 2.0 if counted_bpm < least else 1.0
        bars = round(counted * times / self.metre)
        usual = style.low_bpm <= counted_bpm * times <= style.high_bpm
        if times == 1.0 or not usual or bars < 1 or abs(counted * times / self.metre - bars) > _WHOLE_BARS:
            return False
        self._lay(first, began, ended, bars * self.metre)
        return True

    def _lay(self, first: int, began: float, ended: float, beats: int) -> None:
        self.grid.lay(first, began, ended, beats)
        self._told = [ended - (ended - began) / beats * back for back in range(_TOLD_FIRST, -1, -1)]
        self._time.begin_bar(ended, 60.0 * self._rate_hz * beats / (ended - began))

    def counted_anew(self, began: float, first: int) -> int | None:
        """The beat of that note by all that is known by now, if the count since `first` turns out to have been wrong:
        the tempo may have been found late."""
        grid = BeatGrid()
        grid.start(self._told, self._period())
        found, old = round(grid.beat_at(began)), self.grid
        off_beats = grid.beat_at(old.position_of(first + 0.5)) - found - 0.5
        if grid.last - found == old.last - first and abs(off_beats) < _SHIFTED_BEATS:
            return None
        self.grid = grid
        return found

    def bar_beat(self) -> int:
        """The beat of our count on which the running bar begins, as the conductor has it."""
        point = self._time.peek(self.now)
        return round(self.grid.beat_at(self.now) - (point.beat - point.bar_beat))

    def line_meant(self, position: float, a_line: int) -> int:
        """The bar line that a press means: the next one, or the one that has just passed. `a_line` is one."""
        metre = self.metre
        bars = math.ceil((self.grid.beat_at(position) - a_line - late_beats(metre)) / metre)
        return a_line + bars * metre

    def bounds(self, first: int, position: float, counted_back: bool) -> tuple[int, int]:
        """First beat of a section that ends by a press there, and of what follows it.

        Where the first note was counted back to, bars may be wrong: if that note and the press agree, they are the
        musician's word. Else bars are as they are heard, if that is sure, and as the press has it if it is not.
        """
        pressed, metre = self.grid.beat_at(position), self.metre
        if counted_back and (round(pressed) - first) % metre:
            line = self.bar_beat() if self._time.entrance_cue().bar else round(pressed)
            first += (line - first + metre // 2) % metre - metre // 2
        return first, max(first + metre, self.line_meant(position, first))

    def first_bar(self, chart: Chart, first: int, bars_before: int) -> int:
        """Number of the conductor's bar that is the chart's first, if its bar `bars_before` begins on that beat."""
        point = self._time.peek(self.now)
        bars = round((self.bar_beat() - first) / point.beats_per_bar)
        if bars < 0:  # it is to begin: what ends now is its last round, which was played in
            bars += chart.bars
        return point.bar - bars - bars_before

    def _period(self) -> float:
        """Samples of a beat by the conductor's time just before now or just after: whichever is nearer to what it was,
        for in one of them it may leap. Its bars are not asked: where it has just been told another metre they are of
        neither. 0 while there is no time."""
        if not self._time.bar_samples():
            return 0.0
        width = _SLOPE_S * self._rate_hz
        before, now, after = (self._time.peek(self.now + step).beat for step in (-width, 0.0, width))
        found = [width / beats for beats in (after - now, now - before) if beats > 0.0]
        if found:
            held = self._held_period or found[0]
            self._held_period = min(found, key=lambda period: abs(math.log(period / held)))
        return self._held_period
