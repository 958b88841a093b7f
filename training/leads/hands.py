"""What the hands do with a rhythm: melodies, chords, arpeggios, riffs, basses, pedal points. Knows no sound.

Every maker takes the hits of a phrase and the bars that it lies over, and gives notes in the song's beats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..band.chord_theory import (
    BLUES,
    MAJOR_PENTATONIC,
    MINOR_PENTATONIC,
    fifth,
    guitar_shape,
    lead_voices,
    scale_of,
    seventh,
    third,
)
from ..band.score import Bar, Chord, Note
from .rhythm import Hit, Rhythm

ARPEGGIOS = ("0123", "012", "0121", "02132312", "01232", "012321", "0212", "3210", "01324", "021", "0102", "0123210")
BOOGIE = ((0, 0, 4, 4, 7, 7, 9, 9), (0, 4, 7, 9, 10, 9, 7, 4), (0, 7, 9, 7, 10, 7, 9, 7), (0, 7, 0, 9, 0, 10, 0, 9))
LEFT_HANDS = (
    "roots", "halves", "stride", "boogie", "walking", "alberti", "octaves", "broken", "tresillo", "beats", "block",
)  # fmt: skip


@dataclass
class Touch:
    """How hard a player strikes: `base`, what the metre adds on strong beats, what a hit's accent adds, and chance."""

    base: float = 88.0
    metre: float = 8.0
    accent: float = 12.0
    spread: float = 4.0
    back: bool = False
    """The weak beats are the strong ones."""

    def velocity(self, rng: np.random.Generator, at_beats: float, beats: int, accent: float) -> int:
        place = at_beats % beats
        weight = 1.0 if place < 1e-6 else 0.5 if abs(place - round(place)) < 1e-6 else -0.5
        if self.back and abs(place - round(place)) < 1e-6:
            weight = 1.0 if round(place) % 2 else 0.0
        wish = self.base + self.metre * weight + self.accent * accent + self.spread * rng.standard_normal()
        return int(np.clip(wish, 12, 126))


