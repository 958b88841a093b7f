"""Monitors the input: non-finite samples, clipping, feedback. Reported once, always counted.

Knows blocks of sound and notes, no port and no player. Inference thread only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...dsp.cancellation import CancellationMeter
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog
from ..output.bus_mixer import mono_of
from .feedback_guard import FeedbackGuard
from .input_channels import in_words

_FULL_SCALE = 0.999
_CLIPPED_SAMPLES = 4
"""A single sample at full scale may be the loudest of good ones."""
_CLIPPED_FRAMES = 10


class InputMonitor:
    """Looks at each frame of one run that was heard, and at each that is played. Inference thread only."""

    def __init__(self, rate_hz: int, fault_log: FaultLog, channels: tuple[int, ...] = (1,)) -> None:
        """`channels`: those whose mean is heard, as the musician counts them."""
        self._fault_log, self._rate_hz = fault_log, rate_hz
        self._stalled_samples = 0
        self._channels = channels
        self._cancellation = CancellationMeter(rate_hz, len(channels))
        self._sums: tuple[NDArray[np.float64], float, int] = (np.zeros(len(channels)), 0.0, 0)
        self._howl = FeedbackGuard(rate_hz)
        self._nonfinite = 0
        self._clipped_frames = 0

    def hear(self, position: int, block: NDArray[np.float32], nonfinite_samples: int) -> None:
        """float32 [n] heard from an input position on. `nonfinite_samples`: how many the callback has met so far."""
        if nonfinite_samples > self._nonfinite:
            self._fault_log.fault(FaultKind.INPUT_NONFINITE, nonfinite_samples - self._nonfinite)
            self._nonfinite = nonfinite_samples
        if np.count_nonzero(np.abs(block) >= _FULL_SCALE) >= _CLIPPED_SAMPLES:
            self._clipped_frames += 1
            if self._clipped_frames >= _CLIPPED_FRAMES:
                self._fault_log.fault(FaultKind.INPUT_CLIPPED)
        if self._howl.hear(position, block):
            self._fault_log.fault(FaultKind.HOWL)

    def hear_stalls(self, stalled_samples: int) -> None:
        """How far the clock has jumped in all, over times without callbacks."""
        if stalled_samples > self._stalled_samples:
            seconds = (stalled_samples - self._stalled_samples) / self._rate_hz
            self._fault_log.fault(FaultKind.STALLED, seconds=f"{seconds:.1f}")
            self._stalled_samples = stalled_samples

    def hear_channels(self, energies: NDArray[np.float64], mean_energy: float, samples: int) -> None:
        """Sums since the beginning: the squares of each channel, those of their mean, and over how many samples."""
        before, self._sums = self._sums, (energies, mean_energy, samples)
        fresh = (energies - before[0], mean_energy - before[1], samples - before[2])
        if len(self._channels) > 1 and self._cancellation.add(*fresh):
            channels = self._channels
            self._fault_log.fault(FaultKind.INPUTS_CANCEL, inputs=in_words(channels), first=channels[0])

    def play(self, position: int, mix: NDArray[np.float32], rows: NDArray[np.float32]) -> None:
        """All that is about to be played at an output position, float32 [2, n], and the rows it goes to (perhaps the
        same): in place, softer while the band hears itself."""
        gains = self._howl.gains(mix.shape[1])
        if gains is not None:
            mix *= gains
            if rows is not mix:
                rows *= gains
        self._howl.played(position, mono_of(mix))
