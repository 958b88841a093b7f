"""`gigmate play`: the sound card here, the band on a server. Main thread; the rest is shared with `gigmate live`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

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
from .live_checks import check_numbers
from .live_config import config_of, show_of
from .live_run import Request
from .live_run import play as play_live
from .midi_options import MidiLatencyOption, MidiOutOption
from .outputs import OutputOption, parse_outputs
from .sounds_command import SoundOption
from .sync_options import LinkOption

if TYPE_CHECKING:
    from ...model.harmony.harmonist import Harmonist
    from ..service.remote_player import RemotePlayer

_FILE_PATIENCE_S = 30.0


def play(
    server: Annotated[
        str, typer.Argument(metavar="SERVER", help="Address of a `gigmate serve`, such as ws://192.168.1.20:8000")
    ],
    input_: InputOption = "1",
    output: OutputOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = None,
    preset: PresetOption = "rock",
    set_: SetOption = None,
    chart: ChartOption = None,
    tempo: TempoOption = None,
    style: StyleOption = None,
    density: DensityOption = None,
    level: LevelOption = None,
    mute: MuteOption = None,
    fills: FillsOption = None,
    sound: SoundOption = None,
    rate: RateOption = None,
    block: BlockOption = None,
    duration: DurationOption = None,
    record: RecordOption = None,
    report: ReportOption = None,
    force: ForceOption = False,
    seed: SeedOption = 0,
    pedal: PedalOption = None,
    bindings: BindingsOption = None,
    midi: MidiOption = None,
    start_now: StartNowOption = False,
    no_wait: NoWaitOption = False,
    input_file: InputFileOption = None,
    output_file: OutputFileOption = None,
    monitor: MonitorOption = None,
    fast: FastOption = False,
    round_trip: RoundTripOption = None,
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
) -> int:
    """Play along with a live input, with the band of a `gigmate serve`.

    The way to the server and back is measured at the start and made up for: the band is made so much further ahead. A
    lost connection is covered by the last bar until it is there again. A server that asks for a token finds it in
    GIGMATE_TOKEN. Keys and exit codes are those of `gigmate live`.
    """
    from ..extras import need
    from .midi_learn import binding_table
    from .osc_options import osc_asked
    from .web_options import web_asked

    check_numbers(backend, duration, monitor, round_trip)
    need("websockets")
    from ..service.remote_player import url_of

    url_of(server)
    outputs = parse_outputs(output or [])
    config = config_of(
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
    players: list[RemotePlayer] = []
    connect = _connection(server, seed, _FILE_PATIENCE_S if fast else None, players)
    asked = pedal is not None or bindings is not None or midi is not None
    remote, told = web_asked(web, host, web_token, tls, tls_key, env_token=False), osc_asked(osc, osc_to, osc_time_tags)
    try:
        wish = wish_of(tempo, style, density, level, mute, fills)
        show = show_of(config, preset, set_, chart, sound, wish)
        request = Request(config, show, duration, report, None, asked, json_lines, remote, told, connect, force=force)
        code = play_live(request)
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
