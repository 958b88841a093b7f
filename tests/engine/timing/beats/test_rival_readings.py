"""Rival readings: from a held line that is wrong in each of the ways that occur, the evidence finds the right one."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gigmate.engine.player import HeardFrame
from gigmate.engine.style_priors import STYLE_PRIORS
from gigmate.engine.timing.beats.beat_grid import CELLS, BeatGrid
from gigmate.engine.timing.beats.metrical_readings import HELD, READINGS, MetricalReading, nearest_reading
from gigmate.engine.timing.beats.rival_readings import RivalReadings
from gigmate.engine.timing.conductor_settings import ReadingSettings

from ...performance import FRAME_S, Noise, Performance, perform, steady

LAG_S = 0.12  # of the performance's chords
BPM = 116.0
CLEAN = Noise(miss=0.0, offbeat=0.0, false_per_beat=0.0, jitter_s=0.004)
BUSY = Noise(miss=0.0, offbeat=1.0, offbeat_height=0.95, false_per_beat=0.0, jitter_s=0.004)
ROOTS = (0, 5, 7, 9)


def vote(bpm: float, width: float = 0.08) -> Any:
    """A listener's distribution over tempi, around one."""
    places = np.linspace(math.log(48.0), math.log(228.0), 60)
    votes = np.exp(-0.5 * ((places - math.log(bpm)) / width) ** 2) + 0.02
    return (votes / votes.sum()).astype(np.float32)


def heard(performance: Performance, frame: int, tempo: Any) -> Any:
    said = performance.heard(frame, chord_lag_frames=3)
    names = ("beat", "downbeat", "onset", "chord_root")
    return SimpleNamespace(**{name: getattr(said, name) for name in names}, tempo=tempo)


def weigh(
    performance: Performance,
    ratio: float = 1.0,
    shift_beats: float = 0.0,
    tempo_bpm: float | None = BPM,
    settings: ReadingSettings | None = None,
    bound_bpm: float | None = None,
    style: str | None = None,
    seconds: float = 24.0,
) -> RivalReadings:
    """Hold a line whose beats last `ratio` true ones and stand `shift_beats` true beats after one."""
    rivals = RivalReadings(settings or ReadingSettings(), LAG_S)
    rivals.expect_style(None if style is None else STYLE_PRIORS[style])
    beats = performance.beats_s
    rate_hz = 1.0 / (beats[1] - beats[0])
    tempo = None if tempo_bpm is None else vote(tempo_bpm)
    for frame in range(min(performance.frames, int(seconds / FRAME_S))):
        begin, end = (((frame + k) * FRAME_S - beats[0]) * rate_hz for k in (0, 1))
        held = [(beat - shift_beats) / ratio for beat in (begin, end)]
        rivals.hear(
            heard(performance, frame, tempo), held[0], held[1], rate_hz / ratio, 1.0, bound_bpm and bound_bpm / 60.0
        )
    return rivals


@pytest.mark.parametrize(
    ("ratio", "shift", "right"),
    [
        (2.0, 0.0, (12, 0)),  # counted half as fast as it is
        (0.5, 0.0, (48, 0)),  # twice as fast
        (0.5, 0.5, (48, 24)),  # and begun between two beats
        (2 / 3, 0.0, (36, 0)),  # three for two
        (1.5, 0.0, (16, 0)),
        (4 / 3, 0.0, (18, 0)),
        (3 / 4, 0.0, (32, 0)),
        (1.0, 0.5, (24, 12)),  # half a beat beside
    ],
)
def test_the_right_reading_is_wanted_from_a_wrong_line(ratio: float, shift: float, right: tuple[int, int]) -> None:
    performance = perform(steady(BPM, 40), 3, CLEAN, roots=ROOTS)
    rivals = weigh(performance, ratio, shift)
    best = max(rivals.beliefs, key=lambda reading: rivals.beliefs[reading])
    assert best.period_cells == right[0]
    assert min(abs(best.phase_at(24 * n + right[1] / CELLS) % 1.0) for n in range(2)) < 0.02
    assert rivals.wanted == best


