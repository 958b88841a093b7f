"""The report of `gigmate eval`: text, a page of results, and plots. Knows no sound.

`write_report` makes `band.md`, `band.json` and `band-*.png` in a folder; `band-notes.md` there, written by hand, is
left as it is and named in the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...files.json_text import json_text
from .. import provenance
from .statistics import Row, columns, finite
from .take_scores import FIGURES, GAP_FIGURES

Summary = dict[str, Any]
TITLES = {
    "live": "as on stage", "oracle": "given the true position and chord", "no_chord": "without the chord",
    "no_moment": "without the position", "no_heard": "without the heard sound", "no_past": "without its own past",
}  # fmt: skip


def number(found: Any, spread: bool = True) -> str:
    """`.93 [.90, .95]`, or a dash."""
    if found is None:
        return "–"
    if isinstance(found, (int, float)):
        return _plain(float(found))
    text = _plain(found["value"])
    return f"{text} [{_plain(found['low'])}, {_plain(found['high'])}]" if spread else text


def _plain(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def lines_of(summary: Summary) -> Iterator[str]:
    """The page of results, as Markdown lines."""
    if "asked" in summary:
        yield from _asked(summary)
    else:
        yield "A quick run shows that everything runs. So few songs decide nothing: no claim is called met or not."
        yield ""
    for condition, figures in summary.get("songs", {}).items():
        if condition in ("live", "oracle"):
            yield from _songs(condition, figures, summary["share_of_gap"][condition])
    if summary.get("ablations"):
        yield from _ablations(summary["ablations"])
    if summary.get("by_style"):
        yield from _styles(summary["by_style"])
    if "reaction" in summary:
        yield from _reaction(summary["reaction"])
    if "steady" in summary:
        yield from _steady(summary["steady"])
    if "control" in summary:
        yield from _control(summary["control"])
    if summary.get("frechet"):
        yield from _distances(summary["frechet"])
    if "codec" in summary:
        yield from _codec(summary["codec"])
    if "speed" in summary:
        yield from _speed(summary["speed"])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _asked(summary: Summary) -> Iterator[str]:
    yield "## What is claimed"
    yield ""
    rows = []
    for item in summary["asked"]:
        sign = "≤" if item["at_most"] else "≥"
        found = "never, in most" if item["found"] is None else _plain(item["found"])
        rows.append([item["name"], f"{sign} {_plain(item['asked'])}", found, "yes" if item["met"] else "**no**"])
    yield from _table(("claim", "asked", "figure", "met"), rows)


def _songs(condition: str, figures: Summary, gaps: Summary) -> Iterator[str]:
    yield f"## Held-out songs, {TITLES[condition]}"
    yield ""
    rows = []
    for figure, takes in figures.items():
        if takes["true"] is None:
            continue
        gap = number(gaps.get(figure)) if figure in GAP_FIGURES else ""
        rows.append([FIGURES[figure], *(number(takes[t]) for t in ("band", "true", "floor", "wrong")), gap])
    head = ("figure", "band", "true part (ceiling)", "part of another song (floor)", "band on another song",
            "share of the true gap")  # fmt: skip
    yield from _table(head, rows)


def _ablations(found: Summary) -> Iterator[str]:
    yield "## What each condition contributes"
    yield ""
    yield "The live figure minus that of the same songs with one thing withheld (with the true position and chord: a"
    yield "negative figure is what they would add)."
    yield ""
    rows = [[TITLES[c], *(number(figures[f]) for f in GAP_FIGURES)] for c, figures in found.items()]
    yield from _table(("", *(FIGURES[f] for f in GAP_FIGURES)), rows)


def _styles(found: Summary) -> Iterator[str]:
    yield "## By style"
    yield ""
    head = ["style", *(f"{FIGURES[f]}: band / true" for f in GAP_FIGURES), "songs"]
    rows = []
    for style, figures in found.items():
        cells = [f"{number(figures[f]['band'], False)} / {number(figures[f]['true'], False)}" for f in GAP_FIGURES]
        counted = figures["mix_beat_f"]["band"]
        rows.append([style, *cells, str(counted["n"]) if counted else "0"])
    yield from _table(head, rows)


def _reaction(found: Summary) -> Iterator[str]:
    yield "## Reaction, silence and stops"
    yield ""
    yield "Scripted leads; medians, with what never happened counted as the latest. Levels in dB relative to playing;"
    yield "`conductor` is the tempo that the conductor gave, whatever the band played."
    yield ""

    def cell(value: Any) -> str:
        if value is None:
            return "–"
        middle = "never" if value["median"] is None else _plain(value["median"])
        spread = value["of_those"]
        limits = f" [{_plain(spread['low'])}, {_plain(spread['high'])}]" if spread else ""
        return f"{middle}{limits}" + (f", never in {value['never']:.0%}" if value["never"] else "")

    rows = [[name, *(cell(takes.get(t)) for t in ("band", "true", "conductor"))] for name, takes in found.items()]
    yield from _table(("", "band", "true parts", "conductor"), rows)


def _steady(found: Summary) -> Iterator[str]:
    yield f"## Steadiness: the first round of a long run, and one from {found['last_from_s'] / 60:.1f} minutes on"
    yield ""
    keys = ("band first", "band last", "true first", "true last")
    rows = [[FIGURES[f], *(number(found[f][k]) for k in keys)] for f in FIGURES if found[f]["true first"] is not None]
    yield from _table(("figure", *keys), rows)


def _control(found: Summary) -> Iterator[str]:
    yield "## Control"
    yield ""
    asked = " / ".join(_plain(d) for d in found["density_asked"])
    rows = [
        [name, number(found["density_rank"][name]), " / ".join(_plain(v) for v in curve)]
        for name, curve in found["onsets_per_s"].items()
    ]
    yield from _table(("density", "rank correlation", f"onsets a second at {asked}"), rows)
    judges = [(by, found[f"style_by_{by}"]) for by in ("notes", "sound") if f"style_by_{by}" in found]
    if judges:
        yield "Styles recognised by judges that were trained on true parts. Most takes ask for another style than the"
        yield f"lead's. Chance: {_plain(found['style_chance'])}."
        yield ""
        heads = ("band", "learnt", "own", "true")
        rows = [[by, *(number(right[head]) for head in heads)] for by, right in judges]
        yield from _table(
            ("recognised by", "band", "in styles that a model learnt", "in the lead's style", "true parts"), rows
        )
    cells = ", ".join(f"{t}: {number(v)}" for t, v in found["repetition_by_temperature"].items())
    yield f"Similarity to the bars before, by temperature: {cells}."
    yield ""


def _distances(found: Summary) -> Iterator[str]:
    yield "## Fréchet distance of the sound (cepstra of one-second windows, in the true parts' spread)"
    yield ""
    yield from _table(
        ("part", "distances"),
        [[part, "; ".join(f"{k}: {number(v)}" for k, v in takes.items())] for part, takes in found.items()],
    )


def _codec(found: Summary) -> Iterator[str]:
    yield "## Codec reconstruction (true parts)"
    yield ""
    rows = [
        [stem, number(f["mel_db"]), number(f["opus_mel_db"]), number(f["si_sdr_db"]), number(f["opus_si_sdr_db"])]
        for stem, f in found["stems"].items()
    ]
    yield from _table(("stem", "log-mel L1 (dB)", "Opus at its lowest rate", "SI-SDR (dB)", "Opus"), rows)


def _speed(found: Summary) -> Iterator[str]:
    names = {"p50_ms": "p50", "p99_ms": "p99", "p99.9_ms": "p99.9"}
    words = ", ".join(f"{word} {number(found[name])} ms" for name, word in names.items() if name in found)
    yield "## Speed"
    yield ""
    speed, ahead = number(found.get("times_real_time")), number(found["ahead_frames"], False)
    yield f"Processor time of a step of 40 ms, on one core: {words}; {speed} times real time."
    yield f"Look-ahead {ahead} frames; {found['misses']} misses."
    yield ""


def head_of(settings: Mapping[str, Any], command: str, date: str, commit: str) -> list[str]:
    """The page's beginning: what was measured, and how to measure it again."""
    return [
        "# The band on held-out songs",
        "",
        *provenance.lines(command, date, commit),
        f"{settings['songs']} songs of {settings['seconds']:g} s (split `{settings['split']}`, from seed "
        f"{settings['first_seed']}), weights `{settings['weights_id']}`. The lead, with the sound of a live input,",
        "goes through the engine's file port: streaming, int8, the band's own beats and chords, at the look-ahead that",
        "a round trip of 20 ms needs. Brackets: 95 % of 2,000 bootstrap draws over songs. Shares and F are means;",
        "times and levels are medians. Figures count from the fifth bar of the lead on. All figures: `band.json`.",
        "",
    ]


