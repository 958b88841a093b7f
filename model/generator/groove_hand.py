"""Keeps the groove: leads the draws by bars of the style, and by the band's own bars where no style is known.

A generator that takes only its own past for a model wanders: no bar is like the one before it. Here each part has a
phrase of eight bars (groove_table.py): two bars, varied in the fourth and the eighth. The draws are led by it as
log-biases: where a note or hit belongs it is likelier, elsewhere it is less likely, and what is struck, which degree of
the chord the bass plays, how loud and how long, leans toward the pattern. The generator still draws: it leaves out
and varies, more so at the end of the fourth and eighth bar. Each kind of section has a pattern of its own, and its
phrase begins with it. Where the table knows nothing of a style or metre, the band's own bars of two bars ago are the
pattern. Knows no weights. Inference thread only.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import bass_roles
from .groove_table import CELL_BARS, DENSITIES, KINDS, CellEvent, GrooveTable, Ints
from .note_hand import NoteHand, Place
from .score_tokens import (
    AGE_LIMITS_FRAMES,
    DRUM_VOICES,
    FIRST_NOTE,
    LOUDNESS,
    LOUDNESS_CLASSES,
    LOWEST_NOTE,
    ONSET_QUARTERS,
    SLOT_ENTRIES,
    STATE,
    is_onset,
)
from .steering_tables import DENSITY_OCTAVES
from .style_statistics import typical_density

FloatArray = NDArray[np.float32]

HERE_NATS, QUARTER_NATS, ELSEWHERE_NATS = 5.0, 1.5, 4.0
"""By which a beginning is likelier where the pattern has one, in its very quarter on top, and less likely elsewhere."""
VOICE_NATS, _COMMON = 1.5, ("closed_hat", "cymbal")
"""For each drum that the set has too many or too few; those that are not struck all the time anyway count double."""
DEGREE_NATS, OCTAVE_NATS, LOUDNESS_NATS = 4.0, 1.5, 0.4
"""For the bass note that the pattern has, in any octave; for the very octave on top; for each class of loudness away
from the pattern's."""
ONE_NOTE_NATS = 3.0
"""Toward one key at a time where the pattern breaks the chord, and toward chords where it strikes them."""
LENGTH_NATS = 2.5
"""Toward sounding on while the pattern's note lasts, and toward silence after it."""
UNTAUGHT = 2.0
"""How much more so in a style that the network takes for another: there the pattern is all that tells it."""
FREE_SHARES = {3: (1.0, 0.8), 7: (2.0, 0.6)}
"""In the fourth and eighth bar, which the pattern varies itself: of so many last beats, what is left of the lead."""
_PLACES = {
    "": (0, 0),
    "intro": (0, 0),
    "verse": (0, 0),
    "chorus": (0, 1),
    "ending": (0, 1),
    "bridge": (0, 2),
    "solo": (1, 2),
}
"""Which choice beside the run's own, and which of KINDS, a section of that kind has."""
NEW_LEVEL = 0.12
"""The density must pass the middle between two of the table by so much before the busier or thinner pattern is taken:
no flutter."""

_BEGINS = slice(1, 1 + ONSET_QUARTERS)
_SOUNDS_ON = slice(1 + ONSET_QUARTERS, 2 + ONSET_QUARTERS + len(AGE_LIMITS_FRAMES))


def _voice_table() -> FloatArray:
    """[wanted set, drawn set]: nats for the drums that differ."""
    weights = np.array([1.0 if name in _COMMON else 2.0 for name in DRUM_VOICES], np.float32)
    sets = np.arange(SLOT_ENTRIES)
    differ = ((sets[:, None] ^ sets[None, :])[..., None] >> np.arange(len(DRUM_VOICES))) & 1
    return np.asarray(-VOICE_NATS * (differ @ weights), np.float32)


_VOICES = _voice_table()
_CLASSES = np.arange(LOUDNESS_CLASSES + 1, dtype=np.float32)
_CLASS_OFF = np.abs(_CLASSES[:, None] - _CLASSES[None, :])


class GrooveAsked(NamedTuple):
    """What the groove is to be. Any thread."""

    style: str
    pattern: str
    """What kind of section it is (`verse`, `chorus`, `bridge`, `solo`, `intro`, `ending`), another name of a section,
    or empty."""
    density: float
    root: int
    """Of the chord, -1 if none is known."""
    strength: float = 1.0
    classes: tuple[float, ...] = (0.0,) * 12
    """How likely each pitch class is in the chord, C first."""
    next_root: int = -1
    """Of the chord a beat later; -1 if nobody knows."""
    steered_as: str = ""
    """The style that the network is told, by which it owes notes; empty: the same."""
    bass: int = -1
    """Of a slash chord; -1: the root."""


