"""A judge that is shown the band's notes alone and says at which bar lines the section changes.

It compares the bars before a line with those after it (rhythm of each part, how busy, how loud), and looks for a fill
before it and a crash on it. Taught with written songs in which all three play throughout, so that no silence gives a
section away. Needs scikit-learn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...band.score import Score
from .groove_figures import ROWS, TICKS, bar_patterns, likeness, onsets
from .note_takes import NoteTake, kind_of_bar

FloatArray = NDArray[np.floating[Any]]
AROUND_BARS = 4
_SNARE, _TOM, _CRASH = 1 << 1, 1 << 6, 1 << 5


class Lines(NamedTuple):
    """Bar lines of takes. Any thread."""

    features: FloatArray
    """[lines, n]"""
    changes: NDArray[np.bool_]
    """[lines]: whether the section changes there."""


def lines_of(take: NoteTake, score: Score) -> Lines:
    """Every bar line with AROUND_BARS played bars on either side. Where a section begins again as the same kind is no
    change, and no bar line to be asked about."""
    bars = bar_patterns(take)
    loud = _loudness(take)
    rows, changes = [], []
    for line in bars:
        before, after = range(line - AROUND_BARS, line), range(line, line + AROUND_BARS)
        if not all(bar in bars for bar in (*before, *after)):
            continue
        change = kind_of_bar(score, line - 1) != kind_of_bar(score, line)
        if score.bars[line].first_of_section and not change:
            continue
        rows.append(_compared(bars, loud, line))
        changes.append(change)
    return Lines(np.array(rows, np.float64).reshape(len(rows), -1), np.array(changes, bool))


def joined(parts: list[Lines]) -> Lines:
    """Lines of several takes."""
    known = [part for part in parts if len(part.features)]
    return Lines(np.concatenate([part.features for part in known]), np.concatenate([part.changes for part in known]))


def _loudness(take: NoteTake) -> dict[tuple[int, int], list[int]]:
    """Loudness classes by part and bar."""
    found: dict[tuple[int, int], list[int]] = {}
    for part in range(3):
        for onset in onsets(take, part):
            found.setdefault((part, onset.bar), []).append(onset.loudness)
            if part == 0:
                found.setdefault((3, onset.bar), []).append(onset.what)
    return found


def _compared(bars: dict[int, FloatArray], loud: dict[tuple[int, int], list[int]], line: int) -> list[float]:
    before = [bars[k] for k in range(line - AROUND_BARS, line)]
    after = [bars[k] for k in range(line, line + AROUND_BARS)]
    row: list[float] = []
    for k in range(ROWS):
        a, b = np.mean([bar[k] for bar in before[:-1]], axis=0), np.mean([bar[k] for bar in after], axis=0)
        own = likeness(np.mean([bar[k] for bar in before[:2]], axis=0)[None], before[2][k][None])
        row += [1.0 - likeness(a[None], b[None]), own, float(np.log((b.sum() + 0.5) / (a.sum() + 0.5)))]
    for part in range(3):
        means = [
            np.mean([level for k in span for level in loud.get((part, k), [])] or [0])
            for span in (range(line - AROUND_BARS, line - 1), range(line, line + AROUND_BARS))
        ]
        row.append(float(means[1] - means[0]))
    half = before[-1].shape[1] // 2
    row.append(float(before[-1][[1, 3], half:].sum() - np.mean([bar[[1, 3], half:].sum() for bar in before[:-1]])))
    sets = loud.get((3, line), [0])
    row.append(float(bool(sets[0] & _CRASH)))
    row.append(float(sum(bool(what & _TOM) for what in loud.get((3, line - 1), []))))
    beats = before[-1].shape[1] / TICKS
    return [*row, *(abs(value) for value in row[2 : 3 * ROWS : 3]), beats]


class SectionJudge:
    """Taught once. One thread at a time."""

    def __init__(self, taught: Lines) -> None:
        """`taught`: of written songs; at least some changes. The threshold is that of the best F on them, each line
        judged by a model that was not taught with it."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import cross_val_predict
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._model: Any = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)
        )
        fair = cross_val_predict(self._model, taught.features, taught.changes, cv=5, method="predict_proba")[:, 1]
        self._model.fit(taught.features, taught.changes)
        self.threshold = max(np.linspace(0.2, 0.9, 36), key=lambda t: f_of(fair >= t, taught.changes))

    def told(self, lines: Lines) -> NDArray[np.bool_]:
        """[lines]: where it hears a change."""
        return np.asarray(self._model.predict_proba(lines.features)[:, 1] >= self.threshold)


def f_of(told: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """F of what was told; 0 where nothing is right."""
    right = int((told & true).sum())
    return 2.0 * right / max(1, int(told.sum()) + int(true.sum()))


def balanced(told: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Mean of the shares of changes found and of other lines let be: .5 for chance."""
    found = float((told & true).sum()) / max(1, int(true.sum()))
    spared = float((~told & ~true).sum()) / max(1, int((~true).sum()))
    return 0.5 * (found + spared)