def test_comping_on_every_beat_and_between_is_told_apart_by_where_chords_turn() -> None:
    """The network is as sure of the middles as of the beats: only the chords say which are which."""
    performance = perform(steady(BPM, 40), 3, BUSY, roots=ROOTS)
    assert weigh(performance, 1.0, 0.5).wanted == MetricalReading(24, 12)
    assert weigh(performance, 1.0, 0.0).wanted is None


@pytest.mark.parametrize("seed", range(3))
def test_a_right_reading_is_kept_under_noise(seed: int) -> None:
    performance = perform(steady(BPM, 36), seed, Noise(), roots=ROOTS)
    rivals = weigh(performance, seconds=36.0)
    assert rivals.wanted is None
    assert rivals.beliefs[HELD] > 0.5


def test_doubt_is_told_where_nothing_fits() -> None:
    rng = np.random.default_rng(1)
    performance = perform(np.sort(rng.uniform(0.3, 40.0, 80)), 3, Noise(miss=0.3), roots=(0,))
    steady_one = perform(steady(BPM, 40), 3, CLEAN, roots=ROOTS)
    flat = weigh(performance, tempo_bpm=None)
    assert flat.beliefs[HELD] < 0.5 < weigh(steady_one).beliefs[HELD]


def test_a_tempo_that_was_asked_for_bounds_the_level() -> None:
    performance = perform(steady(BPM, 40), 3, CLEAN, roots=ROOTS)
    assert weigh(performance, 2.0).wanted == MetricalReading(12, 0)
    assert weigh(performance, 2.0, bound_bpm=BPM / 2).wanted is None


def test_a_style_speaks_against_tempi_that_it_is_not_counted_at() -> None:
    performance = perform(steady(124.0, 40), 3, CLEAN, roots=ROOTS, beats_per_chord=8)
    free, blues = (weigh(performance, tempo_bpm=None, style=style).beliefs for style in (None, "slow_blues"))
    half = MetricalReading(48, 0)
    assert blues[half] / blues[HELD] > 2.0 * free[half] / free[HELD]


def test_who_has_changed_once_needs_more_to_change_again() -> None:
    performance = perform(steady(BPM, 40), 3, CLEAN, roots=ROOTS)
    rivals = weigh(performance, 2.0, seconds=16.0)
    needed = rivals._needed_nats(MetricalReading(12, 0))
    rivals.followed()
    assert rivals._needed_nats(MetricalReading(12, 0)) >= needed + 1.0


def test_what_was_heard_moves_along_when_the_line_is_another() -> None:
    grid = BeatGrid(0.0)
    said = HeardFrame(beat=np.array([1, 0, 0, 0], np.float32), chord_root=np.eye(13, dtype=np.float32)[4])
    still = HeardFrame(chord_root=np.eye(13, dtype=np.float32)[5])
    for frame in range(100):  # a peak on each tenth of the frames: each beat, at 150 bpm
        grid.hear(said if frame % 10 == 0 else still, frame / 10, (frame + 1) / 10, 2.5)
    before = grid.beat[slice(*grid.window(8)[:2])]
    assert len(before) == 8 * CELLS
    grid.recount(2.0, 10.0, 5.0)
    begin, end, number = grid.window(4)
    moved = grid.beat[begin:end]
    at = (np.flatnonzero(moved > 0.9) + number) % CELLS
    assert set(at.tolist()) <= {0, 1, 11, 12, 13, 23}, "on the beats of twice the length, and on their middles"
    assert grid.roots[begin:end].sum() == pytest.approx(8 * CELLS, rel=0.05)


def test_the_nearest_reading_of_a_tempo_and_a_phase() -> None:
    assert nearest_reading(1.0, 0.5, 8.0) == MetricalReading(24, 12)
    assert nearest_reading(0.51, 0.0, 8.0) == MetricalReading(12, 0)
    assert nearest_reading(2.0, 0.5, 9.0) == MetricalReading(48, 0)
    assert nearest_reading(1.2, 0.0, 8.0) is None
    assert len(set(READINGS)) == len(READINGS)
    assert READINGS[0] == HELD
