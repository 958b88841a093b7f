"""The judges of the groove: on written songs they find what is written, and on a broken one they do not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gigmate.engine.charts.section_kind import BUSIER as ENGINES
from gigmate.training.band.score import Score
from gigmate.training.evaluate.groove.groove_figures import bar_patterns, bass_figures, likeness, onsets, repetition
from gigmate.training.evaluate.groove.note_takes import BUSIER, NoteTake, song, written
from gigmate.training.evaluate.groove.section_judge import SectionJudge, balanced, f_of, joined, lines_of


@pytest.fixture(scope="module")
def rock() -> tuple[Score, NoteTake]:
    score = song("rock", 1, 30.0)
    return score, written(score)


def test_onsets_stand_where_they_are_written(rock: tuple[Score, NoteTake]) -> None:
    score, take = rock
    wanted = {round(n.beat * 12) for n in score.notes["drums"] if n.pitch == 36 and 4 <= n.beat < 40}
    found = {hit.bar * 48 + hit.tick for hit in onsets(take, 0) if hit.what & 1 and hit.bar < 10}
    near = [any(tick + k in found for k in (-1, 0, 1)) for tick in wanted]
    lines = [tick for tick in wanted if tick % 48 == 0]
    assert lines and np.mean([any(tick + k in found for k in (-1, 0, 1)) for tick in lines]) > 0.9
    assert np.mean(near) > 0.9, "a frame holds one beginning: a hit beside another may be lost"


def test_bars_of_a_song_resemble_each_other_and_shuffled_ones_do_not(rock: tuple[Score, NoteTake]) -> None:
    _, take = rock
    bars = bar_patterns(take)
    first = next(iter(bars.values()))
    assert likeness(first, first) == pytest.approx(1.0)
    assert abs(likeness(first, np.roll(first, 7, axis=1))) < 0.6
    order = np.random.default_rng(0).permutation(take.slots.shape[2])
    assert repetition(take) > 0.6 > repetition(dataclasses.replace(take, slots=take.slots[:, :, order])) + 0.2


def test_the_bass_is_described_as_it_is_written() -> None:
    plain, walking = (bass_figures(written(song(style, 3, 40.0))) for style in ("reggaeton", "swing"))
    assert plain.roots > 0.8 > walking.roots
    assert walking.others > 0.3 and walking.led > 0.4
    assert bass_figures(written(song("metal", 2, 30.0))).on_kick > 0.6


def test_the_judge_of_sections_hears_changes_of_songs_that_it_was_not_taught() -> None:
    def lines(seeds: range):  # type: ignore[no-untyped-def]
        return joined([lines_of(written(score), score) for score in (song("rock", seed, 60.0) for seed in seeds)])

    taught, others = lines(range(12)), lines(range(20, 26))
    judge = SectionJudge(taught)
    told = judge.told(others)
    assert f_of(told, others.changes) > f_of(np.ones(len(told), bool), others.changes) + 0.1
    assert balanced(told, others.changes) > 0.65
    turned = others._replace(features=np.random.default_rng(0).permutation(others.features))
    assert balanced(judge.told(turned), others.changes) < balanced(told, others.changes)


def test_figures_of_what_was_told() -> None:
    true = np.array([True, False, False, True])
    assert f_of(true, true) == 1.0 == balanced(true, true)
    assert f_of(~true, true) == 0.0 == balanced(~true, true)
    assert f_of(np.array([True, True, False, False]), true) == pytest.approx(0.5)


def test_the_takes_are_told_what_the_engine_tells() -> None:
    assert BUSIER == ENGINES