@dataclass(slots=True)
class _Pattern:
    """What leads one part: events in order of time, over so many beats."""

    events: Sequence[CellEvent] = ()
    beats: int = 0
    rate: float = 0.0
    """Beginnings a beat."""
    starts: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.starts = [event.beat for event in self.events]


class GrooveHand:
    """One band's groove. Inference thread only."""

    def __init__(self, parts: Sequence[str], table: GrooveTable | None) -> None:
        """`table` None: the band's own bars alone."""
        self._names, self._table = tuple(parts), table
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Nothing was played; `seed` says which of a style's patterns it will be."""
        self._seed = seed
        self._bar, self._at, self._led_in = 0, 0.0, False
        self._key: tuple[str, int, str] | None = None
        self._names_met: list[str] = []
        self._rows: Ints = np.zeros((0, len(KINDS), len(DENSITIES)), np.intp)
        self._row: Ints = np.zeros(len(DENSITIES), np.intp)
        self._level, self._tempo_bpm = 1, 0.0
        self._patterns = [_Pattern() for _ in self._names]
        self._played: deque[list[list[CellEvent]]] = deque(maxlen=2 * CELL_BARS + 1)
        self._begin_bar()

    def _begin_bar(self) -> None:
        self._played.append([[] for _ in self._names])

    def lay(self, place: Place, asked: GrooveAsked, free: Sequence[bool], to: NoteHand) -> None:
        """Add what leads the frame at `place` to `to`, in place; `free` says which parts are let alone (a fill, a
        command)."""
        self._follow(place)
        self._choose(place, asked)
        strength = asked.strength
        if asked.steered_as not in ("", asked.style) and len(self._rows):
            strength *= UNTAUGHT
        since_groove = (self._bar * place.beats_per_bar) + place.bar_beat
        for row in range(min(len(self._names), len(to.bias))):
            lead = self._patterns[row]
            if free[row] or not lead.beats or asked.strength <= 0.0:
                continue
            share = strength * self._share(place)
            self._lead(row, lead, since_groove % lead.beats, place, asked, share, to.bias[row])
            if len(self._rows) and to.busier[row] == 0.0:
                usual = typical_density(asked.steered_as or asked.style, self._names[row])[0]
                level = DENSITIES[self._level]
                octaves = math.log2(max(lead.rate, 0.05) / usual) / DENSITY_OCTAVES
                to.busier[row] = np.clip(octaves + 0.5 - level, -0.6, 0.6)

    def _follow(self, place: Place) -> None:
        """Count bars: a new one begins where the place in it falls back. One whose end alone was played is none."""
        if place.bar_beat < self._at - 0.5 * place.beats_per_bar:
            self._bar += not self._led_in
            self._led_in = False
            self._begin_bar()
        self._at = place.bar_beat

    def _share(self, place: Place) -> float:
        """What is left of the lead here: drummers vary at the end of every fourth and eighth bar."""
        last_beats, share = FREE_SHARES.get(self._bar % 8, (0.0, 1.0))
        return share if place.beats_per_bar - place.bar_beat <= last_beats else 1.0

    def _choose(self, place: Place, asked: GrooveAsked) -> None:
        key = (asked.style, place.beats_per_bar, asked.pattern)
        far = abs(math.log(max(place.tempo_bpm, 1.0) / max(self._tempo_bpm, 1.0))) > 0.06
        if key != self._key or far:
            table = self._table
            self._rows = self._rows[:0] if table is None else table.rows(asked.style, place.beats_per_bar)
            if key != self._key and (self._bar or self._key is None):
                self._bar = 0  # the phrase begins with its section, whose pattern may be told a frame before it
                self._led_in = place.bar_beat > 0.5 * place.beats_per_bar
            self._tempo_bpm, self._key, self._level = place.tempo_bpm, key, -1
            if len(self._rows):
                beside, kind = self._place_of(asked.pattern)
                self._row = self._rows[(self._seed + beside) % len(self._rows), kind]
        if len(self._rows):
            level = self._level_of(asked.density)
            if level != self._level and self._table is not None:
                self._level = level
                cell = self._table.cell(int(self._row[level]), place.tempo_bpm)
                self._patterns = [_Pattern(own, cell.beats, len(own) / cell.beats) for own in cell.parts]
        elif len(self._played) > CELL_BARS and place.bar_beat < place.beats:
            kept = self._played[-1 - CELL_BARS]
            self._patterns = [
                _Pattern(sorted(own), place.beats_per_bar, len(own) / place.beats_per_bar) for own in kept
            ]

    def _place_of(self, pattern: str) -> tuple[int, int]:
        """Which choice beside the run's own, and which kind. Names that say no kind have them in order of coming."""
        if pattern in _PLACES:
            return _PLACES[pattern]
        if pattern not in self._names_met:
            self._names_met.append(pattern)
        beside, kind = divmod(self._names_met.index(pattern), len(KINDS))
        return beside, kind

    def _level_of(self, density: float) -> int:
        nearest = min(range(len(DENSITIES)), key=lambda k: abs(DENSITIES[k] - density))
        if self._level < 0 or nearest == self._level:
            return nearest
        middle = 0.5 * (DENSITIES[nearest] + DENSITIES[self._level])
        return nearest if abs(density - middle) > NEW_LEVEL / 2 else self._level

    def _lead(
        self, row: int, lead: _Pattern, at: float, place: Place, asked: GrooveAsked, share: float, bias: FloatArray
    ) -> None:
        """Nats for one part, whose pattern stands at `at`."""
        event, offset = _next(lead, at, place.beats)
        drums = self._names[row] == "drums"
        if event is None:
            bias[STATE, _BEGINS] -= share * ELSEWHERE_NATS
            if not drums:
                sounds = _sounds(lead, at + 0.5 * place.beats)
                bias[STATE, 0] += share * (-LENGTH_NATS if sounds else LENGTH_NATS)
            return
        quarter = min(ONSET_QUARTERS - 1, int(offset / place.beats * ONSET_QUARTERS))
        bias[STATE, _BEGINS] += share * HERE_NATS
        bias[STATE, 1 + quarter] += share * QUARTER_NATS
        bias[LOUDNESS, : LOUDNESS_CLASSES + 1] -= share * LOUDNESS_NATS * _CLASS_OFF[event.loudness]
        if drums:
            bias[FIRST_NOTE] += share * _VOICES[event.what]
        elif self._names[row] == "bass" and asked.root >= 0 and event.what >= 0:
            pitch = bass_roles.pitch_of(event.what, asked.root, asked.classes, asked.next_root, asked.bass)
            entry = pitch - LOWEST_NOTE + 1
            bias[FIRST_NOTE, entry % 12 :: 12] += share * DEGREE_NATS
            bias[FIRST_NOTE, 0] -= share * DEGREE_NATS * (entry % 12 == 0)
            bias[FIRST_NOTE, entry] += share * OCTAVE_NATS
        elif self._names[row] == "keys" and event.what > 0 and len(self._rows):
            bias[FIRST_NOTE + 1, 0] += share * ONE_NOTE_NATS * (1.0 if event.what == 1 else -1.0)

    def remember(self, slots: Ints, place: Place, root: int, free: Sequence[bool]) -> None:
        """What was drawn [parts, SLOTS] for the frame at `place`. Of parts that were let alone the pattern is kept as
        it was: a fill is no groove."""
        for row, drawn in enumerate(slots[: len(self._names)]):
            lead = self._patterns[row]
            if free[row]:
                event = _next(lead, place.bar_beat % lead.beats, place.beats)[0] if lead.beats else None
                if event is not None:
                    self._played[-1][row].append(event)
                continue
            if not is_onset(int(drawn[STATE])):
                continue
            beat = place.bar_beat + place.beats * (int(drawn[STATE]) - 0.5) / ONSET_QUARTERS
            first = int(drawn[FIRST_NOTE])
            if self._names[row] == "drums":
                what = max(first, 0)
            else:
                pitch = first + LOWEST_NOTE - 1
                what = bass_roles.role_in(pitch, root, (0, 3, 4, 7, 10, 11), root, False) if root >= 0 else -1
            beat = _snapped(beat, place.tempo_bpm) % place.beats_per_bar
            self._played[-1][row].append(CellEvent(beat, what, max(1, int(drawn[LOUDNESS])), 0.5))


def _snapped(beat: float, tempo_bpm: float) -> float:
    """On the nearest sixteenth or triplet, if it is within 20 ms: what is led by its own bars would drift."""
    reach = 0.02 * tempo_bpm / 60.0
    for lines in (4, 3):
        line = round(beat * lines) / lines
        if abs(line - beat) <= reach:
            return line
    return beat


def _next(lead: _Pattern, at: float, beats: float) -> tuple[CellEvent | None, float]:
    """What begins within `beats` from `at` on, and how far from there."""
    if not lead.events:
        return None, 0.0
    index = bisect_left(lead.starts, at - 1e-9)
    around = index == len(lead.starts)
    event = lead.events[0 if around else index]
    offset = event.beat - at + (lead.beats if around else 0.0)
    return (event, max(0.0, offset)) if offset + 1e-9 < beats else (None, 0.0)


def _sounds(lead: _Pattern, at: float) -> bool:
    """Whether one of the last two notes of the pattern still sounds there."""
    index = bisect_left(lead.starts, at + 1e-9)
    for event in (lead.events[index - 1], lead.events[index - 2]) if len(lead.events) > 1 else lead.events:
        since = at - event.beat
        if since < 0.0:
            since += lead.beats
        if since < event.beats:
            return True
    return False
