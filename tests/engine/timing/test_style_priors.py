"""What a style says before the first note: the octave and the metre lean its way, and it is no wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import SetChart, SetControl
from gigmate.engine.style_priors import STYLE_PRIORS
from gigmate.engine.timing.conductor import Conductor
from gigmate.presets.schema import STYLES
from numpy.typing import NDArray

from ..performance import FRAME_S, RATE_HZ, SUB_FRAMES, Noise, Performance, follow, perform, steady
from .test_conductor import share_within

EVEN = Noise(miss=0.0, offbeat=1.0, offbeat_height=0.5, false_per_beat=0.0)
"""Every half-beat is heard, half as clearly as the beats: either pulse may be the one that is counted."""
UNMARKED = Noise(miss=0.1, offbeat=0.15, false_per_beat=0.1, downbeat_miss=1.0, downbeat_false=0.0)


def told(style: str) -> Conductor:
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetControl("style", style), 0.0)
    return conductor


def test_every_style_that_a_preset_may_name_has_its_idiom() -> None:
    assert set(STYLE_PRIORS) == set(STYLES)
    for idiom in STYLE_PRIORS.values():
        assert 40 <= idiom.low_bpm < idiom.high_bpm <= 220
        assert sum(share for _, share in idiom.metres) == pytest.approx(1.0)


@pytest.mark.parametrize(("style", "bpm"), [("slow_blues", 62), ("ska", 124), ("reggae", 74), ("metal", 148)])
def test_the_same_pulse_is_counted_as_the_style_counts_it(style: str, bpm: int) -> None:
    slow = bpm if bpm < 100 else bpm / 2
    for seed in range(3):
        tempo_bpm = follow(told(style), perform(steady(slow, 30), seed, EVEN)).tempo_bpm
        assert float(np.median(tempo_bpm[len(tempo_bpm) // 2 :])) == pytest.approx(bpm, rel=0.03)


@pytest.mark.parametrize(("style", "bpm"), [("slow_blues", 112), ("disco", 84), ("ska", 80)])
def test_it_is_no_wall(style: str, bpm: int) -> None:
    performance = perform(steady(bpm, 60), 1, Noise())
    assert share_within(follow(told(style), performance), performance, 24, 0.04) >= 0.9


@pytest.mark.parametrize(("style", "beats_per_bar"), [("jazz_waltz", 3), ("odd_five", 5), ("samba", 2), ("rock", 4)])
def test_the_metre_is_the_styles_where_nothing_else_tells(style: str, beats_per_bar: int) -> None:
    conductor = told(style)
    followed = follow(conductor, perform(steady(112, 20), 0, UNMARKED, beats_per_bar=beats_per_bar))
    assert followed.moments[-1].beats_per_bar == beats_per_bar


def test_a_count_in_counts_the_bar_of_the_style() -> None:
    conductor = Conductor(RATE_HZ, tempo_bpm=150.0, listen=False)
    conductor.obey(SetControl("style", "jazz_waltz"), 0.0)
    assert conductor.begin_bar(0.0)
    assert conductor.moment(0.1 * RATE_HZ).beats_per_bar == 3


def test_another_style_leaves_a_song_that_runs_as_it_was_counted() -> None:
    performance = perform(steady(112, 40), 0, Noise(), beats_per_bar=3)
    conductor = told("jazz_waltz")
    before = follow(conductor, performance).moments[-1]
    conductor.obey(SetControl("style", "samba"), 0.0)
    after = conductor.moment(performance.frames * FRAME_S * RATE_HZ + 0.2 * RATE_HZ)
    assert before.beats_per_bar == after.beats_per_bar == 3
    for frame in range(performance.frames - 50, performance.frames):  # and while it is heard on
        end = (frame + 51) * FRAME_S * RATE_HZ
        conductor.hear(performance.heard(frame), end, FRAME_S * RATE_HZ)
    assert conductor.moment(end + 0.1 * RATE_HZ).beats_per_bar == 3


@pytest.mark.parametrize("seed", range(3))
def test_where_chords_are_struck_between_the_beats_the_beat_is_not_taken_for_them(seed: int) -> None:
    bpm = 125.0
    half_beat = round(30.0 / bpm / FRAME_S * SUB_FRAMES)
    both = perform(steady(bpm, 30), seed, Noise(miss=0.0, offbeat=1.0, offbeat_height=0.95, false_per_beat=0.0))
    struck = np.roll(both.onset.reshape(-1), half_beat).reshape(both.onset.shape)
    followed = follow(told("ska"), replace(both, onset=struck))
    assert share_within(followed, both, 24, 0.04) >= 0.9


def between(performance: Performance, part_of_beat: float, bpm: float) -> NDArray[np.float32]:
    """The beats' activations so much of a beat later."""
    shift = round(part_of_beat * 60.0 / bpm / FRAME_S * SUB_FRAMES)
    return np.roll(performance.beat.reshape(-1), shift).reshape(performance.beat.shape)


