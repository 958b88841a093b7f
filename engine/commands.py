"""All commands of the engine, as small frozen values, and the bounded queue that carries them.

Knows neither where one came from nor what it does. Any thread may post; the worker alone takes them, between steps.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from .mix import Mix

NOW = -1
"""As a sample: whenever the worker gets to it."""


@dataclass(frozen=True, slots=True)
class Start:
    """The band comes in: at a sample of the port's clock, or NOW; on the next bar line where the setting says so.

    Any thread.
    """

    at_sample: int = NOW


@dataclass(frozen=True, slots=True)
class Stop:
    """The band goes out with a ramp. Any thread."""

    at_sample: int = NOW


@dataclass(frozen=True, slots=True)
class Toggle:
    """Start if stopped, stop if playing: one foot switch. Any thread."""

    at_sample: int = NOW


@dataclass(frozen=True, slots=True)
class CountIn:
    """Click that many bars (1 or 2), then the band comes in on the downbeat. Needs a tempo, not from the ear.

    Any thread.
    """

    bars: int = 1


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill up to the next bar line. Any thread."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The band plays to the next bar line, ends on its downbeat and stops. Any thread."""


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap of the tempo, at a sample of the port's clock; a negative one means now. Any thread."""

    at_sample: int
    from_program: bool = False
    """Whether a program on the same sound server tapped: then it means the sample that the program plays."""


@dataclass(frozen=True, slots=True)
class SetTempo:
    """Expect this tempo; 0: find it by ear. Any thread."""

    tempo_bpm: float


@dataclass(frozen=True, slots=True)
class ShiftHalfBeat:
    """The beats are half a beat beside where the band has them. Any thread."""


@dataclass(frozen=True, slots=True)
class ScaleCount:
    """Count so many times as fast from the next bar line on: 0.5 is half time, 2 double time. Any thread."""

    factor: float


@dataclass(frozen=True, slots=True)
class ThisIsOne:
    """A bar begins here: at a sample of the port's clock; a negative one means now. Any thread."""

    at_sample: int = NOW


@dataclass(frozen=True, slots=True)
class SetTimeSource:
    """Whom the conductor follows: one of TIME_SOURCES. Any thread."""

    name: str


TIME_SOURCES = ("auto", "transport", "midi_clock", "tap", "listener")


@dataclass(frozen=True, slots=True)
class ClockTick:
    """One MIDI clock (24 a quarter note) that arrived at a sample of the port's clock; NOW where only the time of day
    is known. Any thread.
    """

    at_sample: int = NOW
    from_program: bool = False
    """Whether a program on the same sound server sent it: then it stands for the sample that the program plays."""


@dataclass(frozen=True, slots=True)
class ClockGap:
    """So many samples of the sound server's clock passed without us: what ticked in them was lost. Any thread."""

    samples: int


@dataclass(frozen=True, slots=True)
class ClockTransport:
    """MIDI start, continue, stop or locate (song position) from the clock's master. Any thread."""

    action: str
    at_sample: int = NOW
    sixteenths: int = 0
    """With "locate": where in the song the next tick stands, after the next continue."""
    from_program: bool = False


@dataclass(frozen=True, slots=True)
class SetLevel:
    """Bring a part to this level, gliding. Any thread."""

    part: str
    level_db: float


@dataclass(frozen=True, slots=True)
class SetBandLevel:
    """The level of the whole band, over those of its parts. Any thread."""

    level_db: float


@dataclass(frozen=True, slots=True)
class SetPresetLevels:
    """What a preset says of each part, in the order of PARTS: what was changed by hand stays over it. Any thread."""

    levels_db: tuple[float, ...]
    muted: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class SetPrograms:
    """The General MIDI program of each part, 0 to 127, in the order of PARTS, for notes that go out. Any thread."""

    programs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetMute:
    """Mute a part or let it be heard; None turns it over. Any thread."""

    part: str
    muted: bool | None = None


@dataclass(frozen=True, slots=True)
class SetMix:
    """Bring a part's pan, width, room or compression there, gliding. Any thread."""

    part: str
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class SetPresetMix:
    """What a preset says of the mix: what was changed by hand stays over it. Any thread."""

    mix: Mix


@dataclass(frozen=True, slots=True)
class SetControl:
    """Change a field of Controls by name: style, density, temperature, top_k, top_p. Any thread."""

    name: str
    value: float | int | str


@dataclass(frozen=True, slots=True)
class SetSound:
    """From the next bar line on a part sounds with that: neural, instruments, or an instrument by name. Any thread."""

    part: str
    name: str


