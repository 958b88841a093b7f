"""Detects acoustic feedback (the input resembles the output) and lowers the volume of the band.

Knows blocks of sound and their positions, no port and no player. Inference thread only.

What comes in is not passed on, so nothing can ring for ever; but an ear that is full of the band hears its own beat and
its own chords, and a loudspeaker that is turned up into an open microphone is loud. The likeness is the share of the
input's energy that the band's output explains at one delay. Two players of the same note are alike too, for a moment
and at another delay each time: only a loud input that stays alike at the same delay counts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

DUCK_DB = -12.0
WINDOW_S = 0.5
WINDOWS = 4
"""So many windows in a row have to say the same before the band gives way."""
LONGEST_DELAY_S = 0.4
LIKENESS = 0.5
LOUD_DB = -24.0
"""RMS of the input below which nobody minds."""
HOLD_S = 3.0
_RATE_HZ = 4000
_RAMP_S = 0.25


class FeedbackGuard:
    """Watches heard and played blocks of one run; `gains` is what to play with. Inference thread only."""

    def __init__(self, rate_hz: int, duck_db: float = DUCK_DB) -> None:
        self._rate_hz = rate_hz
        self._step = max(1, round(rate_hz / _RATE_HZ))  # samples averaged to one
        rate = rate_hz / self._step
        self._window = round(WINDOW_S * rate)
        self._reach = round(LONGEST_DELAY_S * rate)
        self._heard = np.zeros(self._window, np.float32)
        self._played = np.zeros(self._window + self._reach, np.float32)
        self._made = np.zeros(0, np.float32)  # written, not yet heard
        self._made_from = 0
        self._fill = 0
        self._delay = -1
        self._alike = 0
        self._duck = 10.0 ** (duck_db / 20.0)
        self._hold_samples = 0
        self._gain = 1.0
        self.episodes = 0
        """How often the band heard itself and gave way."""
        self.likeness = 0.0
        """Of the last whole window: share of the input's energy that the output explains."""

    @property
    def ducking(self) -> bool:
        """Whether the band plays softer now."""
        return self._hold_samples > 0

    def played(self, position: int, block: NDArray[np.float32]) -> None:
        """float32 [n] was written to be played at an output position; later than the last, gaps are silence."""
        end = self._made_from + self._made.size
        if position > end:
            self._made = np.concatenate([self._made, np.zeros(min(position - end, self._rate_hz), np.float32)])
            self._made_from = position - self._made.size
        keep = max(0, position - self._made_from)
        self._made = np.concatenate([self._made[:keep], block])

    def hear(self, position: int, block: NDArray[np.float32]) -> bool:
        """float32 [n] was heard from that input position on; True where the band begins to give way to itself."""
        first = max(0, position - self._made_from)
        own = np.zeros(block.size, np.float32)
        there = self._made[first : first + block.size]
        own[: there.size] = there
        self._made, self._made_from = self._made[first + there.size :], self._made_from + first + there.size
        self._hold_samples = max(0, self._hold_samples - block.size)
        heard, own = self._thin(block), self._thin(own)
        self._heard = np.concatenate([self._heard, heard])[-self._window :]
        self._played = np.concatenate([self._played, own])[-self._window - self._reach :]
        self._fill += heard.size
        if self._fill < self._window:
            return False
        self._fill = 0
        return self._judge()

    def gains(self, count: int) -> NDArray[np.float32] | None:
        """float32 [count] to multiply the next block with; None where it stays as it is."""
        target = self._duck if self.ducking else 1.0
        if self._gain == target == 1.0:
            return None
        most = count / (_RAMP_S * self._rate_hz)
        end = self._gain + min(most, max(-most, target - self._gain))
        ramp = np.linspace(self._gain, end, count + 1, dtype=np.float32)[1:]
        self._gain = end
        return ramp

    def _thin(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        whole = block[: block.size // self._step * self._step]
        return whole.reshape(-1, self._step).mean(axis=1)

    def _judge(self) -> bool:
        self.likeness, delay = self._likeness()
        loud = self._level_db() > LOUD_DB
        same = abs(delay - self._delay) <= 1
        self._alike = self._alike + 1 if loud and self.likeness > LIKENESS and (same or self._alike == 0) else 0
        self._delay = delay
        if self._alike < (1 if self.ducking else WINDOWS):
            return False
        begins = not self.ducking
        self.episodes += begins
        self._hold_samples = round(HOLD_S * self._rate_hz)
        return begins

    def _level_db(self) -> float:
        power = float(np.mean(self._heard.astype(np.float64) ** 2))
        return 10.0 * math.log10(power) if power > 0.0 else -math.inf

    def _likeness(self) -> tuple[float, int]:
        """Share of the heard window's energy that the played sound explains best, and at which delay (thinned)."""
        heard = self._heard - self._heard.mean()
        energy = float(np.sum(heard.astype(np.float64) ** 2))
        size = 1 << (self._window + self._reach - 1).bit_length()
        spectrum = np.fft.rfft(self._played, size) * np.conj(np.fft.rfft(heard, size))
        products = np.fft.irfft(spectrum, size)[: self._reach + 1]
        sums = np.concatenate([[0.0], np.cumsum(self._played.astype(np.float64) ** 2)])
        energies = sums[self._window :] - sums[: self._reach + 1]
        shares = products**2 / np.maximum(energies * energy, 1e-9)
        best = int(np.argmax(shares))
        return float(shares[best]), self._reach - best
