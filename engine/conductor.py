"""The conductor: knows at which musical moment any sample of the clock is heard, now and a little ahead.

Knows neither models nor sound cards: it is told what was heard, and is asked for moments. Positions are samples of
the input clock at the host rate, and may be fractional. Every method belongs to the inference thread alone.
"""

from __future__ import annotations

import math
from typing import Protocol

from .config import ConfigError
from .player import Heard, Moment


class Conducting(Protocol):
    """What the worker asks of a conductor. Inference thread only."""

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        """Take in one frame: it covers [end - frame_samples, end) of the input clock, host samples.

        `end_position_samples` is where the *described* frame ends: whoever calls has already taken off the
        listener's delay (`heard.delay_samples`, brought to the host rate) and that of the resampler.
        """
        ...

    def tap(self, position_samples: float) -> None: ...

    def moment(self, position_samples: float) -> Moment: ...

    def bar_samples(self) -> int:
        """Length of a bar in host samples; 0 while no bar is known."""
        ...

    def bar_count(self, position_samples: float) -> int:
        """Number of the bar that holds the position; the first one is 0. Negative before it."""
        ...

    def reset(self) -> None: ...


class GridConductor:
    """An exact, endless grid: for tests, clicks and fixed tempi. Hears nothing; taps leave it as it is.

    Raises ConfigError where the grid cannot be.
    """

    def __init__(
        self, tempo_bpm: float, beats_per_bar: int, rate_hz: float, first_beat_position: float = 0.0
    ) -> None:
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

    def reset(self) -> None:
        """A grid has nothing to forget."""

    def moment(self, position_samples: float) -> Moment:
        beats = (position_samples - self.first_beat_position) / self._beat_samples
        bars = beats / self.beats_per_bar
        return Moment(
            beat_phase=_fraction(beats),
            bar_phase=_fraction(bars),
            tempo_bpm=self.tempo_bpm,
            beats_per_bar=self.beats_per_bar,
            confidence=1.0,
        )

    def bar_samples(self) -> int:
        return round(self._beat_samples * self.beats_per_bar)

    def bar_count(self, position_samples: float) -> int:
        beats = (position_samples - self.first_beat_position) / self._beat_samples
        return math.floor(beats / self.beats_per_bar)


class Conductor:
    """Follows the musician: beat, bar and chord, as a moment that can be asked for ahead of time."""

    def __init__(self, rate_hz: float, tempo_bpm: float | None = None) -> None:
        self.rate_hz = float(rate_hz)
        self._grid = GridConductor(tempo_bpm or 120.0, 4, rate_hz)

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        """See Conducting.hear."""

    def tap(self, position_samples: float) -> None:
        """One tap of the tempo. Four in a row lock tempo, phase and downbeat (the first tap) at once."""

    def moment(self, position_samples: float) -> Moment:
        return self._grid.moment(position_samples)

    def bar_samples(self) -> int:
        return self._grid.bar_samples()

    def bar_count(self, position_samples: float) -> int:
        return self._grid.bar_count(position_samples)

    def reset(self) -> None:
        """Forget everything heard and tapped."""


def _fraction(x: float) -> float:
    """x modulo 1, never 1 itself (which rounding could give just below a whole number)."""
    part = x - math.floor(x)
    return part if part < 1.0 else 0.0
