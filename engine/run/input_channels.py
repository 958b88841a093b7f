"""Several input channels as one: selected, averaged as in the audio callback, and checked for cancelling.

Knows no port. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...dsp.cancellation import CancellationMeter
from ...dsp.limiter import LOUDEST
from ...files.channels import ChannelError, check_channels, picked
from ...files.names import MOST_CHANNELS
from ..errors import ConfigError
from ..fault_kinds import FaultKind
from ..fault_log import FaultLog

Array = NDArray[np.float32]


class InputChannels:
    """Blocks [n] or [n, channels] to what the band hears, one after another of one recording. One thread at a time."""

    def __init__(self, rate_hz: float, channels: Sequence[int] | None, fault_log: FaultLog) -> None:
        """`channels`: those that are heard, from 1; None: all. Raises ConfigError for such as cannot be."""
        self._rate_hz, self._fault_log = rate_hz, fault_log
        self._channels = None if channels is None else tuple(channels)
        if channels is not None:
            try:
                check_channels(channels)
            except ChannelError as error:
                raise ConfigError(f"input {error}") from None
        self._meter: CancellationMeter | None = None

    def mono(self, block: NDArray[np.floating]) -> Array:
        """Float32 [n]. Raises ConfigError for another shape, or for a channel that is not there."""
        sound = finite(block)
        try:
            sound = sound[:, picked(self._channels, sound.shape[1])]
        except ChannelError as error:
            raise ConfigError(f"the sound {error}") from None
        mono = average(sound)
        if sound.shape[1] > 1:
            if self._meter is None:
                self._meter = CancellationMeter(self._rate_hz, sound.shape[1])
            if self._meter.add_block(sound, mono):
                heard = self._channels or tuple(range(1, sound.shape[1] + 1))
                self._fault_log.fault(FaultKind.INPUTS_CANCEL, inputs=in_words(heard), first=heard[0])
        return mono


def in_words(channels: Sequence[int]) -> str:
    """Two channels or more: "1 and 2"."""
    *others, last = map(str, channels)
    return f"{', '.join(others)} and {last}"


def to_mono(block: NDArray[np.floating]) -> Array:
    """float [n] or [n, channels] to what the band hears, float32 [n]. Raises ConfigError for another shape."""
    return average(finite(block))


def finite(block: NDArray[np.floating]) -> Array:
    """float [n] or [n, channels] as float32 [n, channels]; what is no number is 0, what is 24 dB over full scale that.

    Raises ConfigError for another shape.
    """
    sound = np.asarray(block)
    if sound.ndim not in (1, 2) or (sound.ndim == 2 and not 1 <= sound.shape[1] <= MOST_CHANNELS):
        raise ConfigError(
            f"sound of shape {sound.shape}: give samples, or samples by channels (at most {MOST_CHANNELS})"
        )
    if sound.dtype.kind != "f":
        raise ConfigError(f"sound as {sound.dtype}: give floating point samples from -1 to 1")
    with np.errstate(over="ignore"):
        # By numbers, not -1: a block may be empty, as the last one of a file often is.
        sound = sound.astype(np.float32, copy=False).reshape(sound.shape[0], sound.shape[1] if sound.ndim == 2 else 1)
    return np.clip(np.where(np.isfinite(sound), sound, np.float32(0.0)), -LOUDEST, LOUDEST)


def average(sound: Array) -> Array:
    """[n, channels] to their mean [n]."""
    mono = np.zeros(sound.shape[0], np.float32)
    share = np.float32(1.0) / np.float32(sound.shape[1])
    for channel in range(sound.shape[1]):  # in this order, as the audio callback sums
        mono += sound[:, channel] * share
    return mono
