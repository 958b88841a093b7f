"""Keeps the groove: leads the draws by bars of the style, and by the band's own bars where no style is known.

A generator that takes only its own past for a model wanders: no bar is like the one before it. Here each part has a
pattern of two bars (groove_table.py), which the draws are led by as log-biases: where a note or hit belongs it is
likelier, elsewhere it is less likely, and what is struck, how loud and how long, leans toward the pattern. The
generator still draws: it fills, leaves out and varies, more so at the end of every fourth and eighth bar. Where the
table knows nothing of a style or metre, the band's own bars of two bars ago are the pattern. Knows no weights.
Inference thread only.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .groove_table import CELL_BARS, DENSITIES, Cell, CellEvent, GrooveTable
from .note_hand import NoteHand
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
Ints = NDArray[np.integer]

HERE_NATS, QUARTER_NATS, ELSEWHERE_NATS = 5.0, 1.5, 4.0
"""By which a beginning is likelier where the pattern has one, in its very quarter on top, and less likely elsewhere."""
VOICE_NATS = 1.5
"""For each drum that the set has too many or too few; kick and snare count double."""
DEGREE_NATS, LOUDNESS_NATS = 2.5, 0.4
"""For the bass note at the pattern's distance from the root; for each class of loudness away from the pattern's."""
LENGTH_NATS = 2.5
"""Toward sounding on while the pattern's note lasts, and toward silence after it."""
OWN_SHARE = 0.7
"""How much the band's own bars lead it, beside those of a table."""
FREE_SHARES = {3: (1.0, 0.55), 7: (2.0, 0.35)}
"""In the fourth and the eighth bar: of so many last beats, what is left of the lead."""
NEW_LEVEL = 0.12
"""The density must pass the middle between two of the table by so much before the busier or thinner pattern is taken:
no flutter."""

_BEGINS = slice(1, 1 + ONSET_QUARTERS)
_SOUNDS_ON = slice(1 + ONSET_QUARTERS, 2 + ONSET_QUARTERS + len(AGE_LIMITS_FRAMES))


def _voice_table() -> FloatArray:
    """[wanted set, drawn set]: nats for the drums that differ."""
    weights = np.array([2.0 if name in ("kick", "snare") else 1.0 for name in DRUM_VOICES], np.float32)
    sets = np.arange(SLOT_ENTRIES)
    differ = ((sets[:, None] ^ sets[None, :])[..., None] >> np.arange(len(DRUM_VOICES))) & 1
    return np.asarray(-VOICE_NATS * (differ @ weights), np.float32)


_VOICES = _voice_table()
_CLASSES = np.arange(LOUDNESS_CLASSES + 1, dtype=np.float32)
_CLASS_OFF = np.abs(_CLASSES[:, None] - _CLASSES[None, :])


class Place(NamedTuple):
    """Where a frame is, in musical time. Any thread."""

    bar_beat: float
    """Beats since the bar line."""
    beats: float
    """That the frame lasts."""
    beats_per_bar: int
    tempo_bpm: float


class GrooveAsked(NamedTuple):
    """What the groove is to be. Any thread."""

    style: str
    pattern: str
    """The name of the section's own pattern, or empty."""
    density: float
    root: int
    """Of the chord, -1 if none is known."""
    strength: float = 1.0


@dataclass(slots=True)
class _Pattern:
    """What leads one part: events in order of time, over so many beats."""

    events: Sequence[CellEvent] = ()
    beats: int = 0
    rate: float = 0.0
    """Beginnings a beat."""


