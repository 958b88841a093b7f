"""The compiled beat filter says what its formulas say in float64, and what plain Python makes of its source."""

import math

import numpy as np
import pytest
from gigmate.engine.style_priors import STYLE_PRIORS
from gigmate.engine.timing.beats import bar_pointer, beat_arithmetic
from gigmate.engine.timing.beats.bar_pointer import BeatFilter, HeldTempo
from gigmate.engine.timing.conductor_settings import BeatFilterSettings, TempoRange

FRAME_S = 0.04
SUB_FRAMES = 4
SETTINGS = BeatFilterSettings()


def frames(count, bpm, seed=0):
    """What a listener might say: beats, off-beat strikes and a view of the tempo, with noise."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        at_s = FRAME_S * (number + np.arange(SUB_FRAMES) / SUB_FRAMES)
        beat = np.exp(-0.5 * (((at_s * bpm / 60.0 + 0.5) % 1.0 - 0.5) / (bpm / 60.0) / 0.012) ** 2)
        vote = np.exp(-0.5 * ((np.arange(64) - 30.0 - rng.integers(0, 20)) / 4.0) ** 2)
        yield (
            (0.8 * beat + 0.1 * rng.random(SUB_FRAMES)).astype(np.float32),
            (0.8 * np.roll(beat, 2) + 0.1 * rng.random(SUB_FRAMES)).astype(np.float32),
            (vote / vote.sum()).astype(np.float32),
            0.0 if number % 20 == 19 else float(0.3 + 0.7 * rng.random()),
        )


class Formulas:
    """The same filter, one formula after another, in float64 and with transforms in place of the circular sum."""

    def __init__(self, style):
        self.made = BeatFilter(TempoRange(), SETTINGS)  # for its tables
        self.made.lean(style)
        self.made._prepare(FRAME_S, SUB_FRAMES)
        self.style = style
        self.belief = self.made.belief.astype(np.float64)
        self.level, self.last = SETTINGS.level_at_start, np.zeros(2)
        self.last_onset = np.zeros(1)

    def hear(self, beat, trust, held, vote, lean, onset):
        f, s, old = self.made, SETTINGS, self.belief
        freedom = max(trust, 0.03)
        walk, jump, reach = float(f._walk) * freedom, float(f._jump) * freedom, f._jump_bins
        wide = np.pad(old, ((reach, reach), (0, 0)))
        within = sum(wide[n : n + len(old)] for n in range(2 * reach + 1))
        new = old * (1 - 2 * walk - jump) + within * jump / (2 * reach + 1)
        new[1:] += walk * old[:-1]
        new[:-1] += walk * old[1:]
        harmonics = np.arange(s.phase_bins // 2 + 1)
        turn = 2 * np.pi * np.outer(f.rates_hz * FRAME_S, harmonics)
        spread = 2 * np.pi * np.outer(f.rates_hz * s.phase_walk_s * math.sqrt(FRAME_S), harmonics)
        shift = np.exp(-1j * turn - 0.5 * spread**2)
        moved = np.maximum(np.fft.irfft(np.fft.rfft(new, axis=1) * shift, n=s.phase_bins, axis=1), 0.0)
        evidence = trust * self.evidence(beat)
        near = f._at_beat.astype(np.float64)
        exponent = np.einsum("s,stk->tk", evidence, near)
        for place in f._between if trust > 0 else ():
            met = np.einsum("s,stk->tk", np.maximum(evidence, 0.0), near)
            exponent += f._between_share[:, None] * np.roll(met, place, axis=1)
        if trust > 0:
            exponent += s.tempo_vote_weight * trust * self.voted(vote)[:, None]
        exponent -= (s.style_penalty_hz * FRAME_S * trust * lean * f._outside)[:, None]
        if self.style is not None and self.style.off_beat and trust > 0:
            row = np.concatenate([self.last_onset, onset])
            self.last_onset = row[-1:]
            on = np.einsum("s,stk->tk", row[:-1] * s.off_beat_nats * trust, near)
            exponent += np.roll(on, s.phase_bins // 2, axis=1) - on
        forget_hz = s.forget_rate_hz
        if held is not None:
            forget_hz += held.inertia * (s.forget_rate_held_hz - forget_hz)
            far = np.abs(np.log(f.rates_hz / held.rate_hz)) > s.near_ratio
            exponent[far] -= s.far_penalty_hz * FRAME_S * trust * held.inertia
        weighed = moved * np.exp(exponent)
        share = min(1.0, forget_hz * FRAME_S)
        self.belief = (1 - share) * weighed / weighed.sum() + share * f._prior

    def evidence(self, beat):
        s, row = SETTINGS, np.concatenate([self.last, np.clip(beat, 0.0, 1.0)])
        self.last = row[-2:]
        level = np.maximum(np.maximum(row[:-2], row[1:-1]), row[2:])
        rise = s.level_rise_s if level.max() > self.level else s.level_fall_s
        self.level += (max(level.max(), s.level_least) - self.level) * min(1.0, FRAME_S / rise)

        def odds(of):
            return (of + s.activation_floor) / (1.0 - of + s.doubt_floor)

        ratio = np.log(odds(level) / odds(s.even_level * self.level))
        return s.evidence_weight * np.clip(ratio, s.evidence_low, s.evidence_high)

    def voted(self, vote):
        log_rate, inside = np.log(self.made.rates_hz), self.made._inside
        places = np.linspace(math.log(48 / 60), math.log(228 / 60), len(vote))
        votes = vote.astype(np.float64) * len(vote)
        share = np.interp(log_rate, places, votes)
        for times in (1.5, 2.0, 3.0) if self.style is not None and self.style.triplets else (2.0,):
            other = np.interp(log_rate + math.log(times), places, votes, right=0.0)
            share = np.where(inside, np.maximum(share, other), share)
        return np.clip(np.log(share + 0.1), -2.3, 2.5)


@pytest.mark.parametrize("style", [None, "ska", "slow_blues", "rock"])
def test_the_compiled_filter_is_its_formulas(style):
    prior = STYLE_PRIORS[style] if style else None
    found, known = BeatFilter(TempoRange(), SETTINGS), Formulas(prior)
    found.lean(prior)
    for number, (beat, onset, vote, trust) in enumerate(frames(150, 114.0)):
        held = HeldTempo(1.9, 0.7) if number > 90 else None
        lean = 0.0 if held else 0.5
        found.hear(beat, FRAME_S, trust, held, vote, lean, onset)
        known.hear(beat, trust, held, vote, lean, onset)
        assert np.abs(found.belief - known.belief).max() < 1e-5 * known.belief.max()
    assert found.belief.max() > 20.0 / found.belief.size, "nothing was believed in"


def test_readings_are_means_around_the_strongest_place():
    found = BeatFilter(TempoRange(), SETTINGS)
    for beat, onset, vote, trust in frames(120, 100.0, seed=3):
        found.hear(beat, FRAME_S, trust, None, vote, 0.0, onset)
    belief = found.belief.astype(np.float64)
    around = sum(np.roll(belief, n, axis=1) for n in (-1, 0, 1))
    smooth = around.copy()
    smooth[1:] += around[:-1]
    smooth[:-1] += around[1:]
    tempo, phase = np.unravel_index(smooth.argmax(), smooth.shape)
    best = found.best()
    away = (np.arange(SETTINGS.phase_bins) / SETTINGS.phase_bins - phase / SETTINGS.phase_bins + 0.5) % 1.0 - 0.5
    log_rates = np.log(found.rates_hz)
    rows = np.abs(log_rates - log_rates[tempo]) <= 0.13
    window = belief[rows] * (np.abs(away) <= 0.2)
    mass = window.sum()
    mean = (window * away).sum() / mass
    assert best.mass == pytest.approx(mass, rel=1e-6)
    assert best.rate_hz == pytest.approx(math.exp((window.sum(axis=1) @ log_rates[rows]) / mass), rel=1e-9)
    assert best.phase == pytest.approx((phase / SETTINGS.phase_bins + mean) % 1.0, abs=1e-9)
    assert best.phase_spread == pytest.approx(math.sqrt((window * (away - mean) ** 2).sum() / mass), rel=1e-6)


def test_a_reading_where_nothing_is_believed_has_no_mass():
    found = BeatFilter(TempoRange(), SETTINGS)
    assert found.near(40.0, 0.3).mass == 0.0  # no such tempo
    assert found.near(40.0, 1.3).phase == pytest.approx(0.3)
    found.belief = np.zeros_like(found.belief)
    assert found.near(2.0, 0.3) == bar_pointer.Reading(2.0, 0.3, 0.2, 0.0)


def test_compiled_and_plain_python_say_the_same(monkeypatch):
    """The same source, run by the interpreter: what the compiler reorders moves the seventh digit."""
    settings = BeatFilterSettings(tempo_step=0.1, phase_bins=20)  # not whole eights, and few: Python is slow
    style = STYLE_PRIORS["ska"]
    both = [BeatFilter(TempoRange(), settings) for _ in range(2)]
    for one in both:
        one.lean(style)
    for beat, onset, vote, trust in frames(12, 150.0, seed=5):
        both[0].hear(beat, FRAME_S, trust, HeldTempo(2.5, 0.5), vote, 0.5, onset)
        with monkeypatch.context() as plain:
            for name in ("hear_frame", "weigh_tempi", "strongest", "reading_near"):
                plain.setattr(bar_pointer, name, getattr(beat_arithmetic, name).py_func)
            for name in ("_exponentials", "_add", "_add_rolled", "_wander", "_go_on", "_weigh"):
                plain.setattr(beat_arithmetic, name, getattr(beat_arithmetic, name).py_func)
            both[1].hear(beat, FRAME_S, trust, HeldTempo(2.5, 0.5), vote, 0.5, onset)
            there = both[1].near(2.4, 0.1)
            assert both[1].best().mass > 0.0
        here = both[0].near(2.4, 0.1)
        np.testing.assert_allclose(both[0].belief, both[1].belief, rtol=1e-5, atol=1e-9)
        assert here.rate_hz == pytest.approx(there.rate_hz, rel=1e-5)
        assert here.mass == pytest.approx(there.mass, rel=1e-5)
