"""`gigmate presets`: list, show and check presets, set lists, charts and bindings; and the show for a live run.

Main thread. The schemas are those of the package presets.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..engine.errors import ConfigError
from ..files.json_text import json_text
from .charts.charts_command import played
from .options.playing import AS_IT_IS, Wish

if TYPE_CHECKING:
    from ..engine.charts.chart import Chart
    from ..engine.gestures import BindingTable
    from ..show import Show

_YAML = (".yaml", ".yml")

app = typer.Typer(
    help="Presets, set lists and charts.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)


def own_folder() -> Path:
    """Where presets of the user's own lie: beside the bindings ($GIGMATE_CONFIG_DIR says another place)."""
    from ..latency.calibration import calibration_file

    return calibration_file().with_name("presets")


def songs_folder() -> Path:
    """Where songs that were learnt lie, beside the presets of the user's own."""
    return own_folder().with_name("songs")


def song_of(name: str | None, preset: str, chart: Path | None, set_list: Path | None) -> tuple[str, Path | None]:
    """Preset and chart of `--song`, or those that were asked for. Raises ConfigError: no such song, or two of them."""
    from ..presets.loader import DEFAULT_PRESET
    from ..presets.song_keeper import song_files

    if name is None:
        return preset, chart
    if chart is not None or set_list is not None:
        raise ConfigError("--song has a chart of its own: leave out --chart and --set")
    sheet, own = song_files(songs_folder(), name)
    return str(own) if own is not None and preset == DEFAULT_PRESET else preset, sheet


def _chart_in(path: Path) -> Chart:
    from ..sheets.library import read_chart  # and the formats that it reads: only where there is a chart

    return read_chart(path)


def open_show(
    preset: str,
    set_list: Path | None,
    chart: Path | None,
    bindings: BindingTable | None,
    sound: str | None = None,
    wish: Wish = AS_IT_IS,
) -> tuple[Show, list[str]]:
    """What a live run plays, and lines about presets of the user's that do not hold.

    `sound`: of --sound; `wish`: what other options change of presets. Raises ConfigError: no such preset or sound, a
    set list or a chart that does not hold, or both of these.
    """
    from ..engine.part_sounds import sounds_of
    from ..presets.loader import load_preset
    from ..presets.setlist import load_set
    from ..show import Show, known_presets

    if set_list is not None and chart is not None:
        raise ConfigError("--set and --chart: the songs of a set list have their own charts; leave one of them out")
    folders = (own_folder(),)
    songs = wish.set_list(None if set_list is None else load_set(set_list, folders, preset))
    sheet = wish.chart(None if chart is None else _chart_in(chart))
    first = wish.first(load_preset(preset, folders))
    known, faults = known_presets(folders)
    presets = {name: first if name == preset else wish.every(one) for name, one in known.items()}
    charts = [sheet, *(song.chart for song in songs.songs)] if songs is not None else [sheet]
    faults += [f"chart: {text}" for one in charts if one is not None for text in one.remarks]
    evening = Show(first, set_list=songs, chart=sheet, presets=presets, bindings=bindings)
    evening.own_sounds = {} if sound is None else sounds_of(sound)
    return evening, faults


@app.command("list")
def list_() -> None:
    """List all presets."""
    from ..presets.loader import PRESETS_DIR, preset_files, read_preset
    from ..presets.schema import PresetError

    files = preset_files((own_folder(),))
    width = max(len(name) for name in files)
    for name, path in files.items():
        try:
            text = read_preset(path).description
        except PresetError as error:
            text = f"does not hold: {error}"
        own = "" if path.parent == PRESETS_DIR else f" ({path})"
        print(f"{name:<{width}}  {text}{own}")
    print(f"\nPut your own presets into {own_folder()}")


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="The name of a preset, or a .yaml file.")]) -> None:
    """Print a preset with all its keys, as a start for one of your own."""
    from ..presets.loader import load_preset
    from ..presets.schema import as_text

    print(as_text(load_preset(name, (own_folder(),))), end="")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE ...", help="Presets, set lists, bindings or charts.")],
) -> None:
    """Check files and show what is in them; a chart is shown as it is played."""
    for path in files:
        for line in _checked(path):
            print(line)


@app.command()
def schema(
    set_list: Annotated[bool, typer.Option("--set", help="The schema of set lists instead of presets.")] = False,
) -> None:
    """Print the JSON Schema, for an editor that helps while you write."""
    from ..presets.schema import Preset, json_schema
    from ..presets.setlist import SetListEntry

    print(json_text(json_schema(SetListEntry if set_list else Preset), indent=2))


def _checked(path: Path) -> list[str]:
    from ..presets.bindings import parse_bindings
    from ..presets.schema import PresetError, parse_preset
    from ..presets.setlist import load_set
    from ..presets.strict import read_yaml
    from ..sheets.library import read_chart

    if path.suffix not in _YAML:
        chart = read_chart(path)
        return [
            f"{path}: a chart of {chart.bars} bars",
            *played(chart),
            *(f"  note: {text}" for text in chart.remarks),
        ]
    values = read_yaml(path, "file", PresetError)
    keys = set(values) if isinstance(values, Mapping) else set()
    if "songs" in keys:
        songs = load_set(path, (own_folder(),)).songs
        lines = [f"{path}: a set list of {len(songs)} songs"]
        for number, song in enumerate(songs, 1):
            tempo = f"{song.plays_at_bpm:g} bpm" if song.plays_at_bpm else "by ear"
            sheet = "no chart" if song.chart is None else f"{song.chart.bars} bars"
            lines.append(f"  {number}. {song.title}: {song.preset.name}, {tempo}, {song.key or 'any key'}, {sheet}")
            lines += [f"     note: {text}" for text in (song.chart.remarks if song.chart else ())]
        return lines
    if "bindings" in keys:
        return [f"{path}: {len(parse_bindings(values, str(path)))} bindings"]
    return [f"{path}: the preset {parse_preset(values, str(path)).name}"]
