"""How many notes the band writes follows the density of the bar, and each style stays itself at any."""

from __future__ import annotations

import itertools
import math
import pickle
from functools import cache

import numpy as np
import pytest
from gigmate.training.band import arrange
from gigmate.training.band.form import lay_out
from gigmate.training.band.players.density import (
    Busy,
    sustained,
    thicken,
    thin,
)
from gigmate.training.band.players.density_habits import MANNERS
from gigmate.training.band.players.drum_density import usual_of_groove
from gigmate.training.band.rules import faults
from gigmate.training.band.score import (
    METRES,
    PARTS,
    Bar,
    Score,
)
from gigmate.training.band.styles import STYLE_NAMES, STYLES
from gigmate.training.sound.survey import by_density, density_table

DENSITIES = (0.15, 0.3, 0.5, 0.7, 0.9)
SONGS = 5


@cache
def written(style: str, seed: int) -> bytes:
    """Pickled, which is the quickest way to have it again and again."""
    return pickle.dumps(arrange.write_song(seed, styles=(style,), seconds=(30.0, 40.0)))


@cache
def played(style: str, seed: int, density: float) -> Score:
    """A song of which every bar is meant to be as dense, played by the same band."""
    score: Score = pickle.loads(written(style, seed))
    for bar in score.bars:
        bar.density = density
    arrange.play(np.random.default_rng(seed), STYLES[style], score)
    return score


def bars_of(score: Score, part: str) -> list[Bar]:
    """Bars in which a part plays its groove: no fill, not the last."""
    return [b for b in score.bars[:-1] if b.parts[PARTS.index(part)] and not b.fill_beats]


def offsets(score: Score, bar: Bar, part: str, pitches: tuple[int, ...] = ()) -> list[float]:
    """Where in the bar a part begins something, in beats."""
    found = {round(n.beat - bar.start_beat, 3) for n in score.notes[part] if not pitches or n.pitch in pitches}
    return sorted(at for at in found if 0 <= at < bar.beats)


def begins_a_beat(style: str, part: str, density: float) -> float:
    counts = beats = 0
    for seed in range(SONGS):
        score = played(style, seed, density)
        bars = bars_of(score, part)
        counts += sum(len(offsets(score, bar, part)) for bar in bars)
        beats += sum(bar.beats for bar in bars)
    return counts / beats


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("style", STYLE_NAMES)
def test_more_begins_the_denser_the_bar(style: str, part: str) -> None:
    rates = [begins_a_beat(style, part, density) for density in DENSITIES]
    # the last step may be small where the grid of sixteenths is full
    assert all(a < b for a, b in itertools.pairwise(rates[:-1])), rates
    assert rates[-2] <= rates[-1]
    assert 1.5 <= rates[-1] / rates[0] <= 4.0, rates


@pytest.mark.parametrize("style", STYLE_NAMES)
def test_nobody_is_asked_for_what_hands_cannot_do_at_any_density(style: str) -> None:
    for density in (0.0, *DENSITIES, 1.0):
        for seed in range(SONGS):
            assert faults(played(style, seed, density)) == []


def test_density_decides_how_much_is_played_and_nothing_else() -> None:
    for style in ("pop_ballad", "rock", "disco"):
        for seed in range(SONGS):
            sparse, dense = played(style, seed, 0.15), played(style, seed, 0.9)
            assert [(n.beat, n.pitch) for n in sparse.notes["lead"]] == [(n.beat, n.pitch) for n in dense.notes["lead"]]
            for bar in bars_of(sparse, "keys"):
                assert set(offsets(sparse, bar, "keys")) <= set(offsets(dense, bar, "keys"))


def test_the_same_seed_gives_the_same_notes_at_a_density() -> None:
    again = arrange.write_song(2, styles=("soul",), seconds=(30.0, 40.0))
    for bar in again.bars:
        bar.density = 0.9
    arrange.play(np.random.default_rng(2), STYLES["soul"], again)
    assert played("soul", 2, 0.9).notes == again.notes


