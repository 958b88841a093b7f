"""Rhythms of leads: inside their phrase, in order, and each kind what it says it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gigmate.training.leads import rhythm
from gigmate.training.leads.rhythm import Grid, Hit


@pytest.mark.parametrize("kind", rhythm.KINDS)
@pytest.mark.parametrize("steps", [2, 3, 4])
@pytest.mark.parametrize("beats", [2, 3, 4, 7])
def test_every_kind_stays_in_its_phrase(kind: str, steps: int, beats: int) -> None:
    for seed in range(8):
        grid = Grid(beats, steps, 4)
        made = rhythm.KINDS[kind](np.random.default_rng(seed), grid)
        starts = [h.at for h in made]
        assert starts == sorted(starts) and len(set(starts)) == len(starts)
        assert all(0 <= h.at < grid.length_beats and h.length > 0 and -1 <= h.accent <= 1 for h in made)
        # a rhythm that is nothing but rests is one that no one would play
        assert len(made) >= 2


def test_a_step_string_is_struck_held_and_rests() -> None:
    assert rhythm.parse("-x-.x", 4, 2.0) == [Hit(2.25, 0.5), Hit(3.0, 0.25)]


def test_off_the_beat_nothing_falls_on_one_for_bars() -> None:
    longest = 0
    for seed in range(20):
        made = rhythm.off_beat(np.random.default_rng(seed), Grid(4, 2, 4))
        run = 0
        for hit in made:
            run = 0 if hit.at % 1 == 0 else run + 1
            longest = max(longest, run)
    assert longest >= 8


def test_pushed_notes_come_early_over_the_bar_line_and_end_where_the_next_begins() -> None:
    grid = Grid(4, 2, 2)
    plain = [Hit(float(k), 1.0) for k in range(8)]
    made = rhythm.pushed(np.random.default_rng(0), plain, grid, 1.0, 0.5)
    assert [h.at for h in made] == [0.0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    assert all(a.at + a.length <= b.at + 1e-9 for a, b in itertools.pairwise(made))


def test_the_first_beat_is_left_out_and_a_pick_up_leads_in() -> None:
    grid = Grid(3, 2, 2)
    plain = [Hit(k / 2, 0.5) for k in range(12)]
    assert min(h.at % 3 for h in rhythm.without_first(plain, grid)) == 1.0
    led = rhythm.pick_up(np.random.default_rng(1), plain, grid)
    assert led[0].at < 0 and [h.at for h in led] == sorted(h.at for h in led)


def test_figures_cross_the_bar_line() -> None:
    crossing = 0
    for seed in range(20):
        made = rhythm.cross(np.random.default_rng(seed), Grid(4, 4, 4))
        crossing += any(h.at % 4 != 0 and (h.at % 4) + h.length > 4 + 1e-9 for h in made)
    assert crossing >= 5
