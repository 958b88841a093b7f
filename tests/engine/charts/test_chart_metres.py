"""Charts whose metre changes, by a time that is given: bar lines are the chart's, through jumps and rounds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import (
    ClockTick,
    ClockTransport,
    JumpSection,
    SetChart,
)
from gigmate.engine.player import HeardFrame, Moment
from gigmate.engine.timing.clocks.jack_transport import Reading
from gigmate.engine.timing.conductor import Conductor

RATE_HZ, FRAME_S = 48_000.0, 0.04
CHART = parse_chart("[A] | C . G . | 3/4 F . G |\n[B] | 2/4 Am | E | 5/4 F . G . . |\n[C]\n| 4/4 Dm |")
BARS = [4, 3, 2, 2, 5, 4]
SILENCE = HeardFrame(activity=0.0)


def told(conductor: Conductor, begin_s: float, end_s: float, frame: object = None) -> list[tuple[float, Moment]]:
    """(second, moment), 100 ms ahead of what was heard; `frame(end_s)` comes before each."""
    moments = []
    for number in range(round(begin_s / FRAME_S), round(end_s / FRAME_S)):
        at_s = (number + 1) * FRAME_S
        if callable(frame):
            frame(at_s)
        conductor.hear(SILENCE, at_s * RATE_HZ, FRAME_S * RATE_HZ)
        moments.append((at_s + 0.1, conductor.moment((at_s + 0.1) * RATE_HZ)))
    return moments


def bars_of(moments: list[tuple[float, Moment]]) -> list[int]:
    """Beats of the whole bars that were told, by their bar lines."""
    lines = np.nonzero(np.diff([moment.bar_phase for _, moment in moments]) < -0.3)[0] + 1
    bars = []
    for begin, end in itertools.pairwise(lines):
        length = (moments[end][0] - moments[begin][0]) / 0.5
        assert length == pytest.approx(round(length), abs=0.17), "a bar of whole beats"
        assert {moment.beats_per_bar for _, moment in moments[begin:end]} == {round(length)}
        bars.append(round(length))
    return bars


def fixed() -> Conductor:
    conductor = Conductor(RATE_HZ, 120.0, listen=False)
    conductor.obey(SetChart(CHART), 0.0)
    conductor.moment(0.0)
    conductor.begin_chart(0.0)
    return conductor


def test_a_fixed_tempo_counts_the_bars_as_they_are_written() -> None:
    conductor = fixed()
    moments = told(conductor, 0.0, 31.0)
    assert bars_of(moments) == (BARS * 4)[1:18]
    for at_s, moment in moments:
        beat = at_s / 0.5
        if abs(beat - round(beat)) > 0.25:
            assert moment.chord_root == CHART.chord_at(beat)[0]
            assert moment.bar_phase == pytest.approx(CHART.bar_at_beat(beat) % 1.0, abs=1e-6)


def test_a_jump_comes_on_the_bar_line_and_brings_its_metre() -> None:
    conductor = fixed()
    told(conductor, 0.0, 1.0)
    conductor.obey(JumpSection("B"), 0.0)
    assert conductor.entrance_cue().next_section == "B"
    moments = told(conductor, 1.0, 8.0)
    assert bars_of(moments)[:4] == [2, 2, 5, 4][: len(bars_of(moments))]
    line = next(at_s for at_s, moment in moments if moment.beats_per_bar == 2)
    assert line == pytest.approx(2.0, abs=FRAME_S), "the bar of four was played to its end"


def test_another_chart_begins_on_the_next_bar_line() -> None:
    conductor = fixed()
    told(conductor, 0.0, 4.8)  # within the second bar of two
    conductor.obey(SetChart(parse_chart("| 3/4 C | 4/4 F |")), 0.0)
    assert bars_of(told(conductor, 4.8, 14.0))[:5] == [3, 4, 3, 4, 3]
    conductor.obey(SetChart(None), 0.0)
    assert conductor.moment(14.2 * RATE_HZ).chord_root == -1
    assert len(set(bars_of(told(conductor, 14.0, 24.0))[1:])) == 1, "one metre again"


def test_a_count_in_after_a_song_is_in_the_first_bars_metre() -> None:
    conductor = fixed()
    told(conductor, 0.0, 5.0)
    assert conductor.begin_bar(5.3 * RATE_HZ)
    moments = told(conductor, 5.24, 9.3)
    conductor.begin_chart(9.3 * RATE_HZ)
    moments += told(conductor, 9.28, 16.0)
    later = [entry for entry in moments if entry[0] >= 5.3]
    assert bars_of(later) == [4, *BARS[:4]]


def test_after_a_reset_the_bars_are_those_of_the_first_again() -> None:
    conductor = fixed()
    told(conductor, 0.0, 6.0)  # into the bar of five
    assert conductor.moment(6.1 * RATE_HZ).beats_per_bar == 5
    conductor.reset()
    assert conductor.moment(0.0).beats_per_bar == 4


def test_a_midi_clock_that_starts_brings_the_first_downbeat() -> None:
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetChart(CHART), 0.0)
    ticks = list(np.arange(0.0, 30.0, 0.5 / 24))
    started = False

    def clock(until_s: float) -> None:
        nonlocal started
        while ticks and ticks[0] < until_s:
            at_s = ticks.pop(0)
            if at_s >= 3.5 and not started:  # on the eighth beat
                conductor.obey(ClockTransport("start"), at_s * RATE_HZ)
                started = True
            conductor.obey(ClockTick(round(at_s * RATE_HZ)), at_s * RATE_HZ)

    told(conductor, 0.0, 7.0, clock)
    conductor.begin_chart(7.5 * RATE_HZ)  # two bars later
    moments = [entry for entry in told(conductor, 7.0, 28.0, clock) if entry[0] > 7.5]
    for at_s, moment in moments:
        bar = CHART.bar_at_beat((at_s - 7.5) / 0.5)
        off = (moment.bar_phase - bar + 0.5) % 1.0 - 0.5
        assert abs(off) < 0.03
        if 0.03 < bar % 1.0 < 0.97:
            assert moment.beats_per_bar == CHART.beats_of_bar(int(bar))


def test_a_transport_keeps_its_own_bars() -> None:
    """The chart's bars are the transport's, however long each is written."""
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetChart(CHART), 0.0)

    def transport(at_s: float) -> None:
        beat = at_s / 0.5
        whole = int(beat)
        reading = Reading(at_s * RATE_HZ, True, True, whole // 4 + 1, whole % 4 + 1, beat - whole, 1.0, 4.0, 120.0)
        conductor.read_transport(reading)

    told(conductor, 0.0, 0.4, transport)
    conductor.begin_chart(0.0)
    for at_s, moment in told(conductor, 0.4, 30.0, transport):
        bar = at_s / 2.0
        assert moment.beats_per_bar == 4
        near = [CHART.chord_at(CHART.beat_at_bar(bar + later))[0] for later in (0.0, 0.05)]
        assert moment.chord_root in near
