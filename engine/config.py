"""The configuration of a live run: frozen values, validated on construction. Knows no audio library and no thread."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .buses import BusLayout, check_buses
from .commands import TIME_SOURCES
from .errors import ConfigError

if TYPE_CHECKING:
    from .gestures import BindingTable

Backend = Literal["auto", "jack", "portaudio", "file"]
SEEDS = 2**63
MOST_MIDI_LATENCY_MS = 200.0
LOWEST_TUNING_HZ, HIGHEST_TUNING_HZ = 392.0, 494.0
"""As dsp/tuning.py has it, which would bring numpy along."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """One live run. Raises ConfigError from `__post_init__` for values that cannot be. Any thread."""

    input_channels: tuple[int, ...] = (1,)
    """1-based channels of the device; several are averaged to the mono signal that the band hears."""
    output_channels: tuple[int, ...] = (1, 2)
    """1-based channels of the main bus: left and right by turns; a single one plays both as mono."""
    part_outputs: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """(part, its one or two channels) of each part that has outputs of its own; it is not in the main bus then."""
    backend: Backend = "auto"
    device: str | None = None
    """A name, or part of one; None takes the server's or the system's default."""
    rate_hz: int | None = None
    """Asked sample rate; None takes the device's own. JACK's is the server's: another value is an error there."""
    block_samples: int | None = None
    connect: bool = True
    """JACK: connect the ports to those of the device."""
    client_name: str = "gigmate"
    server_name: str | None = None
    """JACK server to speak to; None is the default one (or $JACK_DEFAULT_SERVER)."""
    input_file: str | None = None
    """File port: the recording that plays the musician's part."""
    realtime: bool = True
    """File port and plug-in: keep a clock (the rehearsal, the stage), or run as fast as the worker can (offline)."""
    parts_in_main: bool = False
    """Parts that have outputs of their own are in the main bus as well."""
    monitor_db: float | None = None
    """File port: gain at which the heard signal is mixed into the written output; None leaves it out."""
    output_file: str | None = None
    record_file: str | None = None
    """WAV that receives heard, mix and the parts as channels; a folder (DIR/): one WAV for each."""
    ceiling_dbfs: float = -1.0
    start_playing: bool = False
    """Play at once, without waiting for the foot switch."""
    wait_for_musician: bool = True
    """Come in only when the musician plays and a beat is found; False: sound from start to stop, whatever is heard."""
    when_silent: Literal["stop", "go_on"] = "stop"
    """What the band does when the musician stops: fall silent at the end of the bar, or play on."""
    time_source: str = "auto"
    """Whom the band follows: one of TIME_SOURCES (commands/timing.py)."""
    when_clock_stops: Literal["stop", "go_on"] = "stop"
    """What the band does when the transport or the MIDI clock that it follows stops: stop with it, or play on."""
    start_at: Literal["now", "bar"] = "now"
    """Where a start takes effect: at once, or at the next bar line."""
    count_in: int = 0
    """Bars that a start counts in: 0 comes in as `start_at` says, 1 or 2 click first."""
    click_channels: tuple[int, ...] = ()
    """1-based output channels for the count-in's click alone; empty: it is mixed into the band's output."""
    bindings: BindingTable | None = None
    """What the gestures of pedals and keys on MIDI mean. Its owner may change what it holds while the band plays."""
    reconnect_s: float = math.inf
    """How long to wait for a server or a device that went away; 0: end the run at once."""
    midi_name: str | None = None
    """JACK: connect the MIDI sources whose name holds this; None: every controller of the system, if `connect`."""
    midi_out: str = "auto"
    """Where the band's notes go as MIDI: "auto" (JACK: a port for each part; else nowhere), "jack", "virtual" (a port
    that other programs connect to), "off", or part of the name of an output of the system."""
    midi_latency_ms: float = 0.0
    """How long the instrument that plays them takes to sound: they are sent so much earlier."""
    link: Literal["off", "follow", "lead"] = "off"
    """Ableton Link: follow the session that is there, or let it follow the band. Alone, both offer the band's time."""
    round_trip_samples: int | None = None
    """Measured loop delay at the host rate; None takes the port's own claim (marked as such)."""
    seed: int = 0
    tuning_hz: float | None = None
    """What A is, 392 to 494 Hz; None: as the musician is heard to be tuned."""

    def __post_init__(self) -> None:
        if not self.input_channels or any(c < 1 for c in self.input_channels):
            given = ",".join(map(str, self.input_channels)) or "none"
            raise ConfigError(f"--input takes channels counted from 1: {given} given")
        if len(set(self.input_channels)) != len(self.input_channels):
            raise ConfigError(f"--input names a channel twice: {','.join(map(str, self.input_channels))}")
        check_buses(self.buses)
        if self.when_silent not in ("stop", "go_on"):
            raise ConfigError(f"when_silent {self.when_silent!r}: give stop or go_on")
        if self.time_source not in TIME_SOURCES:
            raise ConfigError(f"--time-source {self.time_source}: give one of {', '.join(TIME_SOURCES)}")
        if self.link not in ("off", "follow", "lead"):
            raise ConfigError(f"--link {self.link}: give follow or lead")
        if self.link != "off" and not self.realtime:
            raise ConfigError("--link: faster than real time nobody can be in time with others: leave out --fast")
        if self.when_clock_stops not in ("stop", "go_on"):
            raise ConfigError(f"when_clock_stops {self.when_clock_stops!r}: give stop or go_on")
        if self.count_in not in (0, 1, 2):
            raise ConfigError(f"count_in {self.count_in!r}: give 0, 1 or 2 bars")
        if self.start_at not in ("now", "bar"):
            raise ConfigError(f"start_at {self.start_at!r}: give now or bar")
        if self.rate_hz is not None and not 8_000 <= self.rate_hz <= 384_000:
            raise ConfigError(f"--rate {self.rate_hz}: give a sample rate between 8000 and 384000 Hz")
        if self.block_samples is not None and not 16 <= self.block_samples <= 4096:
            raise ConfigError(f"--block {self.block_samples}: give a block between 16 and 4096 samples")
        if not self.midi_out.strip():
            raise ConfigError("--midi-out: give jack, virtual, off, or the name of a MIDI output")
        if not 0.0 <= self.midi_latency_ms <= MOST_MIDI_LATENCY_MS:
            most = MOST_MIDI_LATENCY_MS
            raise ConfigError(f"--midi-latency {self.midi_latency_ms:g}: give milliseconds from 0 to {most:g}")
        if not 0 <= self.seed < SEEDS:
            raise ConfigError(f"--seed {self.seed}: give a whole number, 0 or more and below 2**63")
        check_tuning(self.tuning_hz)
        if not -60.0 <= self.ceiling_dbfs <= 0.0:
            raise ConfigError(f"limiter ceiling {self.ceiling_dbfs} dBFS: give a value between -60 and 0")

    @property
    def buses(self) -> BusLayout:
        """Which output plays what."""
        return BusLayout(self.output_channels, self.part_outputs, self.click_channels, self.parts_in_main)

    @property
    def played_channels(self) -> tuple[int, ...]:
        """All channels that are played on: those of main, of the parts, of the click."""
        return self.buses.channels


def check_tuning(tuning_hz: float | None) -> None:
    """Raises ConfigError for an A that is not within a tone of 440 Hz."""
    if tuning_hz is not None and not LOWEST_TUNING_HZ <= tuning_hz <= HIGHEST_TUNING_HZ:
        low, high = LOWEST_TUNING_HZ, HIGHEST_TUNING_HZ
        raise ConfigError(f"--tuning {tuning_hz:g}: give what A is, {low:g} to {high:g} Hz")


def is_folder(path: str) -> bool:
    """Whether a recording to that place is one file for each sound: a folder, or a name that ends like one's."""
    return path.endswith(("/", os.sep)) or os.path.isdir(path)
