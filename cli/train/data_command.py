"""`gigmate data …`: synthetic music and recorded stems as training data: render, listen, count, judge, import.

Heavy imports wait inside the verbs. Main thread only; `render` starts processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ...files.json_text import json_text
from ..complete import parse_channels

app = typer.Typer(help="Make training data: render, listen, count, import.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="Folder to write to.")]
Styles = Annotated[
    list[str] | None, typer.Option("--style", help="Only this style; may be repeated. 'all': every style.")
]
Seed = Annotated[int, typer.Option(help="Seed of the first song; the others count on from there.")]
Split = Annotated[
    str,
    typer.Option(help="train, validation, test, or held_style, _tempo, _key, _font, _sound, _lead."),
]
Songs = Annotated[int, typer.Option(min=1, help="Number of songs.")]
SoundVariety = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="How often the band uses other sounds than those of its style.")
]
PlayingVariety = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="More varied tempos, sudden tempo changes, free starts.")
]


@app.command()
def render(
    songs: Songs,
    out: Out,
    style: Styles = None,
    seed: Seed = 0,
    split: Split = "train",
    rate: Annotated[int, typer.Option(help="Sample rate in Hz: 32000 or 48000.")] = 32000,
    sound_variety: SoundVariety = 0.0,
    playing_variety: PlayingVariety = 0.0,
    font: Annotated[str | None, typer.Option(help="Sounds: fluid, fluid_mono, csound, musescore, or own.")] = None,
    flac: Annotated[bool, typer.Option("--flac", help="A folder of FLAC stems per song instead of one .npz.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes.")] = 1,
) -> None:
    """Render songs to stems with labels. Existing songs are kept."""
    from ...training.sound.render import render_many

    with _mendable():
        names = _styles(style, trainable=split in ("train", "validation", "test"))
        for line in render_many(
            range(seed, seed + songs), out, workers=workers, rate_hz=rate, split=split, styles=names,
            sound_variety=sound_variety, playing_variety=playing_variety, font=font, flac=flac,
        ):  # fmt: skip
            typer.echo(line)


@app.command()
def listen(
    out: Out,
    songs: Songs = 3,
    style: Styles = None,
    seed: Seed = 0,
    split: Split = "train",
    seconds: Annotated[float, typer.Option(min=10.0, help="Length of each song.")] = 60.0,
    sound_variety: SoundVariety = 0.0,
    playing_variety: PlayingVariety = 0.0,
) -> None:
    """Render songs to a page with players, piano rolls, waveforms and labels."""
    from ...training.sound.listening_page import write_page
    from ...training.sound.render import render_song

    with _mendable():
        names = _styles(style)
        made = [
            render_song(
                k, split=split, styles=names, sound_variety=sound_variety, playing_variety=playing_variety,
                seconds=(seconds, seconds + 5.0),
            )
            for k in range(seed, seed + songs)
        ]  # fmt: skip
        typer.echo(write_page(made, out))


@app.command()
def stats(
    songs: Songs = 100,
    style: Styles = None,
    seed: Seed = 0,
    split: Split = "train",
    judge: Annotated[
        bool,
        typer.Option(
            "--judge", help="Also render the songs and score them with classical judges (takes seconds per song)."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Also write all figures to this JSON file.")] = None,
) -> None:
    """Count what the arranger writes, list broken rules, and with --judge compare the sound with its labels."""
    from ...training.band.styles import STYLE_NAMES
    from ...training.sound import survey

    with _mendable():
        names = _styles(style) or STYLE_NAMES
        seeds = range(seed, seed + songs)
        written = survey.written(seeds, names, split)
        typer.echo(survey.table(written))
        typer.echo(survey.density_table(written["density"]))
        rows = survey.judged(seeds, names, split) if judge else []
        if rows:
            typer.echo(survey.judged_table(rows))
        if out is not None:
            out.write_text(json_text({"written": written, "judged": rows}, indent=1), encoding="utf-8")


@app.command("import")
def import_(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Folders with lead.wav and drums.wav, bass.wav, keys.wav; other formats and names: docs/training.md."
        ),
    ],
    out: Out,
    beats_per_bar: Annotated[int, typer.Option(min=2, max=7)] = 4,
    bpm: Annotated[float | None, typer.Option(help="Approximate tempo, as a hint.")] = None,
    rate: Annotated[int, typer.Option(help="Sample rate of the stored stems, in Hz.")] = 32000,
    input_: Annotated[
        str | None,
        typer.Option("--input", metavar="N[,N]", help="Channels of the lead's file, counted from 1. Default: all."),
    ] = None,
) -> None:
    """Turn recordings of your own band into training data: stems in, shards with tracked labels out."""
    from ...training.sound.recorded_stems import import_song
    from ...training.sound.render import save_song, song_path

    channels = None if input_ is None else parse_channels("--input", input_)
    with _mendable():
        out.mkdir(parents=True, exist_ok=True)
        number = len(list(out.glob("song-*.npz")))
        for folder in folders:
            while song_path(out, number).exists():
                number += 1
            song = import_song(folder, number, rate, beats_per_bar, bpm, channels)
            for line in song.meta["remarks"]:
                typer.echo(line, err=True)
            save_song(song, song_path(out, number))
            typer.echo(f"{song_path(out, number)}: {song.seconds:.0f} s, {song.meta['bpm']:.0f} bpm")


def _styles(chosen: list[str] | None, trainable: bool = False) -> tuple[str, ...] | None:
    """The styles meant; `all` leaves the held-out ones aside where the songs are for training."""
    from ...training.band.splits import HELD_STYLES
    from ...training.band.styles import STYLE_NAMES

    if not chosen:
        return None
    if chosen != ["all"]:
        return tuple(chosen)
    return tuple(n for n in STYLE_NAMES if not (trainable and n in HELD_STYLES))


@contextmanager
def _mendable() -> Iterator[None]:
    """Errors of the data code that the user can mend, as the one kind that the command line prints as a line."""
    from ...engine.errors import ConfigError, EngineError
    from ...training.sound.soundfont_synth import SynthError
    from ...training.sound.soundfonts import SoundFontError

    try:
        yield
    except (SoundFontError, SynthError) as error:
        raise EngineError(str(error)) from error
    except ValueError as error:
        raise ConfigError(str(error)) from error
