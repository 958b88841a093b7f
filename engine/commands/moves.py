"""What the band is to do on the spot: hits, breaks, builds, another feel, room for a solo. Values; any thread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    """A stab of the whole band on the next beat, and nothing until the beat after it. Any thread."""


@dataclass(frozen=True, slots=True)
class Break:
    """Silence from the next beat to a bar line, the next one or that after so many bars; there all are back.

    Any thread.
    """

    bars: int = 1


@dataclass(frozen=True, slots=True)
class Build:
    """Busier and louder from the next beat on, for so many bars; 0: to the next section of the chart. Any thread."""

    bars: int = 0


@dataclass(frozen=True, slots=True)
class SetFeel:
    """From the next bar line on the band plays so many times as fast in bars that stay as they are: .5, 1 or 2.

    `turn`: as usual, if it was so already. Any thread.
    """

    factor: float
    turn: bool = False


@dataclass(frozen=True, slots=True)
class SetSolo:
    """Leave room for a solo from the next beat on; False: no more; None turns it over. Any thread."""

    on: bool | None = None