@pytest.mark.parametrize("bpm", [50.0, 54.0, 62.0])
def test_a_slow_blues_is_not_counted_in_its_triplets(bpm: float) -> None:
    plain = perform(steady(bpm, 40), 0, Noise(miss=0.0, offbeat=0.0, false_per_beat=0.0))
    thirds = np.maximum(between(plain, 1 / 3, bpm), between(plain, 2 / 3, bpm))
    heard = replace(plain, beat=np.maximum(plain.beat, 0.5 * thirds))
    followed = follow(told("slow_blues"), heard)
    late = followed.tempo_bpm[len(followed.tempo_bpm) // 2 :]
    assert float(np.median(late)) == pytest.approx(bpm, rel=0.03)
    assert share_within(followed, heard, 24, 0.04) >= 0.9
    assert followed.moments[-1].confidence > 0.5, "the thirds are no strays"


@pytest.mark.parametrize("seed", range(3))
def test_strums_between_the_beats_hold_the_beat_of_a_ska(seed: int) -> None:
    bpm = 125.0
    plain = perform(steady(bpm, 40), seed, Noise(offbeat=0.0))
    off = between(plain, 0.5, bpm)
    heard = replace(plain, beat=np.maximum(0.25 * plain.beat, off), onset=off)
    followed = follow(told("ska"), heard)
    assert share_within(followed, heard, 24, 0.04) >= 0.9
    late = [moment.confidence for moment in followed.moments[len(followed.moments) // 2 :]]
    assert np.mean(late) > 0.95
    assert np.mean(np.array(late) > 0.5) > 0.98


def test_a_tempo_that_was_asked_for_stands_above_the_style() -> None:
    conductor = Conductor(RATE_HZ, tempo_bpm=124.0)
    conductor.obey(SetControl("style", "slow_blues"), 0.0)
    followed = follow(conductor, perform(steady(62, 30), 0, EVEN))
    assert float(np.median(followed.tempo_bpm)) == pytest.approx(124, rel=0.03)


def test_an_unknown_style_leans_nowhere_and_takes_a_former_lean_back() -> None:
    performance = perform(steady(62, 20), 0, EVEN)
    plain = follow(Conductor(RATE_HZ), performance)
    conductor = told("slow_blues")
    conductor.obey(SetControl("style", "polka"), 0.0)
    np.testing.assert_array_equal(follow(conductor, performance).tempo_bpm, plain.tempo_bpm)


def test_a_chart_keeps_its_metre_whatever_the_style() -> None:
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetChart(parse_chart("metre: 3/4\n\n| C | F | G | C |\n")), 0.0)
    conductor.obey(SetControl("style", "rock"), 0.0)
    followed = follow(conductor, perform(steady(100, 15), 0, Noise(), beats_per_bar=3))
    assert followed.moments[-1].beats_per_bar == 3
