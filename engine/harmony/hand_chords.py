"""Names the chord that a hand holds: keys in, a chord as charts write it out, with another bass where there is one.

Knows no time and no MIDI. Which qualities there are, and what they are made of, is what charts understand
(engine/charts/chord_symbol.py). Pure functions, any thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ..charts.chord_symbol import FLAT_NAMES, ChordSymbol, parse_chord

QUALITIES = (
    "", "m", "7", "maj7", "m7", "sus4", "sus2", "dim", "aug", "m7b5", "dim7", "6", "m6", "7sus4", "mmaj7", "add9",
    "madd9", "9", "m9", "maj9", "6/9", "m6/9", "7b9", "7#9", "7b5", "7#5", "maj7#5", "9sus4", "13", "7add13", "maj7#11",
    "7#11", "m7add11", "m11", "maj13", "m13", "7b9b13",
)  # fmt: skip
"""What is told apart, the likelier first: of two that fit the keys the first is meant."""
WITHOUT_FIFTH = ("7", "maj7", "m7", "mmaj7", "9", "maj9", "m9", "7b9", "7#9", "7add13", "13")
"""These are as often played without their fifth."""
PAIRS = {
    1: ("maj7", 1), 2: ("sus2", 0), 3: ("m", 0), 4: ("", 0), 5: ("5", 5), 6: ("dim", 0), 7: ("5", 0), 8: ("", 8),
    9: ("m", 9), 10: ("7", 0), 11: ("maj7", 0),
}  # fmt: skip
"""What two notes so many semitones apart stand for: a quality, and how far its root is above the lower one."""
LEAST = 3
"""So many different tones make a chord that leaves no question."""
_NAMES = (*FLAT_NAMES[:6], "F#", *FLAT_NAMES[7:])


def chord_of(pitches: Iterable[int]) -> ChordSymbol | None:
    """The chord of these keys (MIDI notes), None where they are none.

    Its root is the lowest note where a chord stands on it; else that of the chord over that bass; else the lowest is
    the bass of a chord of the others. One tone is a power chord: neither major nor minor.
    """
    keys = sorted(set(pitches))
    if not keys:
        return None
    return _named(frozenset(key % 12 for key in keys), keys[0] % 12)


def largest_chord_of(pitches: Iterable[int]) -> ChordSymbol | None:
    """The largest chord that is held among other keys, on the lowest note first; None where there is none."""
    keys = sorted(set(pitches))
    if not keys:
        return None
    tones, bass = frozenset(key % 12 for key in keys), keys[0] % 12
    roots = [bass, *sorted(tones - {bass})]
    held = [
        (len(made_of), -roots.index(root), -place, quality, root)
        for place, quality in enumerate(QUALITIES)
        for root in roots
        if (made_of := _tones(quality, root)) <= tones
    ]
    if not held:
        return None
    *_, quality, root = max(held)
    return _symbol(root, quality, bass if bass in _tones(quality, root) else root)


@lru_cache(maxsize=4096)
def _named(tones: frozenset[int], bass: int) -> ChordSymbol | None:
    if len(tones) == 1:
        return _symbol(bass, "5", bass)
    if len(tones) == 2:
        (other,) = tones - {bass}
        pair, up = PAIRS[(other - bass) % 12]
        return _symbol((bass + up) % 12, pair, bass)
    quality = _quality(tones, bass)
    if quality is not None:
        return _symbol(bass, quality, bass)
    over = [(QUALITIES.index(found), root) for root in tones if (found := _quality(tones, root)) is not None]
    if over:
        place, root = min(over)
        return _symbol(root, QUALITIES[place], bass)
    others = tones - {bass}
    if len(others) >= LEAST:
        above = [(QUALITIES.index(found), root) for root in others if (found := _quality(others, root)) is not None]
        if above:
            place, root = min(above)
            return _symbol(root, QUALITIES[place], bass)
    return None


def _quality(tones: frozenset[int], root: int) -> str | None:
    """The quality that these tones are on that root, whole or without its fifth."""
    whole = next((quality for quality in QUALITIES if _tones(quality, root) == tones), None)
    if whole is not None:
        return whole
    fifth = {(root + 7) % 12}
    return next((quality for quality in WITHOUT_FIFTH if _tones(quality, root) - fifth == tones), None)


@lru_cache(maxsize=1024)
def _tones(quality: str, root: int) -> frozenset[int]:
    written = parse_chord(_NAMES[root] + quality).pitch_classes
    return frozenset(tone for tone, there in enumerate(written) if there)


@lru_cache(maxsize=4096)
def _symbol(root: int, quality: str, bass: int) -> ChordSymbol:
    return parse_chord(_NAMES[root] + quality + ("" if bass == root else f"/{_NAMES[bass]}"))
