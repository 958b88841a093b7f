"""The output limiter: a soft limiter without look-ahead that lets no sample exceed its ceiling.

Knows neither rings nor ports. `limiter_gain` is compiled into the audio callback; `limit` is the same for arrays. The
channels of one sound share one gain, that of the loudest: the stereo image stays where it is.

Below the knee (3 dB under the ceiling) it does nothing. Above, an envelope with instant attack and slow release sets
the gain such that the loudest sample lands on a curve which nears the ceiling and never reaches it. With no
look-ahead there is no delay; the attack acts as a soft clipper for the first half wave.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numpy.typing import NDArray

from . import word_table as _word_table
from .raw_memory import (
    cached_cfunc,
    load_f32,
    load_f64,
    realtime,
    store_f32,
    store_f64,
)
from .word_table import WordTable

KNEE = math.sqrt(0.5)
"""Where limiting begins, as a share of the ceiling."""
RELEASE_MS = 120.0
LOUDEST = 16.0
"""24 dB over full scale: more than that is no sound, and counts as so much, or its release would take seconds."""

LIMITER_TABLE = WordTable("Limiter", "The soft limiter before the output: `dsp/limiter.py`. All words are float64.")
LIMITER_TABLE.writer("inference thread")
CEILING = LIMITER_TABLE.word("CEILING", "float64", "no sample is larger in magnitude; a float32 value", "linear")
KNEE_LEVEL = LIMITER_TABLE.word("KNEE_LEVEL", "float64", "where limiting begins; never above CEILING", "linear")
RELEASE = LIMITER_TABLE.word("RELEASE", "float64", "decay of the envelope for each sample")
LIMITER_TABLE.writer("audio callback")
ENVELOPE = LIMITER_TABLE.word("ENVELOPE", "float64", "instant attack, slow release", "linear")
LIMITER_WORDS = LIMITER_TABLE.size


@realtime
def limiter_gain(limiter, level):
    """The gain of one moment whose loudest channel has that magnitude, float64, and whether it is below 1."""
    ceiling = load_f64(limiter, CEILING)
    knee = load_f64(limiter, KNEE_LEVEL)
    envelope = max(level, load_f64(limiter, ENVELOPE) * load_f64(limiter, RELEASE))
    store_f64(limiter, ENVELOPE, envelope)
    if envelope <= knee:
        return 1.0, 0
    room = ceiling - knee
    over = (envelope - knee) / room
    return (knee + room * (over / (1.0 + over))) / envelope, 1


@realtime
def at_most_loudest(sample):
    return max(-LOUDEST, min(LOUDEST, sample))


@realtime
def hold_ceiling(limiter, sample):
    """A float64 sample that was limited, as float32: neither rounding nor an infinite `over` steps over the ceiling,
    which is a float32 value."""
    ceiling = load_f64(limiter, CEILING)
    return max(np.float32(-ceiling), min(np.float32(ceiling), np.float32(sample)))


@realtime
def limit_sample(limiter, sample):
    """One finite float64 sample through the limiter whose state stands at the address; returns (float32, limited?)."""
    sample = at_most_loudest(sample)
    gain, limited = limiter_gain(limiter, abs(sample))
    return hold_ceiling(limiter, sample * gain), limited


SOURCES = (__file__, _word_table.__file__)


@cached_cfunc(*SOURCES)(types.int64(*(types.int64,) * 5))
def _limit(limiter, source, destination, channels, count):
    """[channels, count] with one gain for all of them; returns how many moments were limited."""
    limited = 0
    for i in range(count):
        level = 0.0
        for channel in range(channels):
            level = max(level, abs(at_most_loudest(np.float64(load_f32(source, channel * count + i)))))
        gain, hit = limiter_gain(limiter, level)
        for channel in range(channels):
            place = channel * count + i
            sample = at_most_loudest(np.float64(load_f32(source, place)))
            store_f32(destination, place, hold_ceiling(limiter, sample * gain))
        limited += hit
    return limited


def setup_limiter(words: NDArray[np.float64], rate_hz: int, ceiling_dbfs: float) -> None:
    """Fill float64 [LIMITER_WORDS] for a rate and a ceiling. Raises ValueError for a ceiling above 0 dBFS."""
    if not -120.0 <= ceiling_dbfs <= 0.0:
        raise ValueError(f"a limiter ceiling lies between -120 and 0 dBFS, not at {ceiling_dbfs}")
    exact = 10.0 ** (ceiling_dbfs / 20.0)
    ceiling = np.float32(exact)
    if float(ceiling) > exact:
        ceiling = np.nextafter(ceiling, np.float32(0.0))
    words[:] = 0.0
    words[CEILING] = float(ceiling)
    words[KNEE_LEVEL] = float(ceiling) * KNEE
    words[RELEASE] = math.exp(-1000.0 / (RELEASE_MS * rate_hz))


class Limiter:
    """The same limiter for arrays (files, offline). One thread at a time."""

    def __init__(self, rate_hz: int, ceiling_dbfs: float = -1.0) -> None:
        self._words = np.zeros(LIMITER_WORDS, np.float64)
        setup_limiter(self._words, rate_hz, ceiling_dbfs)
        self.limited_samples = 0

    @property
    def ceiling(self) -> float:
        """Linear; no output is larger in magnitude."""
        return float(self._words[CEILING])

    def limit(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Limit finite float32 [n] or [channels, n], these with one gain for all; the state goes on from call to call.

        Non-finite samples must be gone already.
        """
        block = np.ascontiguousarray(samples, np.float32)
        result = np.empty_like(block)
        channels = 1 if block.ndim == 1 else block.shape[0]
        self.limited_samples += int(
            _limit.ctypes(self._words.ctypes.data, block.ctypes.data, result.ctypes.data, channels, block.shape[-1])
        )
        return result
