"""`gigmate-live`: from options to a running band, and its end. Main thread.

Knows how to ask and what to show; everything that sounds is the session's.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ...engine.config import Backend, EngineConfig, is_folder
from ...engine.errors import ConfigError, EngineError
from ..complete import parse_channels
from ..options.version import VersionOption
from .live_checks import check_files
from .midi_options import MidiLatencyOption, MidiOutOption
from .outputs import OutputOption, parse_outputs
from .sounds_command import SoundOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...control.keys import Keys
    from ...control.midi import MidiPedals
    from ...control.osc import Osc
    from ...control.terminal import Display
    from ...presets.schema import Preset
    from ...session import LoadPlayer, Session
    from ...show import Show
    from ..signals import Signals
    from .osc_options import OscAsk
    from .web_options import Remote, WebAsk

REHEARSAL_FILE = "gigmate-rehearsal.wav"
PORTAUDIO_BINDINGS = ("sounddevice", "pyaudio")
BACKENDS = ("auto", "jack", "portaudio", "file")
_TICK_S = 0.03
_END_PATIENCE_S = 5.0
"""How long the ramp and the last writing may take after a wish to quit."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the options asked for, beyond the engine's own config."""

    config: EngineConfig
    show: Show | Preset
    duration_s: float | None = None
    report: Path | None = None
    weights: Path | None = None
    midi_asked: bool = False
    """Whether a run without any MIDI input is not what was asked for."""
    json_lines: bool = False
    web: WebAsk | None = None
    """The remote for a phone, where one is asked for."""
    osc: OscAsk | None = None
    load: LoadPlayer | None = None
    """Takes the place of the model here: a band on a server."""


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
    set_: Annotated[Path | None, typer.Option("--set", metavar="F.yaml", help="A set list: the songs to play.")] = None,
    chart: Annotated[Path | None, typer.Option(metavar="F", help="Play the chords of this chart.")] = None,
    sound: SoundOption = None,
    time_source: Annotated[
        str, typer.Option(metavar="NAME", help="Time source: auto, transport, midi_clock, tap or listener.")
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
    pedal: Annotated[
        str | None, typer.Option(metavar="CCn|NOTEn", help="MIDI controller or note that starts and stops the band.")
    ] = None,
    bindings: Annotated[
        Path | None, typer.Option(metavar="F.yaml", help="Bindings of pedals and keys. Default: your own file.")
    ] = None,
    midi: Annotated[str | None, typer.Option(metavar="NAME", help="MIDI input to use. Default: all.")] = None,
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
    monitor: Annotated[
        float | None, typer.Option(metavar="DB", help="With --input-file: mix the recording in at this gain.")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="With --input-file: run faster than real time.")] = False,
    client_name: Annotated[str, typer.Option(metavar="NAME", help="JACK: name of this client.")] = "gigmate",
    server: Annotated[str | None, typer.Option(metavar="NAME", help="JACK: name of the server.")] = None,
    round_trip: Annotated[int | None, typer.Option(metavar="SAMPLES", help="Measured delay, output to input.")] = None,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder with your own weights.")] = None,
    midi_out: MidiOutOption = None,
    midi_latency: MidiLatencyOption = 0.0,
    json_lines: Annotated[bool, typer.Option("--json", help="Print the status as JSON lines.")] = False,
    web: Annotated[
        int | None, typer.Option(metavar="[PORT]", help="Serve a remote for a phone. Default port: 8765.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address of the remote. Any but this machine needs a token.")
    ] = None,
    web_token: Annotated[
        str | None, typer.Option(metavar="WORD", help="Token of the remote. Default: a fresh one.")
    ] = None,
    osc: Annotated[str | None, typer.Option(metavar="[HOST:]PORT", help="OSC: listen for commands here.")] = None,
    osc_to: Annotated[
        list[str] | None, typer.Option(metavar="HOST:PORT", help="OSC: send status and beats there. May be repeated.")
    ] = None,
    osc_time_tags: Annotated[
        bool, typer.Option("--osc-time-tags", help="OSC: let bundles wait for their time. Default: act at once.")
    ] = False,
    version: VersionOption = False,
) -> int:
    """Play along with a live input.

    Keys: space starts and stops, ! is panic, ? shows them all, q quits. Exit code 0 after q, --duration or the end of a
    file; 130, 143 or 129 after SIGINT, SIGTERM or SIGHUP (report and recording are still written); 1 after a failure; 2
    for wrong options.
    """
    from ..presets import open_show
    from .midi_learn import binding_table
    from .osc_options import osc_asked
    from .web_options import web_asked

    if backend not in BACKENDS:
        raise ConfigError(f"--backend {backend}: give one of {', '.join(BACKENDS)}")
    if duration is not None and not (math.isfinite(duration) and duration > 0):
        raise ConfigError(f"--duration {duration:g}: give seconds, more than 0")
    if monitor is not None and not -60.0 <= monitor <= 12.0:
        raise ConfigError(f"--monitor {monitor:g}: give a gain from -60 to 12 dB")
    if round_trip is not None and not 0 <= round_trip <= 96_000:
        raise ConfigError(f"--round-trip {round_trip}: give samples from 0 to 96000, as `gigmate latency` measures")
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
        midi_out="auto" if midi_out is None else midi_out,
        midi_latency_ms=midi_latency,
        seed=seed,
        tuning_hz=tuning,
    )
    asked = pedal is not None or bindings is not None or midi is not None
    remote, told = web_asked(web, host, web_token), osc_asked(osc, osc_to, osc_time_tags)
    show, faults = open_show(preset, set_, chart, config.bindings, sound)
    for line in faults:
        print(line, file=sys.stderr)
    return play(Request(config, show, duration, report, weights, asked, json_lines, remote, told))


