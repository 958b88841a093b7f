"""`gigmate-live`: its options, and what they ask for. Main thread. What happens then is in live_run.py."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ...engine.errors import ConfigError
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
from ..options.files import ForceOption
from ..options.playing import DensityOption, FillsOption, LevelOption, MuteOption, StyleOption, TempoOption, wish_of
from ..options.running import (
    BackendOption,
    BlockOption,
    DeviceOption,
    DurationOption,
    FastOption,
    InputFileOption,
    InputOption,
    JsonOption,
    NoWaitOption,
    OutputFileOption,
    PresetOption,
    RateOption,
    RecordOption,
    ReportOption,
    RoundTripOption,
    SeedOption,
    StartNowOption,
)
from ..options.version import VersionOption
from .live_checks import check_numbers
from .live_config import config_of, show_of
from .live_run import Request, play
from .midi_options import MidiLatencyOption, MidiOutOption
from .outputs import OutputOption, parse_outputs
from .sounds_command import SoundOption
from .sync_options import LinkOption

PORTAUDIO_BINDINGS = ("sounddevice", "pyaudio")


def live(
    input_: InputOption = "1",
    output: OutputOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = None,
    click_output: Annotated[
        str | None,
        typer.Option(metavar="N[,N]", help="Channels for the count-in click. Default: the band's."),
    ] = None,
    preset: PresetOption = "rock",
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
    rate: RateOption = None,
    block: BlockOption = None,
    no_connect: Annotated[bool, typer.Option("--no-connect", help="JACK: do not connect the ports.")] = False,
    duration: DurationOption = None,
    record: RecordOption = None,
    report: ReportOption = None,
    force: ForceOption = False,
    seed: SeedOption = 0,
    tuning: Annotated[
        float | None, typer.Option(metavar="HZ", help="Tuning of A, 392 to 494. Default: as heard.")
    ] = None,
    pedal: PedalOption = None,
    bindings: BindingsOption = None,
    midi: MidiOption = None,
    start_now: StartNowOption = False,
    no_wait: NoWaitOption = False,
    portaudio: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="PortAudio library: sounddevice or pyaudio. Default: either."),
    ] = None,
    input_file: InputFileOption = None,
    output_file: OutputFileOption = None,
    monitor: MonitorOption = None,
    fast: FastOption = False,
    client_name: Annotated[str, typer.Option(metavar="NAME", help="JACK: name of this client.")] = "gigmate",
    server: Annotated[str | None, typer.Option(metavar="NAME", help="JACK: name of the server.")] = None,
    round_trip: RoundTripOption = None,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
    link: LinkOption = None,
    midi_out: MidiOutOption = None,
    midi_latency: MidiLatencyOption = 0.0,
    json_lines: JsonOption = False,
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
    from ..presets import song_of
    from .midi_learn import binding_table
    from .osc_options import osc_asked
    from .web_options import web_asked

    check_numbers(backend, duration, monitor, round_trip)
    if portaudio is not None:
        if portaudio not in PORTAUDIO_BINDINGS:
            raise ConfigError(f"--portaudio {portaudio}: give one of {', '.join(PORTAUDIO_BINDINGS)}")
        os.environ["GIGMATE_PORTAUDIO"] = portaudio  # read by the port when it loads the library
    outputs = parse_outputs(output or [], click_output)
    shared = config_of(
        input_=input_,
        outputs=outputs,
        backend=backend,
        device=device,
        rate=rate,
        block=block,
        round_trip=round_trip,
        input_file=input_file,
        output_file=output_file,
        monitor=monitor,
        fast=fast,
        record=record,
        start_now=start_now,
        no_wait=no_wait,
        bindings=binding_table(pedal, bindings, set_list=set_ is not None),
        midi=midi,
        midi_out=midi_out,
        midi_latency=midi_latency,
        link=link,
        seed=seed,
    )
    config = replace(
        shared,
        connect=not no_connect,
        client_name=client_name,
        server_name=server,
        time_source=time_source,
        tuning_hz=tuning,
    )
    asked = pedal is not None or bindings is not None or midi is not None
    remote, told = web_asked(web, host, web_token, tls, tls_key), osc_asked(osc, osc_to, osc_time_tags)
    wish = wish_of(tempo, style, density, level, mute, fills)
    preset, chart = song_of(song, preset, chart, set_)
    show = show_of(config, preset, set_, chart, sound, wish)
    return play(
        Request(config, show, duration, report, weights, asked, json_lines, remote, told, set_path=set_, force=force)
    )
