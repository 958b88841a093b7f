"""The options of a run that plays live, here or with a server's band: songs, pedals, the remote, OSC. Any thread.

Knows the words of the command line, and nothing of what they open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SetOption = Annotated[Path | None, typer.Option("--set", metavar="F.yaml", help="A set list: the songs to play.")]
ChartOption = Annotated[Path | None, typer.Option("--chart", metavar="F", help="Play the chords of this chart.")]
PedalOption = Annotated[
    str | None,
    typer.Option("--pedal", metavar="CCn|NOTEn", help="MIDI controller or note that starts and stops the band."),
]
BindingsOption = Annotated[
    Path | None,
    typer.Option("--bindings", metavar="F.yaml", help="Bindings of pedals and keys. Default: your own file."),
]
MidiOption = Annotated[str | None, typer.Option("--midi", metavar="NAME", help="MIDI input to use. Default: all.")]
MonitorOption = Annotated[
    float | None,
    typer.Option("--monitor", metavar="DB", help="With --input-file: mix the recording in at this gain."),
]
WebOption = Annotated[
    int | None, typer.Option("--web", metavar="[PORT]", help="Serve a remote for a phone. Default port: 8765.")
]
HostOption = Annotated[
    str | None,
    typer.Option("--host", metavar="ADDRESS", help="Address of the remote. Any but this machine needs a token."),
]
WebTokenOption = Annotated[
    str | None, typer.Option("--web-token", metavar="WORD", help="Token of the remote. Default: a fresh one.")
]
TlsOption = Annotated[
    str | None,
    typer.Option(
        "--tls", metavar="self|F.pem", help="Serve the remote by HTTPS: with a certificate of our own, or with yours."
    ),
]
TlsKeyOption = Annotated[
    Path | None, typer.Option("--tls-key", metavar="F.pem", help="Key of the certificate, where F.pem has none.")
]
OscOption = Annotated[str | None, typer.Option("--osc", metavar="[HOST:]PORT", help="OSC: listen for commands here.")]
OscToOption = Annotated[
    list[str] | None,
    typer.Option("--osc-to", metavar="HOST:PORT", help="OSC: send status and beats there. May be repeated."),
]
OscTimeTagsOption = Annotated[
    bool,
    typer.Option("--osc-time-tags", help="OSC: let bundles wait for their time. Default: act at once."),
]
