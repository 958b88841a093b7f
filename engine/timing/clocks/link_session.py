"""Ableton Link through aalink: the session's beat at a moment of our clock, and what we offer to it.

Knows no samples and no band. aalink is an extra (GPL); its network runs in threads of its own. One thread at a time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from ...errors import EngineError

MISSING = "Ableton Link needs aalink, which is under the GPL: pip install 'gigmate[link]'"
_TRIES = 4
_EXACT_S = 0.0001
"""A reading that took longer is tried again: another thread ran in between."""


@dataclass(frozen=True, slots=True)
class LinkReading:
    """The session at one moment. Any thread."""

    at_s: float
    """By time.monotonic."""
    beat: float
    """Quarter notes; the phase is what remains of the quantum."""
    phase: float
    """Quarter notes since the session's bar began, 0 to the quantum."""
    tempo_bpm: float
    playing: bool
    peers: int


class LinkSession:
    """One peer of a Link session. One thread at a time."""

    def __init__(self, tempo_bpm: float = 120.0) -> None:
        """Raises EngineError where aalink is missing or the network cannot be had."""
        try:
            import aalink
        except ImportError:
            raise EngineError(MISSING) from None

        async def made() -> Any:
            return aalink.Link(tempo_bpm)  # it wants a running loop, and uses it for waiting alone, which we do not

        self._loop = asyncio.new_event_loop()
        try:
            self._link = self._loop.run_until_complete(made())
            self._link.quantum = 4.0
            self._link.start_stop_sync_enabled = True
            self._link.enabled = True
        except RuntimeError as error:
            self._loop.close()
            raise EngineError(f"Ableton Link cannot be joined: {error}: is there a network?") from None

    def read(self) -> LinkReading:
        """The session now."""
        link = self._link
        for _ in range(_TRIES):
            before_s = time.monotonic()
            beat, phase = link.beat, link.phase
            after_s = time.monotonic()
            if after_s - before_s <= _EXACT_S:
                break
        at_s = (before_s + after_s) / 2
        return LinkReading(at_s, beat, phase, link.tempo, link.playing, link.num_peers)

    def set_quantum(self, quarters: float) -> None:
        """A bar has so many quarter notes."""
        if self._link.quantum != quarters:
            self._link.quantum = quarters

    def set_tempo(self, tempo_bpm: float) -> None:
        """The session's tempo, for all its peers."""
        self._link.tempo = tempo_bpm

    def force_beat(self, beat: float) -> None:
        """The session is at that beat now, for all its peers."""
        self._link.force_beat(beat)

    def set_playing(self, playing: bool) -> None:
        """Start or stop, for all peers that share starts and stops."""
        self._link.playing = playing

    def close(self) -> None:
        """Leave the session. May be called twice."""
        if not self._loop.is_closed():
            self._link.enabled = False
            self._loop.close()
