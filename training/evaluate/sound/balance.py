"""The balance of a band: loudness of its parts beside the written ones, and the trims that bring them there.

Whatever stands between a part and its loudness (a desk) comes in as a function. Knows no engine and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....dsp.limiter import Limiter
from ....dsp.loudness import peak_db
from ....dsp.loudness_meter import SILENT_LUFS, integrated_lufs
from .takes import PARTS, RATE_HZ, Take, both_sides

Array = NDArray[np.float32]
Trims = tuple[float, ...]
Desk = Callable[[Array, str, Trims], Array]
"""Parts [parts, 2, n], a style and trims in dB to the parts as they are heard."""
HEADROOM_DB = 5.0
"""The band is mixed so far below the levels that the arranger writes at, whose peaks fill the scale."""
MOST_TRIM_DB = 18.0
_ROUNDS = 6
_NEAR_LU = 0.05


@dataclass(frozen=True)
class Balance:
    """One style, over its takes. Each tuple is drums, bass, keys."""

    style: str
    trims_db: Trims
    before_lu: Trims
    """Each part as it comes, over the written one, the mean of all parts taken off: what is out of balance."""
    after_lu: Trims
    """The same through the desk, over the written level less HEADROOM_DB."""
    before: dict[str, float]
    after: dict[str, float]
    """Of the sum: peak_dbfs, lufs, limited (share of the samples that a limiter at -1 dBFS changes)."""

    def row(self) -> dict[str, Any]:
        return {
            "style": self.style, "trims_db": list(self.trims_db), "before_lu": list(self.before_lu),
            "after_lu": list(self.after_lu), "before": self.before, "after": self.after,
        }  # fmt: skip


def stack(take: Take) -> Array:
    """The parts of a take as one array [parts, 2, n]."""
    return np.stack([both_sides(take.parts[part]) for part in PARTS])


def part_lufs(parts: Array) -> NDArray[np.float64]:
    """Integrated loudness of each part."""
    return np.array([integrated_lufs(part, RATE_HZ) for part in parts])


def of_the_sum(parts: Array) -> dict[str, float]:
    """How hot the sum is: without a limiter, and what one would have to do."""
    mix = parts.sum(axis=0)
    share = 0.0
    for side in mix:
        limiter = Limiter(RATE_HZ)
        limiter.limit(side)
        share += limiter.limited_samples / max(1, side.size) / len(mix)
    return {"peak_dbfs": peak_db(mix), "lufs": integrated_lufs(mix, RATE_HZ), "limited": share}


def balance_of(
    style: str,
    takes: Sequence[Take],
    desk: Desk,
    as_before: Callable[[Array, str], Array],
    known: Trims | None = None,
) -> Balance:
    """Find the trims of a style: mean loudness of its parts over all takes, written and heard through the desk.

    `as_before` is what was heard without a desk (the preset's levels). Parts that are silent, written or heard, in a
    take do not count there. `known`: these trims, and none are looked for.
    """
    heard = [stack(take) for take in takes]
    written = [part_lufs(np.stack([both_sides(take.written[part]) for part in PARTS])) for take in takes]
    before = _mean_difference([part_lufs(as_before(parts, style)) for parts in heard], written)
    trims = np.clip(-_mean_difference([part_lufs(parts) for parts in heard], written) - HEADROOM_DB, *_LIMITS)
    for _ in range(_ROUNDS if known is None else 0):
        out = [desk(parts, style, tuple(trims)) for parts in heard]
        left = _mean_difference([part_lufs(parts) for parts in out], written) + HEADROOM_DB
        if np.abs(left).max() < _NEAR_LU:
            break
        # A compressor that is told of the trim gives back a part of each decibel: a step and a half gets there sooner.
        trims = np.clip(trims - 1.5 * left, *_LIMITS)
    trims = np.round(trims, 1) if known is None else np.array(known)
    out = [desk(parts, style, tuple(trims)) for parts in heard]
    after = _mean_difference([part_lufs(parts) for parts in out], written) + HEADROOM_DB
    return Balance(
        style, tuple(map(float, trims)), tuple(map(float, before - before.mean())), tuple(map(float, after)),
        _mean_of([of_the_sum(as_before(parts, style)) for parts in heard]), _mean_of([of_the_sum(p) for p in out]),
    )  # fmt: skip


_LIMITS = (-MOST_TRIM_DB, MOST_TRIM_DB)


def _mean_difference(
    heard: Sequence[NDArray[np.float64]], written: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Heard over written, LU, a mean over the takes in which a part sounds in both; 0 for one that never does."""
    rows = np.array(heard) - np.array(written)
    silent = (np.array(heard) <= SILENT_LUFS) | (np.array(written) <= SILENT_LUFS)
    counts = (~silent).sum(axis=0)
    return np.asarray(np.where(silent, 0.0, rows).sum(axis=0) / np.maximum(1, counts))


def _mean_of(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def table_source(trims: Mapping[str, Mapping[str, Trims]], made_by: str) -> str:
    """The Python file that holds the trims, as engine/output/balance_table.py stands."""
    lines = [
        '"""Trims in dB that bring drums, bass and keys to where the arranger wrote them, by kind of sound and style.',
        "",
        f"Written by `{made_by}`; docs/results/sound.md says how. Values only; any thread.",
        '"""', "", "from __future__ import annotations", "",
        "TRIMS_DB: dict[str, dict[str, tuple[float, ...]]] = {",
    ]  # fmt: skip
    for kind, styles in trims.items():
        lines.append(f'    "{kind}": {{')
        for style, row in styles.items():
            lines.append(f'        "{style}": ({", ".join(f"{value:.1f}" for value in row)}),')
        lines.append("    },")
    return "\n".join([*lines, "}", '"""By kind of sound, then by style."""', ""])
