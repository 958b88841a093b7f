"""The options of one live run, here or with a server's band: sound card, recording, length. Any thread.

Knows the words of the command line, and nothing of what they open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

InputOption = Annotated[str, typer.Option("--input", metavar="N[,N]", help="Input channels, counted from 1.")]
BackendOption = Annotated[str, typer.Option("--backend", metavar="NAME", help="auto, jack, portaudio or file.")]
DeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="Sound device, or part of its name.")
]
RateOption = Annotated[int | None, typer.Option("--rate", metavar="HZ", help="Sample rate. Default: the device's.")]
BlockOption = Annotated[
    int | None, typer.Option("--block", metavar="SAMPLES", help="Block size. Default: the device's.")
]
RoundTripOption = Annotated[
    int | None, typer.Option("--round-trip", metavar="SAMPLES", help="Measured delay, output to input.")
]
PresetOption = Annotated[str, typer.Option("--preset", metavar="NAME", help="The name of a preset, or a .yaml file.")]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="The same seed and input give the same result.")]
StartNowOption = Annotated[bool, typer.Option("--start-now", help="Start the band at once.")]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Play without waiting for you.")]
DurationOption = Annotated[float | None, typer.Option("--duration", metavar="S", help="Quit after this many seconds.")]
RecordOption = Annotated[
    str | None,
    typer.Option("--record", metavar="F.wav|DIR/", help="Record input, mix and parts: one WAV, or one for each."),
]
ReportOption = Annotated[Path | None, typer.Option("--report", metavar="F.json", help="Write the figures of the run.")]
InputFileOption = Annotated[
    Path | None, typer.Option("--input-file", metavar="F", help="A recording instead of a live input.")
]
OutputFileOption = Annotated[
    Path | None,
    typer.Option("--output-file", metavar="F.wav", help="With --input-file: write the band's sound here."),
]
FastOption = Annotated[bool, typer.Option("--fast", help="With --input-file: run faster than real time.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the status as JSON lines.")]
