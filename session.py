"""Creates a live run: port, model, conductor and engine, as the preset asks.

The only place where engine, model and presets meet. Imports torch and numba only when a session opens. Belongs to
one thread (the one that opened it); `post` and `status` may be used by any.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from .engine.commands import Command
from .engine.config import EngineConfig
from .engine.errors import ConfigError
from .engine.player import PARTS, Controls, Player
from .engine.status import Status
from .files.json_text import plain
from .presets.schema import OFF_DB, Preset
from .show import CONTROL_NAMES, OF_SHOW, Show

if TYPE_CHECKING:
    from .engine.charts.chord_plan import Corrected
    from .engine.notes.note_sender import NoteSink
    from .engine.ports.port import Port
    from .engine.run.live_engine import Engine

LoadPlayer = Callable[[], Player]
LOADING_THREAD = "gigmate-load"
REHEARSAL_MONITOR_DB = -3.0


def controls_of(preset: Preset) -> Controls:
    """The controls that a preset asks for, muted parts off."""
    levels = zip(PARTS, preset.levels_db.in_order(PARTS), strict=True)
    return Controls(
        levels_db=tuple(OFF_DB if part in preset.muted else level_db for part, level_db in levels),
        **{name: getattr(preset, name) for name in CONTROL_NAMES},
    )


def with_parts(controls: Controls, parts: Iterable[str]) -> Controls:
    """The controls with all but these parts muted. Raises ConfigError for a part that does not exist, or for none."""
    wanted = tuple(parts)
    for part in wanted:
        if part not in PARTS:
            raise ConfigError(f"there is no part {part!r}: the parts are {', '.join(PARTS)}")
    if not wanted:
        raise ConfigError(f"no parts: name some of {', '.join(PARTS)}")
    levels = zip(PARTS, controls.levels_db, strict=True)
    return dataclasses.replace(controls, levels_db=tuple(level if part in wanted else OFF_DB for part, level in levels))


def expected_tempo_bpm(preset: Preset) -> float | None:
    """The tempo that the conductor is told to expect, or None where it shall find one by ear alone."""
    return None if isinstance(preset.tempo_bpm, str) else float(preset.tempo_bpm)


def config_with(config: EngineConfig, preset: Preset) -> EngineConfig:
    """The config as the preset would have it: ceiling, habits (where the config has none of its own), start."""
    untouched = EngineConfig()
    habits = {
        name: getattr(preset, name) if getattr(config, name) == getattr(untouched, name) else getattr(config, name)
        for name in ("when_silent", "when_clock_stops", "start_at", "count_in")
    }
    return dataclasses.replace(
        config,
        ceiling_dbfs=preset.ceiling_dbfs,
        start_playing=config.start_playing or preset.start == "now",
        **habits,
    )


def rehearsal_config(config: EngineConfig, performance: Path, output: Path) -> EngineConfig:
    """The same run without a sound card: the bundled performance is heard, the sound goes to a WAV, in real time."""
    return dataclasses.replace(
        config,
        backend="file",
        device=None,
        input_channels=(1,),
        output_channels=(1, 2),
        input_file=str(performance),
        output_file=str(output),
        realtime=True,
        monitor_db=REHEARSAL_MONITOR_DB if config.monitor_db is None else config.monitor_db,
        start_playing=True,
    )


@dataclass
class Session:
    """A live run that is open: the band hears, and plays when told to. Close it, or use it as a context manager."""

    config: EngineConfig
    show: Show
    port: Port
    engine: Engine
    load_s: float
    """Seconds that opening the port and loading the model took together."""
    round_trip_source: str = ""
    """Where the round trip comes from, in a few words."""
    warning: str | None = None
    """One line, if saved round trips could not be used."""
    remarks: tuple[str, ...] = ()
    """Lines for the musician about what was opened."""
    corrected: Callable[[], Corrected | None] = lambda: None
    """The chart whose chords were put right by hand last. Any thread."""
    runtime: str = ""
    """What computes the band's step (model/loading.py), where it is known."""
    _posting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Let the sound flow. Raises EngineError if the port will not start."""
        self.engine.start()

    def post(self, command: Command) -> None:
        """Ask for something. Any thread; what cannot be is said in the status."""
        if not isinstance(command, OF_SHOW):
            self.engine.post(command)
            return
        with self._posting:  # the commands of two songs must not come mixed
            try:
                commands = self.show.resolve(command)
            except ConfigError as error:
                self.engine.warn(str(error))
                return
            for resolved in commands:
                self.engine.post(resolved)

    def put_right(self, corrected: Corrected) -> None:
        """From the next time on its songs are played with that chart, tonight. Any thread."""
        with self._posting:
            self.show.put_right(corrected.written, corrected.now)

    def sample_at(self, at_s: float) -> int:
        """The sample of the port's clock that was the present one at a moment of time.monotonic. Any thread."""
        return self.engine.sample_at(at_s)

    @property
    def preset(self) -> Preset:
        """The one that is on. Any thread."""
        return self.show.preset

    def lists(self) -> dict[str, Any]:
        """What faces offer to choose from: presets, songs, sections. Any thread."""
        return self.show.lists()

    @property
    def status(self) -> Status:
        """The latest snapshot. Any thread."""
        return self.engine.status

    def wait(self, timeout_s: float) -> bool:
        """Wait at most that long; True once the run has ended by itself (file over, server gone, Quit).

        Songs and presets that a pedal asked for in the audio are taken up here: call it often.
        """
        for command in self.engine.take_requests():
            self.post(command)
        return self.engine.wait(timeout_s)

    def describe(self) -> list[str]:
        """What was opened, in lines for the musician: channels by name, rate, block, delay."""
        port = self.port
        delay_samples = self.config.round_trip_samples
        if delay_samples is None:
            delay_samples = port.capture_latency_samples + port.playback_latency_samples
        return [
            *([] if self.warning is None else [self.warning]),
            *self.remarks,
            f"hears {' + '.join(port.input_names) or 'nothing'}",
            f"plays into {' + '.join(port.output_names) or 'nothing'}",
            *(f"{part} into {' + '.join(names)}" for part, names in port.part_output_names.items()),
            f"{port.backend}: {port.rate_hz} Hz, block {port.block_samples} samples, "
            f"round trip {delay_samples / port.rate_hz * 1000:.1f} ms "
            f"({self.round_trip_source})",
            *([f"notes go out as MIDI by {self.engine.notes_go_to}"] if self.engine.notes_go_to else []),
        ]

    def report(self) -> dict[str, Any]:
        """What `--report` writes, with plain JSON values only."""
        from . import __version__

        head = {
            "gigmate": __version__,
            "backend": self.port.backend,
            "inputs": list(self.port.input_names),
            "outputs": list(self.port.output_names),
            "part_outputs": {part: list(names) for part, names in self.port.part_output_names.items()},
            "preset": self.preset.name,
            "seed": self.config.seed,
            "load_seconds": round(self.load_s, 3),
            "runtime": self.runtime,
        }
        return plain({**head, **self.engine.report()})

    def close(self) -> None:
        """Stop with a ramp, write what was recorded, let the port go. May be called twice."""
        self.engine.close()