@dataclass(frozen=True, slots=True)
class StepSound:
    """The next sound of a part's round; without a part the whole band turns between neural and instruments.

    Any thread.
    """

    part: str = ""


@dataclass(frozen=True, slots=True)
class SetSounds:
    """What a preset says that the parts sound with, in the order of PARTS (part_sounds.PartSound). Any thread."""

    sounds: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class SelectPreset:
    """A preset by name. Resolved by the session into the commands above. Any thread."""

    name: str


@dataclass(frozen=True, slots=True)
class StepPreset:
    """So many presets on (or back, negative). Resolved by the session. Any thread."""

    by: int = 1


@dataclass(frozen=True, slots=True)
class SelectSong:
    """A song of the set list, counted from 1. Resolved by the session. Any thread."""

    number: int


@dataclass(frozen=True, slots=True)
class StepSong:
    """So many songs on (or back). Resolved by the session. Any thread."""

    by: int = 1


@dataclass(frozen=True, slots=True)
class SetChart:
    """Play by this chord chart (engine.chart.Chart); None: by ear again. Any thread."""

    chart: object | None


@dataclass(frozen=True, slots=True)
class JumpSection:
    """At the next bar line go to the chart's section of that name; an empty name: the one after this one.

    Any thread.
    """

    name: str = ""


@dataclass(frozen=True, slots=True)
class SetOption:
    """How the band behaves from now on: one of BAND_OPTIONS or HAND_OPTIONS, as a preset may ask. Any thread."""

    name: str
    value: float | int | str


BAND_OPTIONS = ("when_silent", "when_clock_stops", "start_at", "chart_place", "count_in", "click_db", "ceiling_dbfs")
HAND_OPTIONS = ("chords", "chords_hold", "chords_split", "chords_side", "chords_channel")  # harmony/chord_hand.py


@dataclass(frozen=True, slots=True)
class HandMessage:
    """A MIDI note or controller for a hand that leads; status 0xFF: the device has gone. Any thread."""

    status: int
    number: int = 0
    value: int = 0
    at_sample: int = NOW
    device: str = ""


@dataclass(frozen=True, slots=True)
class Announce:
    """What the snapshot shall say is played: names of the preset and the song. The session posts it. Any thread."""

    preset: str = ""
    song: str = ""
    song_number: int = 0
    songs: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is asked for: what a gesture means that shall not mean what it would else. Any thread."""


@dataclass(frozen=True, slots=True)
class Panic:
    """Fade out at once, forget everything, stay stopped. Any thread."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Stop with a ramp, then end the run. Any thread."""


Command = Union[  # noqa: UP007 - a runtime value on 3.10
    Start,
    Stop,
    Toggle,
    CountIn,
    Fill,
    Ending,
    Tap,
    SetTempo,
    ShiftHalfBeat,
    ScaleCount,
    ThisIsOne,
    SetTimeSource,
    ClockTick,
    ClockGap,
    ClockTransport,
    SetLevel,
    SetBandLevel,
    SetPresetLevels,
    SetPrograms,
    SetMute,
    SetMix,
    SetPresetMix,
    SetControl,
    SetSound,
    StepSound,
    SetSounds,
    SelectPreset,
    StepPreset,
    SelectSong,
    StepSong,
    SetChart,
    JumpSection,
    SetOption,
    HandMessage,
    Announce,
    Nothing,
    Panic,
    Quit,
]

_NEVER_LOST = (Panic, Quit)


class CommandQueue:
    """Commands on their way to the worker: bounded, first in, first out. Each method says its thread."""

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._waiting: deque[Command] = deque()
        self._lock = threading.Lock()
        self._dropped = 0

    def post(self, command: Command) -> bool:
        """Any thread. Queue it. Where there is no room the oldest one that may be lost goes; False if one went.

        Panic and Quit are never lost.
        """
        with self._lock:
            self._waiting.append(command)
            if len(self._waiting) <= self._capacity:
                return True
            self._dropped += 1
            for place, waiting in enumerate(self._waiting):
                if not isinstance(waiting, _NEVER_LOST):
                    del self._waiting[place]
                    return False
            self._waiting.popleft()  # nothing but Panic and Quit: later ones of the same kind are there
            return False

    def drain(self) -> list[Command]:
        """Inference thread only. Everything that waits, oldest first."""
        if not self._waiting:  # a reference read: no lock is needed to see that nothing is there
            return []
        with self._lock:
            commands = list(self._waiting)
            self._waiting.clear()
        return commands

    @property
    def dropped(self) -> int:
        """Any thread. Commands that found no room."""
        return self._dropped
