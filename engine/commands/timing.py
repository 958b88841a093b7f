"""What is said of time: taps, tempo, count, and the clocks of others. Values; any thread."""

from __future__ import annotations

from dataclasses import dataclass

from .stamp import NOW


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


TIME_SOURCES = ("auto", "link", "transport", "midi_clock", "mtc", "tap", "listener")


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
class SystemMessage:
    """A whole MIDI message that may be of time: a quarter frame of a time code, or a short system exclusive one.

    Any thread.
    """

    message: bytes
    at_sample: int = NOW
    from_program: bool = False
