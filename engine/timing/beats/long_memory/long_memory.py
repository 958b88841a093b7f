"""What only many bars together tell: a steady beat that the held one is not, and beats that are half a beat beside.

Says where the line should be, and moves nothing itself. Inference thread only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....player import Heard
from ...conductor_settings import ConductorConfig
from ..bar_pointer import Reading
from ..beat_kalman import BeatKalman
from .half_beat import HalfBeatDoubt
from .steady_tempo import SteadyTempo

_SAME_TEMPO = 0.05  # natural log
_ASTRAY = 0.15  # of a beat: no further has a held line wandered
_BESIDE = 0.3  # of a beat: further away, a reading of the same tempo is half a beat beside


class LongMemory:
    """Hears what the tracker hears; `steady_beside` and `beside` are what it would change. Inference thread only."""

    def __init__(self, config: ConductorConfig) -> None:
        self._settings = config.steady
        self._tempo = SteadyTempo(config.steady, config.tempo)
        self._halves = HalfBeatDoubt(config.half_beat)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._tempo.reset()
        self._halves.reset()
        self._steady: Reading | None = None
        self._rounds = 0

    @property
    def half_nats(self) -> float:
        """By how much the held beats are likelier than the places between them; 0 while too little was heard."""
        return self._halves.nats

    @property
    def beside(self) -> bool:
        """Whether the beats are to be moved by half a beat."""
        return self._halves.beside

    @property
    def steady_beside(self) -> Reading | None:
        """A steady beat to be followed, at this frame's end: it has explained the last half-minute better than the held
        one for long enough. None: the held one is right, or nobody knows yet."""
        return self._steady

    def keeps(self, reading: Reading, line: BeatKalman, moved: bool) -> bool:
        """Whether it knows better than a reading near the held tempo which says that the beats are half a beat beside;
        or, where the line was `moved` against what single beats say, that is on its way back."""
        if moved:
            return self._halves.nats > 0.0 and _phase_away(reading, line) > _ASTRAY
        return self._halves.nats > 0.0 and _is_beside(reading, line)

    def tempo_changed(self) -> None:
        """The musician has another tempo from now on: what was heard in the old one speaks against it."""
        self._tempo.reset()
        self._rounds = 0

    def beat(self, at_s: float) -> None:
        """The line's next beat was due then."""
        self._halves.beat(at_s)

    def moved(self, ratio: float | None, line: BeatKalman) -> None:
        """The line is another, `ratio` old beats to one of its own; None: it has nothing to do with the old one."""
        if ratio is None:
            self._halves.reset()
        else:
            self._halves.moved(ratio, line.time_of(math.floor(line.beat)))

    def hear(
        self,
        heard: Heard,
        evidence: NDArray[np.float32],
        frame_s: float,
        trust: float,
        line: BeatKalman | None,
        end_s: float,
        asked_hz: float | None,
    ) -> None:
        """One frame that ends at `end_s`, and the beat filter's log likelihood ratios [S] of it. `asked_hz`: a tempo
        that was asked for."""
        self._halves.hear(heard, evidence, trust, end_s, frame_s)
        self._steady = None
        if not self._tempo.hear(evidence, frame_s, trust, getattr(heard, "tempo", None)):
            return
        found = self._tempo.weighed(None if line is None else (line.rate_hz, line.beat % 1.0), asked_hz)
        settings = self._settings
        if line is None or found.length_s < settings.least_s:
            return
        ahead = found.lead_nats > settings.switch_nats and found.recent_nats >= 0.0
        ahead = ahead and _away_beats(found.best, line) == math.inf
        self._rounds = self._rounds + 1 if ahead else 0
        if self._rounds >= settings.switch_rounds:
            self._rounds, self._steady = 0, found.best


def _is_beside(reading: Reading, line: BeatKalman) -> bool:
    return _BESIDE < _away_beats(reading, line) < math.inf


def _away_beats(reading: Reading, line: BeatKalman) -> float:
    """How far beside the line's beats those of a reading of the same tempo are; inf: it is of another one."""
    if abs(math.log(reading.rate_hz / line.rate_hz)) > _SAME_TEMPO:
        return math.inf
    return _phase_away(reading, line)


def _phase_away(reading: Reading, line: BeatKalman) -> float:
    return abs((reading.phase - line.beat + 0.5) % 1.0 - 0.5)
