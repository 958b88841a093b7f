"""TapTempo and other sources of time."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.timing.conductor import Anchor, Conductor
from gigmate.engine.timing.conductor_settings import TapSettings, TempoRange
from gigmate.engine.timing.tap_tempo import TapTempo

from ..performance import FRAME_S, RATE_HZ, Noise, follow, perform, steady
from .test_conductor import USUAL, share_of_right_bars, share_within


def test_four_taps_lock_at_once_with_the_downbeat_at_the_first() -> None:
    conductor = Conductor(RATE_HZ)
    for beat in range(4):
        assert conductor.confidence < 0.3
        conductor.tap(RATE_HZ * (1.0 + 0.5 * beat))
    assert conductor.confidence > 0.7
    moment = conductor.moment(RATE_HZ * 3.0 + 12)
    assert moment.tempo_bpm == pytest.approx(120, rel=0.001)
    assert moment.bar_phase == pytest.approx(0.0, abs=0.01)
    assert conductor.moment(RATE_HZ * 3.5).bar_phase == pytest.approx(0.25, abs=0.01)
    assert conductor.bar_samples() == pytest.approx(96000, rel=0.001)


def test_taps_by_a_foot_are_averaged() -> None:
    taps = TapTempo(TapSettings(), TempoRange(), RATE_HZ)
    anchors = [taps.tap(RATE_HZ * (0.6 * i + jitter)) for i, jitter in enumerate((0.01, -0.012, 0.008, -0.006))]
    assert anchors[:3] == [None] * 3
    assert anchors[3] is not None
    assert anchors[3].tempo_bpm == pytest.approx(100, rel=0.02)
    assert anchors[3].beat_in_bar == 3


def test_a_pause_begins_a_new_row_of_taps() -> None:
    taps = TapTempo(TapSettings(), TempoRange(), RATE_HZ)
    for position_s in (0.0, 0.5, 1.0, 5.0, 5.5):
        assert taps.tap(position_s * RATE_HZ) is None
    assert taps.tap(5.5 * RATE_HZ) is None  # the same tap told twice
    assert taps.tap(6.0 * RATE_HZ) is None
    assert taps.tap(6.5 * RATE_HZ) is not None


def test_taps_choose_the_octave_and_the_listener_keeps_it() -> None:
    performance = perform(steady(75, 60), 2, Noise(miss=0.1, offbeat=0.8, offbeat_height=0.8))
    followed = follow(Conductor(RATE_HZ), performance, taps_s=list(performance.beats_s[8:12]))
    assert followed.tempo_bpm[-1] == pytest.approx(75, rel=0.02)
    assert share_within(followed, performance, 14, 0.03) >= 0.9
    assert share_of_right_bars(followed, performance, 14) >= 0.95


def test_the_listener_bends_a_tapped_tempo_gently() -> None:
    performance = perform(steady(100, 40), 2, USUAL)
    taps = 0.9 + np.arange(4) * 60 / 104  # a little too fast
    followed = follow(Conductor(RATE_HZ), performance, taps_s=list(taps))
    assert followed.tempo_bpm[-1] == pytest.approx(100, rel=0.01)
    assert share_within(followed, performance, 24) >= 0.9
    after = followed.time_s[1:] > taps[-1] + 0.3
    steps = np.diff(followed.beats)[after] / (FRAME_S * followed.tempo_bpm[1:][after] / 60)
    assert np.all(np.abs(steps - 1) < 0.2)


class Transport:
    """A machine's clock: exact beats and bars, or nothing while it stands still."""

    def __init__(self, tempo_bpm: float, first_beat_s: float, rolls_from_s: float, until_s: float = 1e9) -> None:
        self.tempo_bpm, self.first_beat_s = tempo_bpm, first_beat_s
        self.rolls = rolls_from_s * RATE_HZ, until_s * RATE_HZ

    def anchor(self, position_samples: float) -> Anchor | None:
        if not self.rolls[0] <= position_samples < self.rolls[1]:
            return None
        beat = (position_samples / RATE_HZ - self.first_beat_s) * self.tempo_bpm / 60
        return Anchor(position_samples, beat, self.tempo_bpm, 1.0, 4, int(beat // 1) % 4)


def test_a_transport_takes_over_by_gliding_and_gives_back() -> None:
    performance = perform(steady(120, 60), 3, USUAL)
    conductor = Conductor(RATE_HZ)
    transport = Transport(121.0, 0.22, rolls_from_s=20, until_s=40)
    conductor.follow(transport)
    followed = follow(conductor, performance)
    steps = np.diff(followed.beats) / (FRAME_S * followed.tempo_bpm[1:] / 60)
    later = followed.time_s[1:] > 8
    assert np.all(steps[later] > 0.85)
    assert np.all(steps[later] < 1.15)  # no beat lost, none twice
    inside = (followed.time_s > 25) & (followed.time_s < 40)
    expected = (followed.time_s[inside] - 0.22) * 121 / 60
    off = (followed.beats[inside] - expected + 0.5) % 1 - 0.5
    assert np.abs(off).max() < 0.01
    bars = followed.bar_phase[inside] * 4
    assert np.abs((bars - expected + 2) % 4 - 2).max() < 0.02
    assert followed.tempo_bpm[-1] == pytest.approx(120, rel=0.01)
