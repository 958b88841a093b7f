"""Chords and keys: roman numerals to chords, scales, and voicings that lead smoothly.

Knows no rhythm, no style and no sound. Pure functions, safe on any thread.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from .score import Chord

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "mM7": (0, 3, 7, 11),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "9": (0, 4, 7, 10, 2),
    "maj9": (0, 4, 7, 11, 2),
    "m9": (0, 3, 7, 10, 2),
    "13": (0, 4, 7, 10, 2, 9),
    "7b9": (0, 4, 7, 10, 1),
    "7#9": (0, 4, 7, 10, 3),
    "m7b5": (0, 3, 6, 10),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "7sus4": (0, 5, 7, 10),
    "add9": (0, 4, 7, 2),
    "5": (0, 7),
}
_DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
_NUMERAL = re.compile(r"^([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)([^/]*)(?:/(.+))?$")
NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10)
DORIAN = (0, 2, 3, 5, 7, 9, 10)
MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 10)
MINOR_PENTATONIC = (0, 3, 5, 7, 10)
MAJOR_PENTATONIC = (0, 2, 4, 7, 9)
BLUES = (0, 3, 5, 6, 7, 10)


def parse_numeral(text: str, key: int) -> Chord:
    """`bVIImaj7`, `V7/vi`, `I/3` in `key` (pitch class of the tonic; numerals count from the major scale).

    Raises ValueError with what is wrong.
    """
    match = _NUMERAL.match(text)
    if match is None:
        raise ValueError(f"not a roman numeral: {text!r}")
    accidental, numeral, suffix, over = match.groups()
    tonic = key
    inversion = None
    if over is not None:
        if over in ("3", "5", "7", "9"):
            inversion = over
        elif over == "1":
            inversion = "tonic"
        else:
            tonic = parse_numeral(over, key).root
    root = (tonic + _DEGREES[numeral.upper()] + {"": 0, "b": -1, "#": 1}[accidental]) % 12
    if numeral.islower() and suffix in ("", "7", "9", "6"):
        suffix = "m" + suffix
    if suffix not in QUALITIES:
        raise ValueError(f"unknown chord suffix {suffix!r} in {text!r}; known: {', '.join(QUALITIES)}")
    tones = QUALITIES[suffix]
    bass = root
    if inversion == "tonic":
        bass = key
    elif inversion is not None:
        bass = (root + tones[{"3": 1, "5": 2, "7": 3, "9": 4}[inversion] % len(tones)]) % 12
    name = NAMES[root] + suffix + ("" if bass == root else "/" + NAMES[bass])
    return Chord(root, tones, bass, name, suffix)


def parse_progression(text: str, key: int, beats: int) -> list[list[tuple[float, Chord]]]:
    """Bars divided by spaces, chords in a bar by commas, `%` repeats: a list of bars of (offset in beats, chord)."""
    bars: list[list[tuple[float, Chord]]] = []
    for word in text.split():
        if word == "%":
            bars.append([(0.0, bars[-1][-1][1])])
            continue
        chords = [parse_numeral(part, key) for part in word.split(",")]
        if len(chords) == 1:
            offsets = [0.0]
        elif len(chords) == 2:
            offsets = [0.0, float((beats + 1) // 2)]
        else:
            offsets = [float(k * beats // len(chords)) for k in range(len(chords))]
        bars.append(list(zip(offsets, chords, strict=True)))
    return bars


def third(chord: Chord) -> int | None:
    """Semitones of the third above the root (3 or 4), None in a power or suspended chord."""
    return next((t for t in chord.tones if t in (3, 4)), None)


def fifth(chord: Chord) -> int:
    """Semitones of the chord's fifth (6, 7 or 8)."""
    return next((t for t in chord.tones if t in (6, 7, 8)), 7)


def seventh(chord: Chord) -> int:
    """Semitones of the chord's seventh; the scale's own when the chord has none (10, or 9 for sixth chords)."""
    return next((t for t in chord.tones if t in (10, 11)), 9 if 9 in chord.tones or chord.quality == "" else 10)


def scale_of(chord: Chord, key: int, minor: bool) -> tuple[int, ...]:
    """Pitch classes that sound well over `chord` in the key: the key's scale, bent to hold the chord's tones."""
    base = {(key + s) % 12 for s in (MINOR_SCALE if minor else MAJOR_SCALE)}
    for pc in chord.pcs:
        if pc not in base:
            base -= {(pc + 1) % 12, (pc - 1) % 12} - set(chord.pcs)
            base.add(pc)
    return tuple(sorted(base))


