"""Summarises rows of `gigmate eval`: each figure beside its anchors, with intervals, and the targets.

Plain values and arrays in, plain values out; knows no sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..band.splits import HELD_STYLES
from .sound_figures import frechet
from .statistics import (
    Row,
    columns,
    finite,
    interval,
    rank_correlation,
    ratio_interval,
)
from .style_judges import StyleJudge
from .take_scores import FIGURES, GAP_FIGURES, PARTS

TAKES = ("band", "true", "floor", "wrong")
Summary = dict[str, Any]


def summarise(rows: Sequence[Row], arrays: Path, judged: bool = True) -> Summary:
    """Everything that the rows hold; parts of the evaluation that were not run are missing, and what was asked and
    whether it is met (`asked`) where there is too little to judge by."""
    songs = [row for row in rows if row["kind"] == "song"]
    summary: Summary = {}
    if songs:
        conditions = list(dict.fromkeys(row["condition"] for row in songs))
        by_condition = {c: [row for row in songs if row["condition"] == c] for c in conditions}
        summary["songs"] = {c: takes_of(found) for c, found in by_condition.items()}
        summary["share_of_gap"] = {c: gaps_of(found) for c, found in by_condition.items()}
        live = by_condition.get("live", [])
        summary["of_true"] = {figure: _of_true(live, figure) for figure in (*GAP_FIGURES, "bass_in_key", "keys_in_key")}
        summary["by_style"] = {
            style: takes_of([row for row in live if row["style"] == style])
            for style in sorted({row["style"] for row in live})
        }
        summary["ablations"] = {
            c: {figure: lost_without(live, found, figure) for figure in GAP_FIGURES}
            for c, found in by_condition.items()
            if c != "live"
        }
        summary["speed"] = speed_of(live)
        summary["frechet"] = distances(arrays)
    scenes = [row for row in rows if row["kind"] == "scene"]
    if scenes:
        summary["reaction"] = reaction_of(scenes)
    steady = [row for row in rows if row["kind"] == "steady"]
    if steady:
        summary["steady"] = steadiness_of(steady)
    control = [row for row in rows if row["kind"] == "control"]
    if control:
        summary["control"] = control_of(control, [row for row in rows if row["kind"] == "truth"], arrays)
    codec = [row["codec"] for row in rows if row["kind"] == "codec"]
    if codec:
        summary["codec"] = codec[0]
    if judged:
        summary["asked"] = asked_of(summary)
    return summary


def _how(figure: str) -> str:
    return "median" if figure.endswith(("_ms", "_db", "_s", "_bars", "_beats")) else "mean"


def takes_of(rows: Sequence[Row]) -> Summary:
    """Each figure of each take, mean (shares and F) or median (lags, levels, times), with its interval."""
    return {figure: {take: interval(columns(rows, take, figure), _how(figure)) for take in TAKES} for figure in FIGURES}


def gaps_of(rows: Sequence[Row]) -> Summary:
    """Right input minus wrong input, as a share of the true part's own gap."""
    return {
        figure: ratio_interval(
            columns(rows, "band", figure),
            columns(rows, "wrong", figure),
            columns(rows, "true", figure),
            columns(rows, "floor", figure),
        )
        for figure in GAP_FIGURES
    }


def _of_true(rows: Sequence[Row], figure: str) -> dict[str, float] | None:
    zeros = [0.0] * len(rows)
    return ratio_interval(columns(rows, "band", figure), zeros, columns(rows, "true", figure), zeros)


def lost_without(live: Sequence[Row], other: Sequence[Row], figure: str) -> dict[str, float] | None:
    """The live figure minus that under another condition, on the same songs."""
    there = {row["seed"]: row["band"].get(figure) for row in other}
    pairs = [(row["band"].get(figure), there[row["seed"]]) for row in live if row["seed"] in there]
    return interval([a - b for a, b in pairs if a is not None and b is not None])


def speed_of(rows: Sequence[Row]) -> Summary:
    names = rows[0]["step"] if rows else ()
    made: Summary = {name: interval([row["step"][name] for row in rows], "median") for name in names}
    made["ahead_frames"] = interval([row["ahead_frames"] for row in rows], "median")
    made["misses"] = sum(row["misses"] for row in rows)
    return made


