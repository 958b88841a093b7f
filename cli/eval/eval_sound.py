"""`gigmate eval sound`: touch of each voice and distance of each part, beside a soundfont of another maker.

Main thread.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...files.json_text import json_text, plain
from ..options.files import ForceOption
from ..output_files import check_output, write_json
from .sound_takes import TEN_STYLES, Takes

if TYPE_CHECKING:
    from ...training.evaluate.sound.takes import Take


def sound_figures(
    style: Annotated[
        list[str] | None,
        typer.Option(help="Of the made leads; may be repeated.  [default: ten of them; with --leads none]"),
    ] = None,
    songs: Annotated[int, typer.Option(min=0, help="Made leads for each style; 0: the bundled performance alone.")] = 1,
    seconds: Annotated[float, typer.Option(min=15, help="Length of each made lead.")] = 20.0,
    leads: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Also recordings of others, NAME.lead.wav at odd places of the sorted list, whole."
        ),
    ] = None,
    leads_count: Annotated[int, typer.Option(min=1, help="So many of them, each in another style.")] = 10,
    sound: Annotated[
        list[str] | None,
        typer.Option(help="neural, instruments or a soundfont. May be repeated.  [default: neural, instruments]"),
    ] = None,
    font: Annotated[
        str, typer.Option(help="The soundfont that renders the same notes beside: of another maker.")
    ] = "csound",
    takes: Annotated[
        Path, typer.Option(metavar="DIR", help="Keeps what was played; what is there is not played again.")
    ] = Path("takes"),
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Weights. Default: the shipped ones.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the figures to this file.")] = None,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure touch, attack, decay and distance of each kind of sound, beside the same notes through a soundfont."""
    from ...training import provenance
    from ...training.evaluate.sound.report import SoundFigures, lines_of
    from .sound_takes import checked_kinds, checked_styles, leads_of, rendered

    if out is not None:
        check_output(out, "--out", force)
    kinds = checked_kinds(sound, ("neural", "instruments"))
    checked_kinds([font], ())
    styles = checked_styles(style) if style else () if leads is not None else TEN_STYLES
    recordings = [] if leads is None else leads_of(leads, leads_count)
    found = {kind: SoundFigures() for kind in kinds}
    for take in _all_takes(Takes(takes, weights, seconds), styles, songs, recordings):
        reference = rendered(take, font)
        for kind in kinds:
            found[kind].add(rendered(take, kind), reference)
        if not as_json:
            print(f"{take.name}: {len(take.notes)} notes", flush=True)
    result: dict[str, Any] = plain({
        "command": shlex.join(["gigmate", *sys.argv[1:]]), "date": provenance.today(), "commit": provenance.commit(),
        "font": font, "kinds": {kind: figures.row() for kind, figures in found.items()},
    })  # fmt: skip
    if out is not None:
        write_json(out, result)
    if as_json:
        print(json_text(result))
        return
    for kind, row in result["kinds"].items():
        print("\n".join(["", *lines_of(kind, row, font)]))


def _all_takes(
    played: Takes, styles: Sequence[str], songs: int, recordings: Sequence[tuple[Path, str]]
) -> Iterator[Take]:
    yield played.performance()
    for style in styles:
        yield from played.of(style, songs)
    for lead, style in recordings:
        yield played.on(lead, style)