def tones_for(chord: Chord, kind: str) -> tuple[int, ...]:
    """Which semitones above the root a keyboard player would take: `triad`, `seventh`, `rootless`, `shell`, `power`."""
    t3 = third(chord)
    if kind == "power":
        return (0, 7)
    if kind == "triad":
        return tuple(dict.fromkeys(chord.tones[:3]))
    if kind == "seventh":
        return chord.tones[:4]
    middle = t3 if t3 is not None else next((t for t in chord.tones if t in (2, 5)), 7)
    if kind == "shell":
        return (middle, seventh(chord), fifth(chord)) if len(chord.tones) > 3 else chord.tones[:3]
    if kind != "rootless":
        raise ValueError(f"unknown voicing kind {kind!r}")
    if chord.quality in ("m7b5", "dim7"):
        return (3, 6, chord.tones[3], 0)
    if len(chord.tones) == 3:
        return (*chord.tones, 2) if chord.quality in ("", "m") else chord.tones
    ninth = next((t for t in chord.tones if t in (1, 3) and t != t3), 2)
    if seventh(chord) == 10 and t3 == 4:
        return (4, 10, ninth, 9) if ninth == 2 else (4, 10, ninth, 7)
    if 9 in chord.tones:
        return (middle, 9, 2, 7)
    return (middle, seventh(chord), 2, fifth(chord))


@lru_cache(maxsize=8192)
def placements(pcs: tuple[int, ...], low: int, high: int) -> tuple[tuple[int, ...], ...]:
    """All close and drop-2 voicings of these pitch classes between two MIDI pitches, without clutter in the bass.

    No interval under a fourth stands below C3 + 4 (52), no second below 57.
    """
    found: set[tuple[int, ...]] = set()
    n = len(pcs)
    for order in itertools.permutations(pcs) if n <= 4 else [pcs]:
        for octave in range(low // 12, high // 12 + 1):
            pitches = [order[0] + 12 * octave]
            for pc in order[1:]:
                pitches.append(pitches[-1] + ((pc - pitches[-1]) % 12 or 12))
            if pitches[0] >= low and pitches[-1] <= high and pitches[-1] - pitches[0] <= 19:
                found.add(tuple(pitches))
    return tuple(sorted(v for v in found if not cluttered(v)))


def cluttered(pitches: tuple[int, ...]) -> bool:
    """Whether a voicing is mud (close intervals low down) or has a semitone at its top."""
    for a, b in itertools.pairwise(pitches):
        if (b - a < 5 and a < 50) or (b - a < 3 and a < 57):
            return True
    return len(pitches) > 1 and pitches[-1] - pitches[-2] == 1


def lead_voices(chord: Chord, kind: str, previous: tuple[int, ...] | None, low: int, high: int) -> tuple[int, ...]:
    """The voicing of `chord` that moves least from `previous` (or sits in the middle of the range)."""
    pcs = tuple(dict.fromkeys((chord.root + t) % 12 for t in tones_for(chord, kind)))
    options = placements(pcs, low, high)
    if not options:
        raise ValueError(f"no voicing of {chord.name} ({kind}) between {low} and {high}")
    centre = (low + high) / 2.0

    def cost(v: tuple[int, ...]) -> float:
        spread = 0.15 * max(0, v[-1] - v[0] - 12)
        if previous is None:
            return abs(sum(v) / len(v) - centre) + spread
        move = sum(min(abs(p - q) for q in previous) for p in v) + abs(v[-1] - previous[-1])
        moves = [a - b for a, b in zip(v, previous, strict=False)]
        block = 30.0 if len(v) == len(previous) and (min(moves) >= 5 or max(moves) <= -5) else 0.0
        return move + block + 0.25 * abs(sum(v) / len(v) - centre) + spread

    return min(options, key=cost)


_STRINGS = (40, 45, 50, 55, 59, 64)


@lru_cache(maxsize=4096)
def guitar_shape(pcs: tuple[int, ...], bass: int, around_fret: int) -> tuple[int, ...]:
    """A chord that lies under one hand on a guitar in standard tuning: pitches from low to high (4 to 6 strings)."""
    best: tuple[float, tuple[int, ...]] | None = None
    for position in range(10):
        frets = set(range(position, position + 4)) | ({0} if position <= 3 else set())
        choices = [[s + f for f in sorted(frets) if (s + f) % 12 in pcs] for s in _STRINGS]
        for start in range(3):
            roots = [p for p in choices[start] if p % 12 == bass]
            if not roots or any(not c for c in choices[start + 1 :]):
                continue
            for shape in itertools.product(roots, *choices[start + 1 :]):
                held = [p - s for p, s in zip(shape, _STRINGS[start:], strict=True) if p != s]
                fingers = len(held) - (held.count(min(held)) - 1 if held and min(held) > 0 else 0)
                if fingers > 4 or (held and max(held) - min(held) > 3):
                    continue
                missing = len(set(pcs) - {p % 12 for p in shape})
                doubled = sum(1 for a, b in itertools.pairwise(shape) if a == b or a > b)
                cost = 4.0 * missing + 3.0 * doubled + 0.5 * abs(position - around_fret) + 0.3 * start
                if best is None or cost < best[0]:
                    best = (cost, shape)
    if best is None:
        root = 40 + (bass - 40) % 12
        return tuple(sorted({root, *(p for p in range(root + 5, root + 22) if p % 12 in pcs)}))[:5]
    return tuple(sorted(set(best[1])))