def between_the_beats(style: str, density: float) -> float:
    """The share of the cymbals that lie between the beats."""
    parts = []
    for seed in range(SONGS):
        score = played(style, seed, density)
        for bar in bars_of(score, "drums"):
            parts += [at % 1.0 for at in offsets(score, bar, "drums", (42, 46, 51))]
    return float(np.mean(np.array(parts) > 1e-6))


@pytest.mark.parametrize("style", ("rock", "funk", "soul", "hip_hop"))
def test_a_sparse_drummer_plays_quarters_on_the_rim_without_ghosts(style: str) -> None:
    assert between_the_beats(style, 0.15) < 0.5 * between_the_beats(style, 0.5)
    for seed in range(SONGS):
        score = played(style, seed, 0.15)
        assert not any(offsets(score, bar, "drums", (38,)) for bar in bars_of(score, "drums"))


def test_a_dense_drummer_puts_ghosts_or_sixteenths_between_the_eighths() -> None:
    for style in ("funk", "soul", "gospel", "reggae", "disco"):
        fine = {0.15: 0, 0.9: 0}
        for density in fine:
            for seed in range(SONGS):
                score = played(style, seed, density)
                if METRES[score.metre][1]:
                    continue
                fine[density] += sum(
                    at % 0.5 > 1e-6 for bar in bars_of(score, "drums") for at in offsets(score, bar, "drums")
                )
        assert fine[0.9] > 3 * max(1, fine[0.15]), style


@pytest.mark.parametrize("density", (0.05, 0.5, 1.0))
def test_a_one_drop_stays_a_one_drop_and_the_skank_on_two_and_four(density: float) -> None:
    skanks = 0
    for seed in range(12):
        score = played("reggae", seed, density)
        for bar in bars_of(score, "drums"):
            assert 2.0 in offsets(score, bar, "drums", (36,))
            assert 2.0 in offsets(score, bar, "drums", (37,))
        bars = bars_of(score, "keys")
        if all({1.0, 3.0} <= set(offsets(played("reggae", seed, 0.5), bar, "keys")) for bar in bars):
            skanks += 1
            assert all({1.0, 3.0} <= set(offsets(score, bar, "keys")) for bar in bars)
    assert skanks > 2


@pytest.mark.parametrize("style", ("bossa_nova", "samba"))
def test_the_clave_is_the_same_at_any_density(style: str) -> None:
    for seed in range(SONGS):
        claves = [
            [offsets(score, bar, "drums", (37,)) for bar in bars_of(score, "drums")]
            for score in (played(style, seed, density) for density in (0.1, 0.5, 0.95))
        ]
        assert any(claves[0])
        assert claves[0] == claves[1] == claves[2]


def test_a_walking_bass_goes_in_two_when_sparse_and_skips_when_dense() -> None:
    walked = [s for s in range(12) if begins(played("swing", s, 0.5)) > 3.5 and played("swing", s, 0.5).metre == "4/4"]
    assert len(walked) > 3
    for seed in walked:
        sparse, usual, dense = (played("swing", seed, density) for density in (0.15, 0.5, 0.95))
        for bar in bars_of(sparse, "bass"):
            assert set(offsets(sparse, bar, "bass")) <= {0.0, 2.0} | {at for at, _ in bar.chords}
        assert all(len(offsets(usual, bar, "bass")) >= 4 for bar in bars_of(usual, "bass"))
        assert begins(dense) > begins(usual) + 0.7


def begins(score: Score) -> float:
    bars = bars_of(score, "bass")
    return float(np.mean([len(offsets(score, bar, "bass")) for bar in bars])) if bars else 0.0


def test_the_backbeat_and_four_on_the_floor_stand_at_any_density() -> None:
    for style, pitches, beats in (("rock", (37, 38), {3.0}), ("disco", (36,), {0.0, 1.0, 2.0, 3.0})):
        for seed in range(SONGS):
            for density in (0.05, 0.95):
                score = played(style, seed, density)
                bars = bars_of(score, "drums")
                there = [beats <= set(offsets(score, bar, "drums", pitches)) for bar in bars]
                usual = played(style, seed, 0.5)
                assert there == [beats <= set(offsets(usual, bar, "drums", pitches)) for bar in bars_of(usual, "drums")]
                assert np.mean(there) > 0.4


