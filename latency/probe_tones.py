"""The phase method: thirteen steady tones whose phases give the delay to a fraction of a sample.

Knows no sound card and no clock: a signal comes out, an array goes in. Pure numpy, any thread.

The tones are those of the well-known JACK and ALSA delay meters: whole numbers of cycles in 65,536 samples, the first
strong, for the fraction; each of the others halves what is still open, from 16 samples up to 65,536. What is longer
wraps without a sign: the burst (probe_burst.py) says how often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERIOD_SAMPLES = 65_536
CYCLES: tuple[int, ...] = (4096, 2048, 3072, 2560, 2304, 2176, 1088, 1312, 1552, 1800, 3332, 3586, 3841)
"""Of each tone in one period; from the second on an odd number times a falling power of two."""
FIRST_AMPLITUDE = 0.2
OTHER_AMPLITUDE = 0.01
PEAK = FIRST_AMPLITUDE + OTHER_AMPLITUDE * (len(CYCLES) - 1)
SETTLE_SAMPLES = 4096
"""The beginning of the echo that is left out: it fades in, and a loop needs time to ring."""
CERTAIN_DOUBT = 0.5
"""A tone that stands further than this from both of its choices decides nothing."""
_FADE_SAMPLES = 1024
_DRIFT_BLOCK_SAMPLES = 1024
_STRONG_CYCLES = PERIOD_SAMPLES // CYCLES[0]


@dataclass(frozen=True, slots=True)
class ToneReading:
    """What one stretch of the echo says."""

    delay_samples: float
    """In [0, 65536): longer delays wrap."""
    inverted: bool
    gain: float
    """Of the strong tone, linear."""
    noise_rms: float
    """What is in the echo beside the tones, linear."""
    doubt: float
    """Largest distance of a tone from its choice, as a share of what would turn it over: 0 is sure, 1 is a coin."""
    drift_ppm: float
    """How much the delay grows, in millionths of the time: above 0 the output's clock is the slower one."""

    @property
    def certain(self) -> bool:
        return self.doubt < CERTAIN_DOUBT


def make_tones(periods: int = 2) -> NDArray[np.float32]:
    """The test signal, float32 [periods * 65536 + settling], faded in and out; its peak is below PEAK.

    Raises ValueError for less than one period.
    """
    if periods < 1:
        raise ValueError("the tones last one period at least")
    n = np.arange(periods * PERIOD_SAMPLES + SETTLE_SAMPLES + _FADE_SAMPLES)
    sound = np.zeros(n.size)
    for cycles in CYCLES:
        amplitude = FIRST_AMPLITUDE if cycles == CYCLES[0] else OTHER_AMPLITUDE
        sound += amplitude * np.cos(2.0 * math.pi / PERIOD_SAMPLES * (cycles * n % PERIOD_SAMPLES))
    fade = 0.5 - 0.5 * np.cos(np.arange(_FADE_SAMPLES) * (math.pi / _FADE_SAMPLES))
    sound[:_FADE_SAMPLES] *= fade
    sound[-_FADE_SAMPLES:] *= fade[::-1]
    return sound.astype(np.float32)


def read_tones(echo: NDArray[np.float32], first_sample: int = 0) -> ToneReading:
    """The delay from steady tones in float32 [n], n >= 65536; `first_sample` is echo[0]'s place in the signal's time.

    The last whole periods are used. Raises ValueError for less than one.
    """
    periods = echo.size // PERIOD_SAMPLES
    if periods < 1:
        raise ValueError(f"the tones are read from {PERIOD_SAMPLES} samples or more, not {echo.size}")
    skipped = echo.size - periods * PERIOD_SAMPLES
    heard = np.asarray(echo[skipped:], np.float64)
    first_sample += skipped
    window = 0.5 - 0.5 * np.cos(2.0 * math.pi / heard.size * np.arange(heard.size))
    spectrum = np.fft.rfft(heard * window)
    bins = np.array(CYCLES) * periods
    start = np.array([cycles * first_sample % PERIOD_SAMPLES for cycles in CYCLES])
    values = spectrum[bins] * np.exp(-2j * math.pi / PERIOD_SAMPLES * start) / (window.sum() / 2.0)
    turns = (-np.angle(values) / (2.0 * math.pi)) % 1.0
    upright, upright_doubt = _unwrap(turns)
    turned, turned_doubt = _unwrap((turns + 0.5) % 1.0)
    inverted = turned_doubt < upright_doubt
    power = float(np.mean(heard * heard)) - 0.5 * float(np.sum(np.abs(values) ** 2))
    return ToneReading(
        delay_samples=(turned if inverted else upright) % PERIOD_SAMPLES,
        inverted=inverted,
        gain=float(abs(values[0])) / FIRST_AMPLITUDE,
        noise_rms=math.sqrt(max(0.0, power)),
        doubt=min(upright_doubt, turned_doubt),
        drift_ppm=_drift_ppm(heard),
    )


def _unwrap(turns: NDArray[np.float64]) -> tuple[float, float]:
    """Delay modulo 65536 from each tone's lag in turns [tones]; and the largest doubt."""
    delay = turns[0] * _STRONG_CYCLES
    step = float(_STRONG_CYCLES)
    doubt = 0.0
    for cycles, lag in zip(CYCLES[1:], turns[1:], strict=True):
        # `step` more or less samples move this tone by half a turn (and a whole number of them).
        off = (lag - cycles * delay / PERIOD_SAMPLES) % 1.0
        far = 0.25 < off < 0.75
        distance = abs(off - 0.5) if far else min(off, 1.0 - off)
        doubt = max(doubt, 4.0 * distance)
        delay += step if far else 0.0
        step *= 2.0
    return float(delay), doubt


def _drift_ppm(heard: NDArray[np.float64]) -> float:
    """From the strong tone's phase over time."""
    blocks = heard[: heard.size - heard.size % _DRIFT_BLOCK_SAMPLES].reshape(-1, _DRIFT_BLOCK_SAMPLES)
    n = np.arange(_DRIFT_BLOCK_SAMPLES)
    carrier = np.exp(-2j * math.pi / _STRONG_CYCLES * n) * (0.5 - 0.5 * np.cos(2 * math.pi * n / n.size))
    phases = np.unwrap(np.angle(blocks @ carrier))
    slope = np.polyfit(np.arange(phases.size), phases, 1)[0]  # radians a block
    return float(-slope * _STRONG_CYCLES / (2.0 * math.pi) / _DRIFT_BLOCK_SAMPLES * 1e6)
