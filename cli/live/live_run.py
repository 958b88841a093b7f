"""A live run, from what was asked for to its report. Main thread.

Knows how to ask and what to show; everything that sounds is the session's, and options are live_command's.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.config import EngineConfig, is_folder
from ...engine.errors import EngineError
from .input_watch import InputWatch
from .live_checks import check_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...control.keys import Keys
    from ...control.midi import MidiPedals
    from ...control.osc import Osc
    from ...control.terminal import Display
    from ...presets.schema import Preset
    from ...presets.song_keeper import SongKeeper
    from ...session import LoadPlayer, Session
    from ...show import Show
    from ..signals import Signals
    from .osc_options import OscAsk
    from .web_options import Remote, WebAsk

REHEARSAL_FILE = "gigmate-rehearsal.wav"
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
    set_path: Path | None = None
    """The set list of the evening, to which songs may be added."""
    force: bool = False
    """Write over files that are there, without asking."""


def play(request: Request) -> int:
    """One live run, from checks to report. Returns the exit code; raises EngineError and its like."""
    from ...control.keys import open_keys
    from ...control.terminal import open_display
    from ..output_files import claimed, write_json
    from ..signals import Interrupted, Signals
    from .osc_options import describe, open_osc
    from .web_options import Remote

    display = open_display(sys.stdout, request.json_lines)
    request = _checked(request, display)
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
                _begin_remote(remote, session, display)
            if osc is not None and request.osc is not None:
                within.callback(osc.close)
                for line in describe(request.osc):
                    display.note(line)
                osc.begin(session.post, lambda: session.status)
            songs, watch = _song_keeper(session, request.set_path), InputWatch(session.config, lambda: session.status)
            _run(session, display, keys, signals, request.duration_s, (pedal, remote, osc, songs, watch))
            _tell(display, songs.news())
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


def _checked(request: Request, display: Display) -> Request:
    """What is to be run, its files checked; a recording and nothing else is a rehearsal with it, and that is said."""
    alone = is_alone(request)
    if alone:
        request = replace(request, config=own_rehearsal(request.config))
        display.note(
            f"This is a rehearsal: the band begins at once and plays along with {request.config.input_file}, both into "
            f"./{REHEARSAL_FILE}"
        )
    check_files(request.config, request.report, request.force or alone)  # the rehearsal's file is ours
    return request


def is_alone(request: Request) -> bool:
    """Whether a recording is all that was given: nothing says where the sound goes, or what comes of it."""
    config = request.config
    sent = config.midi_out != "auto" or request.web is not None or request.osc is not None
    kept = config.output_file is not None or config.record_file is not None or request.report is not None
    return config.input_file is not None and config.realtime and not sent and not kept


def own_rehearsal(config: EngineConfig) -> EngineConfig:
    """The same run from its first second on, into the file of rehearsals, the recording mixed in."""
    from ...session import REHEARSAL_MONITOR_DB

    monitor_db = REHEARSAL_MONITOR_DB if config.monitor_db is None else config.monitor_db
    return replace(config, output_file=REHEARSAL_FILE, monitor_db=monitor_db, start_playing=True)


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


def _begin_remote(remote: Remote, session: Session, display: Display) -> None:
    for line in remote.begin(session):
        display.note(line)
    address = remote.for_phone()
    if address is not None:
        display.remote(address)
        display.note("key w shows the remote's address for a phone's camera")


def _tell(display: Display, lines: Sequence[str]) -> None:
    for line in lines:
        display.note(line)


def _song_keeper(session: Session, set_path: Path | None) -> SongKeeper:
    """Who writes down what the band learns, with the preset and the sounds of now."""
    from ...engine.player import PARTS
    from ...presets.schema import Sounds
    from ...presets.song_keeper import SongKeeper
    from ..presets import songs_folder

    def preset() -> Preset:
        try:
            sounds = Sounds(**dict(zip(PARTS, session.status.sounds, strict=True)))
        except ValueError:  # of a bank that no preset can name
            return session.preset
        bank = session.preset.sound.bank
        return session.preset.model_copy(update={"sound": sounds.model_copy(update={"bank": bank})})

    return SongKeeper(songs_folder(), session.engine.learnt, preset, set_path, session.corrected, session.put_right)


def _run(
    session: Session,
    display: Display,
    keys: Keys,
    signals: Signals,
    duration_s: float | None,
    others: Sequence[MidiPedals | Remote | Osc | SongKeeper | InputWatch | None] = (),
) -> None:
    """Carry keys to the engine and its status to the face until one of them wants an end."""
    from ...control.keys import HELP_KEYS, REMOTE_KEYS, Keyboard
    from ...control.song_words import words_of
    from ...engine.commands import Quit

    keyboard, give_up_s = Keyboard(), math.inf
    sung: tuple[str, str] | None = None
    while not session.wait(0.0):
        for key in keys.poll(_TICK_S):  # returns at once when a key is struck: a tap counts from then
            command = keyboard.command(key, session.status)
            if command is not None:
                session.post(command)
            elif key.lower() in HELP_KEYS:
                display.help()
            elif key.lower() in REMOTE_KEYS:
                display.show_remote()
        for source in others:
            for line in source.news() if source is not None else ():
                display.note(line)
        status = session.status
        if (status.song, status.section) != sung:
            sung = (status.song, status.section)
            song = session.show.song
            display.words([] if song is None else words_of(song.notes, song.lyrics, status.section))
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
