"""The burst method: one sweep of two thirds of a second, located in the echo by correlation.

Knows no sound card and no clock: a signal comes out, an array goes in. Pure numpy, any thread.

The echo is divided by the sweep in the frequency domain, bands that hum or noise spoil count less, and what remains is
the loop's impulse response: its peak is the delay, its sign the polarity, its height above the rest the confidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOWEST_HZ = 40.0
HIGHEST_SHARE = 0.46
"""Of the sample rate: the sweep's upper end."""
SWEEP_SAMPLES = 32_768
FOUND_RATIO = 8.0
"""A peak that many times the noise of the response is the echo; noise alone reaches about 5."""
FAINT_RATIO = 6.5
_FADE_SHARE = 1.0 / 64.0
_NOISE_BLOCK_SAMPLES = 2048
_APART_SAMPLES = 1024
_CLIP_LEVEL = 0.999
_TAIL_SAMPLES = 64
_SIZE_STEP = 8192


@dataclass(frozen=True, slots=True)
class BurstReading:
    """What one echo says. Where `ratio` is below FOUND_RATIO nothing else in it means anything."""

    delay_samples: float
    inverted: bool
    gain: float
    """Linear, over the band that the loop lets through."""
    noise_rms: float
    """Of the input before the burst, linear."""
    ratio: float
    """The peak over the noise of the response."""
    clipped_samples: int
    response: NDArray[np.float32]
    """The impulse response, float32 [n], from lag 0 on."""

    @property
    def found(self) -> bool:
        return self.ratio >= FOUND_RATIO

    @property
    def faint(self) -> bool:
        """Something is there, but it may as well be chance."""
        return FAINT_RATIO <= self.ratio < FOUND_RATIO

    @property
    def confidence(self) -> float:
        """0 at the threshold, 0.5 at twice, 0.99 at a hundred times the threshold."""
        return max(0.0, 1.0 - FOUND_RATIO / self.ratio) if self.ratio > 0.0 else 0.0


def make_sweep(rate_hz: int, length_samples: int = SWEEP_SAMPLES) -> NDArray[np.float32]:
    """The sweep at full scale, float32 [length], low to high in equal time for each octave, ends faded.

    Raises ValueError for a length or a rate at which there is nothing to sweep.
    """
    highest_hz = HIGHEST_SHARE * rate_hz
    if length_samples < 1024 or highest_hz <= 4 * LOWEST_HZ:
        raise ValueError(f"no sweep of {length_samples} samples at {rate_hz} Hz")
    octaves = math.log(highest_hz / LOWEST_HZ)
    share = np.arange(length_samples) / length_samples
    phase = 2.0 * math.pi * LOWEST_HZ * length_samples / rate_hz / octaves * np.expm1(share * octaves)
    sweep = np.sin(phase)
    fade = max(8, round(_FADE_SHARE * length_samples))
    ramp = 0.5 - 0.5 * np.cos(np.arange(fade) * (math.pi / fade))
    sweep[:fade] *= ramp
    sweep[-fade:] *= ramp[::-1]
    return sweep.astype(np.float32)


