"""Large letters: every state and chord can be drawn, in the largest size that fits, and no line is wider than asked."""

from __future__ import annotations

import pytest
from gigmate.control.big_letters import big_letters
from gigmate.control.display_text import big_state
from gigmate.engine.status import NOTE_NAMES, Status

STATES = ("loading", "stopped", "playing", "stopping", "fallback", "away", "ended")
SUFFIXES = ("", "m", "7", "m7b5", "maj7", "dim", "aug", "sus4", "add9", "m(maj7)", "6/9", "7#11", "-7", "+")


def test_every_state_has_letters() -> None:
    words = {big_state(Status(state=state))[0] for state in STATES}
    words |= {big_state(Status(state="playing", pending=pending))[0] for pending in ("start", "count-in", "ending")}
    words |= {"TAP", "HOLDING"}
    assert all(big_letters(word, 100, 5) for word in words)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_chord_has_letters(suffix: str) -> None:
    assert all(big_letters(name + suffix, 200, 5) for name in (*NOTE_NAMES, "C/E"))


@pytest.mark.parametrize("text", ["STOPPED", "F#m7b5/C#", "1"])
def test_the_largest_size_that_fits_is_taken(text: str) -> None:
    sizes = []
    for columns in range(1, 300):
        for rows in (1, 2, 3, 5, 10, 15):
            lines = big_letters(text, columns, rows)
            assert len(lines) <= rows
            assert len({len(line) for line in lines}) <= 1
            assert all(len(line) <= columns for line in lines)
        sizes.append(len(lines))
    assert sizes == sorted(sizes)
    assert {0, 3, 5, 10, 15} >= set(sizes) > {0, 5}


def test_letters_differ_from_each_other() -> None:
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789#/-+.()"
    assert len({tuple(big_letters(sign, 20, 5)) for sign in signs}) == len(signs)


def test_what_cannot_be_drawn_is_left_to_plain_text() -> None:
    assert big_letters("夜", 100, 10) == [] == big_letters("", 100, 10)
    assert big_letters("A", 10, 3, blocks=False) == []
    assert all(line.isascii() for line in big_letters("PLAYING", 100, 5, blocks=False))
