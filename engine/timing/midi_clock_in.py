"""MIDI clock as a source of time: 24 ticks a quarter note, each late or early by some milliseconds, to a steady line.

A second-order loop over the numbers and places of the ticks. It begins as a least-squares line through all of them and
goes on with a memory of fixed length: quick at first, calm later. Positions are samples of the input clock. Inference
thread only.
"""

from __future__ import annotations

import math

from .anchor import Anchor

TICKS_PER_BEAT = 24
_MEMORY_TICKS = 96
"""How many ticks the line remembers, about: four beats."""
_QUICK_TICKS = 12
"""From so many on the line is worth following; so few it remembers where the tempo has changed."""
_SILENT_S = 0.5
"""Without a tick for so long (and for some ticks' time) the cable is out."""
_SLOWEST_BPM = 20.0
_EARLY = 0.75
"""A tick that comes earlier than the one that is due by this part of a tick does not belong to the line."""
_LOST = 1.6
"""After so many ticks' time without one some were lost."""
_STRANGERS = 6
"""So many in a row are another line."""
_LEANING = 0.25
"""Ticks that are off to one side by this part of a tick, on the average, have another tempo."""


class MidiClockIn:
    """Ticks and transport messages in, an anchor out. A clock that is stopped, or unplugged, has no answer.

    Inference thread only.
    """

    name = "midi_clock"

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._tick = -1  # number of the newest tick, of all that have come or were lost; the first is on a beat
        self._rolls = True  # many masters never say that they start
        self._song_tick: int | None = None  # number of the tick on which the song began; None where nobody said it
        self._resume_ticks: int | None = None  # place in the song of the tick that comes next, where it was just said
        self._stopped_ticks: int | None = None  # place in the song at which it was stopped
        self._forget_line()

    def _forget_line(self) -> None:
        self._met = 0  # ticks that the line went through
        self._position = 0.0  # where the line has the newest tick
        self._period = 0.0  # samples a tick
        self._last = -math.inf  # where the newest tick really came
        self._strangers = 0
        self._leaning = 0.0

    def reset(self) -> None:
        """Forget every tick. What was said of start and stop stays."""
        self._forget_line()

    def transport(self, action: str, sixteenths: int = 0) -> None:
        """MIDI start, continue, stop or locate (to so many sixteenths); other words are passed over."""
        if action == "start":
            self._resume_ticks, self._rolls = 0, True
        elif action == "locate":
            self._stopped_ticks = sixteenths * TICKS_PER_BEAT // 4
            if self._rolls and self._song_tick is not None:
                self._resume_ticks = self._stopped_ticks
        elif action == "continue":
            if not self._rolls:
                self._resume_ticks = self._stopped_ticks
            self._rolls = True
        elif action == "stop" and self._rolls:
            self._stopped_ticks = None if self._song_tick is None else self._tick + 1 - self._song_tick
            self._rolls = False

    def tick(self, position_samples: float) -> None:
        """One clock message, at the place where it came."""
        position = max(float(position_samples), self._last + 1.0)
        if self._met and self._silent(position):
            self._forget_line()
        gap, self._last = position - self._last, position
        if self._met == 0:
            self._begin(position)
        elif self._met == 1:
            if gap <= 60.0 * self._rate_hz / (_SLOWEST_BPM * TICKS_PER_BEAT):
                self._period = gap
                self._meet(position, gap)
            else:
                self._begin(position)
        else:
            self._meet(position, gap)
        if self._resume_ticks is not None:
            self._song_tick, self._resume_ticks = self._tick - self._resume_ticks, None

    def _begin(self, position: float) -> None:
        """A line begins at this tick; the numbers go on."""
        self._forget_line()
        self._met, self._tick, self._position, self._last = 1, self._tick + 1, position, position

    def _meet(self, position: float, gap: float) -> None:
        """Let the line go through the tick that is due, or through a later one where some were lost."""
        due = 1
        if self._met >= _QUICK_TICKS and gap > _LOST * self._period:
            due = round(gap / self._period)
        miss = position - (self._position + due * self._period)
        strange = due > 1 or miss < -_EARLY * self._period
        self._strangers = self._strangers + 1 if strange and self._met >= _QUICK_TICKS else 0
        if self._strangers >= _STRANGERS:
            self._begin(position)
            return
        if due == 1 and self._strangers:
            return  # too early to be the one that is due
        self._tick += due
        self._met += 1
        n = min(self._met, _MEMORY_TICKS)
        self._position += due * self._period + miss * (2.0 * (2.0 * n - 1.0) / (n * (n + 1.0)))
        self._period = max(1.0, self._period + miss / due * (6.0 / (n * (n + 1.0))))
        self._leaning += 0.35 * (miss / self._period - self._leaning)
        if n == _MEMORY_TICKS and abs(self._leaning) > _LEANING:
            self._met, self._leaning = _QUICK_TICKS, 0.0

    def _silent(self, position: float) -> bool:
        return position - self._last > max(_SILENT_S * self._rate_hz, 6.0 * self._period)

    @property
    def tempo_bpm(self) -> float:
        """By the ticks; 0 while there is no line."""
        return 60.0 * self._rate_hz / (self._period * TICKS_PER_BEAT) if self._period > 0 else 0.0

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource."""
        if not self._rolls or self._met < _QUICK_TICKS or self._silent(position_samples):
            return None
        if not _SLOWEST_BPM <= self.tempo_bpm <= 400.0:
            return None
        since = self._tick - (self._song_tick or 0)
        place = since // TICKS_PER_BEAT if self._song_tick is not None else -1
        sure = min(1.0, 0.5 + self._met / _MEMORY_TICKS)
        return Anchor(self._position, since / TICKS_PER_BEAT, self.tempo_bpm, sure, 0, place)