def read_burst(
    echo: NDArray[np.float32], sent: NDArray[np.float32], rate_hz: int, before_samples: int, max_delay_samples: int
) -> BurstReading:
    """Find `sent` in `echo`, float32 [before + n], whose sample `before_samples` is the one when `sent` began.

    `before_samples` of it (at least 2048) are taken as the noise. Delays from 0 to `max_delay_samples` are looked at,
    as far as the echo reaches. Raises ValueError for arrays that cannot be.
    """
    if before_samples < _NOISE_BLOCK_SAMPLES or echo.size < before_samples + sent.size:
        raise ValueError("the echo has too little before or after the burst")
    noise = np.asarray(echo[:before_samples], np.float64)
    heard = np.asarray(echo[before_samples:], np.float64)
    size = _SIZE_STEP * math.ceil((heard.size + sent.size) / _SIZE_STEP)  # of small factors, so the FFT is quick
    spectrum, passed = _response_spectrum(heard, sent, noise, rate_hz, size)
    response = np.fft.irfft(spectrum, size)
    lags = max(2, min(max_delay_samples, heard.size - sent.size) + 1)
    height = np.abs(response[:lags])
    peak = int(np.argmax(height))
    rest = np.concatenate([height[: max(0, peak - _APART_SAMPLES)], height[peak + _APART_SAMPLES :]])
    beyond = np.abs(response[-(sent.size // 2) :])  # before lag 0: noise alone
    floor = float(np.median(np.concatenate([rest, beyond]))) / 0.6745
    place, value = _refine(spectrum, size, peak)
    around = response[max(0, peak - _TAIL_SAMPLES) : peak + _TAIL_SAMPLES]
    energy = float(np.sum(around * around)) - around.size * floor * floor
    return BurstReading(
        delay_samples=max(0.0, place),
        inverted=value < 0.0,
        gain=math.sqrt(max(energy, value * value) / passed),
        noise_rms=float(np.sqrt(np.mean(noise * noise))),
        ratio=_ratio(abs(value), floor),
        clipped_samples=int(np.count_nonzero(np.abs(heard) >= _CLIP_LEVEL)),
        response=response[:lags].astype(np.float32),
    )


def stands_out(response: NDArray[np.float32]) -> bool:
    """Whether the sum of several responses, float32 [n], holds a peak that each alone may not show."""
    height = np.abs(response)
    return _ratio(float(height.max()), float(np.median(height)) / 0.6745) >= FAINT_RATIO


def _ratio(value: float, floor: float) -> float:
    if value < 1e-9:
        return 0.0  # digital silence, or as good as that
    return value / floor if floor > 1e-12 * value else 1e12


def _response_spectrum(
    heard: NDArray[np.float64], sent: NDArray[np.float32], noise: NDArray[np.float64], rate_hz: int, size: int
) -> tuple[NDArray[np.complex128], float]:
    """Echo over burst, [size // 2 + 1]: closed outside the sweep's band, and turned down where the noise is worst.

    With it the share of a perfect loop's power that this lets through.
    """
    sweep = np.fft.rfft(np.asarray(sent, np.float64), size)
    power = np.abs(sweep) ** 2
    hz: NDArray[np.float64] = np.arange(power.size, dtype=np.float64) * (rate_hz / size)
    top_hz = HIGHEST_SHARE * rate_hz
    band = _step(hz, LOWEST_HZ, 2.0 * LOWEST_HZ) * (1.0 - _step(hz, 0.93 * top_hz, top_hz))
    inside = band > 0.5
    weight = band
    noise_power = _noise_power(noise, hz, rate_hz)
    cost = noise_power / np.maximum(power, 1e-12 * power.max())
    typical = float(np.median(cost[inside]))
    if typical > 0.0:
        weight = band / (1.0 + 0.1 * cost / typical)
    least = 1e-6 * float(np.median(power[inside]))
    quotient: NDArray[np.complex128] = weight * np.fft.rfft(heard, size) * np.conj(sweep) / (power + least)
    return quotient, float(np.mean(weight * weight))


def _step(hz: NDArray[np.float64], low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """0 below, 1 above, half a cosine between."""
    rise: NDArray[np.float64] = 0.5 - 0.5 * np.cos(math.pi * np.clip((hz - low_hz) / (high_hz - low_hz), 0.0, 1.0))
    return rise


def _noise_power(noise: NDArray[np.float64], hz: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
    """The noise's power at those frequencies, up to a factor that is the same for all."""
    hop = _NOISE_BLOCK_SAMPLES // 2
    window = np.hanning(_NOISE_BLOCK_SAMPLES)
    starts = range(0, noise.size - _NOISE_BLOCK_SAMPLES + 1, hop)
    blocks = np.stack([noise[start : start + _NOISE_BLOCK_SAMPLES] for start in starts])
    power = np.mean(np.abs(np.fft.rfft(blocks * window, axis=1)) ** 2, axis=0)
    return np.interp(hz, np.arange(power.size) * (rate_hz / _NOISE_BLOCK_SAMPLES), power)


def _refine(spectrum: NDArray[np.complex128], size: int, peak: int) -> tuple[float, float]:
    """Place and height of the extremum near lag `peak` of the response between its samples."""
    omega = 2.0 * math.pi / size * np.arange(spectrum.size)
    place = float(peak)
    value = 0.0
    for _ in range(6):
        turned = spectrum * np.exp(1j * ((omega * place) % (2.0 * math.pi)))
        value = 2.0 / size * float(turned.real.sum())
        slope = -2.0 / size * float((turned.imag * omega).sum())
        bend = -2.0 / size * float((turned.real * omega * omega).sum())
        if bend * value >= 0.0:  # no hilltop here: the sample itself is the best there is
            break
        step = max(-0.5, min(0.5, -slope / bend))
        if abs(place + step - peak) > 1.0:
            break
        place += step
        if abs(step) < 1e-4:
            break
    return place, value