def reaction_of(rows: Sequence[Row]) -> Summary:
    """Medians of each figure of each kind of scene; `never` is the share of scenes in which it did not come about."""
    groups = {
        "chord": ("chord",), "faster": ("faster",), "slower": ("slower",), "tempo": ("faster", "slower"),
        "pauses": ("pauses",),
    }  # fmt: skip
    made: Summary = {}
    for name, kinds in groups.items():
        found = [row for row in rows if row["scene"] in kinds]
        for figure in sorted({f for row in found for f in row["true"]}):
            made[f"{name}: {figure}"] = {
                take: _reaction([row.get(take, {}).get(figure) for row in found])
                for take in ("band", "true", "conductor")
                if any(figure in row.get(take, {}) for row in found)
            }
    return made


def _reaction(values: Sequence[Any]) -> Summary | None:
    """The median counts what never came about as later than all that did."""
    there = finite(values)
    if not len(values):
        return None
    never = len(values) - len(there)
    late = np.concatenate([there, np.full(never, np.inf)])
    middle = float(np.median(late)) if never < len(values) / 2 else None
    return {"median": middle, "of_those": interval(there, "median"), "never": never / len(values), "n": len(values)}


def steadiness_of(rows: Sequence[Row]) -> Summary:
    """Each figure in the first round and in the last, of band and true parts."""
    made: Summary = {}
    for figure in FIGURES:
        made[figure] = {
            f"{take} {when}": interval([row[take].get(figure) for row in rows if row["when"] == when], _how(figure))
            for take in ("band", "true")
            for when in ("first", "last")
        }
    made["last_from_s"] = max(row["from_s"] for row in rows)
    return made


def control_of(rows: Sequence[Row], truth: Sequence[Row], arrays: Path) -> Summary:
    """Rank correlation of asked and sounding density, what temperature changes, and whether styles can be told."""
    names = (*PARTS, "mix")
    curves = {name: [[point[1 + k] for point in row["density"]] for row in rows] for k, name in enumerate(names)}
    asked = [point[0] for point in rows[0]["density"]]
    made: Summary = {
        "density_asked": asked,
        "onsets_per_s": {name: [float(np.mean(c)) for c in zip(*curve, strict=True)] for name, curve in curves.items()},
        "density_rank": {
            name: interval([rank_correlation(asked, list(c)) for c in curve]) for name, curve in curves.items()
        },
    }
    cold_hot = [[point[1] for point in row["temperature"]] for row in rows]
    made["repetition_by_temperature"] = {
        str(point[0]): interval([values[k] for values in cold_hot]) for k, point in enumerate(rows[0]["temperature"])
    }
    made.update(_styles(rows, truth, arrays))
    return made


def _styles(rows: Sequence[Row], truth: Sequence[Row], arrays: Path) -> Summary:
    """Judges taught with three in four of the true songs, one by the notes and one by the sound: right on the other
    songs (ceiling), on the band, by chance."""
    found = sorted({row["style"] for row in truth})
    if len(found) < 2:
        return {}
    made: Summary = {"style_chance": 1.0 / len(found)}
    for name, told_by in (("notes", "notes"), ("features", "sound")):
        taught: list[tuple[Any, str]] = []
        examined: list[tuple[Any, str]] = []
        for row in truth:
            of_songs = np.atleast_2d(_array(arrays / f"truth-{row['style']}-{row['number']}.npz", name))
            (examined if row["number"] % 4 == 3 else taught).extend((song, row["style"]) for song in of_songs)
        if not taught:
            continue
        judge = StyleJudge(np.array([f for f, _ in taught]), [s for _, s in taught])
        hits: list[float] = []
        own: list[float] = []
        learnt: list[float] = []
        for row in rows:
            features = _array(arrays / f"control-{row['number']}.npz", name)
            right = judge.right(features, row["styles"][: len(features)])
            hits += right
            own += right[:1]
            learnt += [hit for hit, style in zip(right, row["styles"], strict=False) if style not in HELD_STYLES]
        ceiling = judge.right(np.array([f for f, _ in examined]), [s for _, s in examined]) if examined else []
        made[f"style_by_{told_by}"] = {
            "band": interval(hits), "learnt": interval(learnt), "own": interval(own), "true": interval(ceiling)
        }  # fmt: skip
    return made