def find_sound_system(config: EngineConfig) -> tuple[Literal["jack", "portaudio"] | None, list[str]]:
    """The back end that `auto` means here and now, or None and the reasons, in words."""
    from .engine.ports.port import unavailable_reason

    reasons: list[str] = []
    for backend in ("jack", "portaudio"):
        reason = unavailable_reason(backend, config)
        if reason is None:
            return backend, []
        reasons.append(reason.rstrip("."))
    return None, reasons


def open_session(
    config: EngineConfig,
    show: Show | Preset,
    loading: PlayerLoading,
    waiting: Callable[[], None] | None = None,
    note_sink: NoteSink | None = None,
    port: Port | None = None,
) -> Session:
    """Open the port while the model loads, and put both into an engine that plays the show (or with that preset).

    `port`: one that is open, which the session closes. `waiting` is called often while the model still loads, on this
    thread; what it raises ends the opening. `note_sink` takes the band's notes where JACK does not; the session closes
    it.
    Raises EngineError or ConfigError (port), CheckpointError (weights).
    """
    if isinstance(show, Preset):
        show = Show(show, bindings=config.bindings)
    config = config_with(config, show.preset)
    show.time_source = config.time_source
    from .engine.ports.port import open_port

    port = open_port(config) if port is None else port
    try:
        from .engine.player import harmonist_of
        from .engine.ports.loopback import calibrated
        from .engine.run.live_engine import Engine
        from .engine.timing.clocks.link_session import LinkSession
        from .engine.timing.conductor import Conductor

        config, source, warning = calibrated(config, port)
        link = None if config.link == "off" else LinkSession(show.tempo_bpm or 120.0)
        player = loading.result(waiting)
        conductor = Conductor(port.rate_hz, show.tempo_bpm or None, harmonist=harmonist_of(player))
        engine = Engine(config, player, conductor, port, note_sink)
        conductor.follow_loop(engine.loop_time)
        if link is not None and config.link != "off":
            conductor.follow(engine.join_link(link, config.link))
        remarks = _play_instruments(engine, show, port.rate_hz, waiting)
    except BaseException:
        port.close()
        raise
    for command in show.opening():
        engine.post(command)
    remarks += tuple(show.untaught(getattr(player, "styles", ())))
    load_s, runtime = time.perf_counter() - loading.began_s, getattr(player, "runtime", "")
    return Session(
        config, show, port, engine, load_s, source, warning, remarks, lambda: conductor.plan.corrected, runtime
    )


