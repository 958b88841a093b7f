"""Statistics of many songs: what is written, what the judges find, and a report of both. Knows no models."""

from __future__ import annotations

import hashlib
import itertools
import math
import statistics
import time
from collections import defaultdict
from typing import Any

from ..band.arrange import write_song
from ..band.rules import faults
from ..band.score import (
    ALL_PARTS,
    PARTS,
    Bar,
    Score,
)
from ..band.styles import STYLE_NAMES
from ..evaluate.statistics import rank_correlation

SPARSE, DENSE = 0.3, 0.8
"""Bars up to the first and from the second density on are held against each other."""


def fingerprint(score: Score) -> str:
    """A song's notes as a digest: where and what each part plays, in beats; touch, timing and sound left out."""
    digest = hashlib.sha256()
    for part in ALL_PARTS:
        for note in score.notes[part]:
            digest.update(f"{part}{note.beat:.3f},{note.pitch};".encode())
    return digest.hexdigest()


def written(seeds: range, styles: tuple[str, ...] = STYLE_NAMES, split: str = "train") -> dict[str, Any]:
    """Statistics of written songs per style, the number of distinct ones, and all faults."""
    by_style: dict[str, list[Score]] = defaultdict(list)
    prints: set[str] = set()
    wrong: list[str] = []
    started = time.perf_counter()
    for seed in seeds:
        score = write_song(seed, split, styles)
        by_style[score.style].append(score)
        prints.add(fingerprint(score))
        wrong += [f"{score.style} {seed}: {fault}" for fault in faults(score)]
    return {
        "songs": len(seeds),
        "distinct": len(prints),
        "faults": wrong,
        "songs_per_second": len(seeds) / max(1e-9, time.perf_counter() - started),
        "styles": {name: _style(scores) for name, scores in sorted(by_style.items())},
        "density": by_density(list(itertools.chain.from_iterable(by_style.values()))),
    }


def _style(scores: list[Score]) -> dict[str, float]:
    bars = sum(len(s.bars) for s in scores)
    sounding = sum(b.band for s in scores for b in s.bars)
    kicks = locked = 0
    for s in scores:
        struck = {round(n.beat, 2) for n in s.notes["drums"] if n.pitch == 36}
        played = [round(n.beat, 2) for n in s.notes["bass"]]
        kicks += len(played)
        locked += sum(1 for b in played if b in struck)
    out = {
        "songs": float(len(scores)),
        "bpm_low": min(s.bpm for s in scores),
        "bpm_high": max(s.bpm for s in scores),
        "minor": statistics.mean(s.minor for s in scores),
        "chords_per_bar": sum(len(b.chords) for s in scores for b in s.bars) / bars,
        "band_bars": sounding / bars,
        "bass_on_kick": locked / max(1, kicks),
    }
    for part in ALL_PARTS:
        out[f"{part}_notes_per_bar"] = sum(len(s.notes[part]) for s in scores) / max(1, sounding)
    return out


def by_density(scores: list[Score]) -> dict[str, Any]:
    """How the number of notes follows the bars' density, of each part: pooled over styles, and of each style.

    Of bars in which the part plays, without a fill and not the last: Spearman's correlation of density with moments at
    which something begins, a beat (`rank`), and how many times as many begin, and as many notes are struck, in bars of
    at least `DENSE` as in bars of at most `SPARSE` (`begin_ratio`, `note_ratio`); nan where there are no such bars.
    Pooled, each bar's number is divided by the mean of its style and metre.
    """
    rows: dict[str, dict[tuple[str, str], list[tuple[float, float, float]]]] = {p: defaultdict(list) for p in PARTS}
    for score, (index, part) in itertools.product(scores, enumerate(PARTS)):
        for bar, begins, notes in _counts(score, part):
            if bar.parts[index] and not bar.fill_beats:
                rows[part][score.style, score.metre].append((bar.density, begins / bar.beats, notes / bar.beats))
    found: dict[str, Any] = {"pooled": {}, "styles": {}}
    for part in PARTS:
        normal = {}
        for key, bars in rows[part].items():
            mean_begins = statistics.mean(b for _, b, _ in bars) or 1.0
            mean_notes = statistics.mean(n for _, _, n in bars) or 1.0
            normal[key] = [(d, b / mean_begins, n / mean_notes) for d, b, n in bars]
        found["pooled"][part] = _followed([row for bars in normal.values() for row in bars])
        for style in sorted({style for style, _ in normal}):
            mine = [row for (name, _), bars in normal.items() if name == style for row in bars]
            found["styles"].setdefault(style, {})[part] = _followed(mine)
    return found


