"""Whose chord the band is told: a hand before the chart before the ear, by a whole conductor and a scripted hand."""

from __future__ import annotations

import pytest
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.charts.chord_symbol import parse_chord
from gigmate.engine.commands import SetChart, SetTempo
from gigmate.engine.timing.conductor import Conductor

from ..performance import FRAME_S, RATE_HZ, perform, steady

BAR_S = 2.0  # at 120 bpm


@pytest.fixture
def conductor() -> Conductor:
    """One that hears a performance in C for 16 s, at the tempo of a chart."""
    conductor = Conductor(RATE_HZ, 120.0)
    hear(conductor, 0.0, 16.0)
    return conductor


PERFORMANCE = perform(steady(120.0, 60.0), 3)


def hear(conductor: Conductor, begin_s: float, end_s: float) -> None:
    for frame in range(round(begin_s / FRAME_S), round(end_s / FRAME_S)):
        at_s = (frame + 1) * FRAME_S
        conductor.hear(PERFORMANCE.heard(frame), at_s * RATE_HZ, FRAME_S * RATE_HZ)
        conductor.moment((at_s + 0.1) * RATE_HZ)


def told(conductor: Conductor, at_s: float) -> tuple[int, str, str]:
    """Root of the moment, the symbol shown, and whose chord it is."""
    root = conductor.moment(at_s * RATE_HZ).chord_root
    cue = conductor.entrance_cue()
    return root, cue.symbol, cue.chord_source


def test_the_hand_is_before_the_chart_and_the_chart_before_the_ear(conductor: Conductor) -> None:
    heard = conductor.moment(16.1 * RATE_HZ).chord_root
    assert heard >= 0
    assert told(conductor, 16.1) == (heard, "", "ear")
    conductor.obey(SetChart(parse_chart("| Bb7 |")), 16.1 * RATE_HZ)
    assert told(conductor, 16.1) == (10, "Bb7", "chart")
    conductor.lead(parse_chord("F#m"))
    assert told(conductor, 16.1) == (6, "F#m", "hand")
    conductor.lead(None)
    assert told(conductor, 16.1) == (10, "Bb7", "chart")
    conductor.obey(SetChart(None), 16.1 * RATE_HZ)
    assert told(conductor, 16.1) == (heard, "", "ear")


def test_what_the_hand_holds_is_told_with_all_its_tones_and_its_bass(conductor: Conductor) -> None:
    chord = parse_chord("C7/Bb")
    conductor.lead(chord)
    moment = conductor.moment(16.1 * RATE_HZ)
    assert moment.chord_pitch_classes == chord.pitch_classes
    assert (moment.chord_root, moment.chord_bass) == (0, 10)
    assert conductor.entrance_cue().symbol == "C7/Bb"
    conductor.lead(parse_chord("C7"))
    assert conductor.moment(16.1 * RATE_HZ).chord_bass == -1


def test_a_charts_slash_chord_is_told_with_its_bass_and_shown_as_written(conductor: Conductor) -> None:
    conductor.obey(SetChart(parse_chart("| C/E | F |")), 16.1 * RATE_HZ)
    moment = conductor.moment(16.1 * RATE_HZ)
    assert (moment.chord_root, moment.chord_bass) == (0, 4)
    assert conductor.entrance_cue().symbol == "C/E"
    conductor.obey(SetChart(parse_chart("| C | F |")), 16.1 * RATE_HZ)
    assert conductor.moment(16.1 * RATE_HZ).chord_bass == -1


def test_what_is_heard_does_not_move_it(conductor: Conductor) -> None:
    conductor.lead(parse_chord("Eb"))
    hear(conductor, 16.0, 24.0)
    assert told(conductor, 24.1) == (3, "Eb", "hand")


def test_the_chart_goes_on_under_the_hand() -> None:
    """Let go after three bars, the band is where the song is by then."""
    conductor = Conductor(RATE_HZ, 120.0, listen=False)
    chart = parse_chart("| C | D | E | F | G | A |")
    conductor.obey(SetChart(chart), 0.0)
    conductor.begin_bar(0.0, 120.0)
    conductor.begin_chart(0.0)
    hear(conductor, 0.0, BAR_S * 0.5)
    assert told(conductor, BAR_S * 0.5)[1] == "C"
    conductor.lead(parse_chord("Bb"))
    hear(conductor, BAR_S * 0.5, BAR_S * 3.5)
    assert told(conductor, BAR_S * 3.5) == (10, "Bb", "hand")
    conductor.lead(None)
    assert told(conductor, BAR_S * 3.5) == (5, "F", "chart")


def test_with_a_tempo_and_a_hand_nobody_need_be_heard() -> None:
    """As with a chart: what the band needs to begin is there."""
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetTempo(100.0), 0.0)
    assert not conductor.entrance_cue().free
    conductor.lead(parse_chord("Am"))
    assert conductor.entrance_cue().free


def test_a_reset_forgets_the_hand(conductor: Conductor) -> None:
    conductor.lead(parse_chord("Eb"))
    conductor.reset()
    assert conductor.entrance_cue().chord_source == "ear"
    assert conductor.moment(0.0).chord_root == -1