def write_report(
    folder: Path, summary: Summary, rows: Sequence[Row], settings: Mapping[str, Any], command: str
) -> None:
    """`band.md`, `band.json` and the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    head = head_of(settings, command, provenance.today(), provenance.commit())
    plots = _plots(folder, summary, rows)
    pictures = [f"![{path.stem}]({path.name})" for path in plots]
    notes = ["", "What is still wrong, and the check by eye: [band-notes.md](band-notes.md)."] if (
        folder / "band-notes.md").exists() else []  # fmt: skip
    (folder / "band.md").write_text("\n".join([*head, *lines_of(summary), *pictures, *notes]) + "\n", encoding="utf-8")
    saved = {"settings": dict(settings), "summary": summary}
    (folder / "band.json").write_text(json_text(saved, indent=1) + "\n", encoding="utf-8")


# ------------------------------------------------------------------------------------------------------- plots


def _plots(folder: Path, summary: Summary, rows: Sequence[Row]) -> list[Path]:
    from matplotlib.figure import Figure

    makers: dict[str, tuple[bool, Callable[..., None]]] = {
        "figures": ("live" in summary.get("songs", {}), _plot_figures),
        "reaction": ("reaction" in summary, _plot_reaction),
        "control": ("control" in summary, _plot_density),
    }
    made = []
    for name, (there, draw) in makers.items():
        if not there:
            continue
        figure = Figure(figsize=(9, 4), layout="constrained")
        draw(figure, summary, rows)
        path = folder / f"band-{name}.png"
        figure.savefig(path, dpi=90, metadata={"Software": None})
        made.append(path)
    return made


def _plot_figures(figure: Any, summary: Summary, rows: Sequence[Row]) -> None:
    """Every song's figures: band, true part, floor, and the band scored on another song."""
    axes = figure.subplots()
    live = [row for row in rows if row["kind"] == "song" and row["condition"] == "live"]
    takes = {"true": "tab:green", "band": "tab:blue", "wrong": "tab:orange", "floor": "tab:red"}
    for k, name in enumerate(GAP_FIGURES):
        for shift, (take, colour) in zip((-0.3, -0.1, 0.1, 0.3), takes.items(), strict=True):
            values = finite(columns(live, take, name))
            jitter = [k + shift + 0.05 * ((7 * i) % 11 - 5) / 5 for i in range(len(values))]
            axes.plot(jitter, values, ".", color=colour, alpha=0.4, markersize=4)
            found = summary["songs"]["live"][name][take]
            if found:
                error = [[found["value"] - found["low"]], [found["high"] - found["value"]]]
                axes.errorbar([k + shift], [found["value"]], error, fmt="o", color=colour, capsize=4,
                              label=take if k == 0 else None)  # fmt: skip
    axes.set_xticks(range(len(GAP_FIGURES)), [FIGURES[name] for name in GAP_FIGURES])
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower right")


