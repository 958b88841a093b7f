"""A song that is heard from its beginning to its end: the chart of it, its form found by what repeats.

Knows the time by a conductor of its own. One thread at a time.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..charts.chart import Chart
from ..commands import SetControl
from ..harmony.chord_settings import ChordSettings
from ..player import Harmonist, Heard
from ..timing.conductor import Conductor
from .beat_count import BeatCount
from .chord_decoding import decoded
from .heard_beats import HeardBeat, HeardBeats
from .learnt_chart import section_name, song_chart
from .learnt_section import LearntSection

_BLOCKS_BARS = (8, 4)
_ALIKE = 0.75
"""Share of beats with the same chords, for a block to be one that was there before."""
_PLAYS = 0.35
_EARLY_BEATS = 0.5
"""The first bar is one that begins at most so much before the first note."""
_LEAST_BEATS = 16
_MOST_BEATS = 20_000


class WholeSong:
    """Frames in, a chart out. One thread at a time."""

    def __init__(self, rate_hz: float, harmonist: Harmonist | None, style: str = "") -> None:
        self._rate_hz, self._harmonist = rate_hz, harmonist
        self._conductor = Conductor(rate_hz, harmonist=harmonist)
        if style:
            self._conductor.obey(SetControl("style", style), 0.0)
        self._count = BeatCount(self._conductor, rate_hz, _MOST_BEATS)
        self._frames: list[tuple[Heard, float, float]] = []
        self._metres: dict[int, float] = {}  # how sure each was, over all beats

    def hear(self, heard: Heard, end_position: float, frame_samples: float) -> None:
        """The next frame."""
        self._conductor.hear(heard, end_position, frame_samples)
        self._conductor.moment(end_position)
        self._frames.append((heard, end_position, frame_samples))
        if self._count.hear(end_position):
            metre = self._conductor.peek(end_position).beats_per_bar
            self._metres[metre] = self._metres.get(metre, 0.0) + self._conductor.bar_confidence

    def chart(self, title: str = "") -> Chart | None:
        """The song; None where too little of a beat was found."""
        if self._count.told < _LEAST_BEATS or not self._metres:
            return None
        self._count.start()
        point = self._conductor.peek(self._count.now)
        metre = max(self._metres, key=lambda metre: self._metres[metre])
        self._count.song_metre = metre
        line = (self._count.bar_beat() if point.beats_per_bar == metre else 0) % metre
        began = next((end - samples for heard, end, samples in self._frames if heard.activity > _PLAYS), 0.0)
        first = line + math.ceil((self._count.grid.beat_at(began) - line - _EARLY_BEATS) / metre) * metre
        beats = self._read(first, metre)
        whole = len(beats) // metre * metre
        if whole < _LEAST_BEATS:
            return None
        said = np.stack([beat.chords for beat in beats[:whole]])
        sections, form = _sections(beats[:whole], decoded(said, metre).chords, metre)
        return song_chart(sections, form, tempo_bpm=self._count.tempo_bpm, title=title)

    def _read(self, first: int, metre: int) -> list[HeardBeat]:
        """All beats from that one on, up to the last in which somebody plays."""
        heard = HeardBeats(ChordSettings(), self._rate_hz, self._harmonist, self._count)
        heard.begin(first)
        heard.bar_line, heard.metre = first, metre
        beats: list[HeardBeat] = []
        for frame, end, samples in self._frames:
            heard.frames.hear(frame, end, samples)
            heard.read(end, 64)
            beats += heard.beats(first + len(beats), heard.read_until - first - len(beats))
        while beats and beats[-1].trust < 0.3:
            beats.pop()
        return beats


def _sections(beats: list[HeardBeat], chords: NDArray[np.int64], metre: int) -> tuple[list[LearntSection], list[int]]:
    """Blocks of bars that repeat become sections; what is left over at the end is one of its own."""
    best: tuple[float, list[LearntSection], list[int]] | None = None
    for bars in _BLOCKS_BARS:
        sections: list[LearntSection] = []
        form: list[int] = []
        size = bars * metre
        for begin in range(0, len(chords), size):
            own = chords[begin : begin + size]
            alike = [(section.agreement(own), n) for n, section in enumerate(sections)]
            share, place = max(alike, default=(0.0, -1))
            if share < _ALIKE:
                place = len(sections)
                section = LearntSection(section_name([one.name for one in sections]), metre, len(own))
                sections.append(section)
            sections[place].add(beats[begin : begin + len(own)])
            sections[place].decide()
            form.append(place)
        new = sum(section.length for section in sections) / len(chords)
        if best is None or new < best[0] - 0.1:
            best = new, sections, form
    assert best is not None
    return best[1], best[2]
