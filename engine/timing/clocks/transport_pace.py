"""Checks whether the beats of a transport run at the tempo that it reports, and which of the two to believe.

Knows readings by their numbers, not the server. Times are seconds of the transport's own frames. Inference thread only.
"""

from __future__ import annotations

import math

_LEAST_S = 0.1
"""Beats are watched for at least so long before their pace is believed."""
_APART = 0.03
"""Paces that differ by more than this share disagree ..."""
_TICKS_OFF = 1.5
"""... unless so many ticks of rounding explain it."""
_WHOLE_BAR = 0.06
"""How near a ratio must be to the number of beats in a bar to mean that a whole bar is told as one beat."""


class TransportPace:
    """Beats within their bar in, the pace and the scale of the beats out. Inference thread only."""

    def __init__(self) -> None:
        self.scale = 1.0
        """Beats that pass while the transport tells one: not 1 where it counts its ticks wrongly."""
        self.rate_hz = 0.0
        """Beats a second, of the beats that the transport tells, as they are believed; 0 while there is no tempo."""
        self.disagrees = False
        """Whether its beats and its tempo are not of one pace."""
        self._unit = 1.0  # beats that the tempo counts in one of its own: 2 where it counts quarters, they eighths
        self._bar_s: float | None = None  # length of the last whole bar
        self.restart()

    def restart(self) -> None:
        """The transport was moved, or stood still: what was watched does not go on."""
        self._bar = -1
        self._first: tuple[float, float] | None = None
        self._line_s: float | None = None

    def see(
        self, at_s: float, bar: int, beat: float, beats_per_bar: float, beat_type: float, tempo_bpm: float, tick: float
    ) -> None:
        """One reading of a transport that rolls: place within its bar in beats, `tick`: how fine these are."""
        told = (tempo_bpm / 60.0, tempo_bpm / 60.0 * beat_type / 4.0)
        if bar != self._bar or self._first is None:
            self._turn_bar(at_s, bar, beat)
        begin_s, begin = self._first or (at_s, beat)
        span_s, beats = at_s - begin_s, beat - begin
        if span_s < _LEAST_S or beats <= 0:
            if self.rate_hz <= 0.0 or not self.disagrees:
                self.rate_hz = self._as_told(told)
            return
        pace = beats / span_s
        if self._line_s is None and self._bar >= 0:
            self._line_s = at_s - beat / pace
        loose = _APART + _TICKS_OFF * tick / beats
        for rate in told:
            if rate > 0 and abs(pace / rate - 1.0) <= loose:
                self.rate_hz, self.scale, self.disagrees = rate, 1.0, False
                self._unit = rate / told[0]
                return
        self.disagrees = True
        self._choose(pace, told[0], beats_per_bar)

    def _as_told(self, told: tuple[float, float]) -> float:
        """Before the pace is known: the tempo in the unit that it was in before."""
        return told[0] * self._unit

    def _turn_bar(self, at_s: float, bar: int, beat: float) -> None:
        """A new bar has begun: how long was the last?"""
        if bar == self._bar + 1 and self._first is not None:
            pace = self.rate_hz / self.scale if self.rate_hz > 0 else 0.0
            line_s = at_s - beat / pace if pace > 0 else at_s
            if self._line_s is not None:
                self._bar_s = line_s - self._line_s
            self._line_s = line_s
        else:
            self._line_s = self._bar_s = None
        self._bar, self._first = bar, (at_s, beat)

    def _choose(self, pace: float, told: float, beats_per_bar: float) -> None:
        """The beats run at another pace than the tempo says: whole bars tell which is right."""
        if told <= 0:
            self.rate_hz, self.scale = pace, 1.0
            return
        ratio = told / pace
        if self._bar_s is not None and self._bar_s > 0:
            true = beats_per_bar / self._bar_s
            by_tempo = abs(math.log(true / told)) < abs(math.log(true / pace))
        else:
            by_tempo = abs(ratio / beats_per_bar - 1.0) < _WHOLE_BAR
        if abs(ratio / beats_per_bar - 1.0) < _WHOLE_BAR:
            ratio = beats_per_bar
        self.rate_hz, self.scale = (told, ratio) if by_tempo else (pace, 1.0)