def play(request: Request) -> int:
    """One live run, from checks to report. Returns the exit code; raises EngineError and its like."""
    from ...control.keys import open_keys
    from ...control.terminal import open_display
    from ..output_files import claimed, write_json
    from ..signals import Interrupted, Signals
    from .osc_options import describe, open_osc
    from .web_options import Remote

    check_files(request.config, request.report)
    display = open_display(sys.stdout, request.json_lines)
    with Signals() as signals, contextlib.ExitStack() as open_things:
        remote = None if request.web is None else Remote(request.web)
        if remote is not None:
            open_things.callback(remote.close)
        osc = None if request.osc is None else open_osc(request.osc)
        if osc is not None:
            open_things.callback(osc.close)
        for option, path in (("--record", request.config.record_file), ("--output-file", request.config.output_file)):
            if path is not None and not is_folder(path):  # in a folder each take has names of its own
                open_things.enter_context(claimed(Path(path), option))
        keys = open_keys()  # before the loading, so that what is typed meanwhile waits and is not echoed
        open_things.callback(keys.close)
        open_things.callback(display.close)
        try:
            session, pedal = _open(request, display, signals)
        except Interrupted as interrupted:
            return interrupted.code
        if pedal is not None:
            open_things.callback(pedal.close)
        with session, contextlib.ExitStack() as within:
            session.start()
            for line in session.describe():
                display.note(line)
            _explain_start(session, display, pedal)
            if remote is not None:
                within.callback(remote.close)
                for line in remote.begin(session):
                    display.note(line)
            if osc is not None and request.osc is not None:
                within.callback(osc.close)
                for line in describe(request.osc):
                    display.note(line)
                osc.begin(session.post, lambda: session.status)
            _run(session, display, keys, signals, request.duration_s, (pedal, remote, osc))
        display.show(session.status)  # what closing had to say: a disk that was full at the very end
        display.close()
        # A server that went away ended the run: what was played until then is written down all the same.
        figures = session.report()
        if remote is not None:
            figures["web"] = remote.figures()
        if osc is not None:
            figures["osc"] = osc.figures()
        if request.report is not None:
            write_json(request.report, figures)
        for line in _summary(figures, session, request):
            display.note(line)
        if session.port.lost is not None:
            raise EngineError(session.port.lost)
        return signals.exit_code or 0


