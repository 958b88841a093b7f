"""How far before or after the tapped beats the musician strikes, and at what tempo: fitted to what is heard.

Who taps says where the beats are; what is heard says how the tempo goes on. Knows no line, no filter and no bars. Times
are seconds of the input clock. Inference thread only.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..conductor_settings import AttackSettings
from .beat_kalman import Peak

_REMEMBERED = 64
_RATES, _LEADS = 101, 33  # the grid that rates and leads are weighed on
_WIDEST = 2.5  # standard deviations of the tapped rate
_NEAR_CELLS = 3  # around the best one, that its mean is taken over
_LEAST_ERROR = 0.001  # of a rate, relative
_SPREAD_OF_FOUR = 1.29  # standard deviation of 0, 1, 2, 3

FloatArray = NDArray[np.float64]


class FittedTaps(NamedTuple):
    """A line through taps at the tempo of what is played. Any thread."""

    rate_hz: float
    rate_error: float
    """Relative."""
    beats: float
    """Since the middle of the taps."""


class AttackLead:
    """`seconds` is how late attacks are heard, negative where they are early. Inference thread only."""

    def __init__(self, settings: AttackSettings) -> None:
        self._settings = settings
        self._peaks: deque[Peak] = deque(maxlen=_REMEMBERED)
        self._away = np.linspace(-_WIDEST, _WIDEST, _RATES) * settings.tap_error  # log, from the tapped rate
        self._leads = np.linspace(-settings.most_s, settings.most_s, _LEADS)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self._peaks.clear()
        self.forget()

    def forget(self) -> None:
        """Attacks are the beats."""
        self.seconds, self._variance, self._since_s = 0.0, 0.0, 0.0
        self._middle_s, self._rates = 0.0, np.exp(self._away)
        self._score: FloatArray | None = None

    @property
    def fitting(self) -> bool:
        """Whether what is heard still makes the tapped tempo more exact."""
        return self._score is not None

    def settle(self) -> None:
        """No more fitting."""
        self._score = None

    def begin(self, middle_s: float, tapped_hz: float, held_hz: float | None) -> None:
        """Taps lie around `middle_s`, `tapped_hz` a second; `held_hz`: the tempo that the ear held, if that is near."""
        settings = self._settings
        self._middle_s = middle_s
        self._variance = settings.fitted_s**2
        self._rates = tapped_hz * np.exp(self._away)
        score = -0.5 * (self._away[:, None] / settings.tap_error) ** 2 - 0.5 * (self._leads / settings.usual_s) ** 2
        if held_hz is not None:
            near = np.exp(-0.5 * (np.log(self._rates / held_hz) / settings.held_error) ** 2)
            score = score + settings.held_nats * near[:, None]
        self._score = score
        for peak in self._peaks:
            if middle_s - peak.time_s < settings.window_s:
                self._add(score, peak)

    def hear(self, peak: Peak) -> None:
        """A peak of the activation, of a beat or not."""
        self._peaks.append(peak)
        if self._score is not None:
            self._add(self._score, peak)

    def _add(self, score: FloatArray, peak: Peak) -> None:
        beats = (peak.time_s - self._middle_s - self._leads) * self._rates[:, None] + 0.5
        miss_s = (beats - np.round(beats)) / self._rates[:, None]
        fits = np.exp(-0.5 * (miss_s / self._settings.error_s) ** 2)
        score += self._settings.fit_weight * min(peak.height, 1.0) * fits

    def best(self, time_s: float) -> FittedTaps:
        """The line that fits best, at that time, while `fitting`; `seconds` becomes its lead. After some seconds the
        fit is over."""
        assert self._score is not None
        score, settings = self._score, self._settings
        rate, lead = (int(place) for place in np.unravel_index(int(score.argmax()), score.shape))
        rows = slice(max(0, rate - _NEAR_CELLS), rate + _NEAR_CELLS + 1)
        columns = slice(max(0, lead - _NEAR_CELLS), lead + _NEAR_CELLS + 1)
        share = np.exp(score[rows, columns] - score.max())
        share /= share.sum()
        by_rate, logs = share.sum(axis=1), np.log(self._rates[rows])
        mean = float(by_rate @ logs)
        error = math.sqrt(float(by_rate @ (logs - mean) ** 2)) + _LEAST_ERROR
        late_s = float(share.sum(axis=0) @ self._leads[columns])
        rate_hz = math.exp(mean)
        uneven_s = _SPREAD_OF_FOUR * abs(mean - math.log(self._rates[_RATES // 2])) / rate_hz
        if abs(late_s) < settings.tap_error_s + settings.sloppy * uneven_s:  # it is the taps that are beside the beats
            beats, self.seconds, self._variance = rate_hz * (time_s - self._middle_s - late_s), 0.0, 0.0
        else:
            beats, self.seconds = rate_hz * (time_s - self._middle_s), late_s
            self._variance = settings.fitted_s**2
        self._since_s = time_s
        if time_s - self._middle_s > settings.fit_s:
            self._score = None
        return FittedTaps(rate_hz, error, beats + 0.5)

    def meet(self, late_s: float, share: float, time_s: float) -> None:
        """An attack was heard that much later than foretold; `share` in [0, 1]: how surely it is a beat's."""
        settings = self._settings
        if share <= 0.0 or not self._variance:
            return
        self._variance += settings.walk_s**2 * max(0.0, time_s - self._since_s)
        self._since_s = max(time_s, self._since_s)
        gain = self._variance / (self._variance + settings.error_s**2 / share)
        self._variance *= 1.0 - gain
        self.seconds = min(max(self.seconds + gain * late_s, -settings.most_s), settings.most_s)
