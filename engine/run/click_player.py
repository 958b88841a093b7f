"""A player that only clicks on the beat, for measuring how accurately the band is in time.

Knows no model and no sound card. Inference thread only, as every player.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..player import (
    PARTS,
    Controls,
    Heard,
    HeardFrame,
    Moment,
)

SAMPLE_RATE_HZ = 32_000
FRAME_SAMPLES = 1280
HALF_CLICK_SAMPLES = 24
_BAND = 0.8
"""Of half the sample rate: what resamplers pass."""


def click(distance_samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """The click's shape at these distances from its middle, in samples at 32 kHz; its height is 1."""
    inside = np.abs(distance_samples) < HALF_CLICK_SAMPLES
    window = np.cos(distance_samples * (math.pi / 2 / HALF_CLICK_SAMPLES)) ** 2
    shape: NDArray[np.float64] = np.where(inside, np.sinc(_BAND * distance_samples) * window, 0.0)
    return shape


class ClickPlayer:
    """One click of `level` on every beat of the moments that it is told; clicks may stand between samples.

    Inference thread only.
    """

    sample_rate_hz = SAMPLE_RATE_HZ
    frame_samples = FRAME_SAMPLES
    tail_samples = 0

    def __init__(self, level: float = 0.2, play_delay_samples: int = 320) -> None:
        """A play delay makes it as roundabout as a model is."""
        self.level = level
        self.play_delay_samples = play_delay_samples

    def reset(self, seed: int, ahead_frames: int) -> None:
        """There is nothing to forget."""

    def set_ahead(self, ahead_frames: int) -> None:
        """A click does not care."""

    def listen(self, chunk: NDArray[np.float32]) -> Heard:
        """Hears nothing."""
        return HeardFrame()

    def play(self, moment: Moment, controls: Controls) -> NDArray[np.float32]:
        """float32 [parts, frame]: clicks in the first part."""
        beat_samples = 60.0 / moment.tempo_bpm * SAMPLE_RATE_HZ
        place = np.arange(FRAME_SAMPLES, dtype=np.float64) - self.play_delay_samples
        sound = np.zeros((len(PARTS), FRAME_SAMPLES))
        first = -moment.beat_phase * beat_samples
        reach = self.play_delay_samples + HALF_CLICK_SAMPLES
        beat = math.floor((-reach - first) / beat_samples)
        while first + beat * beat_samples <= FRAME_SAMPLES + HALF_CLICK_SAMPLES:
            sound[0] += click(place - (first + beat * beat_samples))
            beat += 1
        return (self.level * sound).astype(np.float32)
