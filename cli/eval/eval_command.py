"""`gigmate eval`: evaluates the band on held-out synthetic songs, through the live engine, beside ceiling and floor.

Every figure stands beside the true part (ceiling), a part of another song (floor), and the band's own output scored
against another song (what a band that does not listen would get). Main thread; starts processes.
"""

from __future__ import annotations

import dataclasses
import math
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.errors import ConfigError
from ...files.json_text import json_text, plain
from ..extras import need
from ..options.files import ForceOption
from .eval_balance import balance_figures
from .eval_codec import codec_figures
from .eval_examples import examples
from .eval_response import response_figures
from .eval_sound import sound_figures
from .groove.groove_command import groove_figures, section_figures
from .learning.learn_command import learn

if TYPE_CHECKING:
    from .eval_workbench import Settings

app = typer.Typer(
    help="Evaluate the band (without a subcommand), its codec or its listener on held-out synthetic songs."
)
app.command("codec")(codec_figures)
app.command("balance")(balance_figures)
app.command("sound")(sound_figures)
app.command("learn")(learn)
app.command("examples")(examples)
app.command("response")(response_figures)
app.command("groove")(groove_figures)
app.command("sections")(section_figures)
QUICK = {
    "songs": 6, "seconds": 20.0, "oracle_songs": 3, "ablation_songs": 0, "scenes": 1, "control_leads": 1,
    "control_seconds": 14.0, "control_styles": 1, "truth_songs_per_style": 0, "steady_runs": 1, "steady_minutes": 0.75,
    "codec_songs": 0,
}  # fmt: skip
"""At most three minutes on two idle cores: shows that everything runs, decides nothing."""


