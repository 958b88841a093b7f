"""`gigmate play`: the sound card here, the band on a server. Main thread; the rest is shared with `gigmate live`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

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
from .live_checks import check_numbers
from .live_run import Request
from .live_run import play as play_live
from .midi_options import MidiLatencyOption, MidiOutOption
from .outputs import OutputOption, parse_outputs
from .sounds_command import SoundOption
from .sync_options import LinkOption, link_mode

if TYPE_CHECKING:
    from ...model.harmony.harmonist import Harmonist
    from ..service.remote_player import RemotePlayer

_FILE_PATIENCE_S = 30.0


def play(
    server: Annotated[
        str, typer.Argument(metavar="SERVER", help="Address of a `gigmate serve`, such as ws://192.168.1.20:8000")
    ],
    input_: Annotated[str, typer.Option("--input", metavar="N[,N]", help="Input channels, counted from 1.")] = "1",
    output: OutputOption = None,
    backend: Annotated[str, typer.Option(metavar="NAME", help="auto, jack, portaudio or file.")] = "auto",
    device: Annotated[str | None, typer.Option(metavar="NAME", help="Sound device, or part of its name.")] = None,
    preset: Annotated[str, typer.Option(metavar="NAME", help="The name of a preset, or a .yaml file.")] = "rock",
    set_: SetOption = None,
    chart: ChartOption = None,
    tempo: TempoOption = None,
    style: StyleOption = None,
    density: DensityOption = None,
    level: LevelOption = None,
    mute: MuteOption = None,
    fills: FillsOption = None,
    sound: SoundOption = None,
    rate: Annotated[int | None, typer.Option(metavar="HZ", help="Sample rate. Default: the device's.")] = None,
    block: Annotated[int | None, typer.Option(metavar="SAMPLES", help="Block size. Default: the device's.")] = None,
    duration: Annotated[float | None, typer.Option(metavar="S", help="Quit after this many seconds.")] = None,
    record: Annotated[Path | None, typer.Option(metavar="F.wav", help="Record input, mix and parts.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="F.json", help="Write the figures of the run.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed and input give the same result.")] = 0,
    pedal: PedalOption = None,
    bindings: BindingsOption = None,
    midi: MidiOption = None,
    start_now: Annotated[bool, typer.Option("--start-now", help="Start the band at once.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Play without waiting for you.")] = False,
    input_file: Annotated[Path | None, typer.Option(metavar="F", help="A recording instead of a live input.")] = None,
    output_file: Annotated[
        Path | None, typer.Option(metavar="F.wav", help="With --input-file: write the band's sound here.")
    ] = None,
    monitor: MonitorOption = None,
    fast: Annotated[bool, typer.Option("--fast", help="With --input-file: run as fast as the server can.")] = False,
    round_trip: Annotated[int | None, typer.Option(metavar="SAMPLES", help="Measured delay, output to input.")] = None,
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
) -> int:
    """Play along with a live input, with the band of a `gigmate serve`.

    The way to the server and back is measured at the start and made up for: the band is made so much further ahead. A
    lost connection is covered by the last bar until it is there again. A server that asks for a token finds it in
    GIGMATE_TOKEN. Keys and exit codes are those of `gigmate live`.
    """
    from ..extras import need
    from ..presets import open_show
    from .midi_learn import binding_table
    from .osc_options import osc_asked
    from .web_options import web_asked

    check_numbers(backend, duration, monitor, round_trip)
    if input_file is None and (fast or output_file is not None) and backend != "file":
        raise ConfigError("--fast and --output-file need --input-file: give the recording to play along with")
    need("websockets")
    from ..service.remote_player import url_of

    url_of(server)
    outputs = parse_outputs(output or [])
    config = EngineConfig(
        input_channels=parse_channels("--input", input_),
        output_channels=outputs.main,
        part_outputs=outputs.parts,
        backend=cast("Backend", "file" if input_file is not None and backend == "auto" else backend),
        device=device,
        rate_hz=rate,
        block_samples=block,
        input_file=None if input_file is None else str(input_file),
        realtime=not fast,
        monitor_db=monitor,
        output_file=None if output_file is None else str(output_file),
        record_file=None if record is None else str(record),
        start_playing=start_now,
        wait_for_musician=not no_wait,
        bindings=binding_table(pedal, bindings, set_list=set_ is not None),
        midi_name=midi,
        round_trip_samples=round_trip,
        link=link_mode(link),
        midi_out="auto" if midi_out is None else midi_out,
        midi_latency_ms=midi_latency,
        seed=seed,
    )
    players: list[RemotePlayer] = []
    connect = _connection(server, seed, _FILE_PATIENCE_S if fast else None, players)
    asked = pedal is not None or bindings is not None or midi is not None
    remote, told = web_asked(web, host, web_token, tls, tls_key, env_token=False), osc_asked(osc, osc_to, osc_time_tags)
    try:
        wish = wish_of(tempo, style, density, level, mute, fills)
        show, faults = open_show(preset, set_, chart, config.bindings, sound, wish)
        for line in faults:
            print(line, file=sys.stderr)
        code = play_live(Request(config, show, duration, report, None, asked, json_lines, remote, told, connect))
        if not json_lines:
            _tell(players)
        return code
    finally:
        for player in players:
            player.close()


def _connection(
    server: str, seed: int, patience_s: float | None, players: list[RemotePlayer]
) -> Callable[[], RemotePlayer]:
    """Connects when it is called, and adds the player to `players`, so that it is closed whatever happens then."""
    from ..service.remote_player import RemotePlayer
    from ..service.service_limits import TOKEN_VARIABLE

    def connect() -> RemotePlayer:
        player = RemotePlayer(server, os.environ.get(TOKEN_VARIABLE) or None, seed, patience_s)
        players.append(player)
        player.harmonist = _own_harmonist()
        return player

    return connect


def _tell(players: list[RemotePlayer]) -> None:
    for player in players:
        print(
            f"server: {1000 * player.round_trip_s:.0f} ms there and back, {player.depth} frames on their way, "
            f"reconnected {player.reconnections} times"
        )


def _own_harmonist() -> Harmonist:
    """Reads the chords here, where the conductor is, out of what the server's listener says."""
    from ...model.harmony.harmonist import Harmonist
    from ...model.loading import load_harmony
    from ...model.weights_file import SHIPPED

    return Harmonist(load_harmony(SHIPPED))
