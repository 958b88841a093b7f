"""What is heard of the lead in, the controls of the frame to come out: memory and answer on a run's own clock.

Knows the conductor; no stage and no player. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Callable

from ..player import Controls, Heard
from ..position import Point
from ..timing.conducting import Conducting
from .lead_answer import LeadAnswer, LeadFrame


class LeadListener:
    """Of one run. Inference thread only."""

    def __init__(self, rate_hz: int, host_frame: int, conductor: Conducting) -> None:
        self._answer = LeadAnswer(float(rate_hz))
        self._rate_hz, self._frame, self._conductor = rate_hz, host_frame, conductor

    def take(self, heard: Heard, end_samples: float, delay_samples: float) -> None:
        """A frame that was heard, as far as there is a beat to put it on; see LeadMemory.hear."""
        if self._conductor.entrance_cue().beat:
            self._answer.hear(heard, end_samples, self._frame, delay_samples, self._conductor.peek)

    def answer(self, controls: Controls, nominal: int, goes_on: bool, stays: Callable[[Point], bool]) -> Controls:
        """The controls for the frame whose notes begin at `nominal` of the input. The band is not to sink with the
        musician where it `goes_on`, or `stays` there by itself."""
        if controls.listening <= 0.0:
            return controls
        here, there = self._conductor.peek(nominal), self._conductor.peek(nominal + self._frame)
        frame = LeadFrame(here, there, float(nominal), self._frame / self._rate_hz, goes_on or stays(here))
        return self._answer.controls(controls, frame)
