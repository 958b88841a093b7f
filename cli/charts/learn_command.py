"""`gigmate learn FILE`: the chart of a recording: beats, chords and sections as they are heard. Main thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...engine.errors import ConfigError, EngineError
from ..options.files import ForceOption

if TYPE_CHECKING:
    from ...engine.charts.chart import Chart


def learn(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="F.chart", help="Write here. Default: your songs, by the file's name."),
    ] = None,
    force: ForceOption = False,
    style: Annotated[str, typer.Option(help="Prefer the tempi and metres of this style.")] = "",
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
) -> None:
    """Learn a song from a recording: write its chords, sections, tempo and key as a chart."""
    from ...engine.style_priors import STYLE_PRIORS
    from ...files.whole import write_whole
    from ...presets.song_keeper import chart_text, file_name
    from ..output_files import check_free, check_writable
    from ..presets import songs_folder

    if style and style not in STYLE_PRIORS:
        raise ConfigError(f"--style {style}: no such style; styles are {', '.join(STYLE_PRIORS)}")
    target = out or songs_folder() / f"{file_name(source.stem) or 'song'}.chart"
    if out is not None:
        check_writable(out, "--out")
    check_free(target, "--out", force)
    chart = chart_of_recording(source, style, weights)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, chart_text(chart).encode())
    except OSError as error:
        raise EngineError(f"cannot write {target}: {error.strerror}") from None
    sections = " ".join(f"{section.name} ({section.bars})" for section in chart.sections)
    print(f"{target}: {chart.bars} bars at {chart.tempo_bpm:g} bpm in {chart.key}: {sections}")


def chart_of_recording(source: Path, style: str = "", weights: Path | None = None) -> Chart:
    """What is heard in it. Raises EngineError for what is no sound, or where no beat is found."""
    import numpy as np

    from ...engine.learning.whole_song import WholeSong
    from ..listen import read_mono
    from ..listen_stream import FRAME_SAMPLES, RATE_HZ, ListeningPlayer

    sound, ear = read_mono(source), ListeningPlayer(weights)
    padded = np.concatenate([np.zeros(ear.tail_samples, np.float32), sound])
    size = ear.tail_samples + FRAME_SAMPLES
    song = WholeSong(float(RATE_HZ), ear.harmonist, style)
    for place in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        heard = ear.listen(padded[place : place + size])
        song.hear(heard, place + FRAME_SAMPLES - heard.delay_samples, FRAME_SAMPLES)
    chart = song.chart(title=source.stem)
    if chart is None:
        raise EngineError(f"{source}: no beat was found in it")
    return chart
