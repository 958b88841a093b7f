"""How well the held line is met lately: beats heard where it has them, peaks beside them, and silence.

Knows no line and no filter. Inference thread only.
"""

from __future__ import annotations

from ...conductor_settings import LockSettings


class BeatSupport:
    """Counts what meets the line, beat by beat. Inference thread only."""

    def __init__(self, lock: LockSettings) -> None:
        self._lock = lock
        self.forget()

    def forget(self) -> None:
        """Nothing is known of the line yet."""
        self.hits = 0.0
        """Beats met since the line was seeded."""
        self.share = 0.0
        """Of recent beats, those that were met, in [0, 1]."""
        self._quiet_beats = 0.0  # since a beat was last met
        self._met = 0.0  # how far the beat that is due was met
        self._stray = 0.0  # peaks beside the beats, for each beat, lately
        self._strays = 0.0  # since the last beat

    def trust(self, share: float, hits: float) -> None:
        """The line is to be believed as if so much had met it."""
        self.share, self.hits = share, hits

    def meet(self, met: float) -> None:
        """A peak belongs to the beat that is due so far, in [0, 1]."""
        self._met = max(self._met, met)

    def stray(self, height: float, met: float) -> None:
        """A peak of that height belongs to a beat only so far."""
        self._strays += max(0.0, min(1.0, height) - met)

    def judge(self, trust: float) -> None:
        """A beat is over; it counts where the musician played (`trust` in [0, 1])."""
        share = 1.0 / self._lock.hit_memory_beats
        if trust > 0.5:
            self.share += share * (self._met - self.share)
            self._stray += share * (self._strays - self._stray)
        self.hits += self._met
        self._quiet_beats = 0.0 if self._met > 0.3 else self._quiet_beats + 1.0
        self._met = self._strays = 0.0

    def confidence(self, near: float, error_s: float, metre: int) -> float:
        """Belief `near` the line, beats met lately, peaks elsewhere, silence, and how exact the line is, in [0, 1]."""
        met = min(max((self.share - 0.2) / 0.4, 0.0), 1.0)
        pure = min(max((self.share / (self.share + 0.3 * self._stray + 1e-6) - 0.4) / 0.4, 0.0), 1.0)
        quiet = max(0.0, self._quiet_beats - 2.0) / (self._lock.silence_bars * metre)
        sharp = min(1.0, 0.08 / max(error_s, 1e-3)) ** 0.5
        return min(1.0, near * 1.05) * met * pure * max(0.0, 1.0 - quiet) * sharp
