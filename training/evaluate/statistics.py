"""From rows to figures: medians and means with bootstrap intervals, shares of the gap, rank correlation.

Plain numbers in and out; knows no sound. Values that do not exist (nan, None) are left out and counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 2000
Row = dict[str, Any]
FloatArray = NDArray[np.float64]


def finite(values: Iterable[Any]) -> FloatArray:
    """The numbers among `values` as float64 [n]."""
    kept = [float(v) for v in values if isinstance(v, (int, float)) and math.isfinite(v)]
    return np.array(kept, np.float64)


def interval(values: Iterable[Any], how: str = "mean", seed: int = 0) -> dict[str, float] | None:
    """Mean or median of the finite values and its 95 % bootstrap interval: value, low, high, n. None without any."""
    numbers = finite(values)
    if not len(numbers):
        return None
    centre = np.median if how == "median" else np.mean
    picks = np.random.default_rng(seed).integers(0, len(numbers), (ROUNDS, len(numbers)))
    low, high = np.percentile(centre(numbers[picks], axis=1), (2.5, 97.5))
    return {"value": float(centre(numbers)), "low": float(low), "high": float(high), "n": len(numbers)}


def ratio_interval(
    own: Sequence[Any], against: Sequence[Any], full: Sequence[Any], full_against: Sequence[Any], seed: int = 0
) -> dict[str, float] | None:
    """mean(own - against) / mean(full - full_against) with its interval: the band's share of the true part's gap, where
    `against` is the same score on the wrong song. Songs are drawn again whole, all four values together."""
    table = np.array(
        [
            [float(v) if isinstance(v, (int, float)) else math.nan for v in row]
            for row in zip(own, against, full, full_against, strict=True)
        ],
        np.float64,
    ).reshape(-1, 4)
    table = table[np.isfinite(table).all(axis=1)]
    if not len(table):
        return None

    def share(rows: FloatArray) -> FloatArray:
        means = rows.mean(axis=-2)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio: FloatArray = (means[..., 0] - means[..., 1]) / (means[..., 2] - means[..., 3])
        return ratio

    picks = np.random.default_rng(seed).integers(0, len(table), (ROUNDS, len(table)))
    low, high = np.nanpercentile(share(table[picks]), (2.5, 97.5))
    return {"value": float(share(table)), "low": float(low), "high": float(high), "n": len(table)}


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's: the correlation of the ranks; nan where one of both does not vary or there are fewer than 3."""
    a, b = _ranks(x), _ranks(y)
    if len(a) < 3 or a.std() == 0 or b.std() == 0:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(values: Sequence[float]) -> FloatArray:
    """Ranks from 0, equal values share their mean."""
    array = np.asarray(values, np.float64)
    _, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means = last - (counts + 1) / 2.0
    return np.asarray(means[inverse], np.float64)


def columns(rows: Iterable[Row], take: str, figure: str) -> list[Any]:
    """The figure of one take (band, true, floor, wrong) of every row, None where it is missing."""
    return [row.get(take, {}).get(figure) for row in rows]
