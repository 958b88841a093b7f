"""A chord that is put right: where its section is played, as long as it lasts, and taken back."""

from __future__ import annotations

import pytest
from gigmate.engine.charts.chart import ChartError
from gigmate.engine.charts.chart_edit import with_chord
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.charts.chart_position import ChartPosition
from gigmate.engine.charts.chord_plan import ChordPlan
from gigmate.engine.charts.chord_symbol import parse_chord
from gigmate.engine.commands import ReplaceChord, UndoChord
from gigmate.engine.errors import ConfigError
from gigmate.engine.position import Point

CHART = parse_chart("[Verse]\n| Am | F . G . |\n[Chorus]\n| C | C |\n[Verse]", "chart")


def at(beat: float) -> Point:
    return Point(beat * 100.0, beat, 4.0 * (beat // 4), int(beat // 4), 4)


def test_every_verse_has_it_and_the_next_chord_stays() -> None:
    chart = with_chord(CHART, 2, 1, parse_chord("Dm7"))
    assert [chart.symbol_at(beat) for beat in (0.0, 4.0, 6.0, 8.0, 16.0, 20.0, 22.0)] == [
        "Am", "Dm7", "G", "C", "Am", "Dm7", "G",
    ]  # fmt: skip
    assert with_chord(CHART, 3, 3, parse_chord("E7")).symbol_at(12.0) == "C"
    with pytest.raises(ChartError, match="no bar 7"):
        with_chord(CHART, 7, 1, parse_chord("C"))
    with pytest.raises(ChartError, match="beat 5"):
        with_chord(CHART, 1, 5, parse_chord("C"))


def test_the_plan_shows_the_bars_to_come_and_takes_corrections_back() -> None:
    position = ChartPosition()
    plan = ChordPlan(position)
    position.lie(CHART, 2, stays=False)
    assert plan.bars(at(12.5), 3, lambda beat: "") == ("2: F . G .", "3: C . . .", "4: C . . .")
    plan.obey(ReplaceChord(2, "Bb", 3))
    assert plan.bars(at(12.5), 1, lambda beat: "") == ("2: F . Bb .",)
    plan.obey(UndoChord())
    assert plan.bars(at(12.5), 1, lambda beat: "") == ("2: F . G .",)
    with pytest.raises(ConfigError, match="nothing to take back"):
        plan.obey(UndoChord())


def test_without_a_chart_what_is_foretold_is_put_right_in_that_bar_and_in_its_rounds() -> None:
    plan = ChordPlan(ChartPosition())
    assert plan.bars(at(4.0), 2, lambda beat: "Am" if beat < 8 else "F") == ("2: Am . . .", "3: F . . .")
    plan.obey(ReplaceChord(3, "Dm", 3))
    assert plan.bars(at(4.0), 2, lambda beat: "F") == ("2: F . . .", "3: F . Dm .")
    dm = parse_chord("Dm")
    assert [plan.heard_at(bar, 2.5, 4) for bar in (2, 3, 6)] == [dm, None, dm]
    assert plan.heard_at(6, 2.5, 0) is None and plan.heard_at(2, 1.0, 4) is None
