"""What the musician has said of the count: level and phase by taps and commands, and where one is.

Kept until the musician rests for long; knows no filter and no line but what it is told. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .bar_pointer import Reading

_RATIOS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0)
_NEAR_RATIO = 0.1  # natural log: two taps are this far off the tempo that they mean
_NEAR_CELL = 0.07  # beats
_FOUR_TAPS_ERROR = 0.035  # natural log
_MEMORY = 0.08  # share of each peak


def tempo_of_taps(held_hz: float, tapped_hz: float) -> float:
    """Four taps err by a hundredth or two: the held tempo times a simple ratio, where they are that near to it."""
    nearest = min(_RATIOS, key=lambda ratio: abs(math.log(tapped_hz / (held_hz * ratio))))
    near = abs(math.log(tapped_hz / (held_hz * nearest))) < _FOUR_TAPS_ERROR
    return held_hz * nearest if near else tapped_hz


def reading_of_taps(beat_at_tap: float, held_hz: float, tapped_hz: float, phase_at_tap: float) -> Reading:
    """Few taps name one of the readings of a held line, and the line is more exact than they: its tempo times a simple
    ratio, with beats on a third or a quarter of its own where one was tapped.

    `beat_at_tap` is the held beat at the last tap, `phase_at_tap` the tapped phase there (0 but for averaging). Where
    no ratio is near it is what was tapped. The reading's phase is that at the tap.
    """
    apart = {ratio: abs(math.log(tapped_hz / (held_hz * ratio))) for ratio in _RATIOS}
    ratio = min(apart, key=lambda r: apart[r])
    if apart[ratio] > _NEAR_RATIO:
        return Reading(tapped_hz, phase_at_tap, 0.03, 1.0)
    tapped_at = beat_at_tap - phase_at_tap / ratio  # of the held line, where a beat was tapped
    cells = [round(tapped_at * parts) / parts for parts in (1, 2, 3, 4)]
    near = min(cells, key=lambda cell: abs(cell - tapped_at))
    if abs(near - tapped_at) > _NEAR_CELL:
        near = tapped_at
    return Reading(held_hz * ratio, (beat_at_tap - near) * ratio % 1.0, 0.03, 1.0)


@dataclass
class GivenCount:
    """Whether level and phase were given, and the bar; and where the peaks stand since. Inference thread only."""

    count: bool = False
    bar: bool = False
    rest_s: float = 0.0
    """Since the musician was last heard."""
    _on: float = 0.5
    _between: float = 0.0

    def give(self, bar: bool = False) -> None:
        """Level and phase are given from now on; `bar`: the downbeat too."""
        self.count, self.bar, self.rest_s = True, self.bar or bar, 0.0

    def take_back(self) -> None:
        """Nothing is given any more."""
        self.count = self.bar = False
        self._on, self._between = 0.5, 0.0

    def hear(self, trust: float, frame_s: float, longest_rest_s: float) -> bool:
        """One frame; who rests for longer than that has stopped, and may begin another song: True if that is now."""
        self.rest_s = 0.0 if trust > 0.5 else self.rest_s + frame_s
        if not self.count or self.rest_s <= longest_rest_s:
            return False
        self.take_back()
        return True

    def meet(self, phase: float, height: float) -> None:
        """A peak of the activation at that phase of the beat, in [0, 1)."""
        on = min(phase, 1.0 - phase) < 0.15
        between = abs(phase - 0.5) < 0.15
        if on or between:
            self._on += _MEMORY * (height * on - self._on)
            self._between += _MEMORY * (height * between - self._between)

    def turn_over(self) -> None:
        """The beats have moved by half a beat: what stood on them stands between them."""
        self._on, self._between = self._between, self._on

    @property
    def played_between(self) -> bool:
        """What is played stands between the beats that were given."""
        return self._between > self._on
