"""Loops made of arithmetic: delay, gain, polarity, noise, hum, clipping, an amplifier's band, a clock that drifts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class MadeLoop:
    """A loop with a memory: what an exchange sent may come back in a later one, as in a real one."""

    def __init__(
        self,
        delay: float = 100.0,
        gain: float = 1.0,
        rate_hz: int = 48_000,
        noise_rms: float = 0.0,
        hum: float = 0.0,
        clip: float | None = None,
        band: tuple[float, float] | None = None,
        drift_ppm: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.delay, self.gain, self.rate_hz = delay, gain, rate_hz
        self.noise_rms, self.hum, self.clip, self.band, self.drift_ppm = noise_rms, hum, clip, band, drift_ppm
        self.rng = np.random.default_rng(seed)
        self.sent = np.zeros(0, np.float32)
        self.loudest: list[float] = []

    def exchange(self, signal: NDArray[np.float32], before_samples: int, after_samples: int) -> NDArray[np.float32]:
        self.loudest.append(float(np.abs(signal).max()))
        silence = np.zeros(before_samples, np.float32), np.zeros(after_samples, np.float32)
        count = before_samples + signal.size + after_samples
        start = self.sent.size
        self.sent = np.concatenate([self.sent, silence[0], signal, silence[1]])
        reach = min(self.sent.size, count + math.ceil(self.delay) + 8192)
        heard = self._way_through(self.sent[-reach:].astype(np.float64), self.sent.size - reach)[-count:]
        if self.noise_rms:
            heard = heard + self.rng.normal(0.0, self.noise_rms, count)
        if self.hum:
            seconds = (start + np.arange(count)) / self.rate_hz
            heard = heard + sum(self.hum / k * np.sin(2 * np.pi * 50.0 * k * seconds + k) for k in (1, 2, 3, 5))
        if self.clip is not None:
            heard = np.clip(heard, -self.clip, self.clip)
        return heard.astype(np.float32)

    def _way_through(self, sound: NDArray[np.float64], first: int) -> NDArray[np.float64]:
        size = 8192 * math.ceil((sound.size + self.delay + 4096) / 8192)
        hz = np.arange(size // 2 + 1) * self.rate_hz / size
        spectrum = np.fft.rfft(sound, size) * self.gain
        if self.band is not None:  # a second-order roll-off on both sides, as of a cabinet and its microphone
            low, high = self.band
            spectrum *= (1j * hz / low / (1 + 1j * hz / low)) ** 2 / (1 + 1j * hz / high) ** 2
        spectrum *= np.exp(-2j * np.pi * hz / self.rate_hz * self.delay)
        if spectrum.size:
            spectrum[-1] = 0.0
        through = np.fft.irfft(spectrum, size)[: sound.size]
        if self.drift_ppm:
            n = np.arange(sound.size) + first
            through = np.interp(n - n * self.drift_ppm * 1e-6, n, through)
        return through


def noise_at(snr_db: float, signal: NDArray[np.float32], gain: float = 1.0) -> float:
    """RMS of the noise that lies so far below the signal."""
    return float(np.sqrt(np.mean(np.square(signal)))) * gain * 10.0 ** (-snr_db / 20.0)