def _array(path: Path, name: str) -> Any:
    with np.load(path) as data:
        return data[name]


def distances(arrays: Path) -> Summary:
    """Fréchet distance of each part's sound to the true parts', between halves of the true parts (the least to be
    had), and to another part's."""
    clouds: dict[str, list[Any]] = {}
    for path in sorted(arrays.glob("song-*.npz")):
        with np.load(path) as data:
            for name in data.files:
                clouds.setdefault(name, []).append(data[name])

    def cloud(name: str, rows: slice = slice(None)) -> Any:
        return np.concatenate(clouds[name][rows]) if clouds.get(name, [])[rows] else np.zeros((0, 60))

    made: Summary = {}
    for part, other in zip(PARTS, (*PARTS[1:], PARTS[0]), strict=True):
        true = cloud(f"true_{part}")
        made[part] = {
            "band": frechet(cloud(f"band_{part}"), true),
            "true, half to half": frechet(
                cloud(f"true_{part}", slice(0, None, 2)), cloud(f"true_{part}", slice(1, None, 2))
            ),
            f"true {other}": frechet(cloud(f"true_{other}"), true),
        }
    return made


def asked_of(summary: Summary) -> list[dict[str, Any]]:
    """What was asked of the band, what was found, and whether it is met. Figures that were not measured are missing."""
    asked: list[dict[str, Any]] = []

    def add(name: str, found: Any, limit: float, most: bool = False) -> None:
        value = found.get("value", found.get("median")) if isinstance(found, dict) else found
        if value is None:
            if isinstance(found, dict) and "never" in found:  # it did not come about in most scenes
                asked.append({"name": name, "asked": limit, "at_most": most, "found": None, "met": False})
            return
        asked.append({"name": name, "asked": limit, "at_most": most, "found": float(value),
                      "met": bool(value <= limit if most else value >= limit)})  # fmt: skip

    if "songs" in summary:
        of_true = summary["of_true"]
        add("drums: beat F, of the true part's", of_true["drums_beat_f"], 0.85)
        lag = (summary["songs"].get("live", {}).get("drums_lag_ms") or {}).get("band")
        add("drums: signed lag, off by at most (ms)", abs(lag["value"]) if lag else None, 10.0, most=True)
        add("mix: beat F, of the true mix's", of_true["mix_beat_f"], 0.80)
        for part in ("bass", "keys"):
            add(f"{part}: energy in the chord, of the true part's", of_true[f"{part}_in_chord"], 0.85)
        for figure in GAP_FIGURES:
            add(f"share of the true gap: {FIGURES[figure]}", summary["share_of_gap"].get("live", {}).get(figure), 0.60)
    reaction = summary.get("reaction", {})
    for key, limit, name in (
        ("chord: chord_beats", 2.0, "chord change followed (beats)"),
        ("tempo: tempo_bars", 2.0, "tempo of ±10 % followed (bars)"),
        ("pauses: stop_bars", 1.0, "stopped after the musician (bars)"),
    ):
        if key in reaction:
            add(name, reaction[key]["band"], limit, most=True)
    if "steady" in summary:
        for figure in GAP_FIGURES:
            found = summary["steady"][figure]
            first, last = found["band first"], found["band last"]
            if first and last and first["value"] > 0:
                add(f"last round of a long run, of the first: {FIGURES[figure]}", last["value"] / first["value"], 0.95)
    if "control" in summary:
        add("density: rank correlation", summary["control"]["density_rank"]["mix"], 0.80)
        for told_by in ("notes", "sound"):
            found = summary["control"].get(f"style_by_{told_by}", {})
            add(f"style: told from the {told_by}", found.get("band"), 0.80)
    return asked
