"""What the band is to do: come in, go out, count, fill, end. Values; any thread."""

from __future__ import annotations

from dataclasses import dataclass

from .stamp import NOW


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
class Nothing:
    """Nothing is asked for: what a gesture means that shall not mean what it would else. Any thread."""


@dataclass(frozen=True, slots=True)
class Panic:
    """Fade out at once, forget everything, stay stopped. Any thread."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Stop with a ramp, then end the run. Any thread."""
