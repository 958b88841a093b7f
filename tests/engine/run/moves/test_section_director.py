"""Sections ask of the band what chart and preset say, from their bar line on, and a fill leads into each."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.charts.section_settings import settings_of
from gigmate.engine.commands import (
    Command,
    Fill,
    JumpSection,
    SetChart,
    SetControl,
    SetFeel,
    SetMute,
    SetOption,
    SetSections,
    SetSolo,
    SetTempo,
)
from gigmate.engine.timing.conductor import Conductor

from .obedient import HZ, Gig

SONG = """[Verse]
density: 0.3
mute: keys
| C | F | C | G |
[Chorus]
density: 0.9
level: +2, bass=-1
feel: half
| Am | F | C | G |
[Out]
| F | F | F | F |
"""
BAR = 4 * 24_000


def sing(text: str, seconds: float, at: dict[float, Command] | None = None, tempo_bpm: float = 120.0) -> Gig:
    gig = Gig(tempo_bpm, 4, Conductor(float(HZ), tempo_bpm, listen=False))
    gig.play(seconds, {0.0: SetChart(parse_chart(text)), **(at or {})})
    return gig


def frames_of(gig: Gig) -> tuple[np.ndarray, np.ndarray]:
    """Bars since the chart's first, at the beginning of each frame and at its end."""
    conductor = gig.worker._band.conductor
    origin = conductor._chart._origin  # type: ignore[attr-defined]

    def bars(position: float) -> float:
        point = conductor.peek(position)
        return point.bar + point.bar_phase - origin

    return np.array([bars(p) for p in gig.places]), np.array([bars(p + gig.worker.host_frame) for p in gig.places])


def test_a_section_has_its_density_level_mutes_and_feel_from_its_bar_line_on() -> None:
    gig = sing(SONG, 25.5)
    began, ended = frames_of(gig)
    told = gig.player.told
    inside = [(began > first) & (ended < first + 4) for first in (0, 4, 8)]
    assert all(mask.sum() > 150 for mask in inside)
    densities = np.array([controls.density for controls in told])
    unfilled = np.array([not controls.fill for controls in told])
    assert [set(densities[mask & unfilled]) for mask in inside] == [{0.3}, {0.9}, {0.5}]
    levels = np.array([[part.level_db for part in controls.hand.parts] for controls in told])
    assert (levels[inside[0]] == 0).all() and (levels[inside[1]] == (2, 1, 2)).all() and (levels[inside[2]] == 0).all()
    tempi = np.array([moment.tempo_bpm for moment in gig.player.moments])
    assert set(tempi[inside[0]]) == {120.0} and set(tempi[inside[1] & unfilled]) == {60.0}
    assert set(tempi[inside[2]]) == {120.0}
    lines = [gig.places[int(np.flatnonzero(began > first)[0])] for first in (0, 4, 8)]
    first, second = (round(place / BAR) * BAR for place in lines[:2])
    assert not gig.onsets(first + 1, second - 960, part=2), "muted keys write nothing"
    back = [place for _, place in gig.onsets(second - 2000, second + 2000, part=2)]
    assert back and abs(back[0] - second) < 500, "and are back on the line"
    muted = {status.muted for status in gig.statuses if status.section == "Verse"}  # type: ignore[attr-defined]
    assert (False, False, True) in muted


def test_what_the_musician_changes_counts_until_the_next_section() -> None:
    gig = sing(SONG, 25.5, {4.0: SetControl("density", 0.7), 5.0: SetMute("keys")})
    began, ended = frames_of(gig)
    densities = np.array([controls.density for controls in gig.player.told])
    unfilled = np.array([not controls.fill for controls in gig.player.told])
    late = (began > 2.9) & (ended < 4) & unfilled
    assert set(densities[late]) == {0.7}
    assert set(densities[(began > 4) & (ended < 8) & unfilled]) == {0.9}
    assert gig.onsets(5.5 * HZ, 7.5 * HZ, part=2), "the keys were let in"
    muted = [status.muted for status in gig.statuses[100:150:5]]  # type: ignore[attr-defined]
    assert (muted[0][2], muted[-1][2]) == (True, False)


