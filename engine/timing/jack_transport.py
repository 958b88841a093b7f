"""JACK's transport as a source of time: bar, beat and tick of a running song, as its timebase master counts them.

Knows the values that were read, not the server they came from. Positions are samples of the input clock. Inference
thread only; a Reading is a plain value.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .anchor import Anchor

_STALE_S = 0.5
_LAYOUT = struct.Struct("<QQIIIiiidffddddI")
"""The beginning of a jack_position_t, up to bbt_offset; it is packed."""
_HAS_BBT, _HAS_OFFSET = 0x10, 0x40


@dataclass(frozen=True, slots=True)
class Reading:
    """The transport at one sample. Bar and beat count from 1, as JACK counts them. Any thread."""

    position_samples: float
    """Of the input clock: where sound that is played at that moment of the song is heard with the input."""
    rolling: bool
    has_beats: bool
    """False where nobody is timebase master: there is a frame count, and no beat in it."""
    bar: int = 1
    beat: int = 1
    tick: float = 0.0
    ticks_per_beat: float = 1.0
    beats_per_bar: float = 4.0
    tempo_bpm: float = 0.0


def reading_of(position_samples: float, rolling: bool, table: bytes) -> Reading:
    """What JACK wrote of its transport for the sample at that place of the input."""
    (_, _, _, _, valid, bar, beat, tick, _, beats_per_bar, _, ticks_per_beat, tempo_bpm, _, _, offset) = (
        _LAYOUT.unpack_from(table)
    )
    if valid & _HAS_OFFSET:
        position_samples -= offset
    has_beats = bool(valid & _HAS_BBT)
    return Reading(position_samples, rolling, has_beats, bar, beat, tick, ticks_per_beat, beats_per_bar, tempo_bpm)


class JackTransport:
    """The newest reading as an anchor. Without beats, or standing still, there is no answer. Inference thread only."""

    name = "transport"

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._reading: Reading | None = None

    def read(self, reading: Reading) -> None:
        """Take a newer reading."""
        self._reading = reading

    def reset(self) -> None:
        """Forget it."""
        self._reading = None

    @property
    def rolls_without_beats(self) -> bool:
        """The song runs, but nobody counts its beats."""
        return self._reading is not None and self._reading.rolling and not self._usable(self._reading)

    @staticmethod
    def _usable(reading: Reading) -> bool:
        counts = reading.ticks_per_beat > 0 and reading.bar >= 1 and reading.beat >= 1
        return reading.has_beats and counts and 20.0 <= reading.tempo_bpm <= 400.0 and reading.beats_per_bar >= 1.0

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource."""
        reading = self._reading
        if reading is None or not reading.rolling or not self._usable(reading):
            return None
        if position_samples - reading.position_samples > _STALE_S * self._rate_hz:
            return None
        metre = max(1, round(reading.beats_per_bar))
        within = reading.tick / reading.ticks_per_beat
        beat = (reading.bar - 1) * metre + reading.beat - 1 + within
        return Anchor(reading.position_samples, beat, reading.tempo_bpm, 1.0, metre, (reading.beat - 1) % metre)
