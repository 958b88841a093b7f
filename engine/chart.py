"""A chord chart: which chord and which section stand at any beat of a song.

Knows no notation (`chart_text` reads it), no clock and no bar of the music being played: the conductor says where in
the chart the song is, in beats from the chart's first downbeat. Frozen values, any thread.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .chord_symbol import NO_CHORD, ChordSymbol, parse_key, transposed
from .config import ConfigError

_HAIR_BEATS = 1e-6
"""A position so little before a chord change counts as the change itself: sums of floats end up there."""


class ChartError(ConfigError):
    """A chart that cannot be: one line that says where and what to write instead."""


@dataclass(frozen=True, slots=True)
class Change:
    """From `beat` on (from the chart's first downbeat), this chord."""

    beat: float
    chord: ChordSymbol


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the chart with a name; an empty name where none was written."""

    name: str
    start_beats: float
    bars: int


@dataclass(frozen=True)
class Chart:
    """Chords by beat, as they are played: repeats are written out. Equal charts are equal values.

    All positions are beats, counted from 0 at the first downbeat, and of the chart's own metre. Raises ChartError from
    `__post_init__` for what cannot be.
    """

    changes: tuple[Change, ...]
    sections: tuple[Section, ...]
    length_beats: float
    beats_per_bar: int = 4
    loops: bool = True
    """Whether it goes round at its end; else it stays on its last chord, and the band ends there."""
    title: str = ""
    key: str = ""
    """As it was written ("Am"); empty where it does not say."""
    tempo_bpm: float = 0.0
    """0 where it does not say."""
    _change_beats: tuple[float, ...] = field(init=False, repr=False, compare=False, default=())
    _section_beats: tuple[float, ...] = field(init=False, repr=False, compare=False, default=())
    _chords: tuple[tuple[int, tuple[float, ...]], ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        if not self.changes or not self.sections or not self.length_beats > 0:
            raise ChartError("a chart without a bar: write some, such as | Am | F | C | G |")
        if self.beats_per_bar < 1:
            raise ChartError(f"{self.beats_per_bar} beats a bar: give 1 or more")
        beats = tuple(change.beat for change in self.changes)
        starts = tuple(section.start_beats for section in self.sections)
        for places in (beats, starts):
            if places[0] != 0 or places[-1] >= self.length_beats or list(places) != sorted(set(places)):
                raise ChartError("a chart's chords and sections follow one another, from beat 0 on")
        object.__setattr__(self, "_change_beats", beats)
        object.__setattr__(self, "_section_beats", starts)
        object.__setattr__(self, "_chords", tuple((c.chord.root, c.chord.pitch_classes) for c in self.changes))

    @property
    def bars(self) -> int:
        """How many it has, played once."""
        return sum(section.bars for section in self.sections)

    @property
    def section_names(self) -> tuple[str, ...]:
        """Each name once, in the order of the chart."""
        return tuple(dict.fromkeys(section.name for section in self.sections if section.name))

    def chord_at(self, beat: float) -> tuple[int, tuple[float, ...]]:
        """Root (0 is C; -1 where there is no chord) and the 12 pitch classes, C first, each 0 or 1."""
        return self._chords[self._change_index(beat)]

    def symbol_at(self, beat: float) -> str:
        """The chord's name as it was written ("Am7/G")."""
        return self.changes[self._change_index(beat)].chord.name

    def chord_symbol_at(self, beat: float) -> ChordSymbol:
        """The chord with its name and its bass."""
        return self.changes[self._change_index(beat)].chord

    def section_at(self, beat: float) -> str:
        """Name of the section; empty where it has none."""
        return self.sections[self._section_index(beat)].name

    def section_start(self, name: str, after_beats: float = 0.0) -> float | None:
        """Where the section begins: the next one of that name from `after_beats` on, else the first; None for none.

        Upper and lower case are the same.
        """
        starts = [section.start_beats for section in self.sections if section.name.lower() == name.lower()]
        if not starts:
            return None
        place = self.place(after_beats)
        return next((start for start in starts if start >= place - _HAIR_BEATS), starts[0])

    def next_section(self, beat: float) -> tuple[str, float] | None:
        """Name and start of the section after the one at `beat`; past the last the first, or None if it ends there."""
        index = self._section_index(beat) + 1
        if index == len(self.sections):
            if not self.loops:
                return None
            index = 0
        return self.sections[index].name, self.sections[index].start_beats

    def place(self, beat: float) -> float:
        """A position in [0, length_beats): gone round, or kept at the end. Before the beginning it is 0."""
        if beat <= 0 or not math.isfinite(beat):
            return 0.0
        if self.loops:
            place = (beat + _HAIR_BEATS) % self.length_beats
            return max(0.0, place - _HAIR_BEATS)
        return min(beat, math.nextafter(self.length_beats, 0.0))

    def over(self, beat: float) -> bool:
        """Whether a chart that does not go round has come to its end."""
        return not self.loops and beat >= self.length_beats - _HAIR_BEATS

    def transposed(self, semitones: int, key: str = "") -> Chart:
        """So many semitones higher; `key` is what it is then called, and says whether flats or sharps are written."""
        if semitones % 12 == 0:
            return self if not key else replace(self, key=key)
        flats = writes_flats(key) if key else True
        changes = tuple(replace(c, chord=transposed(c.chord, semitones, flats)) for c in self.changes)
        return replace(self, changes=changes, key=key)

    def in_key(self, key: str) -> Chart:
        """Moved to that key, the nearer way. Raises ChartError where the chart does not say in which one it is."""
        if not self.key:
            raise ChartError(f"the chart does not say its key, so it cannot be moved to {key}: write `key: ...` in it")
        tonic, minor = parse_key(key)
        own_tonic, own_minor = parse_key(self.key)
        if minor != own_minor:
            tonic = (tonic + (3 if minor else -3)) % 12  # the relative key: it has the same notes
        steps = (tonic - own_tonic) % 12
        return self.transposed(steps - 12 if steps > 6 else steps, key)

    def _change_index(self, beat: float) -> int:
        return bisect_right(self._change_beats, self.place(beat) + _HAIR_BEATS) - 1

    def _section_index(self, beat: float) -> int:
        return bisect_right(self._section_beats, self.place(beat) + _HAIR_BEATS) - 1


def writes_flats(key: str) -> bool:
    """Whether that key is written with flats; C and A minor are, too. Raises ChordError for what is no key."""
    tonic, minor = parse_key(key)
    if key.strip()[1:2] in ("b", "♭"):
        return True
    major = (tonic + 3) % 12 if minor else tonic
    return major in (0, 1, 3, 5, 8, 10) and key.strip()[1:2] not in ("#", "♯")


def chart_of(
    bars: Sequence[Sequence[tuple[float, ChordSymbol]]],
    sections: Sequence[tuple[str, int]],
    beats_per_bar: int,
    *,
    loops: bool = True,
    title: str = "",
    key: str = "",
    tempo_bpm: float = 0.0,
) -> Chart:
    """A chart of bars, each a list of (beat within the bar, chord), and of sections, each (name, how many bars)."""
    changes: list[Change] = []
    for number, bar in enumerate(bars):
        for offset, chord in bar:
            if not changes or changes[-1].chord != chord:
                changes.append(Change(float(number * beats_per_bar + offset), chord))
    if changes and changes[0].beat > 0:
        changes.insert(0, Change(0.0, NO_CHORD))
    named, start = [], 0
    for name, count in sections:
        named.append(Section(name, float(start * beats_per_bar), count))
        start += count
    return Chart(
        tuple(changes),
        tuple(named),
        float(len(bars) * beats_per_bar),
        beats_per_bar,
        loops=loops,
        title=title,
        key=key,
        tempo_bpm=tempo_bpm,
    )
