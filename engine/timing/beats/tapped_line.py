"""The line of four taps or more: as the ear held it, where they confirm that, else as what is played fits them.

Holds what the ear held before the taps, and the lead of the attacks over the beats (attack_lead.py). Knows no filter
and no bars. Times are seconds of the input clock. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from ..anchor import Anchor
from ..conductor_settings import ConductorConfig, KalmanSettings
from .attack_lead import AttackLead
from .bar_pointer import Reading
from .beat_kalman import BeatKalman, Peak
from .given_count import tempo_of_taps

_BEGINS = 1.5  # beats of a row of taps: two have come
_TO_MIDDLE = 1.5  # beats from the middle of four taps to the last one
_GIVEN_ERROR = 0.015  # of a rate that was given, relative


class Taken(NamedTuple):
    """A time that was given. Any thread."""

    anchor: Anchor
    line: BeatKalman


class TappedLine:
    """What taps make of the line that is held. `kept`: they set it, and it may not jump. Inference thread only."""

    def __init__(self, config: ConductorConfig, rate_hz: float) -> None:
        self._config, self._rate_hz = config, rate_hz
        self._lead = AttackLead(config.attacks)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard and tapped."""
        self._lead.reset()
        self._ear: Reading | None = None
        self._ear_s = 0.0
        self.kept = False

    def forget(self) -> None:
        """Nothing is tapped any more."""
        self._lead.forget()
        self.kept = False

    @property
    def late_s(self) -> float:
        """How late attacks are heard beside the beats, negative where they are early."""
        return self._lead.seconds

    def few(self, anchor: Anchor, held: BeatKalman | None, confidence: float) -> None:
        """Two or three taps of a row; `held` is what the ear held, None where it held nothing."""
        if anchor.beat < _BEGINS:
            self._ear = None
            if held is not None:
                self._ear, self._ear_s = Reading(held.rate_hz, held.beat, held.error_s, confidence), held.time_s

    def take(self, anchor: Anchor, held: BeatKalman | None, by_hand: bool, time_s: float) -> Taken:
        """Somebody has given the time, `by_hand` with taps: the anchor in the count of the line that was held, and the
        line from `time_s` on."""
        self.forget()
        rate_hz, at = anchor.tempo_bpm / 60.0, time_s * self._rate_hz
        beat, kalman, error = anchor.beat_at(at, self._rate_hz), self._config.kalman, _GIVEN_ERROR
        if by_hand and anchor.beat_in_bar >= 0:
            self.kept = True
            beat, rate_hz, kalman, error = self._read(anchor, beat, time_s)
            place = anchor.beat_in_bar + math.floor(beat) - math.floor(anchor.beat)
            anchor = replace(anchor, position_samples=at, beat=beat, tempo_bpm=rate_hz * 60.0, beat_in_bar=place)
        count = round(held.beat_at(time_s) - beat) if held is not None else 0
        line = BeatKalman(kalman, time_s, beat + count, rate_hz, 0.02 * rate_hz, error)
        return Taken(replace(anchor, beat=anchor.beat + count), line)

    def _read(self, anchor: Anchor, tapped: float, time_s: float) -> tuple[float, float, KalmanSettings, float]:
        """Beat and rate at `time_s`, where the taps have beat `tapped`; and how the line goes on from there."""
        rate_hz, ear = anchor.tempo_bpm / 60.0, self._ear
        held_hz = rate_hz if ear is None else tempo_of_taps(ear.rate_hz, rate_hz)
        middle_s = anchor.position_samples / self._rate_hz - (anchor.beat % 1.0 + _TO_MIDDLE) / rate_hz
        if ear is not None and held_hz != rate_hz and ear.mass >= self._config.attacks.sure:
            beat = self._confirmed(ear, held_hz, middle_s, time_s)
            if beat is not None:
                return beat + round(tapped - beat), held_hz, self._config.kalman, _GIVEN_ERROR
        self._lead.begin(middle_s, rate_hz, None if held_hz == rate_hz else held_hz)
        fitted = self._lead.best(time_s)
        beat = fitted.beats + round(tapped - fitted.beats)
        return beat, fitted.rate_hz, self._config.tapped_kalman, fitted.rate_error

    def _confirmed(self, ear: Reading, held_hz: float, middle_s: float, time_s: float) -> float | None:
        """The beat at `time_s` as the ear held it, where the taps lie on those beats, or half-way; else None."""
        tap_s = middle_s + 0.5 / held_hz
        at_tap = ear.phase + ear.rate_hz * (tap_s - self._ear_s)
        near = round(2.0 * at_tap) / 2.0
        if abs(at_tap - near) / ear.rate_hz > self._config.attacks.confirm_s:
            return None
        return (ear.phase + ear.rate_hz * (time_s - self._ear_s) - near) * held_hz / ear.rate_hz

    def settle(self) -> None:
        """Another line is held from now on, at the musician's word: the fit is over, the lead stays."""
        self._lead.settle()

    def hear(self, peak: Peak) -> Peak:
        """A peak of the activation, to where the beat would be if it is one."""
        self._lead.hear(peak)
        return Peak(peak.time_s - self._lead.seconds, peak.height)

    def meet(self, line: BeatKalman, late_s: float, share: float, time_s: float) -> BeatKalman:
        """An attack was heard that much later than the line foretold, a beat's as far as `share` in [0, 1]. Returns the
        line to go on with."""
        if not self._lead.fitting:
            self._lead.meet(late_s, share, time_s)
            return line
        fitted = self._lead.best(line.time_s)
        beat = fitted.beats + round(line.beat - fitted.beats)
        rate_hz = fitted.rate_hz
        return BeatKalman(self._config.tapped_kalman, line.time_s, beat, rate_hz, 0.01 * rate_hz, fitted.rate_error)
