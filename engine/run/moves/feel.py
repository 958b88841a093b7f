"""Half-time and double-time feel: the band is told another time than the bars have, which stay as they are.

In half-time feel a pattern of one bar fills two, in double time two patterns fill one, in any metre. Pure, any thread.
"""

from __future__ import annotations

import dataclasses

from ...player import Moment
from ...position import Point


def felt(moment: Moment, point: Point, factor: float, since_bar: int) -> Moment:
    """The moment at `point` for a band that counts `factor` times as fast since the downbeat of bar `since_bar`."""
    bars = (point.bar - since_bar + point.bar_phase) * factor
    bar_phase = bars % 1.0
    beat_phase = (bar_phase * moment.beats_per_bar) % 1.0
    return dataclasses.replace(moment, beat_phase=beat_phase, bar_phase=bar_phase, tempo_bpm=moment.tempo_bpm * factor)
