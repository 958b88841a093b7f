"""Which steady tempo and phase explain the last half-minute best, whatever is held.

The beat filter and the line follow who changes the tempo, so they forget within seconds; most music keeps its tempo,
and where beats are heard but faintly, or other notes louder, only many bars together tell. A few tempi are weighed in
each frame, so that no frame costs much. Knows no line. Inference thread only.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conductor_settings import SteadySettings, TempoRange
from ..bar_pointer import Reading
from ..evidence_arithmetic import MOST_BEATS, sums_at

FloatArray = NDArray[np.float64]
_PHASES = 64
_ROUND_FRAMES = 25
_LATE = 1.5  # sub-frames from the middle of the newest evidence to the frame's end: see BeatFilter.evidence
_HELD_TEMPO, _HELD_BEATS = 0.02, 0.12  # log tempo and beats, within which a reading is the held one


class Weighed(NamedTuple):
    """The outcome of one round. Any thread."""

    best: Reading
    """Its phase at the end of the frame that it was asked in; its mass is the belief in it, in [0, 1]."""
    lead_nats: float
    """By how much it is ahead of the held line; 0 where it is the held line."""
    recent_nats: float
    """The same by the notes of the last seconds alone."""
    length_s: float
    """How much was heard."""


class SteadyTempo:
    """Weighs steady tempi from 50 to 215 bpm at all phases, round after round. Inference thread only."""

    def __init__(self, settings: SteadySettings, tempo: TempoRange) -> None:
        self._settings = settings
        low, high = max(settings.lowest_bpm, tempo.lowest_bpm), min(settings.highest_bpm, tempo.highest_bpm)
        self._tempi = math.log(low / 60.0), math.log(high / 60.0), settings.tempo_step
        self._log_hz = np.arange(*self._tempi)
        octaves = (self._log_hz - math.log(settings.centre_bpm / 60.0)) / math.log(2.0) / settings.spread_octaves
        self._usual = -0.5 * octaves**2
        self._sub_s = 0.0
        self._heard: NDArray[np.float32] = np.zeros(0, np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._heard[:] = 0.0
        self._votes, self._vote_s = np.zeros(0), 0.0
        self._length_s = 0.0
        self._last = np.zeros(2)
        self._begin_round()

    def _begin_round(self) -> None:
        self._frames = 0
        self._window: NDArray[np.float32] | None = None
        self._scores = np.zeros((len(self._log_hz), _PHASES))

    def hear(
        self, evidence: NDArray[np.float32], frame_s: float, trust: float, tempo_vote: NDArray[np.float32] | None
    ) -> bool:
        """One frame's log likelihood ratios [S] of a beat; True once a round is complete: ask `weighed`."""
        self._prepare(frame_s, len(evidence))
        size = len(evidence)
        self._heard[:-size] = self._heard[size:]
        self._heard[-1 - size : -1] = evidence * trust
        self._length_s = min(self._length_s + frame_s, self._settings.window_s)
        if tempo_vote is not None and trust > 0:
            votes = np.clip(np.log(np.asarray(tempo_vote, np.float64) * len(tempo_vote) + 0.1), -2.3, 2.5)
            self._votes = self._votes if len(self._votes) else np.zeros(len(votes))
            self._vote_s += trust * frame_s
            share = trust * frame_s / min(self._vote_s, self._settings.window_s)
            self._votes = self._votes + share * (votes - self._votes)
        if self._window is None:
            self._window, self._age_s = self._heard.copy(), 0.0
        else:
            self._age_s += frame_s
        first, last, at = self._slices[self._frames]
        if at.shape[-1] <= MOST_BEATS:
            sums_at(self._window, at, self._scores[first:last])
        else:
            self._scores[first:last] = self._window.take(at, mode="clip").sum(axis=-1)  # half the time of [at]
        self._frames += 1
        return self._frames == _ROUND_FRAMES

    def weighed(self, held: tuple[float, float] | None, asked_hz: float | None = None) -> Weighed:
        """The outcome of the round that is complete, beside the held beat: its rate in Hz and its phase now."""
        settings = self._settings
        scores = settings.evidence_weight * self._scores
        over_tempo = settings.usual_weight * self._usual
        if len(self._votes):
            places = np.linspace(math.log(48.0 / 60.0), math.log(228.0 / 60.0), len(self._votes))
            over_tempo = over_tempo + settings.vote_weight * np.interp(self._log_hz, places, self._votes)
        if asked_hz is not None:
            over_tempo = np.where(np.abs(self._log_hz - math.log(asked_hz)) > 0.18, -1e3, over_tempo)
        scores += over_tempo[:, None]
        i, j = divmod(int(scores.argmax()), _PHASES)
        top = float(scores[i, j])
        rate_hz = math.exp(self._log_hz[i])
        near_i = np.abs(self._log_hz - self._log_hz[i]) < _HELD_TEMPO
        near_j = np.abs((np.arange(_PHASES) - j + _PHASES / 2) % _PHASES - _PHASES / 2) / _PHASES < _HELD_BEATS
        shares = np.exp(scores - top)
        mass = float(shares[np.ix_(near_i, near_j)].sum() / shares.sum())
        late_s = self._age_s + _LATE * self._sub_s
        best = Reading(rate_hz, (j / _PHASES + late_s * rate_hz) % 1.0, 0.02, mass)
        lead = recent = 0.0
        if held is not None:
            held_hz, phase = held
            then = (phase - late_s * held_hz) % 1.0
            recent_s = settings.recent_s
            recent = self._along(rate_hz, j / _PHASES, recent_s).sum() - self._along(held_hz, then, recent_s).sum()
            same_i = np.abs(self._log_hz - math.log(held_hz)) < _HELD_TEMPO
            same_j = np.abs((np.arange(_PHASES) / _PHASES - then + 0.5) % 1.0 - 0.5) < _HELD_BEATS
            own = scores[np.ix_(same_i, same_j)]
            lead = top - float(own.max()) if own.size else top
            twice = abs(math.log(0.5 * rate_hz / held_hz)) < _HELD_TEMPO
            thirds = abs(abs(math.log(rate_hz / held_hz)) - math.log(3.0)) < _HELD_TEMPO
            if thirds or (twice and not self._strikes_between(held_hz, then)):
                lead = 0.0  # triplets are struck throughout in a slow blues, and are no beats
        self._begin_round()
        return Weighed(best, lead, float(recent), self._length_s)

    def _strikes_between(self, rate_hz: float, phase: float) -> bool:
        """Whether what is heard between these beats is as much of a beat as they are."""
        on, between = (self._along(rate_hz, place, self._settings.window_s) for place in (phase, (phase + 0.5) % 1.0))
        return bool(between.mean() >= self._settings.double_share * on.mean())

    def _along(self, rate_hz: float, phase: float, length_s: float) -> FloatArray:
        """The evidence on the beats of a tempo and phase in the last seconds of the window, newest first."""
        assert self._window is not None
        length_s = min(length_s, self._length_s)
        back = np.arange(phase / rate_hz, length_s, 1.0 / rate_hz) / self._sub_s
        at = np.maximum(len(self._window) - 2 - np.floor(back + 0.5).astype(np.int64), 0)
        along: FloatArray = self._settings.evidence_weight * self._window[at].astype(np.float64)
        return along

    def _prepare(self, frame_s: float, size: int) -> None:
        """Tables for a frame of this length: where each beat of each tempo and phase lies in the window."""
        sub_s = frame_s / size
        if abs(sub_s - self._sub_s) < 1e-6 * sub_s:
            return
        self._sub_s = sub_s
        length = round(self._settings.window_s / sub_s)
        self._heard = np.zeros(length + 1, np.float32)  # the last one stays 0: what lies before the window
        self._slices = _beats_in_window(self._tempi, sub_s, length)
        self._begin_round()


@lru_cache(maxsize=4)
def _beats_in_window(
    tempi: tuple[float, float, float], sub_s: float, length: int
) -> tuple[tuple[int, int, NDArray[np.int32]], ...]:
    """For each frame of a round the first and last of its tempi, and where in the window their beats lie, at each
    phase. Megabytes: every conductor reads the same ones."""
    slices = []
    log_hz = np.arange(*tempi)
    bounds = np.linspace(0, len(log_hz), _ROUND_FRAMES + 1).round().astype(int)
    for first, last in itertools.pairwise(bounds.tolist()):
        periods = np.exp(-log_hz[first:last]) / sub_s
        beats = np.arange(math.ceil(length / periods.min()))
        back = (np.arange(_PHASES)[None, :, None] / _PHASES + beats[None, None]) * periods[:, None, None]
        at = length - 1 - np.floor(back + 0.5).astype(np.int64)
        slices.append((first, last, np.where(at < 0, length, at).astype(np.int32)))
    return tuple(slices)