def _counts(score: Score, part: str) -> list[tuple[Bar, int, int]]:
    """(bar, moments at which the part begins something, its notes) of each bar but the last."""
    begins: dict[int, set[float]] = defaultdict(set)
    notes: dict[int, int] = defaultdict(int)
    beats = score.beats_per_bar
    for note in score.notes[part]:
        bar = int((note.beat + 1e-6) // beats)
        begins[bar].add(round(note.beat, 2))
        notes[bar] += 1
    return [(bar, len(begins[bar.index]), notes[bar.index]) for bar in score.bars[:-1]]


def _followed(bars: list[tuple[float, float, float]]) -> dict[str, float]:
    sparse = [row for row in bars if row[0] <= SPARSE]
    dense = [row for row in bars if row[0] >= DENSE]

    def ratio(column: int) -> float:
        low = sum(row[column] for row in sparse) / len(sparse) if sparse else 0.0
        return sum(row[column] for row in dense) / len(dense) / low if dense and low else math.nan

    return {
        "bars": len(bars),
        "sparse_bars": len(sparse),
        "rank": rank_correlation([row[0] for row in bars], [row[1] for row in bars]),
        "begin_ratio": ratio(1),
        "note_ratio": ratio(2),
    }


def judged(
    seeds: range,
    styles: tuple[str, ...] = STYLE_NAMES,
    split: str = "train",
    seconds: tuple[float, float] = (60.0, 120.0),
) -> list[dict[str, Any]]:
    """Renders songs, styles in turn, and asks the judges: one row a song, with the speed (times real time)."""
    from .label_judge import judge
    from .render import render_song

    rows = []
    for k, seed in enumerate(seeds):
        style = styles[k % len(styles)]
        started = time.perf_counter()
        song = render_song(seed, split=split, styles=(style,), seconds=seconds)
        speed = song.seconds / (time.perf_counter() - started)
        rows.append({"seed": seed, "style": style, "seconds": song.seconds, "speed": speed, **judge(song)})
    return rows


def table(written: dict[str, Any]) -> str:
    """What `written` gave, as a Markdown table with a first line and the faults."""
    names = list(next(iter(written["styles"].values())))
    lines = [
        f"{written['songs']} songs written, {written['distinct']} distinct, {len(written['faults'])} faults, "
        f"{written['songs_per_second']:.1f} songs a second",
        "",
        "| style | " + " | ".join(n.replace("_", " ") for n in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for style, values in written["styles"].items():
        lines.append(f"| {style} | " + " | ".join(f"{values[n]:.4g}" for n in names) + " |")
    return "\n".join(lines + written["faults"][:20])


def density_table(found: dict[str, Any]) -> str:
    """What `by_density` gave, as a Markdown table; `-` where there are no such bars."""
    names = ("rank", "begin_ratio", "note_ratio")
    titles = [f"{part} {title}" for part in PARTS for title in ("rank", "begins", "notes")]
    lines = [
        f"density and number of notes: Spearman's rank, and bars of density >= {DENSE} over bars <= {SPARSE}",
        "",
        "| style | sparse bars | " + " | ".join(titles) + " |",
        "|---" * (len(titles) + 2) + "|",
    ]
    for style, parts in [*found["styles"].items(), ("**pooled**", found["pooled"])]:
        cells = [f"{parts[part][name]:.2f}".replace("nan", "-") for part in PARTS for name in names]
        sparse = min(parts[part]["sparse_bars"] for part in PARTS)
        lines.append(f"| {style} | {sparse} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def judged_table(rows: list[dict[str, Any]]) -> str:
    """The medians of `judged` over all songs, their worst tenth, and per style, as Markdown tables."""
    names = [n for n in rows[0] if n not in ("seed", "style")]
    lines = [f"{len(rows)} songs judged", "", "| measure | median | worst tenth | best tenth |", "|---|---|---|---|"]
    for name in names:
        values = sorted(r[name] for r in rows if not math.isnan(r[name]))
        if values:
            tenth = len(values) // 10
            lines.append(
                f"| {name} | {statistics.median(values):.3f} | {values[tenth]:.3f} | {values[-1 - tenth]:.3f} |"
            )
    shown = ("beat_f", "beat_lag_ms", "chord_agree", "chroma_inside", "drum_error_ms", "drum_within_5ms")
    lines += ["", "| style (median) | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for style in dict.fromkeys(r["style"] for r in rows):
        cells = []
        for name in shown:
            values = [r[name] for r in rows if r["style"] == style and not math.isnan(r[name])]
            cells.append(f"{statistics.median(values):.2f}" if values else "none")
        lines.append(f"| {style} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