def _play_instruments(engine: Engine, show: Show, rate_hz: int, waiting: Callable[[], None] | None) -> tuple[str, ...]:
    """Give the engine a rack, with what the first song needs already in it; a line for each that cannot be had."""
    from .engine.output.instrument_rows import resolved
    from .sound.rack import Rack

    rack = Rack(rate_hz)
    if not engine.play_instruments(rack):
        if all(sound.neural for sound in show.sounds):
            return ()
        return ("instruments need the notes of the band, and this one does not give them: the neural voice plays",)
    style = show.preset.style
    wanted = [(part, resolved(rack, part, sound, style)) for part, sound in zip(PARTS, show.sounds, strict=True)]
    troubles = rack.prepare(wanted, waiting)
    for part, sound, of in show.later_sounds():
        rack.foresee(part, resolved(rack, part, sound, of))
    return tuple(f"{trouble}; the neural voice plays" for trouble in troubles)


class PlayerLoading:
    """A player on its way, in a thread of its own that may be left behind. It starts at once."""

    def __init__(self, weights: Path | None = None, seed: int = 0, load: LoadPlayer | None = None) -> None:
        """`load` takes the place of the shipped model or that in `weights` (tests, remote players)."""
        self.began_s = time.perf_counter()
        self._load = load or (lambda: _shipped_player(weights, seed))
        self._player: Player | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=LOADING_THREAD, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._player = self._load()
        except BaseException as error:  # noqa: BLE001 - carried to the thread that waits
            self._error = error

    def result(self, waiting: Callable[[], None] | None = None) -> Player:
        """Wait for the player. Raises what loading raised, or what `waiting` raises."""
        while self._thread.is_alive():
            self._thread.join(0.05)
            if waiting is not None:
                waiting()
        if self._error is not None:
            raise self._error
        if self._player is None:
            raise RuntimeError("loading ended without a player")
        return self._player


def _shipped_player(weights: Path | None, seed: int) -> Player:
    from .model.accompanist import load_player

    return load_player(weights, seed=seed)
