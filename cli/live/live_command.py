"""`gigmate-live`: its options, and what they ask for. Main thread. What happens then is in live_run.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, cast

import typer

from ...engine.config import Backend, EngineConfig
from ...engine.errors import ConfigError
from ..complete import parse_channels
from ..options.controls import (
    BindingsOption,
    ChartOption,
    HostOption,
    MidiOption,
    MonitorOption,
    OscOption,
    OscTimeTagsOption,
    OscToOption,
    PedalOption,
    SetOption,
    TlsKeyOption,
    TlsOption,
    WebOption,
    WebTokenOption,
)
from ..options.playing import DensityOption, FillsOption, LevelOption, MuteOption, StyleOption, TempoOption, wish_of
from ..options.version import VersionOption
from .live_checks import check_numbers
from .live_run import Request, play
from .midi_options import MidiLatencyOption, MidiOutOption
from .outputs import OutputOption, parse_outputs
from .sounds_command import SoundOption
from .sync_options import LinkOption, link_mode

PORTAUDIO_BINDINGS = ("sounddevice", "pyaudio")


def live(
    input_: Annotated[str, typer.Option("--input", metavar="N[,N]", help="Input channels, counted from 1.")] = "1",
    output: OutputOption = None,
    backend: Annotated[str, typer.Option(metavar="NAME", help="auto, jack, portaudio or file.")] = "auto",
    device: Annotated[str | None, typer.Option(metavar="NAME", help="Sound device, or part of its name.")] = None,
    click_output: Annotated[
        str | None,
        typer.Option(metavar="N[,N]", help="Channels for the count-in click. Default: the band's."),
    ] = None,
    preset: Annotated[str, typer.Option(metavar="NAME", help="The name of a preset, or a .yaml file.")] = "rock",
    set_: SetOption = None,
    chart: ChartOption = None,
    song: Annotated[str | None, typer.Option(metavar="NAME", help="A song that you taught the band (learn).")] = None,
    tempo: TempoOption = None,
    style: StyleOption = None,
    density: DensityOption = None,
    level: LevelOption = None,
    mute: MuteOption = None,
    fills: FillsOption = None,
    sound: SoundOption = None,
    time_source: Annotated[
        str, typer.Option(metavar="NAME", help="Time source: auto, link, transport, midi_clock, mtc, tap or listener.")
    ] = "auto",
    rate: Annotated[int | None, typer.Option(metavar="HZ", help="Sample rate. Default: the device's.")] = None,
    block: Annotated[int | None, typer.Option(metavar="SAMPLES", help="Block size. Default: the device's.")] = None,
    no_connect: Annotated[bool, typer.Option("--no-connect", help="JACK: do not connect the ports.")] = False,
    duration: Annotated[float | None, typer.Option(metavar="S", help="Quit after this many seconds.")] = None,
    record: Annotated[
        str | None,
        typer.Option(metavar="F.wav|DIR/", help="Record input, mix and parts: one WAV, or one for each."),
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="F.json", help="Write the figures of the run.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed and input give the same result.")] = 0,
    tuning: Annotated[
        float | None, typer.Option(metavar="HZ", help="Tuning of A, 392 to 494. Default: as heard.")
    ] = None,
    pedal: PedalOption = None,
    bindings: BindingsOption = None,
    midi: MidiOption = None,
    start_now: Annotated[bool, typer.Option("--start-now", help="Start the band at once.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Play without waiting for you.")] = False,
    portaudio: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="PortAudio library: sounddevice or pyaudio. Default: either."),
    ] = None,
    input_file: Annotated[Path | None, typer.Option(metavar="F", help="A recording instead of a live input.")] = None,
    output_file: Annotated[
        Path | None, typer.Option(metavar="F.wav", help="With --input-file: write the band's sound here.")
    ] = None,
    monitor: MonitorOption = None,
    fast: Annotated[bool, typer.Option("--fast", help="With --input-file: run faster than real time.")] = False,
    client_name: Annotated[str, typer.Option(metavar="NAME", help="JACK: name of this client.")] = "gigmate",
    server: Annotated[str | None, typer.Option(metavar="NAME", help="JACK: name of the server.")] = None,
    round_trip: Annotated[int | None, typer.Option(metavar="SAMPLES", help="Measured delay, output to input.")] = None,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
    link: LinkOption = None,
    midi_out: MidiOutOption = None,
    midi_latency: MidiLatencyOption = 0.0,
    json_lines: Annotated[bool, typer.Option("--json", help="Print the status as JSON lines.")] = False,
    web: WebOption = None,
    host: HostOption = None,
    web_token: WebTokenOption = None,
    tls: TlsOption = None,
    tls_key: TlsKeyOption = None,
    osc: OscOption = None,
    osc_to: OscToOption = None,
    osc_time_tags: OscTimeTagsOption = False,
    version: VersionOption = False,
) -> int:
    """Play along with a live input.

    Keys: space starts and stops, ! is panic, ? shows them all, q quits. Exit code 0 after q, --duration or the end of a
    file; 130, 143 or 129 after SIGINT, SIGTERM or SIGHUP (report and recording are still written); 1 after a failure; 2
    for wrong options.
    """
    from ..presets import open_show, song_of
    from .midi_learn import binding_table
    from .osc_options import osc_asked
    from .web_options import web_asked

    check_numbers(backend, duration, monitor, round_trip)
    if input_file is None and (fast or output_file is not None) and backend != "file":
        raise ConfigError("--fast and --output-file need --input-file: give the recording to play along with")
    if portaudio is not None:
        if portaudio not in PORTAUDIO_BINDINGS:
            raise ConfigError(f"--portaudio {portaudio}: give one of {', '.join(PORTAUDIO_BINDINGS)}")
        os.environ["GIGMATE_PORTAUDIO"] = portaudio  # read by the port when it loads the library
    outputs = parse_outputs(output or [], click_output)
    config = EngineConfig(
        input_channels=parse_channels("--input", input_),
        output_channels=outputs.main,
        part_outputs=outputs.parts,
        click_channels=outputs.click,
        backend=cast("Backend", "file" if input_file is not None and backend == "auto" else backend),
        device=device,
        rate_hz=rate,
        block_samples=block,
        connect=not no_connect,
        client_name=client_name,
        server_name=server,
        input_file=None if input_file is None else str(input_file),
        realtime=not fast,
        monitor_db=monitor,
        output_file=None if output_file is None else str(output_file),
        record_file=record,
        start_playing=start_now,
        wait_for_musician=not no_wait,
        time_source=time_source,
        bindings=binding_table(pedal, bindings, set_list=set_ is not None),
        midi_name=midi,
        round_trip_samples=round_trip,
        link=link_mode(link),
        midi_out="auto" if midi_out is None else midi_out,
        midi_latency_ms=midi_latency,
        seed=seed,
        tuning_hz=tuning,
    )
    asked = pedal is not None or bindings is not None or midi is not None
    remote, told = web_asked(web, host, web_token, tls, tls_key), osc_asked(osc, osc_to, osc_time_tags)
    wish = wish_of(tempo, style, density, level, mute, fills)
    preset, chart = song_of(song, preset, chart, set_)
    show, faults = open_show(preset, set_, chart, config.bindings, sound, wish)
    for line in faults:
        print(line, file=sys.stderr)
    return play(Request(config, show, duration, report, weights, asked, json_lines, remote, told, set_path=set_))