def _open(request: Request, display: Display, signals: Signals) -> tuple[Session, MidiPedals | None]:
    """Open everything, the model in its own thread meanwhile; without a sound system, the rehearsal."""
    from ...engine.commands import NOW, Command
    from ...session import PlayerLoading, open_session
    from ...show import Show
    from .midi_learn import open_pedals
    from .midi_options import open_midi_out

    loading = PlayerLoading(request.weights, request.config.seed, request.load)
    config = request.config
    if config.backend == "auto":
        config = _with_backend(config, display)
    there: list[Session] = []  # what a pedal says before there is a band goes nowhere

    def post(command: Command) -> None:
        for session in there:
            session.post(command)

    pedal = open_pedals(
        config,
        request.midi_asked,
        display.note,
        post,
        lambda at_s: there[0].sample_at(at_s) if there else NOW,
        by_hand=(request.show if isinstance(request.show, Show) else Show(request.show)).leads_by_hand,
    )
    told = False

    def waiting() -> None:
        nonlocal told
        signals.raise_if_any()
        if not told:
            display.note("loading the band ...")
        told = True

    sink = None
    try:
        sink = open_midi_out(config)
        session = open_session(config, request.show, loading, waiting, sink)
    except BaseException:
        for opened in (pedal, sink):
            if opened is not None:
                opened.close()
        raise
    there.append(session)
    return session, pedal


def _with_backend(config: EngineConfig, display: Display) -> EngineConfig:
    """The config with a back end that can be had here. Raises EngineError where a device was asked for in vain."""
    from ...presets.loader import PERFORMANCE_FILE
    from ...session import find_sound_system, rehearsal_config
    from ..output_files import check_writable

    backend, reasons = find_sound_system(config)
    if backend is not None:
        return replace(config, backend=backend)
    if config.device is not None or config.server_name is not None:
        raise EngineError(f"no sound system for that device: {'; '.join(reasons)}: see `gigmate devices`")
    output = Path(REHEARSAL_FILE)
    check_writable(output, "the rehearsal's")
    for reason in reasons:
        display.note(reason)
    display.note(f"So this is a rehearsal: the band plays along with a recording, into ./{output}")
    return rehearsal_config(config, PERFORMANCE_FILE, output)


def _explain_start(session: Session, display: Display, pedal: MidiPedals | None) -> None:
    from ...control.keys import KEYS_HELP

    for line in session.show.describe():
        display.note(line)
    if pedal is not None:
        display.note(f"pedals on {', '.join(pedal.names) or 'no MIDI input yet'}")
    table = session.config.bindings
    if table is not None and table.bindings:
        display.note("; ".join(binding.text for binding in table.bindings))
    display.note(KEYS_HELP + ("" if session.config.start_playing else ": the band waits for space"))


def _run(
    session: Session,
    display: Display,
    keys: Keys,
    signals: Signals,
    duration_s: float | None,
    others: Sequence[MidiPedals | Remote | Osc | None] = (),
) -> None:
    """Carry keys to the engine and its status to the face until one of them wants an end."""
    from ...control.keys import HELP_KEYS, Keyboard
    from ...engine.commands import Quit

    keyboard, give_up_s = Keyboard(), math.inf
    while not session.wait(0.0):
        for key in keys.poll(_TICK_S):  # returns at once when a key is struck: a tap counts from then
            command = keyboard.command(key, session.status)
            if command is not None:
                session.post(command)
            elif key.lower() in HELP_KEYS:
                display.help()
        for source in others:
            for line in source.news() if source is not None else ():
                display.note(line)
        status = session.status
        display.show(status)
        over = duration_s is not None and status.seconds >= duration_s
        if (over or signals.exit_code is not None) and give_up_s == math.inf:
            session.post(Quit())
            give_up_s = time.monotonic() + _END_PATIENCE_S
        if time.monotonic() > give_up_s:
            return  # the engine does not answer: closing it ends the run
    display.show(session.status)


def _summary(figures: dict[str, Any], session: Session, request: Request) -> list[str]:
    """The last lines: what was played, how well, and where it lies."""
    callbacks, misses = figures["callbacks"], figures["misses"]
    lines = [
        f"{figures['seconds']:.1f} s of sound, {figures['seconds_played']:.1f} s played, "
        f"{callbacks['served']} of {callbacks['expected']} callbacks, {figures['xruns']} xruns",
        f"{misses['frames']} misses in {misses['episodes']} episodes, "
        f"model {figures['step_ms']['p99']:.1f} ms (p99) of {figures['frame_ms']:.0f} ms",
    ]
    config = session.config
    for what, path in (
        ("sound", config.output_file if session.port.backend == "file" else None),
        ("recording", config.record_file),
        ("report", request.report),
    ):
        if path is not None:
            lines.append(f"{what}: {path}")
    return lines
