"""Numerals, scales and voicings."""

from __future__ import annotations

import itertools

import pytest
from gigmate.training.band.chord_theory import (
    QUALITIES,
    cluttered,
    guitar_shape,
    lead_voices,
    parse_numeral,
    parse_progression,
    scale_of,
)


@pytest.mark.parametrize(
    ("text", "key", "root", "bass", "pcs"),
    [
        ("I", 0, 0, 0, {0, 4, 7}),
        ("vi", 0, 9, 9, {9, 0, 4}),
        ("ii7", 2, 4, 4, {4, 7, 11, 2}),
        ("bVII", 0, 10, 10, {10, 2, 5}),
        ("V7/vi", 0, 4, 4, {4, 8, 11, 2}),
        ("I/3", 0, 0, 4, {0, 4, 7}),
        ("V/3", 7, 2, 6, {2, 6, 9}),
        ("IV/1", 0, 5, 0, {5, 9, 0}),
        ("iim7b5", 0, 2, 2, {2, 5, 8, 0}),
        ("#IVdim7", 0, 6, 6, {6, 9, 0, 3}),
    ],
)
def test_numerals(text: str, key: int, root: int, bass: int, pcs: set[int]) -> None:
    chord = parse_numeral(text, key)
    assert (chord.root, chord.bass, set(chord.pcs)) == (root, bass, pcs)


def test_wrong_numerals_are_refused_with_what_is_known() -> None:
    with pytest.raises(ValueError, match="not a roman numeral"):
        parse_numeral("H7", 0)
    with pytest.raises(ValueError, match="known"):
        parse_numeral("Isuper", 0)


def test_progressions_repeat_and_divide_bars() -> None:
    bars = parse_progression("I % ii7,V7", 0, 4)
    assert [len(b) for b in bars] == [1, 1, 2]
    assert bars[1][0][1] == bars[0][0][1]
    assert [at for at, _ in bars[2]] == [0.0, 2.0]
    assert [at for at, _ in parse_progression("ii7,V7", 0, 3)[0]] == [0.0, 2.0]


@pytest.mark.parametrize("kind", ["triad", "seventh", "rootless"])
def test_voicings_move_little_and_are_never_mud(kind: str) -> None:
    chords = [parse_numeral(n, 5) for n in ("I", "vi7", "ii7", "V7", "IVmaj7", "ivm6", "iii7", "VI7b9", "I6")]
    previous = None
    for chord in chords * 2:
        voicing = lead_voices(chord, kind, previous, 52, 79)
        assert voicing[0] >= 52
        assert voicing[-1] <= 79
        assert not cluttered(voicing)
        if previous is not None:
            moves = [min(abs(p - q) for q in previous) for p in voicing]
            assert sum(moves) / len(moves) <= 3.5
        previous = voicing


def test_every_quality_can_be_voiced_on_keys_and_held_on_a_guitar() -> None:
    for quality, root in itertools.product(QUALITIES, range(12)):
        chord = parse_numeral("I" + quality, root)
        assert lead_voices(chord, "power" if quality == "5" else "rootless", None, 52, 79)
        shape = guitar_shape(chord.pcs, chord.bass, 0)
        assert 3 <= len(shape) <= 6
        assert {p % 12 for p in shape} <= set(chord.pcs)
        assert shape[0] >= 40
        assert shape[-1] <= 80


def test_the_scale_over_a_chord_holds_its_tones() -> None:
    for numeral in ("V7/vi", "bVII", "ivm6", "VI7b9", "iim7b5"):
        chord = parse_numeral(numeral, 3)
        assert set(chord.pcs) <= set(scale_of(chord, 3, False))