@dataclass
class Hands:
    """A player for one song: register, touch, motifs. One rhythm's pitches are kept, so phrases come back."""

    rng: np.random.Generator
    touch: Touch
    low: int = 52
    high: int = 81
    ring: float = 0.95
    """Of a hit's length that sounds."""
    stay: float = 0.7
    """Chance that a melody moves by step."""
    voicing: str = "triad"
    spread_ms: float = 0.0
    here: float = 64.0
    chugs: bool = False
    """Muted strokes are on the lowest string, whatever the chord."""
    bound: float = 0.0
    """Chance that a melody's note is one of the chord wherever it falls, so that the line turns with the harmony."""
    kept: dict[str, list[int]] = field(default_factory=dict)

    def note(
        self, bars: list[Bar], hit: Hit, at: float, pitch: int, softer: float = 0.0, shift_ms: float = 0.0
    ) -> Note:
        velocity = self.touch.velocity(self.rng, at - bars[0].start_beat, bars[0].beats, hit.accent - softer)
        return Note(at, max(0.06, hit.length * self.ring), int(np.clip(pitch, 21, 108)), velocity, shift_ms)

    def melody(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """A line by steps and leaps of the scale, on chord tones where it rests; the same moves when it comes back."""
        moves = self._kept(name, rhythm, lambda: self._move())
        notes = []
        for hit, move in zip(rhythm, moves, strict=False):
            at = bars[0].start_beat + hit.at
            bar, chord = _over(bars, at, hit.length)
            scale = scale_of(chord, bar.key, bar.minor)
            leans = hit.length >= 1.0 or (abs(hit.at % bar.beats) < 1e-6 and self.rng.random() < 0.8)
            leans = leans or self.rng.random() < self.bound
            self.here = self._nearest(self.here + move, chord.pcs if leans else scale)
            notes.append(self.note(bars, hit, at, round(self.here)))
        return notes

    def _move(self) -> int:
        if self.rng.random() < self.stay:
            return int(self.rng.choice((-2, -2, -1, 0, 1, 2, 2)))
        return int(self.rng.choice((-7, -5, -4, -3, 3, 4, 5, 7)))

    def _nearest(self, wish: float, classes: tuple[int, ...]) -> float:
        wish += 0.08 * ((self.low + self.high) / 2 - wish)
        pool = [p for p in range(self.low, self.high + 1) if p % 12 in classes]
        return float(min(pool, key=lambda p: abs(p - wish)))

    def thirds(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """A melody with a second voice below it, in thirds or sixths of the scale."""
        notes = self.melody(name, rhythm, bars)
        under = []
        apart = 2 if self.low % 2 else 5  # steps of the scale
        for n in notes:
            bar, chord = _over(bars, n.beat, n.length_beats)
            scale = scale_of(chord, bar.key, bar.minor)
            steps = [p for p in range(n.pitch - 1, n.pitch - 13, -1) if p % 12 in scale]
            under.append(
                Note(n.beat, n.length_beats, steps[min(apart, len(steps)) - 1], max(12, n.velocity - 8), n.shift_ms)
            )
        return notes + under

    def picked(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """A line whose notes are struck again until the next that is leant on."""
        firsts = [hit for hit in rhythm if hit.accent > 0.5] or rhythm[:1]
        line = self.melody(name, firsts, bars)
        notes, k = [], -1
        for hit in rhythm:
            if hit.accent > 0.5 and k + 1 < len(line):
                k += 1
            notes.append(self.note(bars, hit, bars[0].start_beat + hit.at, line[max(k, 0)].pitch))
        return notes

    def riff(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """A figure of the pentatonic or blues scale that keeps to its degrees; on the chord's root, or the key's."""
        degrees = self._kept(name, rhythm, lambda: int(self.rng.choice((0, 0, 0, 1, 2, 2, 3, 4, -1, 5))))
        on_key = self._kept(name + "/on", [Hit(0, 1)], lambda: int(self.rng.random() < 0.3))[0]
        notes = []
        for hit, degree in zip(rhythm, degrees, strict=False):
            at = bars[0].start_beat + hit.at
            bar, chord = _over(bars, at, hit.length)
            root = bar.key if on_key else chord.root
            minorish = bar.minor if on_key else 3 in chord.tones
            ladder = MINOR_PENTATONIC if minorish else BLUES if degree == 5 and on_key else MAJOR_PENTATONIC
            base = self.low + (root - self.low) % 12
            octave, index = divmod(degree, len(ladder))
            notes.append(self.note(bars, hit, at, base + 12 * octave + ladder[index]))
        return notes

    def chords(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """Struck chords, voices led; strummed or together, sometimes only the upper voices."""
        notes: list[Note] = []
        guitar = self.voicing == "guitar"
        previous: tuple[int, ...] | None = None
        for hit in rhythm:
            at = bars[0].start_beat + hit.at
            _, chord = _over(bars, at, hit.length)
            if guitar:
                shape = guitar_shape(chord.pcs, chord.bass, 3)
            else:
                shape = previous = lead_voices(chord, self.voicing, previous, 50, 80)
            if hit.accent < 0 and len(shape) > 3 and self.rng.random() < 0.6:
                shape = shape[-3:]
            if guitar and hit.accent < 0:
                shape = shape[::-1]
            for n, pitch in enumerate(shape):
                notes.append(self.note(bars, hit, at, pitch, 0.05 * n, self.spread_ms * n / len(shape)))
        return notes

    def arpeggio(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """Broken chords in a pattern that need not fit the beat: threes over fours, fours over threes, fives."""
        pattern = self._kept(name + "/order", [Hit(0, 1)], lambda: int(self.rng.integers(len(ARPEGGIOS))))[0]
        order = ARPEGGIOS[pattern]
        anew = self._kept(name + "/anew", [Hit(0, 1)], lambda: int(self.rng.choice((0, 1, 1, 2))))[0]
        notes, k, last_bar = [], 0, None
        for hit in rhythm:
            at = bars[0].start_beat + hit.at
            bar, chord = _over(bars, at, hit.length)
            if bar is not last_bar and anew and bar.index % anew == 0:
                k = 0
            last_bar = bar
            root = self.low + (chord.bass - self.low) % 12
            ladder = sorted({root} | {p for p in range(root + 1, root + 20) if p % 12 in chord.pcs})
            pitch = ladder[min(int(order[k % len(order)]), len(ladder) - 1)]
            notes.append(self.note(bars, Hit(hit.at, hit.length * 1.5, hit.accent), at, pitch))
            k += 1
        return notes

    def power(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """Distorted fifths where it is leant on, the muted lowest string between."""
        notes = []
        low = min(self.low, 42)
        for hit in rhythm:
            at = bars[0].start_beat + hit.at
            _, chord = _over(bars, at, hit.length)
            root = low + (chord.root - low) % 12
            if hit.accent < 0:
                notes.append(
                    self.note(bars, Hit(hit.at, min(hit.length, 0.12), hit.accent), at, low if self.chugs else root)
                )
                continue
            for n, pitch in enumerate((root, root + 7, root + 12)):
                notes.append(self.note(bars, hit, at, pitch, 0.0, 2.0 * n))
        return notes

    def bass(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """Roots, fifths, octaves and steps low down."""
        tones = self._kept(name, rhythm, lambda: int(self.rng.choice((0, 0, 0, 0, 7, 7, 12, 10, 5))))
        notes = []
        before: Chord | None = None
        for hit, tone in zip(rhythm, tones, strict=False):
            at = bars[0].start_beat + hit.at
            _, chord = _over(bars, at, hit.length)
            root = 28 + (chord.bass - 28) % 12
            if before is not chord:
                tone = 0
            before = chord
            step = fifth(chord) if tone == 7 else seventh(chord) if tone == 10 else tone
            notes.append(self.note(bars, hit, at, root + step))
        return notes

    def pedal(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """One note that stays, and above it a voice that moves with the chords on the leant-on strokes."""
        notes = []
        tonic = self.low + (bars[0].key - self.low) % 12
        every = self._kept(name, [Hit(0, 1)], lambda: int(self.rng.integers(2, 5)))[0]
        for k, hit in enumerate(rhythm):
            at = bars[0].start_beat + hit.at
            _, chord = _over(bars, at, hit.length)
            pitch = tonic
            if hit.accent > 0.2 or k % every == 0:
                pitch = int(self._nearest(tonic + 9 + int(self.rng.integers(-3, 4)), chord.pcs))
            notes.append(self.note(bars, hit, at, pitch))
        return notes

    def pad(self, name: str, rhythm: Rhythm, bars: list[Bar]) -> list[Note]:
        """Held chords that turn with the harmony; struck again on every bar or half where the rhythm is dense."""
        again = self._kept(name, [Hit(0, 1)], lambda: int(self.rng.choice((0, 1, 2, 4))))[0]
        hits = []
        for bar in bars:
            starts = sorted({at for at, _ in bar.chords} | {k * bar.beats / again for k in range(again) if again})
            at_phrase = bar.start_beat - bars[0].start_beat
            ends = [*starts[1:], float(bar.beats)]
            hits += [Hit(at_phrase + a, b - a, 0.0) for a, b in zip(starts, ends, strict=True)]
        merged: Rhythm = []
        sounding: Chord | None = None
        for hit in hits:
            _, chord = _over(bars, bars[0].start_beat + hit.at, hit.length)
            if chord is sounding and not again:
                merged[-1] = Hit(merged[-1].at, merged[-1].length + hit.length)
                continue
            merged.append(hit)
            sounding = chord
        return self.chords(name, merged, bars)

    def left_hand(self, kind: str, bars: list[Bar], steps: int) -> list[Note]:
        """The accompaniment under a right hand, bar by bar."""
        notes: list[Note] = []
        shape: tuple[int, ...] | None = None
        for bar in bars:
            spans = [
                (at, c, bar.chords[k + 1][0] if k + 1 < len(bar.chords) else float(bar.beats))
                for k, (at, c) in enumerate(bar.chords)
            ]
            for at, chord, end in spans:
                shape = lead_voices(chord, "triad", shape, 48, 69)
                for offset, length, pitches, accent in _left(kind, chord, at, end, bar, steps, shape):
                    hit = Hit(offset, length, accent)
                    notes += [self.note([bar], hit, bar.start_beat + offset, p, 0.2) for p in pitches]
        return notes

    def _kept(self, name: str, rhythm: Rhythm, draw: Callable[[], int]) -> list[int]:
        if name not in self.kept:
            self.kept[name] = []
        kept = self.kept[name]
        kept += [draw() for _ in range(len(rhythm) - len(kept))]
        return kept


def _over(bars: list[Bar], at_beat: float, length: float) -> tuple[Bar, Chord]:
    """The bar and the chord that a note belongs to: what is pushed ahead of a change already has the new chord."""
    ahead = at_beat + min(0.5, 0.5 * length)
    within = next(
        (b for b in bars if b.start_beat <= ahead < b.start_beat + b.beats),
        bars[0] if ahead < bars[0].start_beat else bars[-1],
    )
    return within, within.chord_at(max(0.0, ahead - within.start_beat))


Struck = tuple[float, float, tuple[int, ...], float]


def _left(kind: str, chord: Chord, at: float, end: float, bar: Bar, steps: int, shape: tuple[int, ...]) -> list[Struck]:
    """(offset, length, pitches, accent) of one chord's stretch of a bar."""
    root = 33 + (chord.bass - 33) % 12
    over = tuple(p for p in shape if p > root) or (root + 12,)
    beats = [b for b in np.arange(np.ceil(at), end) if b < end]
    half = 2 / 3 if steps == 3 else 0.5
    if kind == "halves" and end - at >= 2:
        middle = at + (end - at) // 2
        return [(at, middle - at, (root,), 0.3), (middle, end - middle, (root + fifth(chord),), 0.0)]
    if kind == "stride":
        alternate = (root, root + fifth(chord) - (12 if root > 38 else 0))
        low = [b == 0 if bar.beats == 3 else b % 2 == 0 for b in beats]
        return [
            (b, 0.8, (alternate[int(b) // 2 % 2],), 0.3) if down else (b, 0.45, over, -0.2)
            for b, down in zip(beats, low, strict=True)
        ]
    if kind in ("boogie", "walking", "octaves", "alberti", "broken"):
        line = {
            "boogie": BOOGIE[chord.root % len(BOOGIE)],
            "walking": (0, third(chord) or 5, fifth(chord), 9),
            "octaves": (0, 12),
            "alberti": (0, fifth(chord), third(chord) or 5, fifth(chord)),
            "broken": (0, fifth(chord), 12, 12 + (third(chord) or 5)),
        }[kind]
        places = beats if kind == "walking" else sorted({*beats, *(b + half for b in beats if b + half < end)})
        if kind == "alberti":
            root += 12
        long = 1.0 if kind == "walking" else 0.5
        return [(b, long, (root + line[k % len(line)],), 0.2 if b % 1 == 0 else -0.3) for k, b in enumerate(places)]
    if kind == "tresillo":
        return [(at + x, 0.7, (root + t,), 0.3) for x, t in ((0.0, 0), (1.5, fifth(chord)), (3.0, 12)) if at + x < end]
    if kind == "beats":
        return [(b, 0.9, (root,) if b == at else over, 0.2) for b in beats]
    if kind == "block":
        return [(at, end - at, over, 0.0)]
    return [(at, end - at, (root, root + 12) if root < 40 else (root,), 0.2)]
