"""Taps against what is heard: who taps beside the own attacks is followed, who confirms the ear changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gigmate.engine.timing.beats.attack_lead import AttackLead
from gigmate.engine.timing.beats.bar_pointer import BarFilter
from gigmate.engine.timing.beats.beat_kalman import Peak
from gigmate.engine.timing.conductor import Conductor
from gigmate.engine.timing.conductor_settings import AttackSettings, BarSettings

from ...performance import RATE_HZ, Noise, follow, perform, steady
from ..test_conductor import share_of_right_bars, share_within

SMEARED = Noise(miss=0.1, jitter_s=0.012, false_per_beat=0.4, offbeat=0.6, offbeat_height=0.7)
SETTINGS = AttackSettings()


@pytest.mark.parametrize("late_s", [0.05, -0.05])
def test_beats_stay_where_they_were_tapped_however_far_ahead_the_attacks_are(late_s: float) -> None:
    performance = perform(steady(170, 40), 3, SMEARED)
    beats_s = performance.beats_s + late_s
    errors = np.random.default_rng(1).normal(0, 0.01, 4)
    followed = follow(Conductor(RATE_HZ), performance, taps_s=list(beats_s[20:24] + errors))
    tapped = replace(performance, beats_s=beats_s)
    assert share_within(followed, tapped, 28, 0.03) >= 0.9
    assert share_of_right_bars(followed, tapped, 28) >= 0.95


def test_tempo_follows_the_playing_while_the_lead_stays() -> None:
    slower = np.concatenate([np.full(40, 60 / 120), 60 / np.linspace(120, 110, 50)])
    performance = perform(0.3 + np.concatenate([[0.0], np.cumsum(slower)]), 3, Noise(miss=0.1, jitter_s=0.008))
    beats_s = performance.beats_s + 0.05
    followed = follow(Conductor(RATE_HZ), performance, taps_s=list(beats_s[12:16]))
    assert share_within(followed, replace(performance, beats_s=beats_s), 60, 0.05) >= 0.9
    assert followed.tempo_bpm[-1] == pytest.approx(110, rel=0.02)


def test_taps_on_the_beats_that_are_held_leave_them_where_they_are() -> None:
    performance = perform(steady(100, 36), 2, Noise(miss=0.1, jitter_s=0.004))
    shaken = performance.beats_s[16:20] + np.array([0.02, -0.01, 0.02, 0.01])
    followed = follow(Conductor(RATE_HZ), performance, taps_s=list(shaken))
    assert share_within(followed, performance, 22, 0.02) >= 0.95


def peaks(rate_hz: float, late_s: float, seconds: float) -> list[Peak]:
    errors = np.random.default_rng(0).normal(0, 0.012, 100)
    return [Peak(at + late_s + errors[i], 1.0) for i, at in enumerate(np.arange(0.0, seconds, 1 / rate_hz))]


def test_rate_and_lead_are_fitted_to_what_was_heard_before_the_taps() -> None:
    lead = AttackLead(SETTINGS)
    for peak in peaks(3.0, -0.04, 8.0):
        lead.hear(peak)
    lead.begin(7.0 + 0.5 / 3.0, 3.0 * 1.01, None)
    fitted = lead.best(8.0)
    assert fitted.rate_hz == pytest.approx(3.0, rel=0.003)
    assert lead.seconds == pytest.approx(-0.04, abs=0.01)
    assert fitted.beats % 1.0 == pytest.approx(0.0, abs=0.03) or fitted.beats % 1.0 > 0.97


def test_who_taps_another_tempo_than_is_played_taps_no_lead() -> None:
    lead = AttackLead(SETTINGS)
    for peak in peaks(2.0, -0.04, 8.0):
        lead.hear(peak)
    lead.begin(7.25, 2.0 * 1.045, None)
    fitted = lead.best(8.0)
    assert fitted.rate_hz == pytest.approx(2.0, rel=0.005)
    assert lead.seconds == 0.0
    away = (fitted.beats - 0.04 * 2.0 + 0.5) % 1.0 - 0.5  # the attacks are the beats
    assert away == pytest.approx(0.0, abs=0.03)


def test_a_lead_is_bounded_and_slow() -> None:
    lead = AttackLead(SETTINGS)
    for peak in peaks(2.0, 0.06, 8.0):
        lead.hear(peak)
    lead.begin(7.25, 2.0, None)
    lead.best(8.0 + SETTINGS.fit_s)
    assert not lead.fitting
    before = lead.seconds
    lead.meet(0.03, 1.0, 20.0)
    assert before < lead.seconds < before + 0.01
    for at in range(21, 400):
        lead.meet(0.05, 1.0, float(at))
    assert lead.seconds <= SETTINGS.most_s
    lead.forget()
    lead.meet(0.05, 1.0, 500.0)
    assert lead.seconds == 0.0


def test_the_place_after_a_downbeat_is_that_in_every_metre() -> None:
    bars = BarFilter(BarSettings())
    bars.set(0, 2, 0.7)
    bars.set(3)
    assert bars.best()[:2] == (4, 3), "the fourth tap of a row, where bars of two were held"
    bars.set(0, 3, 0.7)
    bars.set(3)
    assert bars.of(3, 0) > 0.3 and bars.of(4, 3) > 0.3, "what was held counts"
