"""Bass by roles: what is written over one chord is found again over it, and moves with chord and goal."""

from __future__ import annotations

import pytest
from gigmate.model.generator.bass_roles import (
    ABOVE,
    BELOW,
    FIFTH,
    FOURTH,
    HIGHEST,
    LOWEST,
    ROOT,
    SEVENTH,
    SIXTH,
    THIRD,
    TONE_BELOW,
    coded,
    near_home,
    pitch_of,
    role_in,
    role_of,
)
from hypothesis import given
from hypothesis import strategies as st

MAJOR, MINOR, DIM = (0, 4, 7), (0, 3, 7, 10), (0, 3, 6, 9)


def classes(root: int, tones: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(float((k - root) % 12 in tones) for k in range(12))


@given(st.integers(30, 53), st.integers(0, 11), st.sampled_from([MAJOR, MINOR, DIM]))
def test_a_tone_of_the_chord_is_found_again(pitch: int, root: int, tones: tuple[int, ...]) -> None:
    if (pitch - root) % 12 in tones:
        code = role_in(pitch, root, tones, root, False)
        assert pitch_of(code, root, classes(root, tones), -1) % 12 == pitch % 12


@pytest.mark.parametrize(
    ("tones", "step", "role"),
    [(MAJOR, 0, ROOT), (MAJOR, 4, THIRD), (MINOR, 3, THIRD), (MAJOR, 5, FOURTH), ((0, 5, 7), 5, THIRD), (DIM, 6, FIFTH),
     (MAJOR, 6, FOURTH), (MAJOR, 9, SIXTH), (DIM, 9, SEVENTH), (MINOR, 10, SEVENTH), (MINOR, 8, SIXTH)],
)  # fmt: skip
def test_degrees(tones: tuple[int, ...], step: int, role: int) -> None:
    assert role_of(role_in(36 + step, 0, tones, 0, False)) == role


def test_a_third_follows_the_chord_and_an_octave_stays_above() -> None:
    third = role_in(40, 0, MAJOR, 0, False)
    assert pitch_of(third, 9, classes(9, MINOR), -1) % 12 == 0
    octave = role_in(near_home(4) + 12, 4, MAJOR, 4, False)
    assert pitch_of(octave, 7, classes(7, MAJOR), -1) == near_home(7) + 12


def test_an_approach_leads_to_the_chord_that_follows_or_to_the_one_that_stays() -> None:
    below = role_in(near_home(5) - 1, 0, MAJOR, 5, True)
    assert role_of(below) == BELOW
    assert pitch_of(below, 0, classes(0, MAJOR), 9) % 12 == 8
    assert pitch_of(below, 0, classes(0, MAJOR), -1) % 12 == 11
    assert role_of(role_in(43, 0, (0, 4, 7, 10), 9, True)) == TONE_BELOW, "a fifth that leads on is an approach"
    assert role_of(role_in(43, 0, MAJOR, 0, True)) == FIFTH, "where the chord stays, its tones are its tones"
    assert role_of(role_in(42, 0, MAJOR, 5, True)) == ABOVE


@given(st.integers(0, 10), st.integers(-1, 1), st.integers(0, 11), st.integers(-1, 11))
def test_every_role_has_a_pitch_that_a_bass_can_play(role: int, octave: int, root: int, following: int) -> None:
    assert LOWEST <= pitch_of(coded(role, octave), root, classes(root, MINOR), following) <= HIGHEST
