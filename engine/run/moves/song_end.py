"""Waits for the end of the song, for a next one that was asked for to come then. Knows no set list.

A chart that goes round ends with its last bar: the next song is asked for in that bar, and begins on the bar line
after it. A song that the band ends, or that is stopped, ends there. Inference thread only.
"""

from __future__ import annotations

from ...timing.entrance_cue import EntranceCue


class SongEnd:
    """Whether the next song waits, and when its turn has come. Inference thread only."""

    def __init__(self) -> None:
        self.waits = False

    def ask(self, on: bool | None = None) -> None:
        """The next song comes when this one ends, or does not; None turns it over."""
        self.waits = not self.waits if on is None else on

    def is_here(self, bar: int, cue: EntranceCue) -> bool:
        """Whether the chart is in the last bar of its round, in that bar of musical time: true once."""
        here = self.waits and cue.round_bar is not None and bar == cue.round_bar - 1
        self.waits = self.waits and not here
        return here

    def stopped(self) -> bool:
        """The band has stopped: whether the next song is to come, true once."""
        waits, self.waits = self.waits, False
        return waits
