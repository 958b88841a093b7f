"""What of the notes is heard: entrances, exits, parts that are off; every note that begins also ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.engine.notes.audible_notes import AudibleNotes, HeardFrame
from gigmate.engine.notes.groove_timing import TimedNote
from hypothesis import given
from hypothesis import strategies as st

FRAME = 1920
LEVELS = (0.0, 0.0, 0.0)


def note(position: float, velocity: int = 100, part: int = 1, pitch: int = 40) -> TimedNote:
    return TimedNote(part, pitch, velocity, position)


def test_what_nobody_hears_is_no_note() -> None:
    notes, silent = AudibleNotes(), np.zeros(FRAME, np.float32)
    assert notes.frame([note(0)], HeardFrame(0, LEVELS, silent)) == []
    assert notes.frame([note(FRAME, part=2)], HeardFrame(FRAME, (0.0, 0.0, -math.inf))) == []
    assert notes.end_all(9600) == []


def test_an_exit_ends_what_sounds_where_it_is_silent() -> None:
    notes, fade = AudibleNotes(), np.linspace(1.0, 0.0, FRAME, dtype=np.float32)
    fade[960:] = 0.0
    notes.frame([note(0)], HeardFrame(0, LEVELS))
    assert notes.frame([], HeardFrame(FRAME, LEVELS, fade, FRAME)) == [note(FRAME + 960, 0)]


def test_a_part_that_is_switched_off_ends_and_the_others_go_on() -> None:
    notes = AudibleNotes()
    notes.frame([note(10), note(20, part=2, pitch=60)], HeardFrame(0, LEVELS))
    assert notes.frame([], HeardFrame(FRAME, (0.0, -math.inf, 0.0))) == [note(FRAME, 0)]
    assert notes.end_all(2 * FRAME) == [note(2 * FRAME, 0, 2, 60)]


def test_a_note_that_is_struck_again_ends_first() -> None:
    notes = AudibleNotes()
    notes.frame([note(10)], HeardFrame(0, LEVELS))
    assert notes.frame([note(FRAME + 5, 90)], HeardFrame(FRAME, LEVELS)) == [note(FRAME + 5, 0), note(FRAME + 5, 90)]


_EVENTS = st.lists(
    st.builds(note, st.floats(0, FRAME), st.sampled_from([0, 60]), st.sampled_from([0, 1, 2]), st.integers(40, 42)),
    max_size=6,
)
_FRAMES = st.lists(
    st.tuples(
        _EVENTS,
        st.sampled_from(["on", "in", "out", "silent", "lost"]),
        st.tuples(*[st.sampled_from([0.0, -math.inf])] * 3),
    ),
    max_size=20,
)
GAINS = {
    "on": None,
    "in": np.linspace(0, 1, FRAME, dtype=np.float32),
    "out": np.linspace(1, 0, FRAME, dtype=np.float32),
    "silent": np.zeros(FRAME, np.float32),
}


@given(_FRAMES)
def test_every_note_that_begins_also_ends(frames: list) -> None:
    notes, told = AudibleNotes(), []
    for number, (events, how, levels_db) in enumerate(frames):
        start = number * FRAME
        if how == "lost":
            told += notes.end_all(start)
            continue
        placed = [event._replace(position_samples=start + event.position_samples) for event in events]
        placed.sort(key=lambda event: (event.position_samples, event.velocity > 0))
        told += notes.frame(placed, HeardFrame(start, levels_db, GAINS[how], start))
    told += notes.end_all(len(frames) * FRAME)
    sounding: dict[tuple[int, int], float] = {}
    for one in told:
        key = (one.part, one.pitch)
        if one.velocity > 0:
            assert key not in sounding
            sounding[key] = one.position_samples
        else:
            assert one.position_samples >= sounding.pop(key)
    assert not sounding


def test_levels_are_those_of_the_part() -> None:
    assert HeardFrame(0, LEVELS).gain_at(5.0) == pytest.approx(1.0)