@app.callback(invoke_without_command=True)
def evaluate(
    context: typer.Context,
    songs: Annotated[int | None, typer.Option(help="Number of held-out songs.  [default: 104]")] = None,
    seconds: Annotated[float | None, typer.Option(help="Seconds played of each song.  [default: 30]")] = None,
    first_seed: Annotated[int, typer.Option()] = 0,
    split: Annotated[
        str, typer.Option(help="test, held_style, held_sound, held_font, held_key, held_tempo …")
    ] = "test",
    only: Annotated[
        list[str] | None, typer.Option(help="songs, reaction, control, steady or codec; may be repeated. Default: all.")
    ] = None,
    oracle: Annotated[bool, typer.Option(help="Also play with the true position and chord.")] = True,
    ablations: Annotated[
        bool, typer.Option(help="Also play with chord, position, heard sound or past withheld.")
    ] = True,
    oracle_songs: Annotated[
        int | None, typer.Option(min=0, help="Play only this many songs with the true position and chord.")
    ] = None,
    ablation_songs: Annotated[
        int | None, typer.Option(min=0, help="Number of songs for --ablations.  [default: 32]")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few short songs, three minutes on two cores: no verdicts.")
    ] = False,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Weights to evaluate. Default: the shipped ones.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes, each with its own band (2 GB).")] = 1,
    rows: Annotated[
        Path | None,
        typer.Option("--rows", metavar="F.jsonl", help="Write every row here; a stopped run continues from this file."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start the rows again.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write band.md, band.json and plots into this folder.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the summary to this file.")] = None,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Evaluate the band on held-out songs, through the live path: streaming, int8, its own beats and chords."""
    if context.invoked_subcommand is not None:
        return
    from ..output_files import check_output, write_json
    from .eval_tasks import (
        KINDS,
        Rows,
        plan,
        run_all,
    )

    kinds = tuple(only) if only else KINDS
    for kind in kinds:
        if kind not in KINDS:
            raise ConfigError(f"--only {kind}: give {', '.join(KINDS)}")
    if out is not None:
        check_output(out, "--out", force)
    _check_judges()
    chosen: dict[str, Any] = dict(QUICK) if quick else {}
    counts = {"songs": songs, "seconds": seconds, "oracle_songs": oracle_songs, "ablation_songs": ablation_songs}
    chosen |= {name: value for name, value in counts.items() if value is not None}
    settings = _settings(weights, {**chosen, "first_seed": first_seed, "split": split}, oracle, ablations)
    with tempfile.TemporaryDirectory(prefix="gigmate-eval-") as scratch:
        table = Rows(rows or Path(scratch) / "rows.jsonl", settings, fresh)
        tasks = plan(settings, kinds)
        if not as_json:
            done = sum(task.name in table.done for task in tasks)
            print(f"{len(tasks)} tasks, {done} done already", flush=True)
        run_all(table, tasks, weights, workers, (lambda _: None) if as_json else _say)
        from ...training.evaluate.report import lines_of, write_report
        from ...training.evaluate.summary import summarise

        wanted = {task.name for task in tasks}
        judged = [row for row in table.rows if row["task"] in wanted]
        summary = plain(summarise(judged, table.arrays, judged=not quick))
        asked = plain(settings)
        if report is not None:
            command = shlex.join(["gigmate", *sys.argv[1:]])
            write_report(report, summary, judged, asked, command)
        if out is not None:
            write_json(out, {"settings": asked, "summary": summary})
    if as_json:
        print(json_text({"settings": asked, "summary": summary}))
    else:
        print("\n".join(lines_of(summary)))


def _settings(weights: Path | None, chosen: dict[str, Any], oracle: bool, ablations: bool) -> Settings:
    """What is judged. Raises CheckpointError for weights that cannot be, ConfigError for numbers that cannot."""
    from ...model import checkpoint
    from ...model.loading import weights_id
    from ..train.train_options import check_split
    from .eval_workbench import Settings, known_styles

    styles = known_styles(weights)
    check_split(chosen["split"])
    settings = Settings(weights_id(weights or checkpoint.SHIPPED), styles, **chosen)
    if settings.songs < 2 or not 15 <= settings.seconds < math.inf:
        raise ConfigError(f"{settings.songs} songs of {settings.seconds:g} s: give at least 2 of 15 s")
    return dataclasses.replace(
        settings,
        oracle_songs=min(settings.songs, settings.oracle_songs) if oracle else 0,
        ablation_songs=min(settings.songs, settings.ablation_songs) if ablations else 0,
    )


def _check_judges() -> None:
    need("librosa", "mir_eval", "matplotlib", "tinysoundfont", "scipy")


def _say(row: dict[str, Any]) -> None:
    """One line for each row as it comes."""
    words = [f"{row['task']:<16}", f"{row.get('style', ''):<14}"]
    if "bpm" in row:
        words.append(f"{row['bpm']:5.0f} bpm")
    words.append(row.get("condition") or row.get("when") or "")
    band, true = row.get("band", {}), row.get("true", {})
    names = (
        ("drums_beat_f", "drums_lag_ms", "bass_in_chord", "keys_in_chord") if "drums_beat_f" in band else tuple(band)
    )
    for name in names:
        pair = [f"{v:.2f}" if isinstance(v, (int, float)) else "never" for v in (band.get(name), true.get(name))]
        words.append(f"{name} {'/'.join(pair)}")
    print(" ".join(words), flush=True)


@app.command("listener")
def listener_figures(
    songs: Annotated[int, typer.Option(help="Number of held-out songs.")] = 48,
    seconds: Annotated[float, typer.Option(help="Minimum length of each song.")] = 35.0,
    first_seed: Annotated[int, typer.Option()] = 200,
    split: Annotated[str, typer.Option(help="test, held_font, held_key, held_tempo, held_lead …")] = "test",
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Weights to evaluate. Default: the shipped ones.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the figures to this file.")] = None,
    force: ForceOption = False,
    baselines: Annotated[
        bool, typer.Option(help="Also score librosa's offline tracker and a naive causal one.")
    ] = True,
    scenes: Annotated[
        int, typer.Option(min=0, help="Number of songs with a tempo change, a rest, an extra half-beat.")
    ] = 6,
    told_style: Annotated[
        bool,
        typer.Option("--told-style", help="Give the conductor the style, as a preset does on stage (not in --scenes)."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Evaluate listener and conductor on held-out songs: streaming, the lead alone with live sound."""
    from ...training.sound.render import render_song
    from ..listen_stream import ListeningPlayer
    from ..output_files import check_output, write_json
    from ..train.train_options import check_split
    from . import eval_recovery
    from .eval_listener import evaluate_song
    from .eval_listener import summarise as summarise_listener

    if songs < 0 or songs + scenes < 1 or not 15 <= seconds < math.inf:
        raise ConfigError(f"{songs} songs of {seconds:g} s: give at least 1 of 15 s, or --scenes")
    check_split(split)
    if out is not None:
        check_output(out, "--out", force)
    ear = ListeningPlayer(weights)
    rows = []
    for seed in range(first_seed, first_seed + songs):
        song = render_song(seed, split=split, seconds=(seconds, seconds + 10))
        rows.append(evaluate_song(ear, song, baselines, told_style))
        if not as_json:
            line = rows[-1]
            print(
                f"{seed:4d} {line['style']:<14} {line['lead']:<7} {line['bpm']:5.0f} bpm  beat {line['beat_f']:.2f}  "
                f"20 ms {line['within_20_ms']:.2f}  bar {line['downbeat_f']:.2f}  chord {line['chord_share']:.2f}",
                flush=True,
            )
    summary = summarise_listener(rows)
    changes = []
    for row in eval_recovery.evaluate(ear, scenes, first_seed, split):
        changes.append(row)
        if not as_json:
            print(eval_recovery.line_of(row), flush=True)
    recovery = eval_recovery.summarise(changes)
    result = plain({
        "split": split, "seconds": seconds, "told_style": told_style,
        "summary": summary, "rows": rows, "recovery": recovery, "changes": changes,
    })  # fmt: skip
    if out is not None:
        write_json(out, result)
    if as_json:
        print(json_text(result))
        return
    _print_table(summary)
    _print_table(recovery)


@app.command("leads")
def leads_figures(
    folder: Annotated[Path, typer.Argument(help="Of NAME.lead.wav and NAME.json with beats_s and downbeats_s.")],
    taps: Annotated[int, typer.Option(min=0, help="So many taps on true beats, from the first bar after 6 s.")] = 0,
    style: Annotated[str, typer.Option(help="Tell the conductor this style.")] = "",
    part: Annotated[str, typer.Option(help="all, even or odd places of the sorted list.")] = "all",
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Weights to judge; else the shipped.")] = None,
) -> None:
    """Score the beats found in recordings whose true beats are known, from second 10 on."""
    from .eval_leads import judge

    judge(folder, taps, style, part, weights)


def _print_table(columns: Mapping[str, Mapping[str, float | None]]) -> None:
    """Figures down, groups across; nothing for no groups."""
    if not columns:
        return
    print(f"{'':<24}" + "".join(f"{group:>10}" for group in columns))
    for name in next(iter(columns.values())):
        values = (figures.get(name) for figures in columns.values())
        print(f"{name:<24}" + "".join(f"{'-':>10}" if value is None else f"{value:10.3f}" for value in values))
