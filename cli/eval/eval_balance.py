"""`gigmate eval balance`: loudness of the parts beside the written ones, and the trims that bring them there.

Main thread.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.errors import ConfigError
from ...files.json_text import json_text, plain
from ..options.files import ForceOption
from ..output_files import check_output, write_json
from .sound_takes import preset_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...training.evaluate.sound.balance import Balance

TABLE = Path(__file__).resolve().parents[2] / "engine" / "output" / "balance_table.py"


def balance_figures(
    style: Annotated[list[str] | None, typer.Option(help="May be repeated. Default: all.")] = None,
    songs: Annotated[int, typer.Option(min=1, help="Made leads for each style.")] = 2,
    seconds: Annotated[float, typer.Option(min=15, help="Length of each.")] = 20.0,
    sound: Annotated[
        list[str] | None, typer.Option(help="neural, instruments or a soundfont. May be repeated.  [default: neural]")
    ] = None,
    takes: Annotated[
        Path, typer.Option(metavar="DIR", help="Keeps what was played; what is there is not played again.")
    ] = Path("takes"),
    table: Annotated[
        bool, typer.Option("--table", help="Write the trims into the table that the mix reads: a Python file of ours.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Keep the trims of the table, and measure what they do.")
    ] = False,
    first_song: Annotated[int, typer.Option(min=0, help="Number of the first lead of each style.")] = 0,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Weights. Default: the shipped ones.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the figures to this file.")] = None,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure the balance of the parts (LUFS) beside the written music, and trim each part to it."""
    from ...engine.output.balance_table import TRIMS_DB
    from ...training import provenance
    from ...training.evaluate.sound.balance import balance_of
    from .sound_takes import OWN_VOICE, Takes, checked_kinds, checked_styles, rendered

    if out is not None:
        check_output(out, "--out", force)
    styles, kinds = checked_styles(style), checked_kinds(sound, (OWN_VOICE,))
    for kind in kinds if check else ():
        if not all(name in TRIMS_DB.get(kind, {}) for name in styles):
            raise ConfigError(f"--check: the table has no trims of {kind} for every style asked for")
    played = Takes(takes, weights, seconds)
    found: dict[str, list[Balance]] = {}
    for kind in kinds:
        for name in styles:
            taken = [rendered(take, kind) for take in played.of(name, songs, first_song)]
            known = TRIMS_DB[kind][name] if check else None
            row = balance_of(name, taken, _desk(kind), _as_before, known)
            found.setdefault(kind, []).append(row)
            if not as_json:
                print(_line(kind, row), flush=True)
    result = plain({
        "command": shlex.join(["gigmate", *sys.argv[1:]]), "date": provenance.today(), "commit": provenance.commit(),
        "songs": songs, "seconds": seconds,
        "kinds": {kind: [row.row() for row in rows] for kind, rows in found.items()},
    })  # fmt: skip
    if table and not check:
        _write_table(found)
    if out is not None:
        write_json(out, result)
    if as_json:
        print(json_text(result))
        return
    for kind, rows in found.items():
        print(_summary(kind, rows))


def _desk(kind: str) -> Any:
    """The live mix with the style's own preset, as a function of whole parts."""
    import numpy as np

    from ...engine.output.mix_desk import MixDesk
    from ...training.evaluate.sound.takes import RATE_HZ

    frame = RATE_HZ // 25

    def mixed(parts: NDArray[np.float32], style: str, trims_db: tuple[float, ...]) -> NDArray[np.float32]:
        desk = MixDesk(RATE_HZ, frame, {kind: {style: trims_db}})
        desk.set(preset_of(style).mixed, style, (kind,) * len(parts))
        pieces = [desk.process(parts[:, :, at : at + frame].copy()) for at in range(0, parts.shape[2], frame)]
        return np.concatenate(pieces, axis=2)

    return mixed


def _as_before(parts: NDArray[np.float32], style: str) -> NDArray[np.float32]:
    """As they come, which is how they were heard before there was a mix."""
    return parts


def _write_table(found: dict[str, list[Balance]]) -> None:
    """The trims of what was measured, into the table; other kinds and styles stay."""
    from ...engine.output.balance_table import TRIMS_DB
    from ...training.evaluate.sound.balance import table_source

    trims = {kind: dict(rows) for kind, rows in TRIMS_DB.items()}
    for kind, rows in found.items():
        trims.setdefault(kind, {}).update({row.style: row.trims_db for row in rows})
    TABLE.write_text(table_source(trims, "gigmate eval balance --table"), encoding="utf-8")


def _line(kind: str, row: Balance) -> str:
    def three(values: tuple[float, ...]) -> str:
        return "/".join(f"{value:+.1f}" for value in values)

    return (
        f"{kind:<10} {row.style:<14} out of balance {three(row.before_lu):<16} mixed {three(row.after_lu):<16} "
        f"trims {three(row.trims_db):<17} limited {row.before['limited']:.2%} -> {row.after['limited']:.3%}  "
        f"{row.after['lufs']:.1f} LUFS, peak {row.after['peak_dbfs']:.1f} dBFS"
    )


def _summary(kind: str, rows: list[Balance]) -> str:
    before = max(abs(value) for row in rows for value in row.before_lu)
    after = max(abs(value) for row in rows for value in row.after_lu)
    limited = [sum(getattr(row, when)["limited"] for row in rows) / len(rows) for when in ("before", "after")]
    return (
        f"{kind}: {len(rows)} styles; a part is at most {before:.1f} LU out of balance as it comes, {after:.1f} mixed; "
        f"samples in the limiter {limited[0]:.2%} -> {limited[1]:.3%}"
    )
