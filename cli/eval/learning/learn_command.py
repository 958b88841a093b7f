"""`gigmate eval learn`: how well songs are known that were played in once. Main thread."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....engine.errors import ConfigError
from ...extras import need
from ...options.files import ForceOption

KINDS = ("both", "comped", "melodic")


def learn(
    songs: Annotated[int, typer.Option(min=1, help="Songs of each kind.")] = 10,
    first_seed: Annotated[int, typer.Option(help="Seed of the first song.")] = 100,
    kind: Annotated[str, typer.Option(help="comped, melodic or both.")] = "both",
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Weights to evaluate. Default: the shipped ones.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the rows to this file.")] = None,
    force: ForceOption = False,
) -> None:
    """Evaluate how songs are learnt that are played in once, through the live engine."""
    from ...output_files import check_output, write_json

    if kind not in KINDS:
        raise ConfigError(f"--kind {kind}: give {', '.join(KINDS)}")
    if out is not None:
        check_output(out, "--out", force)
    need("tinysoundfont", "scipy")
    from ....training.evaluate.played_in_songs import played_in
    from ...listen_stream import ListeningPlayer
    from .songs_learnt import WANTED, Learnt, judge, line_of, summary

    ear = ListeningPlayer(weights)
    rows: list[Learnt] = []
    for name in WANTED if kind == "both" else (kind,):
        for seed in range(first_seed, first_seed + songs):
            song = played_in(seed, melodic=name == "melodic")
            rows.append(judge(ear, song, name))
            print(line_of(song, rows[-1]), flush=True)
    print(summary(rows))
    if out is not None:
        write_json(out, {"rows": [{f: getattr(row, f) for f in Learnt.__slots__} for row in rows]})
