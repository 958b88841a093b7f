"""A count-in knows the song's metre, by chart or style, and clicks softly between slow beats of three."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import CountIn, SetChart, SetControl, SetTempo
from gigmate.engine.timing.conductor import Conductor

from .test_stage import HZ, Script, run, sounding


@pytest.mark.parametrize(
    ("metre", "style", "tempo_bpm", "clicks", "apart_s"),
    [
        ("3/4", "rock", 150, 3, 0.4),
        ("7/8", "rock", 240, 7, 0.25),
        ("6/8", "rock", 80, 6, 0.25),
        ("6/8", "rock", 150, 2, 0.4),
        ("12/8", "rock", 60, 12, 1 / 3),
        ("", "jazz_waltz", 150, 3, 0.4),
        ("", "odd_five", 150, 5, 0.4),
    ],
)
def test_so_many_clicks_make_a_bar(
    metre: str, style: str, tempo_bpm: float, clicks: int, apart_s: float, tmp_path: Path
) -> None:
    script = Script()
    chart = [SetChart(parse_chart(f"metre: {metre}\n| C | F |"))] if metre else []
    script.commands[5] = [SetControl("style", style), SetTempo(tempo_bpm), *chart]
    script.commands[6] = [CountIn(1)]
    seconds = 1.5 + clicks * apart_s
    sound = run(tmp_path, script, Conductor(float(HZ)), seconds, start_playing=False, click_channels=(3,))
    band, click = sound[:, 0], sound[:, 1]
    starts = [a for a, _ in sounding(click)]
    assert len(starts) == clicks
    np.testing.assert_allclose(np.diff(starts), apart_s, atol=0.007)
    (stretch,) = sounding(band)
    assert stretch[0] == pytest.approx(starts[0] + clicks * apart_s, abs=0.026)
    peaks = [np.abs(click[round(a * HZ) : round((a + 0.03) * HZ)]).max() for a in starts]
    loud = [place for place, peak in enumerate(peaks) if peak > 0.6 * max(peaks)]
    assert loud == list(range(0, clicks, 3 if metre in ("6/8", "12/8") and clicks > 2 else 1))
