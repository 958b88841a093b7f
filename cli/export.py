"""`gigmate export`: the band as a file for other programs. Main thread."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..engine.errors import ConfigError
from .options.files import ForceOption


def export(
    torchscript: Annotated[
        Path,
        typer.Option(
            "--torchscript", metavar="F.ts", help="The TorchScript file to write, for nn~ (Max, Pd) and libtorch."
        ),
    ],
    rate: Annotated[int, typer.Option(metavar="HZ", help="Sample rate of the patch.")] = 48_000,
    int8: Annotated[
        bool, typer.Option("--int8", help="Faster, if the libtorch that loads it has int8 kernels.")
    ] = False,
    force: ForceOption = False,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
) -> int:
    """Write the band as one TorchScript file: one channel in; drums, bass and keys out."""
    from .output_files import check_output

    if rate % 25 or not 8_000 <= rate <= 192_000:
        raise ConfigError(f"--rate {rate}: give the patch's rate, such as 44100, 48000 or 96000")
    check_output(torchscript, "--torchscript", force)
    from ..model.nn_tilde.patch_band import ATTRIBUTES, export_torchscript

    try:
        export_torchscript(torchscript, weights, rate, int8)
    except ValueError as error:
        raise ConfigError(f"--rate {rate}: {error}") from error
    print(f"{torchscript}: {torchscript.stat().st_size / 2**20:.1f} MiB, {rate} Hz, forward: 1 in, 3 out")
    print(f"attributes: {', '.join(ATTRIBUTES)}")
    return 0