class GrooveHand:
    """One band's groove. Inference thread only."""

    def __init__(self, parts: Sequence[str], table: GrooveTable | None) -> None:
        """`table` None: the band's own bars alone."""
        self._names, self._table = tuple(parts), table
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Nothing was played; `seed` says which of a style's patterns it will be."""
        self._seed = seed
        self._bar, self._at = 0, 0.0
        self._key: tuple[str, int, str] | None = None
        self._choices: tuple[tuple[Cell, ...], ...] = ()
        self._choice, self._level, self._tempo_bpm = 0, 1, 0.0
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
        since_groove = (self._bar * place.beats_per_bar) + place.bar_beat
        for row in range(min(len(self._names), len(to.bias))):
            lead = self._patterns[row]
            if free[row] or not lead.beats or asked.strength <= 0.0:
                continue
            share = asked.strength * self._share(place)
            self._lead(row, lead, since_groove % lead.beats, place, asked.root, share, to.bias[row])
            if self._choices and to.busier[row] == 0.0:
                usual = typical_density(asked.style, self._names[row])[0]
                level = DENSITIES[self._level]
                octaves = math.log2(max(lead.rate, 0.05) / usual) / DENSITY_OCTAVES
                to.busier[row] = np.clip(octaves + 0.5 - level, -0.6, 0.6)

    def _follow(self, place: Place) -> None:
        """Count bars: a new one begins where the place in it falls back."""
        if place.bar_beat < self._at - 0.5 * place.beats_per_bar:
            self._bar += 1
            self._begin_bar()
        self._at = place.bar_beat

    def _share(self, place: Place) -> float:
        """What is left of the lead here: drummers vary at the end of every fourth and eighth bar."""
        last_beats, share = FREE_SHARES.get(self._bar % 8, (0.0, 1.0))
        return share if place.beats_per_bar - place.bar_beat <= last_beats else 1.0

    def _choose(self, place: Place, asked: GrooveAsked) -> None:
        style, pattern = asked.style, asked.pattern
        key = (style, place.beats_per_bar, pattern)
        far = abs(math.log(max(place.tempo_bpm, 1.0) / max(self._tempo_bpm, 1.0))) > 0.06
        if key != self._key or far:
            fresh = self._key is None or key[:2] != self._key[:2]
            known = self._table is not None and style in self._table.styles
            self._choices = (
                self._table.cells_of(style, place.beats_per_bar, place.tempo_bpm)
                if known and self._table is not None
                else ()
            )
            self._tempo_bpm, self._key = place.tempo_bpm, key
            if fresh:
                self._bar = 0
            if self._choices:
                self._choice = (self._seed + sum(map(ord, pattern)) * 7) % len(self._choices)
            self._level = -1
        if self._choices:
            level = self._level_of(asked.density)
            if level != self._level:
                self._level = level
                cell = self._choices[self._choice][level]
                self._patterns = [_Pattern(own, cell.beats, len(own) / cell.beats) for own in cell.parts]
        elif len(self._played) > CELL_BARS and place.bar_beat < place.beats:
            kept = self._played[-1 - CELL_BARS]
            self._patterns = [_Pattern(own, place.beats_per_bar, len(own) / place.beats_per_bar) for own in kept]

    def _level_of(self, density: float) -> int:
        nearest = min(range(len(DENSITIES)), key=lambda k: abs(DENSITIES[k] - density))
        if self._level < 0 or nearest == self._level:
            return nearest
        middle = 0.5 * (DENSITIES[nearest] + DENSITIES[self._level])
        return nearest if abs(density - middle) > NEW_LEVEL / 2 else self._level

    def _lead(
        self, row: int, lead: _Pattern, at: float, place: Place, root: int, share: float, bias: FloatArray
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
        elif self._names[row] == "bass" and root >= 0 and event.what >= 0:
            bias[FIRST_NOTE, (root + event.what - LOWEST_NOTE) % 12 + 1 :: 12] += share * DEGREE_NATS

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
                what = (first + LOWEST_NOTE - 1 - root) % 12 if root >= 0 else -1
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
    for event in lead.events:
        offset = event.beat - at
        if offset < -1e-9:
            offset += lead.beats
        if 0.0 <= offset + 1e-9 < beats:
            return event, max(0.0, offset)
    return None, 0.0


def _sounds(lead: _Pattern, at: float) -> bool:
    """Whether a note of the pattern sounds there."""
    for event in lead.events:
        since = at - event.beat
        if since < 0.0:
            since += lead.beats
        if since < event.beats:
            return True
    return False
