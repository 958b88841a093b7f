"""The groove: onsets come near the grid that the style plays on, in order, and take their ends with them."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest
from gigmate.engine.notes.groove_timing import MOST_MS, GrooveTiming, NoteFrame, TimedNote, grid_of
from gigmate.engine.position import Point
from gigmate.engine.style_priors import NO_GROOVE, STYLE_GROOVES, swing_share
from gigmate.training.band.feel import swing_by_tempo
from gigmate.training.band.styles import STYLES
from hypothesis import given
from hypothesis import strategies as st

RATE_HZ, FRAME, RATIO = 48_000, 1920, 1.5
BEAT = 24_000  # 120 bpm


class Event(NamedTuple):
    part: int
    pitch: int
    velocity: int
    offset_samples: int


def peek(position: float) -> Point:
    beat = position / BEAT
    return Point(position, beat, 4.0 * (beat // 4), int(beat // 4), 4)


def frame(number: int, style: str = "metal", in_time: bool = True) -> NoteFrame:
    return NoteFrame(number * FRAME, FRAME, RATIO, style, in_time)


def placed(positions: list[float], style: str = "metal", part: int = 0, in_time: bool = True) -> list[float]:
    """Where onsets of one part that are drawn at these places of the input are put."""
    groove, found = GrooveTiming(RATE_HZ), []
    for number in range(int(max(positions)) // FRAME + 1):
        inside = [at for at in positions if number * FRAME <= at < (number + 1) * FRAME]
        events = [Event(part, 36, 90, round((at - number * FRAME) / RATIO)) for at in inside]
        found += groove.frame(events, frame(number, style, in_time), peek)
    return [note.position_samples for note in found if note.velocity > 0]


def test_what_is_drawn_beside_the_grid_comes_nearer_to_it() -> None:
    drawn = [BEAT * n / 4 + error for n, error in enumerate([0, 300, -300, 200, -150, 240])]
    off = np.array(placed([max(0.0, at) for at in drawn])) - BEAT / 4 * np.arange(6)
    np.testing.assert_allclose(off, [0, 75, -75, 50, -37, 60], atol=2)


def test_no_onset_is_moved_far_and_what_stands_apart_stays() -> None:
    far, apart = BEAT + 1050, BEAT + 1500  # 22 and 31 ms behind
    assert placed([far]) == [pytest.approx(far - MOST_MS * RATE_HZ / 1000, abs=2)]
    assert placed([apart]) == [pytest.approx(apart, abs=2)]


def test_without_a_beat_nothing_is_moved() -> None:
    assert placed([BEAT + 200], in_time=False) == [pytest.approx(BEAT + 200, abs=2)]


def test_a_swung_eighth_stays_swung_and_a_straight_one_straight() -> None:
    swung = BEAT * swing_share(120, STYLE_GROOVES["swing"])
    (place,) = placed([swung + 250], "swing")
    assert abs(place - swung) < 100 + 0.001 * RATE_HZ
    (place,) = placed([BEAT / 2 + 250], "rock")
    assert abs(place - BEAT / 2) < 100


def test_a_part_that_plays_late_plays_late() -> None:
    late = 6.0 * RATE_HZ / 1000
    assert placed([4 * BEAT + late], "hip_hop", part=1) == [pytest.approx(4 * BEAT + late, abs=2)]
    (place,) = placed([4 * BEAT], "hip_hop", part=1)
    assert place > 4 * BEAT + 0.7 * late


def test_a_note_is_as_long_as_it_was_drawn() -> None:
    groove = GrooveTiming(RATE_HZ)
    (on,) = groove.frame([Event(1, 40, 90, 160)], frame(0), peek)  # 240 samples late
    (off,) = groove.frame([Event(1, 40, 0, 0)], frame(1), peek)
    assert off.position_samples - on.position_samples == pytest.approx(FRAME - 240)


def test_a_note_that_is_struck_again_ends_there() -> None:
    groove = GrooveTiming(RATE_HZ)
    groove.frame([Event(1, 40, 90, 160)], frame(0), peek)
    notes = groove.frame([Event(1, 40, 0, 320), Event(1, 40, 80, 320)], frame(1), peek)
    assert [note.velocity for note in notes] == [0, 80]
    assert notes[0].position_samples <= notes[1].position_samples


_FRAMES = st.lists(
    st.lists(
        st.builds(Event, st.integers(0, 2), st.integers(36, 38), st.sampled_from([0, 90]), st.integers(0, 1279)),
        max_size=6,
        unique_by=lambda event: (event.part, event.pitch, event.velocity > 0),
    ),
    max_size=25,
)


@given(_FRAMES, st.sampled_from(sorted(STYLE_GROOVES)), st.floats(50, 250))
def test_onsets_of_a_part_keep_their_order_and_nothing_moves_far(frames: list, style: str, bpm: float) -> None:
    groove, beat = GrooveTiming(RATE_HZ), 60 * RATE_HZ / bpm
    onsets: list[list[float]] = [[], [], []]
    begun: dict[tuple[int, int], float] = {}
    for number, events in enumerate(frames):
        ordered = sorted(events, key=lambda event: (event.offset_samples, event.velocity > 0))
        notes = groove.frame(
            ordered,
            frame(number, style),
            lambda at: Point(at, at / beat, 4.0 * (at / beat // 4), int(at / beat // 4), 4),
        )
        assert [note.position_samples for note in notes] == sorted(note.position_samples for note in notes)
        for note in notes:
            check_end(note, begun)
            if note.velocity > 0:
                onsets[note.part].append(note.position_samples)
        drawn = sorted(number * FRAME + event.offset_samples * RATIO for event in events if event.velocity > 0)
        moved = sorted(note.position_samples for note in notes if note.velocity > 0)
        assert all(abs(a - b) <= 2 * MOST_MS * RATE_HZ / 1000 + 1 for a, b in zip(drawn, moved, strict=True))
    for part in onsets:
        assert all(before <= after for before, after in itertools.pairwise(part))


def check_end(note: TimedNote, begun: dict[tuple[int, int], float]) -> None:
    key = (note.part, note.pitch)
    if note.velocity > 0:
        begun[key] = note.position_samples
    elif key in begun:
        assert note.position_samples >= begun.pop(key)


@pytest.mark.parametrize("bpm", [45, 70, 100, 125, 160, 220, 280])
@pytest.mark.parametrize("style", [*STYLE_GROOVES, "none"])
def test_places_stand_so_far_apart_that_one_is_not_taken_for_another(bpm: float, style: str) -> None:
    places = grid_of(60 / bpm, 1.0, STYLE_GROOVES.get(style, NO_GROOVE))
    assert places[0] == 0.0 and places[-1] == 1.0
    gaps_ms = [1000 * 60 / bpm * (b - a) for a, b in itertools.pairwise(places)]
    assert min(gaps_ms) >= 36.0 - 1e-6


def test_the_feel_is_that_of_the_music_which_the_band_learnt_from() -> None:
    assert set(STYLE_GROOVES) == set(STYLES) or set(STYLE_GROOVES) <= set(STYLES)
    for name, groove in STYLE_GROOVES.items():
        style = STYLES[name]
        assert groove.swing_depth == style.swing_depth
        assert groove.swing_grid_beats == style.swing_grid_beats
        assert groove.late_ms == tuple(style.timing_ms[part][0] for part in ("drums", "bass", "keys"))
        for bpm in (50, 90, 130, 170, 250, 300):
            pace = bpm * 0.5 / style.swing_grid_beats
            assert swing_share(bpm, groove) == pytest.approx(swing_by_tempo(pace, style.swing_depth))
    assert math.isclose(swing_share(120, NO_GROOVE), 0.5)
