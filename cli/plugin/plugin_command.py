"""`gigmate plugin`: build and install the plug-in; `engine` is what the plug-in starts. Main thread.

What is built stands in the package plugin; this says what to print.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ...engine.charts.chart import Chart
    from ...show import Show

app = typer.Typer(
    help="The band as a plug-in: LV2, or CLAP.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)


class Format(str, Enum):
    """Plug-in interfaces. Any thread."""

    LV2 = "lv2"
    CLAP = "clap"


@app.command("install")
def install(
    form: Annotated[
        Format, typer.Option("--format", help="The plug-in interface; clap is experimental.", case_sensitive=False)
    ] = Format.LV2,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Folder for plug-ins. Default: ~/.lv2, or ~/.clap.")
    ] = None,
    command: Annotated[
        str | None, typer.Option(metavar="PATH", help="The program that the plug-in starts. Default: this gigmate.")
    ] = None,
) -> None:
    """Build gigmate.lv2, or gigmate.clap, with the C compiler, and install it. LV2 needs its header files (Debian:
    lv2-dev)."""
    from ...plugin import bundle, clap
    from ...plugin.library import own_command

    kind = clap if form is Format.CLAP else bundle
    built = kind.build(to or kind.default_folder(), command or own_command())
    print(f"{built}: rescan the plug-ins in your host")


@app.command("engine", hidden=True)
def engine(
    shared: Annotated[int, typer.Option(metavar="FD", help="Descriptor of the memory of the plug-in.")],
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
) -> int:
    """Play for a plug-in until its host has gone, which standard input says. Plug-ins start it by themselves."""
    from ...plugin.serving import House, serve
    from ...presets.loader import load_preset
    from ...session import PlayerLoading
    from ...sheets.library import read_chart
    from ...show import Show, known_presets
    from ..live.midi_learn import binding_table
    from ..presets import own_folder

    loading = PlayerLoading(weights)
    bindings, folders = binding_table(None, None), (own_folder(),)

    def open_show(preset: str, chart: Chart | None) -> tuple[Show, list[str]]:
        presets, faults = known_presets(folders)
        return Show(load_preset(preset, folders), chart=chart, presets=presets, bindings=bindings), faults

    serve(shared, loading, House(open_show, read_chart, bindings))
    return 0
