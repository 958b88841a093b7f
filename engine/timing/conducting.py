"""What the worker asks of a conductor, whichever it is. Knows no conductor. Inference thread only."""

from __future__ import annotations

from typing import Protocol

from ..charts.chart import Chart, Section
from ..charts.chord_symbol import ChordSymbol
from ..commands import Command
from ..player import Heard, Moment
from ..position import Point
from .clocks.jack_transport import Reading
from .entrance_cue import EntranceCue


class Conducting(Protocol):
    """What the worker asks of a conductor. Inference thread only."""

    def hear(self, heard: Heard, end_position_samples: float, frame_samples: float) -> None:
        """Take in one frame: it covers [end - frame_samples, end) of the input clock, host samples.

        `end_position_samples` is where the *described* frame ends: whoever calls has already taken off the
        listener's delay (`heard.delay_samples`, brought to the host rate) and that of the resampler.
        """
        ...

    def tap(self, position_samples: float) -> None: ...

    def obey(self, command: Command, position_samples: float) -> None:
        """Whatever a command asks of the time or the chords; others are passed over. Raises ConfigError.

        `position_samples`: of the input clock, where the command belongs (a clock's tick) or now.
        """
        ...

    def lead(self, chord: ChordSymbol | None) -> None:
        """A hand leads: moments asked for from now on have that chord, and its bass as the root to stand on.

        None: the chart's, else what is heard.
        """
        ...

    def end_with_lead(self, on: bool) -> None:
        """The song ends within a bar or two: where the ear is followed, time slows down as the lead's attacks do, from
        now on. False: as usual again."""
        ...

    def read_transport(self, reading: Reading) -> None:
        """The sound server's transport, read once for each frame."""
        ...

    def moment(self, position_samples: float) -> Moment: ...

    def bar_samples(self) -> int:
        """Length of a bar in host samples; 0 while no bar is known."""
        ...

    def bar_count(self, position_samples: float) -> int:
        """Number of the bar that holds the position; the first one is 0. Negative before it."""
        ...

    def peek(self, position_samples: float) -> Point:
        """Musical time of a position as it looks now: like `moment`, but asking binds nothing."""
        ...

    def entrance_cue(self) -> EntranceCue:
        """What an entrance can stand on now."""
        ...

    def section_of_bar(self, bar: int) -> Section | None:
        """The section of the chart that holds that bar of musical time; None without a chart, or in another's bar."""
        ...

    def begin_bar(self, position_samples: float, tempo_bpm: float | None = None) -> bool:
        """A bar shall begin there, in that tempo; None: in one that is known. False where none is.

        Who follows a running clock, or the ear, leaves the time as it is: the count waits for the next bar line.
        """
        ...

    def begin_chart(self, position_samples: float) -> None:
        """The band comes in there: the bar line nearest to it is the first of the chart."""
        ...

    def lay_chart(self, chart: Chart | None, first_bar: int, entering: bool = False) -> None:
        """The chart's first bar is that bar of musical time, and counts at once. `entering`: so it stays when the band
        comes in next. None: by ear, in the metre of the chart before."""
        ...

    def planned(self, position_samples: float, bars: int) -> tuple[str, ...]:
        """The chords of the running bar and of those after it, as far as they are written or foretold."""
        ...

    def reset(self) -> None: ...
