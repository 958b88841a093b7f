"""What the entrance of the band is based on: a plain value from the conductor to the stage.

Knows no filter, no sound and no thread.
"""

from __future__ import annotations

from typing import NamedTuple

from ..fault_kinds import FaultKind


class EntranceCue(NamedTuple):
    """The conductor's present footing. Any thread."""

    source: str = ""
    """Whom it follows, as in Status.time_source; empty while nobody knows the time."""
    beat: bool = False
    """A beat is held, from whatever source."""
    bar: bool = False
    """The downbeat is known as well."""
    free: bool = False
    """The time is given by somebody, not found by ear: the band may come in without hearing anybody."""
    chord_root: int = -1
    """The chord as heard, whatever a chart says; -1 where none is known."""
    chord_pitch_classes: tuple[float, ...] = (0.0,) * 12
    section: str = ""
    """Of the chart; empty without one."""
    next_section: str = ""
    """Asked for, and begun at the next bar line."""
    halted: bool = False
    """Who led the time has said stop, or stands still, and nothing has taken its place."""
    remarks: tuple[tuple[FaultKind, str], ...] = ()
    """What is odd about who tells the time, as kinds and lines of the fault log; as long as it lasts."""
    symbol: str = ""
    """The chord as the hand that leads or the chart has it, for the moment asked for last; empty without either."""
    chord_source: str = ""
    """Whose chords the band plays: "hand", "chart" or "ear"; empty where it is told none."""
    charted: bool = False
    """Whether there is a chart, whoever leads the chords."""
    end_bar: int | None = None
    """Number of the bar whose downbeat is the chart's last; None where it goes round, or there is none."""
    round_bar: int | None = None
    """Number of the bar with which a chart that goes round begins anew; None where that is not known."""
    written_bpm: float = 0.0
    """The tempo that the chart says; 0 where it says none."""
    section_bar: int | None = None
    """Number of the bar with which the chart's next section begins; None where that is not known."""
