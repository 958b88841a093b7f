"""What a source of time gives, and what a source is. Frozen values and a protocol; times are host samples of the input
clock, tempo counts beats per minute. Any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from ..commands import ScaleCount, ShiftHalfBeat, ThisIsOne


@dataclass(frozen=True, slots=True)
class Anchor:
    """A straight line of musical time: at `position_samples` the beat count was `beat`, running at `tempo_bpm`.

    The whole part of `beat` is the source's own count: only differences and the fraction mean anything. Any thread.
    """

    position_samples: float
    beat: float
    tempo_bpm: float
    confidence: float
    """How sure the source is of the phase, in [0, 1]."""
    beats_per_bar: int = 0
    """0 where the source knows no bars (MIDI clock)."""
    beat_in_bar: int = -1
    """Place of beat floor(`beat`) in its bar, 0 for a downbeat; -1 where the source does not know."""
    beat_quarters: float = 0.0
    """Length of a beat in quarter notes, where the source knows it (transport); 0 where it does not."""
    song_beat: float | None = None
    """The same beat counted from the beginning of the song, where the source tells it (MIDI clock, song position)."""
    song_bar: int | None = None
    """Number in the song of the bar of beat floor(`beat`), from 0, where the source numbers bars (transport)."""

    def beat_at(self, position_samples: float, rate_hz: float) -> float:
        """The source's beat count at another position of the same clock."""
        return self.beat + (position_samples - self.position_samples) / rate_hz * self.tempo_bpm / 60.0


def changed(
    anchor: Anchor | None, command: ShiftHalfBeat | ScaleCount | ThisIsOne, position_samples: float, rate_hz: float
) -> Anchor | None:
    """The line after the musician has corrected its count at that position; another count keeps the nearest beat."""
    if anchor is None:
        return None
    if isinstance(command, ShiftHalfBeat):
        return replace(anchor, beat=anchor.beat + 0.5)
    beat = round(anchor.beat_at(position_samples, rate_hz))
    at = anchor.position_samples + (beat - anchor.beat) * 60.0 / anchor.tempo_bpm * rate_hz
    if isinstance(command, ScaleCount):
        return replace(anchor, position_samples=at, beat=float(beat), tempo_bpm=anchor.tempo_bpm * command.factor)
    return replace(anchor, position_samples=at, beat=float(beat), beat_in_bar=0)


class TimeSource(Protocol):
    """Whatever knows the beat: JACK transport, a MIDI clock, taps, the listener's tracker, a fixed tempo.

    Inference thread only.
    """

    def anchor(self, position_samples: float) -> Anchor | None:
        """The line that holds near `position_samples`, or None while the source is silent (not rolling, unplugged).

        Called by the conductor once for each heard frame, on the inference thread: no blocking, no waiting.
        """
        ...


class StartedSource(TimeSource, Protocol):
    """A source that is started anew, by hand or by its own word. Inference thread only."""

    @property
    def starts(self) -> int:
        """How often."""
        ...
