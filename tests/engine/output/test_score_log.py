"""The score of what was played: notes where they are heard, cut by exits, along the beats that were followed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from gigmate.engine.output.score_log import FrameTime, ScoreLog
from gigmate.engine.position import Point

RATE_HZ = 48_000.0
LEVELS = (0.0, 0.0, 0.0)


class Event(NamedTuple):
    part: int
    pitch: int
    velocity: int
    offset_samples: int


def at(start: float, gains: np.ndarray | None = None) -> FrameTime:
    return FrameTime(start, 1.5, gains, start)


def test_offsets_are_brought_to_the_host_rate() -> None:
    log = ScoreLog()
    log.frame([Event(0, 36, 100, 320)], at(48_000), LEVELS)
    log.frame([Event(0, 36, 0, 0)], at(49_920), LEVELS)
    (note,) = log.score(0, 96_000, RATE_HZ).notes
    assert (note.part, note.pitch, note.velocity) == ("drums", 36, 100)
    assert (note.start_s, note.end_s) == (pytest.approx(1.01), pytest.approx(1.04))


def test_what_nobody_hears_is_no_note() -> None:
    log, silent = ScoreLog(), np.zeros(1920, np.float32)
    log.frame([Event(1, 40, 100, 0)], at(0, silent), LEVELS)
    log.frame([Event(2, 60, 100, 0)], at(1920), (0.0, 0.0, -math.inf))
    log.end_all(9600)
    assert log.score(0, 96_000, RATE_HZ).notes == ()


def test_an_exit_ends_what_sounds() -> None:
    log, fade = ScoreLog(), np.linspace(1.0, 0.0, 1920, dtype=np.float32)
    fade[960:] = 0.0
    log.frame([Event(1, 40, 100, 0)], at(0), LEVELS)
    log.frame([], at(1920, fade), LEVELS)
    (note,) = log.score(0, 96_000, RATE_HZ).notes
    assert note.end_s == pytest.approx((1920 + 960) / RATE_HZ)


def test_bounds_cut_and_what_begins_outside_is_left_out() -> None:
    log = ScoreLog()
    for start in (0, 4800, 96_000):
        log.frame([Event(1, 40, 100, 0)], at(start), LEVELS)
    log.end_all(100_000)
    notes = log.score(4000, 90_000, RATE_HZ).notes
    assert [(note.start_s, note.end_s) for note in notes] == [(pytest.approx(0.1), pytest.approx(90_000 / RATE_HZ))]


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
