"""Hands laid over one another, and how loud they have the parts."""

from __future__ import annotations

import math

from gigmate.engine.hand import DRUM_VOICES, FREE_HAND, MOST_SOFTER_DB, Hand, PartHand, all_parts
from gigmate.engine.notes.groove_timing import TimedNote
from gigmate.engine.notes.hand_touch import levels_by_hand, touched
from gigmate.model.generator import score_tokens


def test_what_is_on_top_decides_and_amounts_add() -> None:
    rest, hit = PartHand(rest=True, level_db=-2.0, busier=0.1), PartHand(hit_at=0.5, level_db=3.0, keep_out=(60, 72))
    assert hit.over(rest) == PartHand(hit_at=0.5, level_db=1.0, busier=0.1, keep_out=(60, 72))
    assert rest.over(hit) == PartHand(rest=True, level_db=1.0, busier=0.1, keep_out=(60, 72))
    assert PartHand(busier=0.2).over(hit).hit_at == 0.5, "an amount decides on nothing"
    assert all_parts(rest).over(FREE_HAND) == all_parts(rest) == FREE_HAND.over(all_parts(rest))
    silent = PartHand(level_db=-50.0)
    assert silent.over(silent).level_db == -MOST_SOFTER_DB


def test_what_is_only_likely_gives_way_to_what_is_sure() -> None:
    likely, rest, sure = PartHand(hit_at=0.2, sure=0.5), PartHand(rest=True), PartHand(hit_at=0.7)
    assert likely.over(rest) == rest == rest.over(likely)
    assert likely.over(sure) == sure and sure.over(likely) == sure
    assert likely.over(PartHand(busier=0.1)) == PartHand(hit_at=0.2, sure=0.5, busier=0.1)


def test_a_hand_without_a_wish_is_free() -> None:
    assert FREE_HAND.free and Hand((PartHand(), PartHand(), PartHand())).free
    assert not Hand((PartHand(), PartHand(hold=True), PartHand())).free


def test_sound_and_notes_are_as_loud_as_the_hand_has_them() -> None:
    hand = Hand((PartHand(), PartHand(level_db=-12.0), PartHand(level_db=9.0)))
    assert levels_by_hand((0.0, -3.0, -math.inf), hand) == (0.0, -15.0, -math.inf)
    notes = [
        TimedNote(0, 36, 100, 0.0),
        TimedNote(1, 40, 100, 1.0),
        TimedNote(1, 40, 0, 2.0),
        TimedNote(2, 60, 120, 3.0),
    ]
    assert [note.velocity for note in touched(notes, hand)] == [100, 50, 0, 127]
    assert [note.velocity for note in touched(notes[1:2], all_parts(PartHand(level_db=-60.0)))] == [3]


def test_voices_are_those_of_the_notes() -> None:
    assert DRUM_VOICES == score_tokens.DRUM_VOICES
