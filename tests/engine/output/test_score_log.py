"""The score of what was played: notes where they are heard, cut by exits, along the beats that were followed."""

from __future__ import annotations

import pytest
from gigmate.engine.notes.groove_timing import TimedNote
from gigmate.engine.output.score_log import ScoreLog
from gigmate.engine.position import Point

RATE_HZ = 48_000.0


def note(position: float, pitch: int = 40, velocity: int = 100, part: int = 1) -> TimedNote:
    return TimedNote(part, pitch, velocity, position)


def test_notes_are_told_in_seconds() -> None:
    log = ScoreLog()
    log.take([note(48_480, 36, part=0), note(49_920, 36, 0, part=0)])
    (heard,) = log.score(0, 96_000, RATE_HZ).notes
    assert (heard.part, heard.pitch, heard.velocity) == ("drums", 36, 100)
    assert (heard.start_s, heard.end_s) == (pytest.approx(1.01), pytest.approx(1.04))


def test_a_note_that_is_struck_again_ends_first() -> None:
    log = ScoreLog()
    log.take([note(0), note(4800)])
    log.end_all(9600)
    assert [(n.start_s, n.end_s) for n in log.score(0, 96_000, RATE_HZ).notes] == [(0.0, 0.1), (0.1, 0.2)]


def test_bounds_cut_and_what_begins_outside_is_left_out() -> None:
    log = ScoreLog()
    log.take([note(start) for start in (0, 4800, 96_000)])
    log.end_all(100_000)
    notes = log.score(4000, 90_000, RATE_HZ).notes
    assert [(n.start_s, n.end_s) for n in notes] == [(pytest.approx(0.1), pytest.approx(90_000 / RATE_HZ))]


def test_beats_fall_between_the_points_and_count_their_bar() -> None:
    log = ScoreLog()
    for n in range(12):
        beat = 0.4 * n + 0.1
        log.follow(Point(n * 9600.0, beat, 3.0 * (beat // 3), int(beat // 3), 3), "Verse" if n < 6 else "Chorus")
    score = log.score(0, 1e9, RATE_HZ)
    assert [(beat.number, beat.beats_per_bar) for beat in score.beats] == [(2, 3), (3, 3), (1, 3), (2, 3)]
    assert [beat.time_s for beat in score.beats] == pytest.approx([0.45, 0.95, 1.45, 1.95])
    assert [(section.time_s, section.text) for section in score.sections] == [
        (0.0, "Verse"),
        (pytest.approx(1.2), "Chorus"),
    ]


def test_chords_are_told_where_they_change() -> None:
    log = ScoreLog()
    for n, chord in enumerate(["", "", "Am", "Am", "C7", "", "C7"]):
        log.follow(Point(n * 48_000.0, float(n), 0.0, 0, 4), "", chord)
    assert [(chord.time_s, chord.text) for chord in log.score(0, 1e9, RATE_HZ).chords] == [
        (2.0, "Am"), (4.0, "C7"), (6.0, "C7")
    ]  # fmt: skip
    assert [chord.text for chord in log.score(0, 4 * 48_000, RATE_HZ).chords] == ["Am"]
