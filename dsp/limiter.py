"""The output limiter: a soft limiter without look-ahead that lets no sample exceed its ceiling.

Knows neither rings nor ports. `limit_sample` is compiled into the audio callback; `limit` is the same for arrays.

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
def limit_sample(limiter, sample):
    """One finite float64 sample through the limiter whose state stands at the address; returns (float32, limited?)."""
    ceiling = load_f64(limiter, CEILING)
    knee = load_f64(limiter, KNEE_LEVEL)
    sample = max(-LOUDEST, min(LOUDEST, sample))
    level = abs(sample)
    envelope = max(level, load_f64(limiter, ENVELOPE) * load_f64(limiter, RELEASE))
    store_f64(limiter, ENVELOPE, envelope)
    if envelope <= knee:
        return np.float32(sample), 0
    room = ceiling - knee
    over = (envelope - knee) / room
    gain = (knee + room * (over / (1.0 + over))) / envelope
    limited = np.float32(sample * gain)
    # The ceiling is a float32 value, so neither rounding nor an infinite `over` can step over it.
    return max(np.float32(-ceiling), min(np.float32(ceiling), limited)), 1


SOURCES = (__file__, _word_table.__file__)


@cached_cfunc(*SOURCES)(types.int64(types.int64, types.int64, types.int64, types.int64))
def _limit(limiter, source, destination, count):
    limited = 0
    for i in range(count):
        value, hit = limit_sample(limiter, np.float64(load_f32(source, i)))
        store_f32(destination, i, value)
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
        """Limit finite float32 [n]; the state goes on from call to call. Non-finite samples must be gone already."""
        block = np.ascontiguousarray(samples, np.float32)
        result = np.empty_like(block)
        self.limited_samples += int(
            _limit.ctypes(self._words.ctypes.data, block.ctypes.data, result.ctypes.data, block.size)
        )
        return result
