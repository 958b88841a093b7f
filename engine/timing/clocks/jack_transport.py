"""JACK transport as a time source: bar, beat and tick as counted by its timebase master.

Knows the values that were read, not the server they came from. Positions are samples of the input clock. Inference
thread only; a Reading is a plain value.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from ..anchor import Anchor
from .transport_pace import TransportPace

_STALE_S = 0.5
_LAYOUT = struct.Struct("<QQIIIiiidffddddI")
"""The beginning of a jack_position_t, up to bbt_offset; it is packed."""
_HAS_BBT, _HAS_OFFSET = 0x10, 0x40
_MOVED_S = 0.05
"""A song that is further on, or back, than the time that has passed was moved; less is a cycle that was lost."""
_COARSE_TICKS = 240.0
"""A beat of fewer ticks than this is rounded audibly: on the average by half a tick."""
_EIGHTHS = 8.0
_EIGHTHS_PER_BEAT = 3


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
    beat_type: float = 4.0
    """Which note the transport calls a beat: 4 for quarters, 8 for eighths."""
    song_s: float | None = None
    """Place in the song by the transport's frames, which always hold; None where it was not read."""


def reading_of(position_samples: float, rolling: bool, table: bytes) -> Reading:
    """What JACK wrote of its transport for the sample at that place of the input."""
    fields = _LAYOUT.unpack_from(table)
    rate, frame, valid, bar, beat, tick, _, beats_per_bar, beat_type, ticks_per_beat, tempo_bpm = fields[2:13]
    offset = fields[15]
    song_s = frame / rate if rate else None
    if valid & _HAS_OFFSET:
        position_samples -= offset
        song_s = None if song_s is None else song_s - offset / rate
    return Reading(
        position_samples,
        rolling,
        bool(valid & _HAS_BBT),
        bar,
        beat,
        tick,
        ticks_per_beat,
        beats_per_bar,
        tempo_bpm,
        beat_type,
        song_s,
    )


class JackTransport:
    """The newest reading as an anchor. Without beats, or standing still, there is no answer.

    Beats are the band's: three eighths are one in 6/8, 9/8 and 12/8. Inference thread only.
    """

    name = "transport"

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._reading: Reading | None = None
        self._pace = TransportPace()
        self.starts = 0
        """How often it began to roll, or was moved while it rolled."""

    def read(self, reading: Reading) -> None:
        """Take a newer reading."""
        last, self._reading = self._reading, reading
        if not reading.rolling:
            self._pace.restart()
            return
        if last is None or not last.rolling or self._moved(last, reading):
            self.starts += 1
            self._pace.restart()
        if self._counts(reading):
            song_s = self._song_s(reading)
            within = self._within(reading)
            tick = 1.0 / reading.ticks_per_beat
            self._pace.see(
                song_s, reading.bar, within, reading.beats_per_bar, reading.beat_type, reading.tempo_bpm, tick
            )

    def _song_s(self, reading: Reading) -> float:
        return reading.position_samples / self._rate_hz if reading.song_s is None else reading.song_s

    def _moved(self, last: Reading, reading: Reading) -> bool:
        passed_s = (reading.position_samples - last.position_samples) / self._rate_hz
        if reading.song_s is None or last.song_s is None:
            return False
        return abs(reading.song_s - last.song_s - passed_s) > _MOVED_S

    def reset(self) -> None:
        """Forget it."""
        self._reading = None
        self._pace = TransportPace()

    @property
    def rolls_without_beats(self) -> bool:
        """The song runs, but nobody counts its beats."""
        return self._reading is not None and self._reading.rolling and not self._usable(self._reading)

    @property
    def stopped(self) -> bool:
        """Whether it stands still."""
        return self._reading is not None and not self._reading.rolling

    @property
    def disagrees(self) -> bool:
        """Whether its beats do not run at the tempo that it tells."""
        return self._pace.disagrees

    @staticmethod
    def _counts(reading: Reading) -> bool:
        counts = reading.ticks_per_beat > 0 and reading.bar >= 1 and reading.beat >= 1
        return reading.has_beats and counts and reading.beats_per_bar >= 1.0

    def _usable(self, reading: Reading) -> bool:
        beats = self._group(reading)
        return self._counts(reading) and 20.0 <= 60.0 * self._pace.rate_hz / beats <= 400.0

    @staticmethod
    def _group(reading: Reading) -> int:
        """How many of the transport's beats are one of the band's."""
        metre = round(reading.beats_per_bar)
        compound = reading.beat_type == _EIGHTHS and metre > _EIGHTHS_PER_BEAT and metre % _EIGHTHS_PER_BEAT == 0
        return _EIGHTHS_PER_BEAT if compound else 1

    @staticmethod
    def _within(reading: Reading) -> float:
        """Beats since the bar began, as the transport tells them."""
        return reading.beat - 1 + reading.tick / reading.ticks_per_beat

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource."""
        reading = self._reading
        if reading is None or not reading.rolling or not self._usable(reading):
            return None
        if position_samples - reading.position_samples > _STALE_S * self._rate_hz:
            return None
        group = self._group(reading)
        metre = max(1, round(reading.beats_per_bar / group))
        within = self._within(reading) * self._pace.scale / group
        fine = reading.ticks_per_beat / self._pace.scale
        if fine < _COARSE_TICKS and reading.tick == int(reading.tick) and reading.ticks_per_beat >= 4:  # rounded down
            within += 0.5 / (fine * group)
        bar = reading.bar - 1 + math.floor(within / metre)  # a beat too many is the next bar's first
        within -= metre * math.floor(within / metre)
        tempo_bpm = 60.0 * self._pace.rate_hz / group
        beat = bar * metre + within
        place = int(within) % metre
        quarters = 4.0 * group / reading.beat_type if reading.beat_type in (1, 2, 4, 8, 16) else 1.0
        return Anchor(reading.position_samples, beat, tempo_bpm, 1.0, metre, place, quarters, song_bar=bar)
