"""`gigmate charts`: show and convert charts of other programs.

Main thread. What a format holds is the package sheets' business.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...engine.errors import ConfigError
from ..options.files import ForceOption

if TYPE_CHECKING:
    from ...engine.charts.chart import Chart
    from ...sheets.library import Song, SongFile

app = typer.Typer(
    help="Charts of other programs: iReal Pro, ChordPro, MusicXML, ABC, MIDI, words with chords.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
_SOURCE = typer.Argument(
    metavar="IN", help="A chart file; FILE#3 or FILE#Title for one of its songs; or an iReal Pro link."
)


@app.command()
def show(source: Annotated[str, _SOURCE]) -> None:
    """Show the songs of a file, with the bars as they are played and what could not be kept."""
    from ...sheets.library import open_songs

    found, numbers = open_songs(source)
    print(f"{found.where}: {found.format}, {len(numbers)} song{'s' if len(numbers) > 1 else ''}")
    faults = 0
    for number in numbers:
        song = _song(found, number)
        faults += song is None
        if song is not None and len(numbers) > 1:
            print(f"  {number + 1}. {_line(song)}")
        elif song is not None:
            print(f"  {_line(song)}")
            for line in played(song.chart):
                print(line)
        for text in song.chart.remarks if song is not None else ():
            print(f"  note: {text}" if len(numbers) == 1 else f"     note: {text}")
    if faults:
        raise ConfigError(f"{faults} of {len(numbers)} songs cannot be read")


@app.command()
def convert(
    source: Annotated[str, _SOURCE],
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[OUT]",
            help=(
                "Its name says the format: .chart (ours), .yaml (a set list of all songs), .cho (ChordPro), .musicxml, "
                ".html or .irealb (iReal Pro); without it our notation is printed."
            ),
        ),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Convert a chart, or all songs of a file, as they are played. Says what could not be kept."""
    from ...files.whole import write_whole
    from ...sheets.library import open_songs
    from ...sheets.writers.targets import lost, text_for
    from ..output_files import check_output

    path = None if target is None or target == "-" else Path(target)
    if path is not None:
        check_output(path, "OUT", force)
    found, numbers = open_songs(source)
    songs = [song for number in numbers if (song := _song(found, number)) is not None]
    if not songs:
        raise ConfigError(f"{found.where}: no song in it can be read")
    suffix = "" if path is None else path.suffix.lower()
    if len(songs) > 1:
        songs = [song for song in songs if _can_be_written(song, suffix, found.where)]
    text = text_for(songs, suffix, found.where)
    for line in lost(songs, text, found.where, suffix):
        print(f"note: {line}", file=sys.stderr)
    for song in songs:
        for remark in song.chart.remarks:
            print(f"note: {song.title + ': ' if len(songs) > 1 else ''}{remark}", file=sys.stderr)
    if path is None:
        print(text, end="")
    else:
        write_whole(path, text.encode())
        print(f"{path}: {len(songs)} song{'s' if len(songs) > 1 else ''}")
    if len(songs) < len(numbers):
        raise ConfigError(f"{len(numbers) - len(songs)} of {len(numbers)} songs are left out")


def _song(found: SongFile, number: int) -> Song | None:
    """The song; of several one that cannot be read is a line, and the others are."""
    from ...engine.charts.chart import ChartError

    try:
        return found.song(number)
    except ChartError as error:
        if len(found.entries) == 1:
            raise
        print(f"  {error}", file=sys.stderr)
        return None


def _can_be_written(song: Song, suffix: str, where: str) -> bool:
    """Of several songs one that the format has no words for is a line, and the others are written."""
    from ...engine.charts.chart import ChartError
    from ...sheets.writers.targets import is_known, text_for

    if not is_known(suffix):
        return True  # which is said once, of all
    try:
        text_for([song], suffix, where)
    except ChartError as error:
        print(f"  {where} ({song.title}): {error}", file=sys.stderr)
        return False
    return True


def _line(song: Song) -> str:
    chart = song.chart
    tempo = f"{chart.tempo_bpm:g} bpm" if chart.tempo_bpm else "no tempo"
    facts = [f"{chart.bars} bars", chart.key or "no key", tempo]
    if song.style:
        facts.append(f"{song.style} (preset {song.preset})" if song.preset else f"{song.style} (no preset is near)")
    return f"{song.title}{f' ({song.composer})' if song.composer else ''}: {', '.join(facts)}"


def played(chart: Chart) -> list[str]:
    """The chart as it is played, a line for each section."""
    from ...sheets.writers.notation import cells

    lines, number, metre = [], 0, chart.beats_per_bar
    for section in chart.sections:
        bars = []
        for bar in range(number, number + section.bars):
            beats = chart.beats_of_bar(bar)
            shown = cells(chart, chart.beat_at_bar(bar), beats)
            bars.append(shown if beats == metre else f"({beats}) {shown}")
            metre = beats
        number += section.bars
        lines.append(f"  {f'[{section.name}] ' if section.name else ''}| {' | '.join(bars)} |")
    lines.append("  and round again" if chart.loops else "  and the band ends")
    return lines
