"""MIDI Time Code and MIDI Machine Control as a source of time: a place in the song, in seconds, at a known tempo.

A time code tells no beats: they are counted from the last whole hour at the tempo that is set. Knows neither the band
nor charts. Positions are samples of the input clock. Inference thread only; parsed messages are values.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, NamedTuple

from ..anchor import Anchor

_RATES_HZ = (24.0, 25.0, 30_000.0 / 1001.0, 30.0)
_DROP_FRAME = 2
_STALE_S = 0.25
"""So long without a quarter frame (at most 10.4 ms apart), and the code stands still."""
_MOVED_FRAMES = 1.5
_SMOOTH = 0.1
"""Share of what a message is early or late that the line gives way by: cables and schedulers tremble."""
_SPEED_S, _LEAST_SPEED_S = 4.0, 1.0
_MOST_APART = 0.12
_HOUR_S = 3600.0
_UNIVERSAL, _TIME_CODE, _MACHINE = 0x7F, 0x01, 0x06
_PLAY, _STOP = (0x02, 0x03, 0x06), (0x01, 0x09)
_LOCATE = 0x44

Deed = Literal["play", "stop", "locate"]


class Machine(NamedTuple):
    """A MIDI Machine Control message. Any thread."""

    deed: Deed
    place_s: float = 0.0


def seconds_of(hour_byte: int, minutes: int, seconds: int, frames: int) -> tuple[float, float] | None:
    """(seconds, frames a second) of a time code; the hour's byte says the rate too. None for one that cannot be."""
    rate_hz, hours = _RATES_HZ[hour_byte >> 5 & 3], hour_byte & 0x1F
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= round(rate_hz):
        return None
    count = (hours * 3600 + minutes * 60 + seconds) * round(rate_hz) + frames
    if hour_byte >> 5 & 3 == _DROP_FRAME:  # two numbers are left out each minute, but for every tenth
        passed = hours * 60 + minutes
        count -= 2 * (passed - passed // 10)
    return count / rate_hz, rate_hz


def machine_of(message: bytes) -> Machine | None:
    """What a MIDI Machine Control message asks for; None for another message, and for what it asks in vain."""
    if len(message) < 6 or message[0] != 0xF0 or message[1] != _UNIVERSAL or message[3] != _MACHINE:
        return None
    command = message[4]
    if command in _PLAY:
        return Machine("play")
    if command in _STOP:
        return Machine("stop")
    if command == _LOCATE and len(message) >= 12 and message[6] == 1:
        found = seconds_of(*message[7:11])
        return None if found is None else Machine("locate", found[0])
    return None


class TimeCodeClock:
    """Messages in, an anchor out while the code rolls. Inference thread only."""

    name = "mtc"

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.tempo_bpm: float | None = None
        """At which the song is played; without one a time code says nothing."""
        self.metre = 4
        self.starts = 0
        """How often it began to roll, or was moved while it rolled."""
        self.stopped = False
        """Whether it rolled, and stands still."""
        self.reset()

    def reset(self) -> None:
        """Forget where it is."""
        self._place_s = 0.0
        self._line: tuple[float, float] | None = None  # (position, seconds), rolling
        self._free = False  # rolls by machine control, without quarter frames
        self._newest = 0.0  # position of the newest message
        self._pieces: list[int] = []
        self._base: tuple[float, int] | None = None  # (seconds of a code, pieces since its first)
        self._frame_s = 1.0 / 30.0
        self._seen: deque[tuple[float, float]] = deque(maxlen=256)

    @property
    def waits_for_tempo(self) -> bool:
        """Whether it rolls, and nobody has said how fast the song is."""
        return self._line is not None and not self.tempo_bpm

    # ----------------------------------------------------------------------------------------------- what comes in

    def take(self, message: bytes, position: float) -> None:
        """One message that came there: a quarter frame, a full frame or machine control; others are passed over."""
        if len(message) == 2 and message[0] == 0xF1:
            self._quarter(message[1] >> 4, message[1] & 0x0F, position)
            return
        full = len(message) == 10 and message[:2] == bytes((0xF0, _UNIVERSAL)) and message[3] == _TIME_CODE
        if full and message[4] == 1:
            found = seconds_of(*message[5:9])
            if found is not None:
                self._locate(found[0], position)
            return
        machine = machine_of(message)
        if machine is None:
            return
        if machine.deed == "locate":
            self._locate(machine.place_s, position)
        elif machine.deed == "stop":
            self._stand_still(position)
        elif self._line is None:
            self._free = True
            self._roll(self._place_s, position)

    def _locate(self, place_s: float, position: float) -> None:
        self._place_s, self._pieces, self._base = place_s, [], None
        if self._line is not None:
            self._roll(place_s, position)

    def _roll(self, song_s: float, position: float) -> None:
        """From there on, at once."""
        self._line, self._newest = (position, song_s), position
        self._seen.clear()
        self.starts += 1
        self.stopped = False

    def _stand_still(self, position: float) -> None:
        if self._line is not None:
            self._place_s = self._song_s(position)
            self.stopped = True
        self._line, self._free, self._pieces, self._base = None, False, [], None

    def _quarter(self, piece: int, value: int, position: float) -> None:
        """A piece of a code: eight of them, in order, tell the time at which the first was sent."""
        if piece != len(self._pieces) or piece > 7:
            self._pieces, self._base = [], None  # backwards, or one was lost
            if piece != 0:
                return
        self._pieces.append(value)
        if self._base is not None:
            self._base = (self._base[0], self._base[1] + 1)
            self._see(self._base[0] + self._base[1] * self._frame_s / 4.0, position)
        if len(self._pieces) == 8:
            low = [self._pieces[place] | self._pieces[place + 1] << 4 for place in range(0, 8, 2)]
            found = seconds_of(low[3], low[2] & 0x3F, low[1] & 0x3F, low[0] & 0x1F)
            self._pieces = []
            if found is not None:
                code_s, rate_hz = found
                self._frame_s = 1.0 / rate_hz
                self._base = (code_s, 7)
                self._see(code_s + 7 * self._frame_s / 4.0, position)

    def _see(self, song_s: float, position: float) -> None:
        self._free = False
        if self._line is None or abs(self._song_s(position) - song_s) > _MOVED_FRAMES * self._frame_s:
            self._roll(song_s, position)
        expected = self._song_s(position)
        self._line, self._newest = (position, expected + _SMOOTH * (song_s - expected)), position
        self._seen.append((position, song_s))

    # ----------------------------------------------------------------------------------------------- what is told

    def _speed(self) -> float:
        """Of the code, by the clock of the input: 1, but for a machine that runs at another speed."""
        newest = self._seen[-1] if self._seen else (0.0, 0.0)
        while self._seen and newest[0] - self._seen[0][0] > _SPEED_S * self._rate_hz:
            self._seen.popleft()
        if not self._seen or newest[0] - self._seen[0][0] < _LEAST_SPEED_S * self._rate_hz:
            return 1.0
        first = self._seen[0]
        speed = (newest[1] - first[1]) / (newest[0] - first[0]) * self._rate_hz
        return min(max(speed, 1.0 - _MOST_APART), 1.0 + _MOST_APART)

    def _song_s(self, position: float) -> float:
        known_at, known_s = self._line or (position, self._place_s)
        return known_s + (position - known_at) / self._rate_hz * self._speed()

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource."""
        if self._line is None:
            return None
        if not self._free and position_samples - self._newest > _STALE_S * self._rate_hz:
            self._stand_still(self._newest)
            return None
        if not self.tempo_bpm:
            return None
        beat = self._song_s(position_samples) % _HOUR_S * self.tempo_bpm / 60.0
        bar, place = divmod(beat, self.metre)
        tempo_bpm = self.tempo_bpm * self._speed()
        return Anchor(position_samples, beat, tempo_bpm, 1.0, self.metre, int(place), song_bar=int(bar))