def _plot_reaction(figure: Any, summary: Summary, rows: Sequence[Row]) -> None:
    """How many of the scenes have been followed after so long."""
    scenes = [row for row in rows if row["kind"] == "scene"]
    wanted = (
        ("chord", "chord_beats", "beats", 8),
        ("faster", "tempo_bars", "bars", 8),
        ("slower", "tempo_bars", "bars", 8),
        ("pauses", "stop_bars", "bars", 4),
    )
    grid = figure.subplots(1, len(wanted), sharey=True)
    for axes, (kind, name, unit, most) in zip(grid, wanted, strict=True):
        found = [row for row in scenes if row["scene"] == kind]
        for take, colour in (("band", "tab:blue"), ("true", "tab:green"), ("conductor", "tab:grey")):
            values = sorted(finite(columns(found, take, name)))
            if values:
                share = [(i + 1) / len(found) for i in range(len(values))]
                axes.step([0, *values, most], [0, *share, share[-1]], where="post", color=colour, label=take)
        axes.set_title(f"{kind} ({unit})", fontsize=9)
        axes.set_xlim(0, most)
        axes.set_ylim(0, 1.02)
    grid[0].legend(fontsize=8)
    grid[0].set_ylabel("share of scenes followed")


def _plot_density(figure: Any, summary: Summary, rows: Sequence[Row]) -> None:
    axes = figure.subplots()
    control = summary["control"]
    for name, curve in control["onsets_per_s"].items():
        axes.plot(control["density_asked"], curve, "o-", label=name)
    axes.set_xlabel("density asked for")
    axes.set_ylabel("onsets a second")
    axes.legend()
