"""`gigmate eval examples`: the first held-out songs, to hear and to see: the musician, the band, both.

The band as it plays for everybody: in stereo, with the sounds and the mix of its preset. Main thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..extras import need
from .sound_takes import checked_kinds, preset_of

RATE_HZ = 48_000


def examples(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Write NN-input.ogg, NN-band.ogg, NN-mix.ogg here.")],
    songs: Annotated[int, typer.Option(min=1, help="The first so many songs of the evaluation.")] = 10,
    seconds: Annotated[float, typer.Option(min=15, help="Length of each.")] = 25.0,
    sound: Annotated[
        str | None, typer.Option(help="neural or instruments.  [default: what the preset says: instruments]")
    ] = None,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Weights. Default: the shipped ones.")] = None,
) -> None:
    """Let the band play along with made leads that it has not learnt from, and write what is heard and played."""
    import numpy as np

    from ...band import Band
    from ...training.evaluate.examples import write_example
    from ...training.sound.render import render_song
    from .eval_workbench import known_styles

    need("librosa", "matplotlib", "tinysoundfont")
    if sound is not None:
        checked_kinds([sound], ())
    styles, band = known_styles(weights), Band.load(weights)
    for number in range(songs):
        song = render_song(number, RATE_HZ, "test", styles=styles, seconds=(seconds, seconds + 4.0))
        lead = song.stems["lead"][: round(seconds * RATE_HZ)]
        music = band.accompany(
            lead, RATE_HZ, preset=preset_of(str(song.meta["style"])), seed=number, wait=True, ahead_frames=None,
            sound=sound,
        )  # fmt: skip
        write_example(folder, number, lead, music.mix, music.parts, song)
        bpm = float(np.median(song.labels["tempo_bpm"]))
        print(f"{number:02d}  {song.meta['style']}, {bpm:.0f} bpm", *music.warnings, sep="  ", flush=True)
