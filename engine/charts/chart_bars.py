"""A chart's bars and sections while they are read. Values of a reader; one thread at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from .chart_jumps import Mark
from .chart_repeats import Passage
from .chord_symbol import ChordSymbol
from .section_settings import AS_IT_IS, SectionSettings


@dataclass(eq=False, slots=True)
class Bar:
    """One bar as it is read: (beat within it, chord), how many beats it has, how long these are in quarter notes, and
    the marks of jumps on it. One thread at a time."""

    chords: tuple[tuple[float, ChordSymbol], ...]
    beats: int
    beat_quarters: float
    marks: list[Mark] = field(default_factory=list)
    section: int = -1
    """The bars of one section, played together, have the same number."""


@dataclass
class OpenSection:
    """A section that is being read. One thread at a time."""

    name: str
    passage: Passage[Bar]
    times: int = 1
    line: int = 0
    settings: SectionSettings = AS_IT_IS


@dataclass
class ReadSection:
    """A section that was read. One thread at a time."""

    name: str
    bars: list[Bar]
    """As they are played."""
    straight: list[Bar]
    """Without repeats."""
    settings: SectionSettings = AS_IT_IS


def copied(bars: list[Bar], straight: list[Bar]) -> tuple[list[Bar], list[Bar]]:
    """A section that is played again: the same bars as bars of their own, without the marks of jumps."""
    own = {id(bar): Bar(bar.chords, bar.beats, bar.beat_quarters) for bar in (*bars, *straight)}
    return [own[id(bar)] for bar in bars], [own[id(bar)] for bar in straight]
