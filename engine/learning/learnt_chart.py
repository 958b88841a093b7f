"""Sections and their order as a chart of our notation. Pure functions, any thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..charts.chart import Chart, chart_of
from ..charts.chord_symbol import ChordSymbol
from .learnt_section import LearntSection, has_flats, key_name, key_of

_NAMES = ("Verse", "Chorus", "Bridge")
_LOWEST_BPM, _HIGHEST_BPM = 30.0, 300.0


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar as it is played. Any thread."""

    chords: tuple[tuple[float, ChordSymbol], ...]
    beats: int
    beat_quarters: float = 1.0


@dataclass(frozen=True, slots=True)
class LearntSong:
    """A song as it is known by now. Any thread."""

    chart: Chart
    name: str = ""
    """As it was called; empty: not yet."""
    version: int = 0
    """Grows with each change."""
    finished: bool = False
    """Whether nothing more will come to it."""
    in_set: bool = False
    """Whether it is to be added to the set list."""
    notes: tuple[str, ...] = ()
    """What is known beside the chords: a line each."""


def section_name(taken: Sequence[str]) -> str:
    """A name for another section."""
    for name in _NAMES:
        if name not in taken:
            return name
    number = len(_NAMES) + 1
    while f"Part {number}" in taken:
        number += 1
    return f"Part {number}"


def round_chart(section: LearntSection, key: int) -> Chart:
    """One section, over and over."""
    bars = _bars(section, has_flats(key))
    return chart_of(bars, [(section.name, len(bars))], key=key_name(key))


def song_chart(
    sections: Sequence[LearntSection], form: Sequence[int], *, tempo_bpm: float = 0.0, title: str = ""
) -> Chart:
    """All sections in the order of the form, given as places among `sections`."""
    key = key_of(sections)
    written = [_bars(section, has_flats(key)) for section in sections]
    bars = [bar for place in form for bar in written[place]]
    tempo_bpm = round(tempo_bpm, 1) if _LOWEST_BPM <= tempo_bpm <= _HIGHEST_BPM else 0.0
    named = [(sections[place].name, len(written[place])) for place in form]
    return chart_of(bars, named, key=key_name(key), tempo_bpm=tempo_bpm, title=title)


def dynamics(sections: Sequence[LearntSection]) -> tuple[str, ...]:
    """How loud each section was played beside the loudest: a line each; none for a single one."""
    if len(sections) < 2:
        return ()
    loudest = max(section.level_db for section in sections)
    return tuple(f"{section.name}: {section.level_db - loudest:+.0f} dB as you played it" for section in sections)


def _bars(section: LearntSection, flats: bool) -> list[_Bar]:
    symbols = section.symbols(flats)
    bars = []
    for bar in range(section.bars):
        beats = symbols[bar * section.metre : (bar + 1) * section.metre]
        chords = [(float(n), one) for n, one in enumerate(beats) if n == 0 or one != beats[n - 1]]
        bars.append(_Bar(tuple(chords), section.metre))
    return bars
