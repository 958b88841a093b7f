"""A fixed grid in place of a conductor: for tests, clicks and fixed tempi.

Hears nothing and knows no source of time. Positions are samples of the input clock. Inference thread only.
"""

from __future__ import annotations

import math

from ..charts.chart import Chart, Section
from ..charts.chord_symbol import ChordSymbol
from ..commands import Command
from ..errors import ConfigError
from ..player import Heard, Moment
from ..position import Point
from .clocks.jack_transport import Reading
from .entrance_cue import EntranceCue


class GridConductor:
    """Hears nothing; taps and other commands leave it as it is. Raises ConfigError where the grid cannot be.

    Inference thread only.
    """

    def __init__(self, tempo_bpm: float, beats_per_bar: int, rate_hz: float, first_beat_position: float = 0.0) -> None:
        if not (tempo_bpm > 0 and beats_per_bar >= 1 and rate_hz > 0):
            raise ConfigError(f"no grid at {tempo_bpm} bpm, {beats_per_bar} beats a bar, {rate_hz} Hz: give them > 0")
        self.tempo_bpm = float(tempo_bpm)
        self.beats_per_bar = int(beats_per_bar)
        self.first_beat_position = float(first_beat_position)
        self._beat_samples = 60.0 * rate_hz / tempo_bpm

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        """A grid has no ears."""

    def tap(self, position_samples: float) -> None:
        """A grid does not move."""

    def obey(self, command: Command, position_samples: float) -> None:
        """A grid takes no orders."""

    def lead(self, chord: ChordSymbol | None) -> None:
        """A grid has no chords."""

    def end_with_lead(self, on: bool) -> None:
        """A grid slows down for nobody."""

    def read_transport(self, reading: Reading) -> None:
        """A grid has a time of its own."""

    def reset(self) -> None:
        """A grid has nothing to forget."""

    def moment(self, position_samples: float) -> Moment:
        beats = (position_samples - self.first_beat_position) / self._beat_samples
        bars = beats / self.beats_per_bar
        return Moment(
            beat_phase=fraction(beats),
            bar_phase=fraction(bars),
            tempo_bpm=self.tempo_bpm,
            beats_per_bar=self.beats_per_bar,
            confidence=1.0,
        )

    def peek(self, position_samples: float) -> Point:
        beats = (position_samples - self.first_beat_position) / self._beat_samples
        bar = math.floor(beats / self.beats_per_bar)
        return Point(position_samples, beats, float(bar * self.beats_per_bar), bar, self.beats_per_bar)

    def entrance_cue(self) -> EntranceCue:
        return EntranceCue(beat=True, bar=True, free=True)

    def section_of_bar(self, bar: int) -> Section | None:
        """A grid knows no charts."""
        return None

    def begin_bar(self, position_samples: float, tempo_bpm: float | None = None) -> bool:
        """A grid does not move, but it can be counted in on its next bar line."""
        return True

    def begin_chart(self, position_samples: float) -> None:
        """A grid knows no charts."""

    def lay_chart(self, chart: Chart | None, first_bar: int, entering: bool = False) -> None:
        """A grid knows no charts."""

    def planned(self, position_samples: float, bars: int) -> tuple[str, ...]:
        """Nothing: a grid knows no chords."""
        return ()

    def bar_samples(self) -> int:
        return round(self._beat_samples * self.beats_per_bar)

    def bar_count(self, position_samples: float) -> int:
        beats = (position_samples - self.first_beat_position) / self._beat_samples
        return math.floor(beats / self.beats_per_bar)


def fraction(x: float) -> float:
    """x modulo 1, never 1 itself (which rounding could give just below a whole number)."""
    part = x - math.floor(x)
    return part if part < 1.0 else 0.0
