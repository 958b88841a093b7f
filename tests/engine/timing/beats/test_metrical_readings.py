"""The compiled evidence for readings is what its formulas say, and what plain Python makes of its source."""

import math

import numpy as np
import pytest
from gigmate.engine.timing.beats import evidence_arithmetic
from gigmate.engine.timing.beats.beat_grid import CELLS, BeatGrid
from gigmate.engine.timing.beats.evidence_arithmetic import read_evidence
from gigmate.engine.timing.beats.metrical_readings import READINGS, EvidenceReader, MetricalReading


def some_grid(seed, cells=500):
    rng = np.random.default_rng(seed)
    beat, downbeat = rng.random(cells) ** 3, rng.random(cells) ** 4
    struck = np.flatnonzero(rng.random(cells) < 0.1)
    roots = np.vstack([np.zeros(13), np.cumsum(rng.dirichlet(np.ones(13) * 0.2, cells), axis=0)])
    return beat, downbeat, struck, roots


def one_of_many(values, floor):
    mean, best = values.mean() + floor, -math.inf
    for beats, cost in ((4, 0.0), (3, 0.3), (2, 0.6)):
        bars = len(values) // beats
        if bars:
            highest = values[: bars * beats].reshape(bars, beats).sum(axis=0).max() / bars
            best = max(best, math.log((highest + floor) / mean) - cost)
    return best


def by_formula(beat, downbeat, struck, roots, level, first, period, reach):
    on = np.arange(first, len(beat), period)

    def hit(at):
        return float(np.minimum(beat[at[at < len(beat)]], level).mean()) / level

    def turns(at):
        start = np.minimum(at, len(beat))
        after = roots[np.minimum(at + round(0.9 * period), len(beat))] - roots[start]
        past = roots[start] - roots[np.maximum(at - period, 0)]
        total = np.sqrt(after.sum(axis=1) * past.sum(axis=1))
        alike = np.sqrt(after * past).sum(axis=1)
        return np.where(total > 1e-6, 1.0 - alike / np.maximum(total, 1e-6), 0.0)

    between = max(hit(on + period // 4), hit(on + 3 * period // 4))
    away = (struck - first + period / 2) % period - period / 2
    return (
        math.log((hit(on) + 0.1) / (between + 0.1)),
        np.count_nonzero(np.abs(away) <= reach) / max(1, len(struck)),
        math.log((turns(on).mean() + 0.02) / (turns(on + period // 2).mean() + 0.02)),
        one_of_many(turns(on), 0.05),
        one_of_many(downbeat[on], 0.03),
    )


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: f"{reading.period_cells}-{reading.shift_cells}")
def test_the_compiled_evidence_is_its_formulas(reading):
    for seed, cells in ((1, 500), (2, 333), (3, 4 * 48 + 1)):
        given = (*some_grid(seed, cells), 0.4, reading.shift_cells % reading.period_cells, reading.period_cells, 1.7)
        assert read_evidence(*given) == pytest.approx(by_formula(*given), abs=1e-12)


def test_compiled_and_plain_python_say_the_same(monkeypatch):
    given = (*some_grid(5), 0.4, 7, 24, 1.7)
    found = read_evidence(*given)
    for name in ("_hit", "_turn", "_one_of_many"):
        monkeypatch.setattr(evidence_arithmetic, name, getattr(evidence_arithmetic, name).py_func)
    assert read_evidence.py_func(*given) == pytest.approx(found, abs=1e-12)


def test_a_reading_with_fewer_than_four_beats_says_nothing():
    grid = BeatGrid(0.1)
    grid._end = 4 * CELLS
    reader = EvidenceReader(grid, 60.0, np.zeros(0), 2.0, 115.0)
    assert reader.read(MetricalReading(CELLS, 0)) is not None
    assert reader.read(MetricalReading(2 * CELLS, 0)) is None
    grid._end = 3 * CELLS
    assert EvidenceReader(grid, 60.0, np.zeros(0), 2.0, 115.0).read(MetricalReading(CELLS, 0)) is None
