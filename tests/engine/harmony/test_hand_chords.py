"""Chords by the keys that are held: every quality, in every key, on every bass; and what a few keys stand for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from gigmate.engine.charts.chord_symbol import parse_chord
from gigmate.engine.harmony.hand_chords import QUALITIES, WITHOUT_FIFTH, chord_of, largest_chord_of
from hypothesis import given
from hypothesis import strategies as st

NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
AMBIGUOUS = {"6", "m7", "m6", "m7b5", "sus4", "sus2", "aug", "dim7", "7sus4", "9sus4", "add9", "6/9", "m7add11", "7b5"}
"""Inverted, these are other chords of the same tones: the lowest note may be the root of one."""


def tones_of(quality: str, root: int = 0) -> set[int]:
    return {tone for tone, there in enumerate(parse_chord(NAMES[root] + quality).pitch_classes) if there}


@st.composite
def held(draw: st.DrawFn) -> tuple[str, int, int, list[int]]:
    """A quality, a root, which of its tones is lowest, and keys that are that: in any octaves, some doubled."""
    quality, root = draw(st.sampled_from(QUALITIES)), draw(st.integers(0, 11))
    tones = sorted(tones_of(quality, root))
    bass = draw(st.sampled_from(tones))
    lowest = 36 + bass
    above = [tone for tone in tones if tone != bass] + draw(st.lists(st.sampled_from(tones), max_size=2))
    keys = [lowest + (tone - lowest) % 12 + 12 * draw(st.integers(0, 3)) for tone in above]
    return quality, root, bass, [lowest, *keys]


@given(held())
def test_what_is_held_is_what_is_named(example: tuple[str, int, int, list[int]]) -> None:
    quality, root, bass, keys = example
    chord = chord_of(keys)
    assert chord is not None
    assert chord.bass == bass
    assert {tone for tone, there in enumerate(chord.pitch_classes) if there} == tones_of(quality, root)
    assert parse_chord(chord.name) == chord, "charts write it so"
    if bass == root:
        assert chord.root == root, "the lowest note is the root where a chord stands on it"
    elif quality in ("", "m", "7", "maj7", "dim", "mmaj7"):
        assert chord.root == root, "nothing else is made of these tones"


@given(held(), st.integers(1, 11))
def test_another_key_is_the_same_chord_higher(example: tuple[str, int, int, list[int]], up: int) -> None:
    keys = example[3]
    here, there = chord_of(keys), chord_of([key + up for key in keys])
    assert here is not None and there is not None
    if example[0] not in AMBIGUOUS:
        assert (there.root, there.bass) == ((here.root + up) % 12, (here.bass + up) % 12)
    assert there.pitch_classes == here.pitch_classes[-up:] + here.pitch_classes[:-up]


@pytest.mark.parametrize("quality", WITHOUT_FIFTH)
def test_a_seventh_needs_no_fifth(quality: str) -> None:
    for root in range(12):
        keys = [36 + root, *(60 + tone for tone in tones_of(quality, root) - {(root + 7) % 12, root})]
        chord = chord_of(keys)
        assert chord is not None
        assert chord == parse_chord(NAMES[root] + quality)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ((60, 64, 67), "C"), ((64, 67, 72), "C/E"), ((55, 60, 64), "C/G"), ((57, 60, 64), "Am"), ((60, 64, 69), "Am/C"),
        ((60, 64, 67, 70), "C7"), ((58, 60, 64, 67), "C7/Bb"), ((60, 64, 67, 69), "C6"), ((57, 60, 64, 67), "Am7"),
        ((64, 67, 69, 72), "Am7/E"), ((60, 65, 67), "Csus4"), ((60, 62, 67), "Csus2"), ((60, 63, 66), "Cdim"),
        ((60, 64, 68), "Caug"), ((60, 63, 66, 69), "Cdim7"), ((62, 65, 68, 72), "Dm7b5"), ((43, 65, 69, 72), "Fadd9/G"),
        ((48, 62, 66, 69), "D7/C"), ((42, 60, 64, 67), "C/F#"), ((41, 59, 62, 67), "G7/F"), ((49, 60, 64, 67), "C/Db"),
        ((60, 67), "C5"), ((60, 65), "F5/C"), ((60, 72), "C5"), ((60,), "C5"), ((60, 64), "C"), ((60, 63), "Cm"),
        ((64, 72), "C/E"), ((60, 69), "Am/C"), ((60, 70), "C7"), ((60, 71), "Cmaj7"), ((60, 61), "Dbmaj7/C"),
        ((60, 62), "Csus2"), ((60, 66), "Cdim"),
    ],
)  # fmt: skip
def test_the_table(keys: tuple[int, ...], name: str) -> None:
    chord = chord_of(keys)
    assert chord is not None
    assert chord.name == name


def test_what_is_no_chord() -> None:
    assert chord_of([]) is None
    assert chord_of([60, 61, 62, 63]) is None
    assert largest_chord_of([60, 61, 62, 63]) is None
    assert largest_chord_of([]) is None


def test_a_chord_is_found_among_other_keys() -> None:
    """Of those that are held whole the largest, and of these the one on the lowest note."""
    found = largest_chord_of([48, 64, 67, 70, 73, 74, 75])
    assert found is not None and found.name == "C9"
    bare = largest_chord_of([60, 64, 67, 61, 65])
    assert bare is not None and bare.bass == 0 and bare.pitch_classes[4] == bare.pitch_classes[7] == 1.0


def test_the_likelier_qualities_come_first() -> None:
    """Triads before sevenths before what has more: of two readings of an inversion the plainer is meant."""
    sizes = [len(tones_of(quality)) for quality in QUALITIES[:2] + QUALITIES[2:5] + ("9", "13")]
    assert all(before <= after for before, after in pairwise(sizes))
