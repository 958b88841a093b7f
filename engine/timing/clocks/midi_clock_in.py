"""MIDI clock input as a time source: 24 ticks per quarter note, with start, stop and song position.

Knows which place of the song a tick is, and how many ticks the band's beat has; not what a chart says there. Positions
are samples of the input clock. Inference thread only.
"""

from __future__ import annotations

from ..anchor import Anchor
from .tick_sorter import TickSorter

TICKS_PER_QUARTER = 24
TICKS_PER_SIXTEENTH = 6
_SLOWEST_QUARTERS, _FASTEST_QUARTERS = 20.0, 400.0


class MidiClockIn:
    """Ticks and transport messages in, an anchor out. A clock that is stopped, or unplugged, has no answer.

    Inference thread only.
    """

    name = "midi_clock"

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._sorter = TickSorter(rate_hz)
        self._rolls = True  # many masters never say that they start
        self._stopped_ticks: int | None = None  # place in the song at which it was stopped, or located since
        self._tells_place = False  # who starts may mean any beginning; who says a place, the song's
        self._located = False  # whether a place was said that no continue has used yet
        self._ticks_per_beat = TICKS_PER_QUARTER
        self._counted = (0, 0.0)  # ticks since the song's beginning, and beats, where the beat became what it is
        self.starts = 0
        """How often it was told where the song is: starts, and continues from elsewhere."""

    def reset(self) -> None:
        """Forget every tick. What was said of start and stop stays."""
        self._sorter.reset()

    @property
    def started(self) -> bool:
        """Whether it has said start or continue; a clock that only ticks may be a keyboard that always does."""
        return self._sorter.started

    @property
    def stopped(self) -> bool:
        """Whether it has said stop, and nothing since."""
        return not self._rolls

    @property
    def others_bpm(self) -> tuple[float, ...]:
        """Tempi (quarter notes a minute) of other clocks on the same cable, which are set aside."""
        return self._sorter.others_bpm

    def transport(self, action: str, sixteenths: int = 0, position_samples: float | None = None) -> None:
        """MIDI start, continue, stop or locate (to so many sixteenths); other words are passed over."""
        at = self._sorter.leader.last if position_samples is None else position_samples
        if action == "start":
            self._go_on(at, 0)
        elif action == "locate":
            self._stopped_ticks, self._located = sixteenths * TICKS_PER_SIXTEENTH, True
            self._tells_place = True
            if self._rolls and self._sorter.leader.song_tick is not None:
                self._go_on(at, self._stopped_ticks)
        elif action == "continue":
            if (self._located or not self._rolls) and self._stopped_ticks is not None:
                self._go_on(at, self._stopped_ticks)
            self._rolls = True
        elif action == "stop" and self._rolls:
            line = self._sorter.leader
            self._stopped_ticks = None if line.song_tick is None else line.number + 1 - line.song_tick
            self._rolls = self._located = False

    def _go_on(self, position: float, ticks: int) -> None:
        """The next tick is that place of the song."""
        self._sorter.say_start(position, ticks)
        self._rolls, self._located = True, False

    def tick(self, position_samples: float) -> None:
        """One clock message, at the place where it came."""
        song_tick = self._sorter.leader.song_tick
        self._sorter.add(float(position_samples))
        if self._sorter.leader.song_tick != song_tick:
            self.starts += 1
            self._counted = (0, 0.0)

    def pass_gap(self, samples: int) -> None:
        """So many samples were lost, and with them perhaps ticks: the clock went on."""
        self._sorter.pass_gap(samples)

    def count_in(self, ticks_per_beat: int, position_samples: float) -> None:
        """The beat has so many ticks from that place on: 24 a quarter, 36 a dotted one. What was counted stays."""
        if ticks_per_beat != self._ticks_per_beat:
            line = self._sorter.leader
            since = round(line.ticks_at(position_samples)) - (line.song_tick or 0)
            self._counted = since, self._beats(since)
            self._ticks_per_beat = ticks_per_beat

    def _beats(self, since_ticks: float) -> float:
        ticks, beats = self._counted
        return beats + (since_ticks - ticks) / self._ticks_per_beat

    @property
    def tempo_bpm(self) -> float:
        """By the ticks, in beats; 0 while there is no line."""
        period = self._sorter.leader.period
        return 60.0 * self._rate_hz / (period * self._ticks_per_beat) if period > 0 else 0.0

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource."""
        line = self._sorter.line_at(position_samples) if self._rolls else None
        if line is None:
            return None
        position, number, period, sure = line
        quarters = 60.0 * self._rate_hz / (period * TICKS_PER_QUARTER)
        if not _SLOWEST_QUARTERS <= quarters <= _FASTEST_QUARTERS:
            return None
        song_tick = self._sorter.leader.song_tick
        beat = self._beats(number - (song_tick or 0))
        tempo_bpm = quarters * TICKS_PER_QUARTER / self._ticks_per_beat
        if song_tick is None:
            return Anchor(position, beat, tempo_bpm, sure, 0, -1)
        return Anchor(position, beat, tempo_bpm, sure, 0, int(beat // 1), song_beat=beat if self._tells_place else None)
