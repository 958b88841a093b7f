"""A loop that plays as a source of time: it leads where no transport and no clock does. Inference thread only."""

from __future__ import annotations

from ..timing.anchor import Anchor
from .loop_sound import LoopSound


class LoopTime:
    """Bars and beats of the loop as they were played, over and over. Inference thread only."""

    name = "loop"

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._loop: LoopSound | None = None
        self._anchor = 0
        self.starts = 0
        """How often it began to play."""

    def lead(self, loop: LoopSound | None, anchor: int = 0) -> None:
        """Tell the time by a loop whose first sample lies at that input position; None: no more."""
        self.starts += self._loop is None and loop is not None
        self._loop, self._anchor = loop, anchor

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource."""
        loop = self._loop
        if loop is None:
            return None
        turn, place = divmod(position_samples - self._anchor, loop.length)
        bar = loop.bar_at(place)
        begins, ends = loop.offsets[bar], loop.offsets[bar + 1]
        metre = loop.beats[bar]
        beats_before = int(turn) * sum(loop.beats) + sum(loop.beats[:bar])
        beat = (place - begins) / (ends - begins) * metre
        tempo_bpm = 60.0 * metre * self._rate_hz / (ends - begins)
        return Anchor(position_samples, beats_before + beat, tempo_bpm, 1.0, metre, min(int(beat), metre - 1))
