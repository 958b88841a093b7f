"""A written song: notes, chords, bars, and the map from beats to seconds.

Knows nothing of styles, sound or files. Plain values, safe on any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

PARTS = ("drums", "bass", "keys")
ALL_PARTS = ("lead", *PARTS)
SECTIONS = ("silence", "intro", "verse", "chorus", "bridge", "solo", "ending")
# Metre: beats a bar (those one taps a foot to), and whether a beat is three eighths.
METRES: dict[str, tuple[int, bool]] = {
    "4/4": (4, False),
    "3/4": (3, False),
    "2/4": (2, False),
    "5/4": (5, False),
    "6/8": (2, True),
    "12/8": (4, True),
}


@dataclass(frozen=True)
class Note:
    """One note. `beat` is the place in the song in beats *before* swing, `shift_ms` the human error after it."""

    beat: float
    length_beats: float
    pitch: int
    velocity: int
    shift_ms: float = 0.0


@dataclass(frozen=True)
class Chord:
    """A chord by pitch classes 0..11. `tones` are semitones above the root, in third order (1 3 5 7 9 ...)."""

    root: int
    tones: tuple[int, ...]
    bass: int
    name: str
    quality: str

    @property
    def pcs(self) -> tuple[int, ...]:
        """The pitch classes of the chord, the bass included, sorted."""
        return tuple(sorted({(self.root + t) % 12 for t in self.tones} | {self.bass}))


@dataclass
class Bar:
    """One bar of the song.

    `chords` are (offset in beats, chord), the first at 0. `parts` says which of drums, bass, keys play;
    `lead_from_beats` and `lead_to_beats` bound the lead inside the bar (equal: silent). `fill_beats` is the length
    of the drum fill at its end.
    """

    index: int
    start_beat: int
    beats: int
    section: str
    chords: list[tuple[float, Chord]]
    density: float
    key: int = 0
    minor: bool = False
    first_of_section: bool = False
    section_number: int = 0
    bar_in_section: int = 0
    fill_beats: float = 0.0
    parts: tuple[bool, bool, bool] = (True, True, True)
    lead_from_beats: float = 0.0
    lead_to_beats: float = 99.0
    pickup_beats: float = 0.0

    @property
    def band(self) -> bool:
        """Whether any part of the band plays in this bar."""
        return any(self.parts)

    @property
    def changes(self) -> set[float]:
        """Where inside the bar the chord changes, in beats."""
        return {at for at, _ in self.chords if at > 0}

    def chord_at(self, offset_beats: float) -> Chord:
        """The chord that sounds `offset_beats` after the bar line."""
        found = self.chords[0][1]
        for at, chord in self.chords:
            if at <= offset_beats + 1e-6:
                found = chord
        return found


@dataclass
class Score:
    """A whole song: bars, notes per part, programs, and when each beat falls.

    `beat_times_s[k]` is when beat k sounds; one entry more than there are beats.
    """

    seed: int
    style: str
    style_id: int
    bpm: float
    beats_per_bar: int
    key: int
    minor: bool
    swing: float
    swing_grid_beats: float
    lead_mode: str
    bars: list[Bar]
    beat_times_s: np.ndarray
    programs: dict[str, int]
    notes: dict[str, list[Note]] = field(default_factory=dict)
    lead_spans_beats: list[tuple[float, float]] = field(default_factory=list)
    metre: str = "4/4"

    @property
    def length_beats(self) -> int:
        """Beats in the song."""
        return self.bars[-1].start_beat + self.bars[-1].beats

    def seconds(self, beat: float | np.ndarray) -> np.ndarray:
        """When a (fractional, already swung) beat falls, in seconds; extrapolated at both ends."""
        beat = np.asarray(beat, dtype=np.float64)
        times = self.beat_times_s
        index = np.clip(np.floor(beat).astype(np.int64), 0, len(times) - 2)
        return times[index] + (beat - index) * (times[index + 1] - times[index])

    def beats_at(self, seconds: np.ndarray) -> np.ndarray:
        """The beat position at each moment: the inverse of `seconds`."""
        times = self.beat_times_s
        seconds = np.asarray(seconds, dtype=np.float64)
        index = np.clip(np.searchsorted(times, seconds, side="right") - 1, 0, len(times) - 2)
        return index + (seconds - times[index]) / (times[index + 1] - times[index])

    def note_seconds(self, note: Note) -> tuple[float, float]:
        """Start and end of a note in seconds, swing and human error included."""
        start = warp(note.beat, self.swing, self.swing_grid_beats)
        end = warp(note.beat + note.length_beats, self.swing, self.swing_grid_beats)
        shift = note.shift_ms / 1000.0
        start_s = self._second(start) + shift
        return start_s, max(self._second(end) + shift, start_s + 0.02)

    def _second(self, beat: float) -> float:
        """`seconds` of one beat, without the cost of arrays."""
        times = self.beat_times_s
        index = min(max(int(beat // 1), 0), len(times) - 2)
        return float(times[index] + (beat - index) * (times[index + 1] - times[index]))


def warp(beat: float, swing: float, grid_beats: float) -> float:
    """Swing: bend the pair of `grid_beats`-long notes inside each 2 x grid so that the first takes `swing` of it."""
    if swing == 0.5:
        return beat
    pair = 2.0 * grid_beats
    base = (beat / pair + 1e-9) // 1 * pair
    part = (beat - base) / pair
    bent = part * 2.0 * swing if part < 0.5 else swing + (part - 0.5) * 2.0 * (1.0 - swing)
    return float(base + bent * pair)


def unwarp(fraction: float, swing: float) -> float:
    """The straight place in a beat that eighth swing bends to `fraction` (for triplets in swung music)."""
    if fraction < swing:
        return fraction / (2.0 * swing)
    return 0.5 + (fraction - swing) / (2.0 * (1.0 - swing))
