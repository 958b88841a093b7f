"""Two forward filters over the position in the beat and in the bar, driven by the output of the listener.

`BeatFilter` holds a belief over tempo and beat phase, `BarFilter` one over metre and beat in the bar. Both know only
the past, hold a fixed amount of memory, and use no randomness. Inference thread only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...style_priors import StylePrior
from ..conductor_settings import BarSettings, BeatFilterSettings, TempoRange

_TIMES, _TIMES_TRIPLETS = (2.0,), (1.5, 2.0, 3.0)
"""So many times the beat is what the listener's tempo may count instead."""
_MEAN_SHARE = 0.06
"""What each beat adds to the means that downbeats and turns of the chord are judged by."""

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
        self._turn = np.exp(2j * np.pi * self._phases)
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
        self._between_share = np.zeros((count, 1), np.float32)
        self._frame_s = 0.0
        self.reset()

    def reset(self) -> None:
        """Believe what was believed before anything was heard."""
        self.belief: Belief = self._prior.copy()
        self._level = self._config.level_at_start
        self._last = np.zeros(2)
        self._last_onset = np.zeros(1, np.float32)

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
        self._between_share = (share * self._inside)[:, None].astype(np.float32)
        if not self._inside.any():
            self._between = ()

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
        belief = self._wander(np.float32(max(trust, 0.03)))
        moved = np.fft.irfft(np.fft.rfft(belief, axis=1) * self._shift, n=config.phase_bins, axis=1)
        moved = np.maximum(moved, 0.0).astype(np.float32)
        evidence = self._evidence(beat, frame_s) * trust
        exponent = np.einsum("s,stk->tk", evidence.astype(np.float32), self._at_beat)  # no BLAS: its threads spin
        if self._between and trust > 0:
            met = np.einsum("s,stk->tk", np.maximum(evidence, 0.0).astype(np.float32), self._at_beat)
            for place in self._between:
                exponent += self._between_share * np.roll(met, place, axis=1)
        if tempo_vote is not None and trust > 0:
            exponent += self._vote(tempo_vote, config.tempo_vote_weight * trust)[:, None]
        if lean > 0:
            exponent -= (np.float32(config.style_penalty_hz * frame_s * trust * lean) * self._outside)[:, None]
        if onset is not None and self._off_beat > 0 and trust > 0:
            struck = self._late_onsets(onset) * (self._off_beat * np.float32(trust))
            on = np.einsum("s,stk->tk", struck, self._at_beat)
            exponent += np.roll(on, on.shape[1] // 2, axis=1) - on
        forget_hz = config.forget_rate_hz
        if held is not None:
            forget_hz += held.inertia * (config.forget_rate_held_hz - forget_hz)
            far = np.abs(self._log_rate - math.log(held.rate_hz)) > config.near_ratio
            exponent[far] -= np.float32(config.far_penalty_hz * frame_s * trust * held.inertia)
        moved *= np.exp(exponent)
        belief = self._normal(moved)
        share = np.float32(min(1.0, forget_hz * frame_s))
        self.belief = (1 - share) * belief + share * self._prior

    def _late_onsets(self, onset: NDArray[np.float32]) -> NDArray[np.float32]:
        """The onsets [S] one sub-frame late, as the table of places wants them."""
        row = np.concatenate([self._last_onset, np.asarray(onset, np.float32)])
        self._last_onset = row[-1:]
        return row[:-1]

    def best(self) -> Reading:
        """The reading around the strongest tempo and phase."""
        k = self.belief.shape[1]
        phases = self.belief + np.roll(self.belief, 1, axis=1) + np.roll(self.belief, -1, axis=1)
        smooth = phases.copy()
        smooth[1:] += phases[:-1]
        smooth[:-1] += phases[1:]
        tempo, phase = divmod(int(smooth.argmax()), k)
        return self.near(float(self.rates_hz[tempo]), phase / k)

    def near(self, rate_hz: float, phase: float, tempo_reach: float = 0.13, phase_reach: float = 0.2) -> Reading:
        """The reading within reach (log tempo; beats) of a given tempo and phase: its means and its mass."""
        centre = (math.log(rate_hz) - self._log_rate[0]) / self._step
        half = tempo_reach / self._step
        low, high = max(0, math.ceil(centre - half)), min(len(self.rates_hz), math.floor(centre + half) + 1)
        if low >= high:
            return Reading(rate_hz, phase % 1.0, phase_reach, 0.0)
        away = _wrapped(self._phases - phase)
        inside = np.abs(away) <= phase_reach
        window = self.belief[low:high][:, inside].astype(np.float64)
        mass = float(window.sum())
        if mass < 1e-9:
            return Reading(rate_hz, phase % 1.0, phase_reach, 0.0)
        over_phase = window.sum(axis=0) / mass
        over_tempo = window.sum(axis=1) / mass
        mean = float(over_phase @ away[inside])
        spread = math.sqrt(max(float(over_phase @ (away[inside] - mean) ** 2), 1e-6))
        return Reading(math.exp(float(over_tempo @ self._log_rate[low:high])), (phase + mean) % 1.0, spread, mass)

    def _wander(self, freedom: np.float32) -> Belief:
        """The belief after a frame's changes of tempo: a step to a neighbour, or a jump anywhere within reach."""
        old, reach = self.belief, self._jump_bins
        walk, jump = self._walk * freedom, self._jump * freedom
        total = np.zeros((len(old) + 2 * reach + 1, old.shape[1]), np.float32)
        np.cumsum(old, axis=0, out=total[reach + 1 : reach + 1 + len(old)])
        total[reach + 1 + len(old) :] = total[reach + len(old)]
        within = total[2 * reach + 1 :] - total[: len(old)]
        new = old * (1 - 2 * walk - jump) + within * (jump / (2 * reach + 1))
        new[1:] += walk * old[:-1]
        new[:-1] += walk * old[1:]
        return new

    def _evidence(self, beat: NDArray[np.float32], frame_s: float) -> FloatArray:
        """Log likelihood ratio [S] of a beat in each sub-frame against none, judged by how high peaks were lately."""
        config = self._config
        row = np.concatenate([self._last, np.clip(np.asarray(beat, np.float64), 0.0, 1.0)])
        self._last = row[-2:]
        level = np.maximum(np.maximum(row[:-2], row[1:-1]), row[2:])  # who plays a little beside the beat meets it
        top = float(level.max())
        share = frame_s / (config.level_rise_s if top > self._level else config.level_fall_s)
        self._level += (max(top, config.level_least) - self._level) * min(1.0, share)
        even = config.even_level * self._level
        ratio = np.log(self._odds(level) / self._odds(even))
        return config.evidence_weight * np.clip(ratio, config.evidence_low, config.evidence_high)

    def _odds(self, level: Any) -> Any:
        return (level + self._config.activation_floor) / (1.0 - level + self._config.doubt_floor)

    def _vote(self, tempo_vote: NDArray[np.float32], weight: float) -> Belief:
        """Log weight [T] from a distribution over log-spaced tempi 48 to 228 bpm, as the listener gives it."""
        places = np.linspace(math.log(48.0 / 60.0), math.log(228.0 / 60.0), len(tempo_vote))
        votes = np.asarray(tempo_vote, np.float64) * len(tempo_vote)
        share = np.interp(self._log_rate, places, votes)
        if self._inside.any():  # the style knows better which of these is counted
            for times in self._times:
                other = np.interp(self._log_rate + math.log(times), places, votes, right=0.0)
                share = np.where(self._inside, np.maximum(share, other), share)
        return (weight * np.clip(np.log(share + 0.1), -2.3, 2.5)).astype(np.float32)

    def _prepare(self, frame_s: float, sub_frames: int) -> None:
        """Tables for a frame of this length: made once, again only when the length changes."""
        if abs(frame_s - self._frame_s) < 1e-6 * frame_s and len(self._at_beat) == sub_frames:
            return
        config = self._config
        self._frame_s = frame_s
        harmonics = np.arange(config.phase_bins // 2 + 1)
        turn = 2 * np.pi * np.outer(self.rates_hz * frame_s, harmonics)
        spread = 2 * np.pi * np.outer(self.rates_hz * config.phase_walk_s * math.sqrt(frame_s), harmonics)
        self._shift = (np.exp(-1j * turn) * np.exp(-0.5 * spread**2)).astype(np.complex64)
        self._walk = np.float32(min(config.tempo_walk**2 * frame_s / (2 * self._step**2), 0.3))  # one step either way
        self._jump = np.float32(config.jump_rate_hz * frame_s)
        self._jump_bins = max(1, round(config.jump_size / self._step))
        before_end_s = (np.arange(sub_frames, 0, -1) + 0.5) * frame_s / sub_frames  # one sub-frame late: see _evidence
        phase = self._phases[None, None] - before_end_s[:, None, None] * self.rates_hz[None, :, None]
        away_s = _wrapped(phase) / self.rates_hz[None, :, None]
        self._at_beat: NDArray[np.float32] = np.exp(-0.5 * (away_s / config.peak_width_s) ** 2).astype(np.float32)

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