def test_sparse_keys_hold_and_the_bass_lies_on_roots() -> None:
    for style in ("rock", "soul", "gospel", "folk_strum"):
        for seed in range(SONGS):
            score = played(style, seed, 0.15)
            for part in ("keys", "bass"):
                notes = sorted(score.notes[part], key=lambda n: n.beat)
                inside = [n for n in notes if any(b.start_beat <= n.beat < b.start_beat + b.beats
                                                  for b in bars_of(score, part))]  # fmt: skip
                assert np.median([n.length_beats for n in inside]) >= 0.9, (style, part)
            for bar in bars_of(score, "bass"):
                first = [n for n in score.notes["bass"] if n.beat == bar.start_beat]
                assert all(n.pitch % 12 == bar.chords[0][1].bass for n in first)


def test_every_style_has_its_manner_and_at_the_middle_keeps_its_patterns() -> None:
    assert set(MANNERS) == set(STYLES)
    bar = lay_out(np.random.default_rng(0), STYLES["rock"], 0, False, 4, 16)[0]
    bar.density = 0.5
    busy = Busy(MANNERS["rock"], 2.0, 0.5, 1)
    assert [busy.wanted(own, bar, 4.0) for own in range(17)] == list(range(17))
    bar.density = 0.1
    assert 1 <= busy.wanted(8, bar, 4.0) <= 4
    bar.density = 1.0
    assert 11 <= busy.wanted(8, bar, 4.0) <= 16
    assert busy.wanted(0, bar, 4.0) == 0


def test_a_full_grid_comes_near_its_end_only_in_dense_bars() -> None:
    bar = lay_out(np.random.default_rng(0), STYLES["samba"], 0, False, 2, 16)[0]
    busy, counts = Busy(MANNERS["samba"], 4.0, 0.5, 1, most_per_beat=4.2), []
    for bar.density in (0.3, 0.5, 0.7, 1.0):
        counts.append(sum(busy.wanted(8, bar, 2.0) for bar.bar_in_section in range(4)))
    assert counts == sorted(set(counts))
    assert counts[1] >= 0.88 * 32
    assert counts[-1] <= 34


def test_thinning_holds_or_leaves_holes_and_filling_keeps_what_was() -> None:
    events = [(k / 4, mark) for k, mark in enumerate("R-r-5-8.")]
    ranks = {0: 20.0, 2: 1.0, 4: 3.0, 6: 2.0}
    assert "".join(m for _, m in thin(events, 2, lambda k: ranks[k], hold=True)) == "R---5--."
    assert "".join(m for _, m in thin(events, 2, lambda k: ranks[k], hold=False)) == "R-..5-.."
    assert "".join(m for _, m in thin(events, 0, lambda k: ranks[k], hold=False))[0] == "R"
    more = thicken(events, 6, 4, [(2.0, 1, "x"), (1.0, 7, "a"), (0.5, 3, "r")])
    assert "".join(m for _, m in more) == "R-rr5-8a"
    assert "".join(m for _, m in sustained([(0.0, "."), (0.5, "R"), (1.0, "."), (1.5, "5")])) == ".R-5"


def test_the_usual_number_of_a_groove_counts_moments_and_not_hits() -> None:
    groove = STYLES["disco"].grooves["4/4"]
    assert 2.0 < usual_of_groove(groove, 4) <= 4.0


def test_the_survey_sees_that_notes_follow_density_and_says_so() -> None:
    scores = [arrange.write_song(seed, styles=(STYLE_NAMES[seed % 19],)) for seed in range(57)]
    found = by_density(scores)
    for part in PARTS:
        assert found["pooled"][part]["rank"] >= 0.6, found["pooled"]
        assert 1.5 <= found["pooled"][part]["begin_ratio"] <= 3.0, found["pooled"]
    table = density_table(found)
    assert table.count("\n") == 2 + 1 + 19 + 1
    assert "nan" not in table
    for score in scores:
        for bar in score.bars:
            bar.density = 0.5
    assert math.isnan(by_density(scores)["pooled"]["bass"]["rank"])