def test_a_preset_says_it_for_sections_whose_chart_does_not() -> None:
    of_preset = SetSections((("verse", settings_of({"density": 1.0, "style": "funk"})),))
    gig = sing(SONG, 7.5, {-1.0: of_preset})
    began, ended = frames_of(gig)
    told = [c for c, a, b in zip(gig.player.told, began, ended, strict=True) if a > 0 and b < 4 and not c.fill]
    assert {(c.density, c.style) for c in told} == {(0.3, "funk")}


@pytest.mark.parametrize("fills", ["auto", "ask", "never"])
def test_a_fill_leads_into_the_next_section_by_itself_unless_told_otherwise(fills: str) -> None:
    gig = sing("[A] | C | F | C | G |\n[B] | Am | F | C | G |", 24.0, {0.01: SetOption("fills", fills)})
    began, _ = frames_of(gig)
    filled = np.array([controls.fill > 0 for controls in gig.player.told]) & (began > 0)
    assert gig.worker.status.fills == fills
    if fills != "auto":
        assert not filled.any()
        return
    places = np.round(began[filled] % 4, 2)
    assert places.min() == pytest.approx(3.5, abs=0.05), "half a bar"
    edges = np.flatnonzero(np.diff(filled.astype(int)) == 1)
    assert len(edges) in (2, 3), "one for each section"
    gig.play(1.0)


def test_where_fills_are_never_played_one_that_is_asked_for_is_answered() -> None:
    gig = sing("[A] | C | F |", 4.0, {1.0: SetOption("fills", "never"), 2.0: Fill(), 2.5: SetOption("fills", "often")})
    assert not any(controls.fill for controls in gig.player.told)
    assert gig.driven.fault_log.counts()["command"] == 2


def test_no_fill_comes_by_itself_over_a_solo() -> None:
    gig = sing("[A] | C | F | C | G |\n[B] | Am | F | C | G |", 18.0, {1.0: SetSolo()})
    assert not any(controls.fill for controls in gig.player.told)


def test_a_jump_has_the_section_that_was_jumped_to() -> None:
    gig = sing(SONG, 9.5, {4.5: JumpSection("Chorus")})
    densities = [controls.density for controls in gig.player.told]
    assert densities[-1] == 0.9 and gig.worker.status.section == "Chorus"
    assert gig.player.moments[-1].tempo_bpm == 60.0


def test_sections_have_the_pattern_and_the_density_of_their_kind() -> None:
    gig = sing("[Verse 1] | C | F |\n[Chorus] | Am | G |\n[B] | C | C |\n[Chorus] | F | F |", 15.5)
    _, bars = frames_of(gig)
    told = {
        int(bar // 2): (c.pattern, round(c.density, 2))
        for bar, c in zip(bars, gig.player.told, strict=True)
        if bar % 2.0 < 1.0
    }
    assert [told[k] for k in range(4)] == [("verse", 0.45), ("chorus", 0.7), ("B", 0.5), ("chorus", 0.7)]


def test_a_density_set_by_hand_stays_in_a_section_that_says_none() -> None:
    gig = sing("[Verse] | C | F | C | F |", 6.0, {3.0: SetControl("density", 0.9)})
    assert gig.player.told[-1].density == 0.9
    assert gig.player.told[40].density == 0.45


def test_a_feel_of_the_musician_stays_through_sections_that_say_none() -> None:
    gig = sing(
        "[A] | C | F | C | G |\n[B] | Am | F | C | G |", 13.0, {1.0: SetFeel(2.0), 1.1: SetOption("fills", "ask")}
    )
    assert {moment.tempo_bpm for moment in gig.player.moments[-150:]} == {240.0}


@pytest.mark.parametrize("tonight", [1.0, 1.05])
def test_a_section_has_its_tempo_and_what_is_faster_tonight_stays_faster(tonight: float) -> None:
    chart = "tempo: 120\n[A]\n| C | F |\n[B]\ntempo: 90\n| C | F |\n[C]\ntempo: 100\n| C | F |\n[D]\n| C |"
    changes = {-1.0: SetOption("fills", "ask"), 0.5: SetTempo(120.0 * tonight)}
    gig = sing(chart, 17.0, changes)
    began, _ = frames_of(gig)
    tempi = np.array([moment.tempo_bpm for moment in gig.player.moments])
    for first, last, bpm in ((1, 2, 120), (2, 4, 90), (4, 6, 100), (6, 7, 100)):
        inside = (began > first + 0.1) & (began < last - 0.05)
        assert inside.any() and tempi[inside] == pytest.approx(bpm * tonight)
