"""The musician's word on the count: taps and commands set level, phase and bar, and what is heard does not undo it."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.commands import ClockTick, Command, ScaleCount, SetTempo, ShiftHalfBeat, ThisIsOne
from gigmate.engine.errors import ConfigError
from gigmate.engine.timing.beats.given_count import GivenCount
from gigmate.engine.timing.conductor import Conductor

from ..performance import FRAME_S, RATE_HZ, FloatArray, Followed, Noise, Performance, follow, perform, steady
from .test_conductor import USUAL

CLEAN = Noise(miss=0.05, offbeat=0.0, false_per_beat=0.0, jitter_s=0.004)


def between_the_beats(seconds: float) -> tuple[Performance, FloatArray]:
    """Who strikes between the beats and nowhere else, and where the beats are."""
    performance = perform(steady(110, seconds), 1, CLEAN)
    return performance, performance.beats_s + 30.0 / 110


def told(performance: Performance, *commands: tuple[float, Command]) -> Followed:
    """Follow a performance, and give each command at its second."""
    return follow(Conductor(RATE_HZ), performance, commands=commands)


def off_beats(followed: Followed, beats_s: FloatArray) -> FloatArray:
    """How far from its beats the conductor is at each of these seconds, in beats, from -0.5 to 0.5."""
    return (np.interp(beats_s, followed.time_s, followed.beats) + 0.5) % 1.0 - 0.5


def test_two_taps_choose_the_phase_and_keep_it_against_all_that_is_heard() -> None:
    performance, beats = between_the_beats(30)
    alone = follow(Conductor(RATE_HZ), performance)
    assert np.min(np.abs(off_beats(alone, beats[20:-2]))) > 0.4, "it is misled without taps"
    tapped = follow(Conductor(RATE_HZ), performance, taps_s=list(beats[24:26]))
    assert np.max(np.abs(off_beats(tapped, beats[28:-2]))) < 0.1
    assert tapped.confidence[-1] > 0.5


def test_two_taps_choose_the_level_and_the_ear_gives_the_exact_tempo() -> None:
    performance = perform(steady(75, 36), 2, Noise(miss=0.05, offbeat=1.0, offbeat_height=1.0))
    beats = performance.beats_s
    followed = follow(Conductor(RATE_HZ), performance, taps_s=[beats[20] + 0.02, beats[21] - 0.02])
    assert followed.tempo_bpm[-1] == pytest.approx(75, rel=0.01)
    assert np.max(np.abs(off_beats(followed, beats[26:-1]))) < 0.1


def test_what_was_given_is_let_go_after_a_long_rest_and_not_before() -> None:
    given = GivenCount()
    given.give(bar=True)
    assert not any(given.hear(0.0, FRAME_S, 20.0) for _ in range(450))
    assert given.count
    assert not given.hear(1.0, FRAME_S, 20.0)  # a note
    assert sum(given.hear(0.0, FRAME_S, 20.0) for _ in range(600)) == 1
    assert not given.count
    assert not given.bar


def test_half_a_beat_is_shifted_at_once_and_stays() -> None:
    performance, beats = between_the_beats(32)
    followed = told(performance, (float(beats[30] + 0.1), ShiftHalfBeat()))
    assert np.max(np.abs(off_beats(followed, beats[33:-2]))) < 0.1


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_half_and_double_time_begin_on_a_bar_line_without_a_jump(factor: float) -> None:
    performance = perform(steady(100, 36), 3, USUAL)
    at_s = float(performance.beats_s[41] + 0.2)
    followed = told(performance, (at_s, ScaleCount(factor)))
    assert followed.tempo_bpm[-1] == pytest.approx(100 * factor, rel=0.02)
    changed = int(np.argmax(np.abs(followed.tempo_bpm / 100 - factor) < 0.1))
    before = followed.bar_phase[changed - 4]
    assert before > 0.9 or followed.bar_phase[changed] < 0.1, "on the bar line"
    steps = np.diff(followed.beats[changed - 50 : changed + 50]) / FRAME_S * 60.0
    assert steps.min() > 100 * min(1.0, factor) * 0.65
    assert steps.max() < 100 * max(1.0, factor) * 1.35
    step = 1 if factor == 2.0 else 2
    kept = performance.beats_s[44:-1:step]
    off = off_beats(followed, kept)
    assert min(np.max(np.abs(off)), np.max(np.abs(off_beats(followed, performance.beats_s[45:-1:step])))) < 0.12


def test_this_is_one_moves_the_bar_and_keeps_it() -> None:
    performance = perform(steady(120, 34), 4, USUAL, roots=(0, 5, 7, 0))
    third = next(i for i in range(40, 50) if performance.beat_in_bar[i] == 2)
    followed = told(performance, (float(performance.beats_s[third] + 0.03), ThisIsOne()))
    places = followed.at(followed.bar_phase, performance.beats_s[third + 8 : -1 : 4] + 0.05) * 4
    assert np.max(np.abs(places - 0.1)) < 0.3


def test_a_preset_tempo_bounds_the_search_to_its_level() -> None:
    performance = perform(steady(80, 24), 5, Noise(miss=0.0, offbeat=1.0, offbeat_height=1.0, false_per_beat=0.0))
    hinted = follow(Conductor(RATE_HZ, 84.0), performance)
    assert hinted.tempo_bpm[-1] == pytest.approx(80, rel=0.02)
    doubled = follow(Conductor(RATE_HZ, 168.0), performance)
    assert doubled.tempo_bpm[-1] == pytest.approx(160, rel=0.02)


def test_another_clock_keeps_its_count_and_says_so() -> None:
    conductor = Conductor(RATE_HZ)
    for tick in range(100):
        conductor.obey(ClockTick(0), 1000.0 * tick)
    with pytest.raises(ConfigError, match="the count is that of the MIDI clock"):
        conductor.obey(ScaleCount(2.0), 99_000.0)


def test_no_count_is_changed_before_there_is_one_nor_beyond_what_can_be_counted() -> None:
    conductor = Conductor(RATE_HZ)
    with pytest.raises(ConfigError, match="no beat yet"):
        conductor.obey(ShiftHalfBeat(), 0.0)
    for beat in range(4):
        conductor.tap(RATE_HZ * 0.4 * beat)
    with pytest.raises(ConfigError, match="cannot be counted"):
        conductor.obey(ScaleCount(2.0), RATE_HZ * 2.0)


def test_a_new_tempo_takes_the_word_back() -> None:
    performance, beats = between_the_beats(40)
    followed = told(performance, (8.0, ShiftHalfBeat()), (14.0, SetTempo(0.0)))
    assert np.mean(np.abs(off_beats(followed, beats[-14:-2])) > 0.4) > 0.9
