"""The songbook: what it holds, the progression that is found in it, and songs that are not in it."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.harmony.chord_filter import STATES
from gigmate.engine.harmony.common_progressions import IN_MAJOR, IN_MINOR, progressions
from gigmate.engine.harmony.progression_filter import ProgressionConfig, ProgressionFilter

KEYS = np.full(24, 1 / 24)
C, F, G, AM = 0, 5, 7, 9 + 12


class Song:
    """Half-beats of a bar of four, one chord after another, each heard well or badly."""

    def __init__(self, sure: float = 0.9, first_slot: int = 0) -> None:
        self.filter, self.slot, self.sure, self.first = ProgressionFilter(), first_slot, sure, first_slot

    def bar(self, chord: int, heard: float = 0.9, up: int = 0) -> None:
        chord = (chord % 12 + up) % 12 + chord // 12 * 12
        for _ in range(8):
            self.filter.move(self.slot, self.first, 8, self.sure, KEYS)
            likelihood = np.full(STATES, (1.0 - heard) / (STATES - 1))
            likelihood[chord] = heard
            self.filter.judge(likelihood, float(likelihood.mean()))
            self.slot += 1

    def next_bar(self) -> tuple[int, float]:
        """The chord foretold for the bar to come, and how likely it is said to be."""
        joint, share = self.filter.expect(1)
        chords = joint.sum(axis=0)
        return int(chords.argmax()), share * float(chords.max())


def test_numerals_are_read() -> None:
    assert progressions("I bVII IV,iv | ii V") == (((0,), (10,), (5, 17)), ((14,), (7,)))
    for text in (IN_MAJOR, IN_MINOR):
        found = progressions(text)
        assert len(found) == len(set(found)) > 70
    for wrong in ("I IIII", "I x", "Iv"):
        with pytest.raises(ValueError, match="no numeral"):
            progressions(wrong)


@pytest.mark.parametrize("up", [0, 3, 11])
def test_a_progression_is_known_after_its_first_pass(up: int) -> None:
    song = Song()
    for chord in (C, G, AM, F):
        song.bar(chord, up=up)
    for chord in (C, G, AM, F):
        told, sure = song.next_bar()
        assert told == (chord % 12 + up) % 12 + chord // 12 * 12
        song.bar(chord, up=up)
    assert sure > 0.4
    joint, _ = song.filter.expect()
    assert int(joint.sum(axis=1).argmax()) == up, "the key is that of the progression"


def test_a_blues_is_heard_through_a_melody_that_hardly_says_it() -> None:
    song = Song()
    blues = (C, C, C, C, F, F, C, C, G, F, C, G)
    right = []
    for number in range(4 * 12):
        if number >= 24:
            right.append(song.next_bar()[0] == blues[number % 12])
        song.bar(blues[number % 12], heard=0.12)
    assert np.mean(right) > 0.85


def test_bars_that_are_counted_a_beat_off_do_not_hide_it() -> None:
    song = Song(sure=0.5, first_slot=6)
    song.slot = 0
    for chord in (C, G, AM, F) * 3:
        song.bar(chord)
    assert song.next_bar()[0] == C


def test_a_song_of_no_book_is_not_believed_to_be_in_it() -> None:
    rng = np.random.default_rng(0)
    song = Song()
    told = []
    for _ in range(60):
        told.append(song.next_bar()[1] if song.slot else 0.0)
        song.bar(int(rng.integers(24)))
    assert np.mean(told) < 0.25


def test_what_was_not_heard_changes_no_belief_and_a_leap_in_time_is_survived() -> None:
    song = Song()
    for chord in (C, G, AM, F):
        song.bar(chord)
    before = song.filter.expect(1)[0].sum(axis=0)
    song.filter.judge(np.ones(STATES), 1.0)
    np.testing.assert_allclose(song.filter.expect(1)[0].sum(axis=0), before, atol=1e-9)
    for slot in (song.slot + 500, 3, -40):
        song.filter.move(slot, 0, 8, 0.9, KEYS)
        joint, share = song.filter.expect()
        assert 0.0 <= share <= 1.0
        assert joint.min() >= 0.0


@pytest.mark.parametrize("slots_per_bar", [4, 6, 10, 8])
def test_belief_stays_a_probability_in_any_metre(slots_per_bar: int) -> None:
    filtered = ProgressionFilter(ProgressionConfig())
    rng = np.random.default_rng(1)
    for slot in range(300):
        filtered.move(slot, 0, slots_per_bar, float(rng.random()), KEYS)
        likelihood = rng.random(STATES) ** 3 + 1e-3
        filtered.judge(likelihood, float(likelihood.mean()))
        assert float(filtered._belief.sum()) + filtered._none == pytest.approx(1.0)
        for ahead in (0, 1, 9):
            joint, share = filtered.expect(ahead)
            assert joint.sum() == pytest.approx(1.0)
            assert 0.0 <= share <= 1.0


def test_what_is_expected_is_the_same_in_whatever_order_it_is_asked_for() -> None:
    def heard() -> ProgressionFilter:
        found, random = ProgressionFilter(), np.random.default_rng(3)
        for slot in range(24):
            found.move(slot, 0, 8, 0.7, KEYS)
            found.judge(random.random(STATES), 0.5)
        return found

    ways = ([1, 2, 3, 4, 6], [6, 4, 3, 2, 1], [4, 1, 6, 2, 3])
    told = []
    for way in ways:
        one = heard()
        told.append({ahead: one.expect(ahead) for ahead in way})
    for ahead in ways[0]:
        alone = heard().expect(ahead)
        for one in told:
            assert (one[ahead][0] == alone[0]).all() and one[ahead][1] == alone[1]
