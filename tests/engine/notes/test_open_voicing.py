"""Open voicings: no pitch class comes or goes, the top and the bass keep their room, every note that begins ends."""

from __future__ import annotations

import itertools

import pytest
from gigmate.engine.notes.groove_timing import TimedNote
from gigmate.engine.notes.open_voicing import CLOSE_STYLES, LOWEST, OpenVoicing
from gigmate.engine.style_priors import STYLE_PRIORS
from hypothesis import given
from hypothesis import strategies as st

RATE_HZ, FRAME = 48_000, 1920
DRUMS, BASS, KEYS = range(3)


def chord(pitches: list[int], at: float, velocity: int = 80) -> list[TimedNote]:
    return [TimedNote(KEYS, pitch, velocity, at) for pitch in pitches]


def voiced(pitches: list[int], bass: list[int] | None = None, style: str = "swing") -> list[int]:
    """The pitches of a chord that is struck after these notes of the bass."""
    voicing = OpenVoicing(RATE_HZ)
    before = [TimedNote(BASS, pitch, 90, 100.0 * n) for n, pitch in enumerate(bass or [])]
    notes = voicing.frame([*before, *chord(pitches, 1000.0)], style)
    return sorted(note.pitch for note in notes if note.part == KEYS)


def test_the_second_and_the_fourth_from_the_top_go_down() -> None:
    assert voiced([62, 65, 69, 72]) == [50, 57, 65, 72]
    assert voiced([64, 67, 72]) == [55, 64, 72]
    assert voiced([60, 64, 67, 71, 74]) == [52, 59, 60, 67, 74]


def test_two_notes_and_one_stay_and_so_does_what_would_be_too_low() -> None:
    assert voiced([62, 69]) == [62, 69]
    assert voiced([62]) == [62]
    assert voiced([57, 60, 64, 67]) == [52, 57, 60, 67]
    assert voiced([53, 56, 60]) == [53, 56, 60]


@pytest.mark.parametrize("style", sorted(CLOSE_STYLES))
def test_styles_of_short_chords_keep_them_together(style: str) -> None:
    assert style in STYLE_PRIORS
    assert voiced([64, 67, 72], style=style) == [64, 67, 72]


def test_nothing_comes_near_the_bass() -> None:
    assert voiced([64, 67, 72], bass=[48]) == [55, 64, 72]
    assert voiced([64, 67, 72], bass=[51]) == [64, 67, 72]
    assert voiced([64, 67, 72], bass=[52, 40]) == [64, 67, 72], "the high one of a line of octaves"


def test_the_bass_of_two_seconds_ago_does_not_count() -> None:
    voicing = OpenVoicing(RATE_HZ)
    voicing.frame([TimedNote(BASS, 55, 90, 0.0)], "swing")
    later = voicing.frame(chord([64, 67, 72], 2.1 * RATE_HZ), "swing")
    assert [note.pitch for note in later] == [64, 55, 72]


def test_a_chord_at_the_edge_does_not_go_to_and_fro() -> None:
    """Where the last one was close, more room is asked for; where it was open, it stays so."""
    edge = LOWEST + 12
    assert voiced([55, edge, 65]) == [55, edge, 65]
    voicing = OpenVoicing(RATE_HZ)
    voicing.frame(chord([64, 67, 72], 0.0), "swing")
    opened = voicing.frame(chord([55, edge, 65], 5000.0), "swing")
    assert {note.pitch for note in opened if note.velocity} == {55, LOWEST, 65}


def test_a_note_that_takes_anothers_place_ends_it_first() -> None:
    voicing = OpenVoicing(RATE_HZ)
    voicing.frame(chord([64, 67, 72], 0.0), "swing")  # 67 sounds as 55
    taken = voicing.frame(chord([55], 5000.0), "swing")
    assert taken == [TimedNote(KEYS, 55, 0, 5000.0), TimedNote(KEYS, 55, 80, 5000.0)]
    assert voicing.frame(chord([67], 6000.0, 0), "swing") == [], "that one is over already"
    assert voicing.frame(chord([55], 7000.0, 0), "swing") == [TimedNote(KEYS, 55, 0, 7000.0)]


def test_a_chord_ends_as_it_began_whatever_the_style_is_by_then() -> None:
    voicing = OpenVoicing(RATE_HZ)
    begun = voicing.frame(chord([62, 65, 69, 72], 0.0), "swing")
    ended = voicing.frame(chord([62, 65, 69, 72], 5000.0, 0), "ska")
    assert {note.pitch for note in begun} == {note.pitch for note in ended}


@st.composite
def evenings(draw: st.DrawFn) -> list[list[TimedNote]]:
    """Frames of chords, single notes and bass, drums on the same samples; what begins also ends, at times late."""
    frames, sounding = [], set()
    for number in range(draw(st.integers(1, 25))):
        at = float(number * FRAME + draw(st.integers(0, 3)) * 480)
        ends = draw(st.sets(st.sampled_from(sorted(sounding)))) if sounding else set()
        begins = {(KEYS, p) for p in draw(st.sets(st.integers(45, 90), max_size=6))}
        begins |= {(BASS, p) for p in draw(st.sets(st.integers(28, 60), max_size=1))} | {(DRUMS, 36)}
        ends |= begins & sounding
        frames.append(
            [TimedNote(*key, 0, at) for key in sorted(ends)] + [TimedNote(*key, 80, at) for key in sorted(begins)]
        )
        sounding = sounding - ends | begins
    frames.append([TimedNote(*key, 0, len(frames) * float(FRAME)) for key in sorted(sounding)])
    return frames


@given(evenings(), st.lists(st.sampled_from(["swing", "ska", "rock"]), min_size=26, max_size=26))
def test_whatever_is_played_no_class_changes_and_no_note_hangs(
    frames: list[list[TimedNote]], styles: list[str]
) -> None:
    voicing, sounding = OpenVoicing(RATE_HZ), set()
    for notes, style in zip(frames, styles, strict=False):
        out = voicing.frame(notes, style)
        before, after = ([n for n in some if n.velocity] for some in (notes, out))
        assert [(n.part, n.pitch % 12, n.velocity, n.position_samples) for n in before] == [
            (n.part, n.pitch % 12, n.velocity, n.position_samples) for n in after
        ]
        for drawn, sounds in zip(before, after, strict=True):
            assert sounds.pitch in (drawn.pitch, drawn.pitch - 12)
            assert sounds.pitch == drawn.pitch or (sounds.part == KEYS and sounds.pitch >= LOWEST)
        assert [n for n in out if n.part != KEYS] == [n for n in notes if n.part != KEYS]
        for position, group in itertools.groupby(after, key=lambda n: n.position_samples):
            keys = [n.pitch for n in group if n.part == KEYS]
            assert len(keys) == len(set(keys)), position
        for note in out:
            key = (note.part, note.pitch)
            if note.part == KEYS:
                assert (key in sounding) == (note.velocity == 0), "each begins once and ends once"
                sounding ^= {key}
    assert not sounding
