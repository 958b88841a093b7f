"""What only many bars together tell: a steady beat that the held one is not, and beats that are beside their places.

Says where the line should be, and moves nothing itself. Inference thread only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .....dsp.metre_slots import SLOTS_PER_BEAT
from ....player import Heard
from ...conductor_settings import ConductorConfig
from ..bar_pointer import Reading
from ..beat_kalman import BeatKalman
from .heard_span import LastMinute
from .held_beats import HeldBeats, steady_slots_s
from .line_reader import Answer, LineReader
from .metre_network import shipped_network
from .steady_tempo import SteadyTempo, Weighed

_SAME_TEMPO = 0.05  # natural log
_ASTRAY = 0.15  # of a beat: no further has a held line wandered
_HALF = SLOTS_PER_BEAT // 2
_BESIDE = 0.2  # of a beat: further away, a reading of the same tempo is a quarter or half a beat beside


class Held(NamedTuple):
    """What the tracker holds. Any thread."""

    line: BeatKalman | None
    locked: bool
    """Whether the line is believed."""
    asked_hz: float | None
    """A tempo that was asked for."""


class LongMemory:
    """Hears what the tracker hears; `steady_beside` and `beside` are what it would change. Inference thread only."""

    def __init__(self, config: ConductorConfig) -> None:
        self._settings, self._metre = config.steady, config.metre
        self._tempo = SteadyTempo(config.steady, config.tempo)
        self._minute = LastMinute(config.metre.window_s)
        self._held = HeldBeats(config.metre.window_s)
        self._reader = LineReader(shipped_network(), config.metre.unheard_share)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._tempo.reset()
        self._minute.reset()
        self._steady: Reading | None = None
        self._rounds = 0
        self._about_held = True
        self._held.forget()
        self._doubt_nothing()

    def _doubt_nothing(self) -> None:
        """Nothing is known yet of the line that is held from now on."""
        self._reader.cancel()
        self._asked: Reading | None = None  # about which steady reading the network is asked; None: the held line
        self._asked_s = 0.0
        self.place_nats = 0.0
        """By how much the held beats are likelier than the likeliest of the places beside; 0 while nobody knows."""
        self._quarters, self._against = 0, 0
        self._found: tuple[Reading, float] | None = None
        self._found_rounds = 0

    @property
    def beside(self) -> bool:
        """Whether the beats are to be moved by half a beat. Where they are a quarter beside they are only doubted:
        nothing of what is struck would hold a line there."""
        return self._quarters == _HALF and self._against >= self._metre.shift_rounds

    @property
    def steady_beside(self) -> Reading | None:
        """A steady beat to be followed, at this frame's end: it has explained the last half-minute better than the held
        one for long enough. None: the held one is right, or nobody knows yet."""
        return self._steady

    def keeps(self, reading: Reading, line: BeatKalman, moved: bool) -> bool:
        """Whether it knows better than a reading near the held tempo which says that the beats are beside; or, where
        the line was `moved` against what single beats say, that is on its way back."""
        if moved:
            return self.place_nats > 0.0 and _phase_away(reading, line) > _ASTRAY
        return self.place_nats > 0.0 and _BESIDE < _away_beats(reading, line) < math.inf

    def tempo_changed(self) -> None:
        """The musician has another tempo from now on: what was heard in the old one speaks against it."""
        self._tempo.reset()
        self._rounds = 0

    def beat(self, at_s: float) -> None:
        """The line's next beat was due then."""
        self._held.beat(at_s)

    def moved(self, ratio: float | None, line: BeatKalman) -> None:
        """The line is another, `ratio` old beats to one of its own; None: it has nothing to do with the old one."""
        lead_nats = -self.place_nats if self.beside and ratio == 1.0 else 0.0
        self._doubt_nothing()
        self.place_nats = lead_nats  # until it is asked again: what is struck is not to take the line back
        if ratio is None:
            self._held.forget()
        else:
            self._held.moved(ratio, line.time_of(math.floor(line.beat)))

    def hear(
        self,
        heard: Heard,
        evidence: NDArray[np.float32],
        frame_s: float,
        trust: float,
        end_s: float,
        held: Held,
    ) -> None:
        """One frame that ends at `end_s`, and the beat filter's log likelihood ratios [S] of it."""
        line, locked, asked_hz = held
        self._minute.hear(heard, end_s, frame_s)
        self._steady = None
        answer = self._reader.advance()
        if answer is not None:
            self._take(answer)
        if not self._tempo.hear(evidence, frame_s, trust, getattr(heard, "tempo", None)):
            return
        found = self._tempo.weighed(None if line is None else (line.rate_hz, line.beat % 1.0), asked_hz)
        if line is None or found.length_s < self._settings.least_s:
            return
        away = _away_beats(found.best, line)
        leads = self._leads(found)
        other = away == math.inf
        if other:
            self._rounds = self._rounds + 1 if leads else 0
            follow = self._rounds >= self._settings.switch_rounds
        else:
            self._rounds = 0
            follow = (leads or not locked) and self._found_rounds >= self._metre.seek_rounds
        if follow:
            placed = self._placed(found.best, end_s)
            if other or _phase_away(placed, line) > _BESIDE:
                self._rounds, self._found_rounds, self._steady = 0, 0, placed
        astray = leads and away > _BESIDE
        self._about_held = locked and not (astray and self._about_held)
        self._ask(found.best, end_s, self._about_held)

    def _leads(self, found: Weighed) -> bool:
        return found.lead_nats > self._settings.switch_nats and found.recent_nats >= 0.0

    def _ask(self, steady: Reading, end_s: float, about_held: bool) -> None:
        """The network, about the held line or about a steady one; unless it is still busy with another."""
        metre, begin_s = self._metre, self._minute.begin_s
        if self._reader.busy or self._minute.length_s < metre.least_s:
            return
        if about_held:
            if len(self._held.beats_s) < metre.least_beats or self._held.length_s < metre.least_s:
                return
            at_s, after = self._held.slots_s(end_s)
            period_s = self._held.period_s
        else:
            period_s = 1.0 / steady.rate_hz
            at_s, after = steady_slots_s(end_s - steady.phase * period_s, period_s, begin_s, end_s)
        self._asked, self._asked_s = None if about_held else steady, end_s
        self._reader.ask(self._minute.span(), at_s - begin_s, period_s, after)

    def _take(self, answer: Answer) -> None:
        others = answer.places.copy()
        if self._asked is None:
            others[0] = -math.inf
            best = int(others.argmax())
            self.place_nats = float(answer.places[0] - others[best])
            against = self.place_nats < -self._metre.shift_nats
            same = best == self._quarters
            self._quarters, self._against = best, (self._against * same + 1) if against else 0
            return
        best = int(others.argmax())
        sure = math.exp(answer.places[best] + answer.level)
        beat_s = self._asked_s - (self._asked.phase - best / SLOTS_PER_BEAT) / self._asked.rate_hz
        before, self._found = self._found, (self._asked, beat_s)
        same_place = before is not None and _apart(before[0], before[1], self._asked, beat_s) < _ASTRAY
        self._found_rounds = (self._found_rounds if same_place else 0) + 1 if sure > self._metre.seek_share else 0

    def _placed(self, steady: Reading, end_s: float) -> Reading:
        """A steady reading at that quarter of its beat where the network has found the beats, if it was asked."""
        if self._found is None or abs(math.log(self._found[0].rate_hz / steady.rate_hz)) > _SAME_TEMPO:
            return steady
        phase = (end_s - self._found[1]) * steady.rate_hz
        quarters = round((phase - steady.phase) * SLOTS_PER_BEAT)
        return Reading(
            steady.rate_hz, (steady.phase + quarters / SLOTS_PER_BEAT) % 1.0, steady.phase_spread, steady.mass
        )


def _apart(one: Reading, one_beat_s: float, other: Reading, beat_s: float) -> float:
    """How far beside each other two lines' beats are, in beats; 1 for another tempo."""
    if abs(math.log(one.rate_hz / other.rate_hz)) > _SAME_TEMPO:
        return 1.0
    return abs(((beat_s - one_beat_s) * other.rate_hz + 0.5) % 1.0 - 0.5)


def _away_beats(reading: Reading, line: BeatKalman) -> float:
    """How far beside the line's beats those of a reading of the same tempo are; inf: it is of another one."""
    if abs(math.log(reading.rate_hz / line.rate_hz)) > _SAME_TEMPO:
        return math.inf
    return _phase_away(reading, line)


def _phase_away(reading: Reading, line: BeatKalman) -> float:
    return abs((reading.phase - line.beat + 0.5) % 1.0 - 0.5)
