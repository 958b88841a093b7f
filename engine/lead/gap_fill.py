"""The notes of a fill in the lead's gap: strokes of snare and toms on the grid, up to the bar line, and the landing.

Pure functions of musical time. Any thread.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..position import Point

_PATTERNS = ("1111", "1011", "1110", "1101")
"""Which sixteenths of a beat are struck; another one in each bar."""
FAST_BPM = 150.0
"""From here on only eighths are."""
LANDING = ("kick", "crash")


class Stroke(NamedTuple):
    """What the drums strike in a frame. Any thread."""

    at: float
    """Share of the frame."""
    voices: tuple[str, ...]


def fill_stroke(here: Point, there: Point, from_beat: float, until_beat: float, bpm: float) -> Stroke | None:
    """The stroke of a fill between two absolute beats that falls between two points; None where none does."""
    each = 2 if bpm > FAST_BPM else 4
    if here.beat_quarters == 1.5:
        each = 3 if bpm > FAST_BPM / 2 else 6
    step = math.ceil(here.beat * each - 1e-6)
    beat = step / each
    if not here.beat <= beat + 1e-6 < there.beat or beat < from_beat or beat >= until_beat - 1e-6:
        return None
    pattern = _PATTERNS[(here.bar + step // each) % len(_PATTERNS)] if each == 4 else "1" * each
    if pattern[step % each] == "0":
        return None
    share = (beat - from_beat) / max(until_beat - from_beat, 1e-6)
    return Stroke(
        min(max((beat - here.beat) / (there.beat - here.beat), 0.0), 0.999), ("snare",) if share < 0.5 else ("tom",)
    )


def landing(here: Point, there: Point, beat: float) -> Stroke | None:
    """Kick and crash on that beat, if it falls between two points."""
    if not here.beat <= beat + 1e-6 < there.beat:
        return None
    return Stroke(min(max((beat - here.beat) / (there.beat - here.beat), 0.0), 0.999), LANDING)
