"""Ableton Link as a source of time, and the band's time for a Link session.

Follows the session's tempo and its bars, or leads them. Knows no library: a session is met by its shape. What is heard
together with an input position is on the session's beat: `heard_at` says which position that is. Inference thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from ...position import Point
from ..anchor import Anchor
from .link_session import LinkReading

LinkMode = Literal["follow", "lead"]
_JUMP_S = 0.02
"""A session whose line lies further beside the one known was moved; less is the trembling of reading a clock."""
_SMOOTH = 0.1
"""Share of a new reading in the line that is followed."""
_APART_BEATS = 0.02
"""Alone, the session is put where the band is when it is further beside it."""
_FAR_BEATS = 0.25
"""With peers, a session that we lead is put there at once only when it is further beside the band than this ..."""
_NEAR_BEATS = 0.004
_PULL_BEATS = 4.0
"""... left alone while it is nearer than _NEAR_BEATS, and else makes up for the rest in so many beats ..."""
_MOST_PULL = 0.03
"""... by at most this share of the tempo."""
_TEMPO_BPM = 0.02
"""A tempo is told again when it has changed by so much."""


class Session(Protocol):
    """A Link session (link_session.py). Inference thread only."""

    def read(self) -> LinkReading: ...
    def set_quantum(self, quarters: float) -> None: ...
    def set_tempo(self, tempo_bpm: float) -> None: ...
    def force_beat(self, beat: float) -> None: ...
    def set_playing(self, playing: bool) -> None: ...


class LinkClock:
    """One session, read once a frame. Inference thread only."""

    name = "link"

    def __init__(self, session: Session, mode: LinkMode, rate_hz: float, heard_at: Callable[[float], float]) -> None:
        """`heard_at(at_s)`: the input position with which is heard what sounds at that moment of time.monotonic."""
        self._session, self._mode, self._rate_hz, self._heard_at = session, mode, rate_hz, heard_at
        self._reading: LinkReading | None = None
        self._line: tuple[float, float, float] | None = None  # position, beat, samples a beat
        self._quarters, self._metre = 1.0, 4
        self._shared = False  # whether there have been peers since
        self._playing = self._on = False
        self._told_bpm = 0.0
        self.starts = 0
        """How often a peer pressed start, or the session was joined."""
        self.stopped = False
        """Whether a peer has pressed stop, and nobody start since."""
        self.peers = 0

    # --------------------------------------------------------------------------------------------------- each frame

    def read(self, here: Callable[[float], Point], known: bool, on: bool) -> None:
        """Once a frame: read the session, and offer it ours where it is ours to say.

        `here(position)`: the band's time; `known`: there is a beat; `on`: the band is switched on.
        """
        reading = self._session.read()
        position = self._heard_at(reading.at_s)
        point = here(position)
        self._quarters = point.beat_quarters
        if self._mode == "lead" or not self.peers:
            self._metre = point.beats_per_bar
        self._session.set_quantum(self._metre * self._quarters)
        joined = reading.peers > 0 and self.peers == 0
        self.peers, self._reading = reading.peers, reading
        self._follow_line(reading, position, moved=joined)
        self._share_starts(reading, on)
        if self._mode == "lead" or not self.peers:
            if known:
                self._offer(reading, point, here(position + self._rate_hz / 10))
        elif joined:
            self.starts += 1  # theirs is the time from now on, at once

    def _follow_line(self, reading: LinkReading, position: float, moved: bool) -> None:
        samples = 60.0 / reading.tempo_bpm * self._rate_hz
        if self._line is not None and not moved and abs(samples / self._line[2] - 1.0) < 1e-6:
            known_at, known_beat, _ = self._line
            beside = position - (known_at + (reading.beat - known_beat) * samples)
            if abs(beside) < _JUMP_S * self._rate_hz:
                position -= (1.0 - _SMOOTH) * beside
        self._line = (position, reading.beat, samples)

    def _share_starts(self, reading: LinkReading, on: bool) -> None:
        """Starts and stops of peers, told apart from our own."""
        if reading.playing != self._playing:
            self._playing = reading.playing
            self.stopped = not reading.playing
            self.starts += reading.playing
        elif on != self._on:
            self._session.set_playing(on)
            self._playing = on
            self.stopped = False
        self._on = on

    def _offer(self, reading: LinkReading, point: Point, later: Point) -> None:
        """Bring the session to the band: at once while nobody else is in it, else gently."""
        band_bpm = (later.beat - point.beat) * 600.0 * self._quarters
        if not 20.0 <= band_bpm <= 999.0:
            return
        quantum = self._metre * self._quarters
        ours = (point.beat - point.bar_beat) * self._quarters
        beside = (ours - reading.phase + quantum / 2) % quantum - quantum / 2
        if abs(beside) > (_FAR_BEATS if self.peers else _APART_BEATS):
            self._session.force_beat(ours)
        elif self.peers and abs(beside) > _NEAR_BEATS:
            band_bpm *= 1.0 + max(-_MOST_PULL, min(_MOST_PULL, beside / _PULL_BEATS))
        if abs(band_bpm - self._told_bpm) > _TEMPO_BPM:
            self._session.set_tempo(band_bpm)
            self._told_bpm = band_bpm

    # --------------------------------------------------------------------------------------------------- what is told

    def anchor(self, position_samples: float) -> Anchor | None:
        """See TimeSource. A session without peers, or one that we lead, has nothing to say."""
        if self._line is None or self._reading is None or self._mode == "lead" or not self.peers:
            return None
        position, quarters, samples = self._line
        phase = self._reading.phase / self._quarters
        place = min(int(phase), self._metre - 1)
        # The session counts from anywhere: the whole part of its beat is made to fit its bars.
        beat = round(quarters / self._quarters - phase) + phase
        tempo_bpm = 60.0 * self._rate_hz / (samples * self._quarters)
        return Anchor(position, beat, tempo_bpm, 1.0, self._metre, place)

    def expect_metre(self, beats_per_bar: int) -> None:
        """A chart says how many beats a bar has; a session knows its beats alone."""
        self._metre = beats_per_bar
