"""From where to where a move lasts, in musical time. Values: any thread."""

from __future__ import annotations

from typing import NamedTuple

from .beat_lines import BeatLine


class Quiet(NamedTuple):
    """Any thread. Nothing is played until a beat (behind a hit), or until so many bar lines have passed (a break)."""

    until_beat: int = 0
    bar_lines: int = 0

    @property
    def is_break(self) -> bool:
        return self.bar_lines > 0

    def ends_on(self, line: BeatLine) -> bool:
        if self.is_break:
            return line.bar is not None and self.bar_lines == 1
        return line.beat >= self.until_beat


class Build(NamedTuple):
    """Any thread. Places in bars: bar 3.5 is the middle of the fourth."""

    since: float
    end_bar: int

    def share(self, bars: float) -> float:
        return min(max((bars - self.since) / max(self.end_bar - self.since, 1e-6), 0.0), 1.0)
