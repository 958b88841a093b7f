"""A chord chart: the chord and the section at each beat of a song.

Knows no notation (`chart_text` reads it), no clock and no bar of the music being played: the conductor says where in
the chart the song is, in beats from the chart's first downbeat. Frozen values, any thread.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Protocol

from ..errors import ConfigError
from .chord_symbol import (
    NO_CHORD,
    ChordSymbol,
    parse_key,
    transposed,
)
from .section_settings import AS_IT_IS, SectionSettings, by_name

_HAIR_BEATS = 1e-6
"""A position so little before a chord change counts as the change itself: sums of floats end up there."""


class ChartError(ConfigError):
    """A chart that cannot be: one line that says where and what to write instead. Any thread."""


@dataclass(frozen=True, slots=True)
class Change:
    """From `beat` on (from the chart's first downbeat), this chord. Any thread."""

    beat: float
    chord: ChordSymbol


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the chart with a name; an empty name where none was written. Any thread."""

    name: str
    start_beats: float
    bars: int
    settings: SectionSettings = AS_IT_IS
    """What it asks of the band."""


@dataclass(frozen=True, slots=True)
class MetreChange:
    """From bar `bar` on (the first is 0), so many beats a bar. Any thread."""

    bar: int
    beats_per_bar: int
    beat_quarters: float = 1.0
    """Length of these beats in quarter notes: 1.5 in 6/8, 0.5 in 7/8."""


@dataclass(frozen=True)
class Chart:
    """Chords by beat, as they are played: repeats are written out. Equal charts are equal values.

    All positions are beats, counted from 0 at the first downbeat, and of the chart's own metres. Raises ChartError from
    `__post_init__` for what cannot be. Any thread.
    """

    changes: tuple[Change, ...]
    sections: tuple[Section, ...]
    length_beats: float
    beats_per_bar: int = 4
    """Of the first bar."""
    loops: bool = True
    """Whether it goes round at its end; else it stays on its last chord, and the band ends there."""
    title: str = ""
    key: str = ""
    """As it was written ("Am"); empty where it does not say."""
    tempo_bpm: float = 0.0
    """0 where it does not say."""
    metres: tuple[MetreChange, ...] = ()
    """Where bars become longer or shorter than those before, or their beats; empty where all are equal."""
    remarks: tuple[str, ...] = field(default=(), compare=False)
    """What whoever wrote it should know: a line each, none where all is plain."""
    beat_quarters: float = 1.0
    """Length of a beat of the first bar in quarter notes: 1.5 in 6/8, where a beat is a dotted one."""
    _bar_beats: tuple[int, ...] = field(init=False, repr=False, compare=False, default=())
    _bar_starts: tuple[int, ...] = field(init=False, repr=False, compare=False, default=())
    _bar_quarters: tuple[float, ...] = field(init=False, repr=False, compare=False, default=())
    _change_beats: tuple[float, ...] = field(init=False, repr=False, compare=False, default=())
    _section_beats: tuple[float, ...] = field(init=False, repr=False, compare=False, default=())
    _chords: tuple[tuple[int, tuple[float, ...]], ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        if not self.changes or not self.sections or not self.length_beats > 0:
            raise ChartError("a chart without bars: write some, such as | Am | F | C | G |")
        if self.beats_per_bar < 1:
            raise ChartError(f"{self.beats_per_bar} beats a bar: give 1 or more")
        bar_beats = self._beats_of_bars()
        if sum(bar_beats) != self.length_beats:
            raise ChartError(f"{len(bar_beats)} bars of {sum(bar_beats)} beats in a chart of {self.length_beats:g}")
        beats = tuple(change.beat for change in self.changes)
        starts = tuple(section.start_beats for section in self.sections)
        for places in (beats, starts):
            if places[0] != 0 or places[-1] >= self.length_beats or list(places) != sorted(set(places)):
                raise ChartError("a chart's chords and sections follow one another, from beat 0 on")
        object.__setattr__(self, "_bar_beats", bar_beats)
        object.__setattr__(self, "_bar_quarters", self._quarters_of_bars())
        object.__setattr__(self, "_bar_starts", tuple(accumulate(bar_beats[:-1], initial=0)))
        object.__setattr__(self, "_change_beats", beats)
        object.__setattr__(self, "_section_beats", starts)
        object.__setattr__(self, "_chords", tuple((c.chord.root, c.chord.pitch_classes) for c in self.changes))

    def _beats_of_bars(self) -> tuple[int, ...]:
        """Beats of each bar."""
        changes, bars, ends = self.metres, self.bars, [change.bar for change in self.metres[1:]]
        spans = zip(changes, [*ends, bars], strict=True) if changes else ()
        made = [self.beats_per_bar] * (changes[0].bar if changes else bars)
        for change, end in spans:
            if change.beats_per_bar < 1 or change.bar < 1 or end <= change.bar:
                raise ChartError(
                    "a chart's metres follow one another, each with 1 beat or more, from its second bar on"
                )
            made += [change.beats_per_bar] * (end - change.bar)
        return tuple(made)

    def _quarters_of_bars(self) -> tuple[float, ...]:
        """Length of a beat of each bar."""
        made = [self.beat_quarters] * self.bars
        for change in self.metres:
            made[change.bar :] = [change.beat_quarters] * (self.bars - change.bar)
        return tuple(made)

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

    def section_of_bar(self, bar: int) -> Section:
        """The section that holds bar number `bar`, counted as `beats_of_bar` does."""
        return self.sections[self._section_index(self.beat_at_bar(bar))]

    def with_settings(self, settings: Mapping[str, SectionSettings]) -> Chart:
        """The chart with these over its own, by the names of its sections in whatever case."""
        sections = tuple(replace(one, settings=by_name(settings, one.name).over(one.settings)) for one in self.sections)
        return replace(self, sections=sections)

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

    def beats_of_bar(self, bar: int) -> int:
        """Beats of bar number `bar`, gone round or kept at the last as `place` does; before the first those of it."""
        return self._bar_beats[self._bar_index(bar)]

    def quarters_of_beat(self, bar: int) -> float:
        """Length in quarter notes of a beat of bar number `bar`, counted as `beats_of_bar` does."""
        return self._bar_quarters[self._bar_index(bar)]

    def _bar_index(self, bar: int) -> int:
        bars = len(self._bar_beats)
        return max(0, bar) % bars if self.loops else min(max(0, bar), bars - 1)

    def beat_at_bar(self, bars: float) -> float:
        """Beats from the beginning to so many bars after it, 2.5 is the middle of the third. From 0 on, without end."""
        if not self.metres:
            return max(0.0, bars * self.beats_per_bar)
        number, count = math.floor(max(0.0, bars)), len(self._bar_beats)
        rounds, bar = divmod(number, count) if self.loops else (0, min(number, count - 1))
        beats = self._bar_beats[bar]
        since = max(0.0, bars) - rounds * count - bar  # past an end without a round: more of the last bar
        return float(rounds * self.length_beats + self._bar_starts[bar] + since * beats)

    def bar_at_beat(self, beat: float) -> float:
        """The other way round: bars from the beginning to a beat, which may lie before it."""
        if not self.metres or beat < 0:
            return beat / self.beats_per_bar
        rounds = math.floor((beat + _HAIR_BEATS) / self.length_beats) if self.loops else 0
        place = max(0.0, beat - rounds * self.length_beats)
        bar = bisect_right(self._bar_starts, place + _HAIR_BEATS) - 1
        inside = max(0.0, place - self._bar_starts[bar]) / self._bar_beats[bar]
        return rounds * len(self._bar_beats) + bar + inside

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
            raise ChartError(
                f"the chart does not say its key, so it cannot be transposed to {key}: write `key: ...` in it"
            )
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


def flats_in(key: str) -> bool:
    """Whether the key's signature has flats. Raises ChordError for what is no key."""
    tonic, minor = parse_key(key)
    return ((tonic + 3) % 12 if minor else tonic) in (1, 3, 5, 8, 10)


class WrittenBar(Protocol):
    """One bar as it is played. Any thread."""

    @property
    def chords(self) -> Sequence[tuple[float, ChordSymbol]]: ...  # (beat within the bar, chord)
    @property
    def beats(self) -> int: ...
    @property
    def beat_quarters(self) -> float: ...  # length of a beat


def chart_of(
    bars: Sequence[WrittenBar],
    sections: Sequence[tuple[str, int] | tuple[str, int, SectionSettings]],
    *,
    loops: bool = True,
    title: str = "",
    key: str = "",
    tempo_bpm: float = 0.0,
    remarks: tuple[str, ...] = (),
) -> Chart:
    """A chart of bars and of sections, each (name, how many bars), or with what it asks of the band behind."""
    beats_of_bars = [bar.beats for bar in bars]
    changes: list[Change] = []
    metres: list[MetreChange] = []
    starts = list(accumulate(beats_of_bars, initial=0))
    for number, bar in enumerate(bars):
        for offset, chord in bar.chords:
            if not changes or changes[-1].chord != chord:
                changes.append(Change(float(starts[number] + offset), chord))
        before = bars[number - 1] if number else bar
        if (bar.beats, bar.beat_quarters) != (before.beats, before.beat_quarters):
            metres.append(MetreChange(number, bar.beats, bar.beat_quarters))
    if changes and changes[0].beat > 0:
        changes.insert(0, Change(0.0, NO_CHORD))
    named, first = [], 0
    for name, count, *settings in sections:
        named.append(Section(name, float(starts[first]), count, settings[0] if settings else AS_IT_IS))
        first += count
    return Chart(
        tuple(changes),
        tuple(named),
        float(starts[-1]),
        beats_of_bars[0],
        loops=loops,
        title=title,
        key=key,
        tempo_bpm=tempo_bpm,
        metres=tuple(metres),
        remarks=remarks,
        beat_quarters=bars[0].beat_quarters,
    )
