"""Scores answers of peers as `gigmate eval leads` scores ours, and prints them as a table. Runs nothing."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gigmate.cli.eval.eval_leads import FloatArray, LeadRow, figures
from gigmate.cli.eval.lead_chords import chord_share, true_chords

FROM_S = 5.0
FRAME_S = 0.04
_LEVELS = ("double", "half", "triple", "3/2", "2/3", "4/3", "3/4")


@dataclass(frozen=True)
class Answer:
    """What a peer heard in one lead; None: it does not listen for that."""

    beats_s: list[float] | None = None
    downbeats_s: list[float] | None = None
    chords: list[tuple[float, int]] | None = None
    """(from second, chord): root + 12 * (minor third or not), -1 for none."""


def score(leads: list[Path], answers: dict[str, Answer]) -> dict[str, Any]:
    """Means and counts of one peer over the leads; None for what it does not listen for."""
    rows, chords = [], []
    for lead in leads:
        name = lead.name.removesuffix(".lead.wav")
        truth = json.loads((lead.parent / f"{name}.json").read_text(encoding="utf-8"))
        answer = answers[lead.name]
        if answer.beats_s is not None:
            beats = np.asarray(truth["beats_s"], np.float64)
            downbeats = np.asarray(truth.get("downbeats_s") or [], np.float64)
            rows.append(figures(name, told_rows(answer), beats, downbeats, FROM_S))
        if answer.chords is not None:
            halves = np.asarray(truth.get("halves_s") or [], np.float64)
            true = true_chords(np.asarray(truth.get("chroma") or [], np.float64))
            at_s = np.arange(0.0, float(halves[-1]) if len(halves) else 0.0, FRAME_S)
            chords.append(chord_share(at_s, chords_at(answer.chords, at_s), halves, true, FROM_S))
    return {**_beat_figures(rows, any(a.downbeats_s for a in answers.values())), "chords": _mean(chords)}


def told_rows(answer: Answer) -> FloatArray:
    """Rows of (second, place in the bar, confidence) as our conductor tells them; place 0 where bars are not told."""
    beats = np.asarray(answer.beats_s, np.float64)
    downbeats = np.asarray(answer.downbeats_s or [], np.float64)
    first = [float(len(downbeats) > 0 and np.abs(downbeats - beat).min() < 0.03) for beat in beats]
    return np.stack([beats, np.array(first), np.ones(len(beats))], axis=1).reshape(-1, 3)


def chords_at(chords: list[tuple[float, int]], at_s: FloatArray) -> np.ndarray:
    """The chord of each moment; -1 before the first."""
    begins = np.array([begin for begin, _ in chords])
    numbers = np.array([-1, *(chord for _, chord in chords)], np.int64)
    return numbers[np.searchsorted(begins, at_s, side="right")]


def _beat_figures(rows: list[LeadRow], bars: bool) -> dict[str, Any]:
    names = ("right", "beat_f", "downbeat_f", "half_beat_off", "other_level", "lost")
    if not rows:
        return dict.fromkeys(names)
    kinds = Counter(row.kind for row in rows)
    values = (
        kinds["right"] / len(rows),
        _mean([row.beat_f for row in rows]),
        _mean([row.downbeat_f for row in rows]) if bars else None,
        kinds["half a beat off"],
        sum(kinds[level] for level in _LEVELS),
        kinds["lost"],
    )
    return dict(zip(names, values, strict=True))


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None


def table(rows: list[dict[str, Any]]) -> str:
    """One line for each peer."""
    heads = {"right": "right", "beat_f": "beat F", "downbeat_f": "bar F", "half_beat_off": "half off",
             "other_level": "level", "lost": "lost", "chords": "chords"}  # fmt: skip
    lines = [f"{'':<16}{'causal':>8}" + "".join(f"{head:>10}" for head in heads.values())]
    for row in rows:
        cells = [_cell(row[name]) for name in heads]
        lines.append(f"{row['peer']:<16}{'yes' if row['causal'] else 'no':>8}" + "".join(f"{c:>10}" for c in cells))
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
