"""Two forward filters over the position in the beat and in the bar, driven by the output of the listener.

`BeatFilter` holds a belief over tempo and beat phase, `BarFilter` one over metre and beat in the bar. Both know only
the past, hold a fixed amount of memory, and use no randomness. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...style_priors import StylePrior
from ..conductor_settings import BarSettings, BeatFilterSettings, TempoRange
from .beat_arithmetic import hear_frame, reading_near, strongest, weigh_tempi

_TIMES, _TIMES_TRIPLETS = (2.0,), (1.5, 2.0, 3.0)
"""So many times the beat is what the listener's tempo may count instead."""
_MEAN_SHARE = 0.06
"""What each beat adds to the means that downbeats and turns of the chord are judged by."""

_NOWHERE = 1e-9
"""So far from a beat a sub-frame says nothing of it: products with denormal numbers take ten times as long."""

FloatArray = NDArray[np.float64]
Belief = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """One bump of the belief: a tempo, the phase at the end of the last frame, and how much belief lies there.

    Any thread.
    """

    rate_hz: float
    """Beats a second."""
    phase: float
    """Beats, in [0, 1)."""
    phase_spread: float
    """Standard deviation in beats."""
    mass: float


class HeldTempo(NamedTuple):
    """A tempo that is held, and how firmly. Any thread."""

    rate_hz: float
    inertia: float
    """In [0, 1]."""


class BeatFilter:
    """Belief over log-spaced tempo [T] and beat phase [K], moved and weighed once for each heard frame.

    Inference thread only.
    """

    def __init__(self, tempo: TempoRange, config: BeatFilterSettings) -> None:
        self._config = config
        step = math.log1p(config.tempo_step)
        count = int(math.log(tempo.highest_bpm / tempo.lowest_bpm) / step) + 1
        self._log_rate = math.log(tempo.lowest_bpm / 60.0) + step * np.arange(count)
        self.rates_hz: FloatArray = np.exp(self._log_rate)
        self._step = step
        bins = config.phase_bins
        self._phases = np.arange(bins) / bins
        octaves = (self._log_rate - math.log(config.centre_bpm / 60.0)) / math.log(2.0) / config.spread_octaves
        prior = np.exp(-0.5 * octaves**2)
        self._over_tempo = prior
        self._broad = self._spread_over_phase(prior)
        self._prior = self._broad
        self._outside = np.zeros(count, np.float32)
        self._inside = np.zeros(count, np.bool_)
        self._off_beat = np.float32(0.0)
        self._times: tuple[float, ...] = _TIMES
        self._between: tuple[int, ...] = ()
        self._between_share = np.zeros(count, np.float32)
        self._vote_at: FloatArray = np.zeros((0, count))
        self._votes = 0
        self._row_nats = np.zeros(count, np.float32)
        self._scratch = np.zeros((5, 2 * bins), np.float32)
        self._bits = np.zeros(bins, np.int32)
        self._next: Belief = np.zeros((count, bins), np.float32)
        """The belief before the present one: memory for the next."""
        self._frame_s = 0.0
        self.reset()

    def reset(self) -> None:
        """Believe what was believed before anything was heard."""
        self.belief: Belief = self._prior.copy()
        self._level = self._config.level_at_start
        self._last = [0.0, 0.0]
        self._last_onset = np.zeros(1, np.float32)
        self.evidence: Belief = np.zeros(1, np.float32)
        """Log likelihood ratio of a beat in each sub-frame of the last frame, one sub-frame late."""

    def expect(self, tempo_bpm: float | None, width: float = 0.04) -> None:
        """Believe from now on in tempi near `tempo_bpm` (log width), any phase; None takes the broad prior again."""
        if tempo_bpm is None:
            self._prior = self._broad
        else:
            bump = np.exp(-0.5 * ((self._log_rate - math.log(tempo_bpm / 60.0)) / width) ** 2) + 1e-4
            self._prior = self._spread_over_phase(bump)
        self.belief = self._prior.copy()

    def lean(self, style_prior: StylePrior | None) -> None:
        """Expect what is usual in a style from now on; None: anything again. Tempi outside of it are less likely, the
        further the less, and a beat counted as its double (or its triplets) is heard as the beat."""
        triplets = style_prior is not None and style_prior.triplets
        self._off_beat = np.float32(
            self._config.off_beat_nats if style_prior is not None and style_prior.off_beat else 0.0
        )
        self._times = _TIMES_TRIPLETS if triplets else _TIMES
        octaves = self._log_rate / math.log(2.0)
        low = -math.inf if style_prior is None else math.log2(style_prior.low_bpm / 60.0)
        high = math.inf if style_prior is None else math.log2(style_prior.high_bpm / 60.0)
        away = np.maximum(np.maximum(low - octaves, octaves - high), 0.0)
        self._inside = (away == 0.0) & (style_prior is not None)
        self._outside = np.minimum(away / self._config.style_reach_octaves, 1.0).astype(np.float32)
        self._expect_between(triplets)
        broad = self._spread_over_phase(self._over_tempo * np.exp(-self._config.style_prior_nats * self._outside))
        if self._prior is self._broad:
            self._prior = broad
        self._broad = broad

    def _expect_between(self, triplets: bool) -> None:
        """Where between the beats of a tempo that is usual in the style others are heard that it does not count."""
        config, bins = self._config, self._config.phase_bins
        if triplets:
            self._between, share = (bins // 3, 2 * bins // 3), np.full(len(self._outside), config.third_share)
        else:
            twice_outside = np.interp(self._log_rate + math.log(2.0), self._log_rate, self._outside, right=1.0)
            self._between, share = (bins // 2,), config.half_share * twice_outside
        self._between_share = (share * self._inside).astype(np.float32)
        if not self._inside.any():
            self._between = ()
        self._votes = 0

    def set(self, rate_hz: float, phase: float, phase_spread: float, tempo_spread: float = 0.03) -> None:
        """Believe in one tempo and phase, with the given spreads (log tempo; beats)."""
        tempo = np.exp(-0.5 * ((self._log_rate - math.log(rate_hz)) / tempo_spread) ** 2)
        away = _wrapped(self._phases - phase)
        width = max(phase_spread, 1.0 / self._config.phase_bins)
        self.belief = self._normal(np.outer(tempo, np.exp(-0.5 * (away / width) ** 2)) + 1e-12)

    def hear(
        self,
        beat: NDArray[np.float32],
        frame_s: float,
        trust: float,
        held: HeldTempo | None,
        tempo_vote: NDArray[np.float32] | None = None,
        lean: float = 0.0,
        onset: NDArray[np.float32] | None = None,
    ) -> None:
        """Move the belief by one frame of `frame_s` and weigh it by the activations beat [S].

        `trust` in [0, 1] scales the evidence and how much the tempo may have moved (0: the musician rests, and keeps
        time with the band). `held`: the tempo that is held, if one is. `lean` in [0, 1] is how much tempi
        outside of those leant to are held against a reading.
        """
        config = self._config
        self._prepare(frame_s, len(beat))
        freedom = max(trust, 0.03)
        self.evidence = self._evidence(beat, frame_s)
        evidence = self.evidence * np.float32(trust)
        struck = np.zeros(0, np.float32)
        if onset is not None and self._off_beat > 0 and trust > 0:
            struck = self._late_onsets(onset) * np.float32(self._off_beat * trust)
        forget_hz, held_log_rate, far_nats = config.forget_rate_hz, 0.0, 0.0
        if held is not None:
            forget_hz += held.inertia * (config.forget_rate_held_hz - forget_hz)
            held_log_rate = math.log(held.rate_hz)
            far_nats = config.far_penalty_hz * frame_s * trust * held.inertia
        weigh_tempi(
            self._row_nats, self._voted(tempo_vote if trust > 0 else None), self._vote_at, self._inside,
            config.tempo_vote_weight * trust, self._outside, config.style_penalty_hz * frame_s * trust * lean,
            self._log_rate, held_log_rate, config.near_ratio, far_nats,
        )  # fmt: skip
        hear_frame(
            self.belief, self._next, self._prior, self._kernel, self._at_beat, evidence, struck, self._row_nats,
            np.array(self._between if trust > 0 else (), np.int64), self._between_share, self._scratch,
            self._bits, self._bits.view(np.float32), self._walk * freedom, self._jump * freedom, self._jump_bins,
            min(1.0, forget_hz * frame_s),
        )  # fmt: skip
        self.belief, self._next = self._next, self.belief

    def _late_onsets(self, onset: NDArray[np.float32]) -> NDArray[np.float32]:
        """The onsets [S] one sub-frame late, as the table of places wants them."""
        row = np.concatenate([self._last_onset, np.asarray(onset, np.float32)])
        self._last_onset = row[-1:]
        return row[:-1]

    def best(self) -> Reading:
        """The reading around the strongest tempo and phase."""
        bins = self._config.phase_bins
        tempo, phase = divmod(strongest(self.belief, self._scratch), bins)
        return self.near(float(self.rates_hz[tempo]), phase / bins)

    def near(self, rate_hz: float, phase: float, tempo_reach: float = 0.13, phase_reach: float = 0.2) -> Reading:
        """The reading within reach (log tempo; beats) of a given tempo and phase: its means and its mass."""
        mass, log_rate, away, variance = reading_near(
            self.belief, math.log(rate_hz), phase, self._log_rate[0], self._step, tempo_reach, phase_reach
        )
        if mass == 0.0:
            return Reading(rate_hz, phase % 1.0, phase_reach, 0.0)
        return Reading(math.exp(log_rate), (phase + away) % 1.0, math.sqrt(max(variance, 1e-6)), mass)

    def _evidence(self, beat: NDArray[np.float32], frame_s: float) -> Belief:
        """Log likelihood ratio [S] of a beat in each sub-frame against none, judged by how high peaks were lately."""
        config = self._config
        row = self._last + [min(max(at, 0.0), 1.0) for at in np.asarray(beat, np.float64).tolist()]
        self._last = row[-2:]
        levels = [max(row[i : i + 3]) for i in range(len(beat))]  # who plays a little beside the beat meets it
        top = max(levels)
        share = frame_s / (config.level_rise_s if top > self._level else config.level_fall_s)
        self._level += (max(top, config.level_least) - self._level) * min(1.0, share)
        even = self._odds(config.even_level * self._level)
        ratios = [math.log(self._odds(level) / even) for level in levels]
        low, high = config.evidence_low, config.evidence_high
        return np.array([config.evidence_weight * min(max(ratio, low), high) for ratio in ratios], np.float32)

    def _odds(self, level: float) -> float:
        return (level + self._config.activation_floor) / (1.0 - level + self._config.doubt_floor)

    def _voted(self, tempo_vote: NDArray[np.float32] | None) -> FloatArray:
        """A distribution over log-spaced tempi 48 to 228 bpm, as the listener gives it, each times their number."""
        if tempo_vote is None:
            return np.zeros(0)
        if len(tempo_vote) != self._votes:
            self._votes = len(tempo_vote)
            first, last = math.log(48.0 / 60.0), math.log(228.0 / 60.0)
            per_place = (last - first) / (self._votes - 1)
            rows = [np.clip((self._log_rate - first) / per_place, 0.0, self._votes - 1)]
            if self._inside.any():  # the style knows better which of these is counted
                for times in self._times:
                    at = (self._log_rate + math.log(times) - first) / per_place
                    rows.append(np.where(at <= self._votes - 1, np.maximum(at, 0.0), -1.0))
            self._vote_at = np.stack(rows)
        return np.asarray(tempo_vote, np.float64) * self._votes

    def _prepare(self, frame_s: float, sub_frames: int) -> None:
        """Tables for a frame of this length: made once, again only when the length changes."""
        if abs(frame_s - self._frame_s) < 1e-6 * frame_s and len(self._at_beat) == sub_frames:
            return
        config = self._config
        self._frame_s = frame_s
        harmonics = np.arange(config.phase_bins // 2 + 1)
        turn = 2 * np.pi * np.outer(self.rates_hz * frame_s, harmonics)
        spread = 2 * np.pi * np.outer(self.rates_hz * config.phase_walk_s * math.sqrt(frame_s), harmonics)
        shift = np.exp(-1j * turn) * np.exp(-0.5 * spread**2)
        self._kernel = np.fft.irfft(shift, n=config.phase_bins, axis=1).astype(np.float32)
        self._walk = np.float32(min(config.tempo_walk**2 * frame_s / (2 * self._step**2), 0.3))  # one step either way
        self._jump = np.float32(config.jump_rate_hz * frame_s)
        self._jump_bins = max(1, round(config.jump_size / self._step))
        before_end_s = (np.arange(sub_frames, 0, -1) + 0.5) * frame_s / sub_frames  # one sub-frame late: see _evidence
        phase = self._phases[None, None] - before_end_s[:, None, None] * self.rates_hz[None, :, None]
        away_s = _wrapped(phase) / self.rates_hz[None, :, None]
        at_beat = np.exp(-0.5 * (away_s / config.peak_width_s) ** 2)
        at_beat[at_beat < _NOWHERE] = 0.0
        self._at_beat: NDArray[np.float32] = at_beat.astype(np.float32)

    def _spread_over_phase(self, over_tempo: FloatArray) -> Belief:
        return self._normal(np.repeat(over_tempo[:, None], self._config.phase_bins, axis=1))

    @staticmethod
    def _normal(belief: NDArray[np.floating]) -> Belief:
        return (belief / max(float(belief.sum()), 1e-30)).astype(np.float32)


class BarFilter:
    """Belief over metre and beat in the bar: one flat row of places, moved on by one at every beat.

    Inference thread only.
    """

    def __init__(self, config: BarSettings) -> None:
        self._config = config
        self.metre_of = np.concatenate([np.full(m, m) for m in config.metres])
        self.place_of = np.concatenate([np.arange(m) for m in config.metres])
        weights = np.asarray(config.metre_weights, np.float64) / sum(config.metre_weights)
        self._prior = np.concatenate([np.full(m, w / m) for m, w in zip(config.metres, weights, strict=True)])
        starts = np.cumsum((0, *config.metres[:-1]))
        self._next = np.concatenate([s + (np.arange(m) + 1) % m for s, m in zip(starts, config.metres, strict=True)])
        self.reset()

    def reset(self) -> None:
        self.belief: FloatArray = self._prior.copy()
        self._downbeat_mean = 0.25
        self._turn_mean = 0.15

    def set(self, place: int, beats_per_bar: int | None = None, sureness: float = 0.97) -> None:
        """The present beat is the one `place` after a downbeat, in the given metre or in each as likely as it was
        held to be, and as it is usual."""
        fits = self.place_of == place % self.metre_of
        if beats_per_bar is not None and beats_per_bar in self.metre_of:
            fits &= self.metre_of == beats_per_bar
        metres = [math.sqrt(self._share(self.belief, m) * self._share(self._prior, m)) for m in self.metre_of]
        weight = np.where(fits, metres, 0.0)
        self.belief = sureness * weight / weight.sum() + (1 - sureness) * self._prior

    def _share(self, belief: FloatArray, metre: int) -> float:
        return float(belief[self.metre_of == metre].sum())

    def beat(self, downbeat: float, trust: float, turn: float | None = None, turn_trust: float = 0.0) -> None:
        """The next beat has come; `downbeat` is the highest activation around it, `trust` in [0, 1] its weight.

        `turn` in [0, 1]: how far the chord turned on the beat *before* (only now it is known), None: not heard.
        """
        config = self._config
        moved = np.empty_like(self.belief)
        moved[self._next] = self.belief
        slipped = self.belief.copy()  # a beat too many: the place stays
        belief = (1 - config.beat_slip) * moved + config.beat_slip * slipped
        self.belief = (1 - config.metre_change) * belief + config.metre_change * self._prior
        ratio = math.log((downbeat + 0.05) / (self._downbeat_mean + 0.05))
        self._downbeat_mean += _MEAN_SHARE * trust * (downbeat - self._downbeat_mean)
        self._weigh(0, trust * config.downbeat_weight * min(max(ratio, -1.2), 1.6))
        if turn is not None:
            ratio = math.log((turn + 0.1) / (self._turn_mean + 0.1))
            self._turn_mean += _MEAN_SHARE * turn_trust * (turn - self._turn_mean)
            self._weigh(1, turn_trust * config.chord_turn_weight * min(max(ratio, -1.2), 1.6))

    def began(self, beats_ago: int) -> None:
        """The first note of all fell on the beat that many before the present one: likely a downbeat, or a pickup."""
        self._weigh(beats_ago, self._config.first_note_weight)

    def _weigh(self, beats_ago: int, evidence: float) -> None:
        was_first = (self.place_of - beats_ago) % self.metre_of == 0
        belief = self.belief * np.exp(np.where(was_first, evidence, 0.0))
        self.belief = belief / belief.sum()

    def best(self) -> tuple[int, int, float]:
        """Metre and place of the present beat, with their probability."""
        i = int(self.belief.argmax())
        return int(self.metre_of[i]), int(self.place_of[i]), float(self.belief[i])

    def of(self, metre: int, place: int) -> float:
        """Probability of one metre and place."""
        return float(self.belief[(self.metre_of == metre) & (self.place_of == place)].sum())


def _wrapped(phase: FloatArray) -> FloatArray:
    """Phases brought to [-0.5, 0.5)."""
    return (phase + 0.5) % 1.0 - 0.5
