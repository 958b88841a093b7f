"""Augments the sound of the lead: drive, cabinet, room, tone, noise, hum, level, clipping, bleed of the band.

Knows no music. Pure functions of (sound, rate, generator).
"""

from __future__ import annotations

import numpy as np
from scipy import signal

_EPS = 1e-9


def rms_db(x: np.ndarray) -> float:
    """Level of a whole array in dBFS."""
    return float(10.0 * np.log10(np.mean(np.square(x, dtype=np.float64)) + _EPS**2))


def active_rms_db(x: np.ndarray, rate_hz: int) -> float:
    """Level in dBFS of what sounds: the 50 ms blocks within 30 dB of the 95th percentile. -200: silent."""
    block = rate_hz // 20
    count = len(x) // block
    if count == 0:
        return rms_db(x)
    power = np.mean(np.square(x[: count * block].reshape(count, block), dtype=np.float64), axis=1)
    top = np.percentile(power, 95)
    if top < 1e-12:
        top = power.max()
    if top < 1e-12:
        return -200.0
    return float(10.0 * np.log10(power[power >= top * 1e-3].mean()))


def drive(x: np.ndarray, gain_db: float, bias: float) -> np.ndarray:
    """Valve-like waveshaping at twice the rate, so that most of the folding stays away."""
    up = signal.resample_poly(x, 2, 1)
    gain = 10.0 ** (gain_db / 20.0)
    level = np.tanh(bias)
    shaped = np.tanh(gain * up + bias) - level
    out = signal.resample_poly(shaped, 1, 2)[: len(x)]
    return (out - out.mean()).astype(np.float32)


def cabinet(x: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """A made-up loudspeaker: low cut, a bump, a few resonances, and little above 4 to 6 kHz."""
    grid = np.array([0, 60, 90, 150, 400, 1000, 2200, 3500, 5000, 7000, 0.5 * rate_hz])
    top = float(rng.uniform(-4, 6))
    shape_db = np.array(
        [
            -40,
            -22,
            -4,
            2 + rng.normal(0, 1.5),
            -2 + rng.normal(0, 1.5),
            rng.normal(0, 1.5),
            3 + rng.normal(0, 1.5),
            top,
            -8 + rng.normal(0, 3),
            -26 + rng.normal(0, 4),
            -60,
        ]
    )
    taps = signal.firwin2(513, grid, 10.0 ** (shape_db / 20.0), fs=rate_hz)
    minimum = signal.minimum_phase(taps, half=False)
    return signal.fftconvolve(x, minimum)[: len(x)].astype(np.float32)


def room(x: np.ndarray, rate_hz: int, rng: np.random.Generator, rt60_s: float, wet: float) -> np.ndarray:
    """Early echoes and a decaying noise tail, mixed in with gain `wet`."""
    n = int(rt60_s * rate_hz)
    t = np.arange(n) / rate_hz
    tail = rng.standard_normal(n) * 10.0 ** (-3.0 * t / rt60_s)
    tail[: int(0.004 * rate_hz)] = 0.0
    tail = signal.lfilter([0.35], [1.0, -0.65], tail)
    for _ in range(6):
        tail[int(rng.uniform(0.003, min(0.03, rt60_s * 0.9)) * rate_hz)] += rng.normal(0, 1.0)
    tail /= np.sqrt(np.sum(tail**2)) + _EPS
    return (x + wet * signal.fftconvolve(x, tail)[: len(x)]).astype(np.float32)


def tilt(x: np.ndarray, rate_hz: int, db: float, pivot_hz: float = 800.0) -> np.ndarray:
    """Tone: `db` more above the pivot and as much less below (first order)."""
    g = 10.0 ** (db / 20.0)
    w = 2.0 * np.pi * pivot_hz
    b, a = signal.bilinear([g, w / g], [1.0, w], fs=rate_hz)
    return signal.lfilter(b, a, x).astype(np.float32)


def peak_eq(x: np.ndarray, rate_hz: int, centre_hz: float, q: float, db: float) -> np.ndarray:
    """One parametric band."""
    a = 10.0 ** (db / 40.0)
    w = 2.0 * np.pi * centre_hz / rate_hz
    alpha = np.sin(w) / (2.0 * q)
    b = np.array([1 + alpha * a, -2 * np.cos(w), 1 - alpha * a])
    d = np.array([1 + alpha / a, -2 * np.cos(w), 1 - alpha / a])
    return signal.lfilter(b / d[0], d / d[0], x).astype(np.float32)


def hum(n: int, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Mains hum of unit level: 50 or 60 Hz and its harmonics."""
    base = 50.0 if rng.random() < 0.5 else 60.0
    t = np.arange(n) / rate_hz
    out = np.zeros(n)
    for k in range(1, 8):
        out += rng.uniform(0.1, 1.0) / k * np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6.28))
    return (out / (np.std(out) + _EPS)).astype(np.float32)


def noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit level between white and pink."""
    white = rng.standard_normal(n).astype(np.float32)
    pole = float(rng.uniform(0.0, 0.95))
    out = signal.lfilter([1.0], [1.0, -pole], white)
    return (out / (np.std(out) + _EPS)).astype(np.float32)


def live_lead(
    clean: np.ndarray, band: np.ndarray, rate_hz: int, rng: np.random.Generator, electric: bool, amp_share: float
) -> np.ndarray:
    """The lead as the microphone or the jack gives it. `clean` at a known level, `band` the band's mix. Same length."""
    x: np.ndarray = clean.astype(np.float32)
    level = active_rms_db(x, rate_hz)
    if level < -100.0:
        level = -20.0
    amp = electric and rng.random() < amp_share
    if amp:
        x = drive(x * 10.0 ** ((-18.0 - level) / 20.0), float(rng.uniform(0, 30)), float(rng.uniform(0, 0.3)))
        x = cabinet(x, rate_hz, rng)
    if rng.random() < 0.6:
        x = tilt(x, rate_hz, float(rng.uniform(-5, 5)))
    if rng.random() < 0.5:
        x = peak_eq(
            x,
            rate_hz,
            float(np.exp(rng.uniform(np.log(120), np.log(5000)))),
            float(rng.uniform(0.6, 2.5)),
            float(rng.uniform(-8, 8)),
        )
    if rng.random() < 0.5:
        x = room(x, rate_hz, rng, float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.05, 0.6)))
    now = active_rms_db(x, rate_hz)
    if now > -150:
        x = x * np.float32(10.0 ** ((-20.0 - now) / 20.0))
    reference = 0.1
    if rng.random() < 0.5:
        bleed: np.ndarray = np.zeros_like(x)
        delay = int(rng.uniform(0.005, 0.06) * rate_hz)
        bleed[delay:] = band[: len(band) - delay]
        if rng.random() < 0.6:
            bleed = room(bleed, rate_hz, rng, float(rng.uniform(0.15, 0.5)), float(rng.uniform(0.3, 1.0)))
        bleed = tilt(bleed, rate_hz, float(rng.uniform(-6, 0)))
        have = active_rms_db(bleed, rate_hz)
        if have > -150:
            x = x + bleed * np.float32(10.0 ** ((-20.0 + rng.uniform(-40, -15) - have) / 20.0))
    x = x + noise(len(x), rng) * np.float32(reference * 10.0 ** (-rng.uniform(25, 60) / 20.0))
    if rng.random() < 0.35:
        x = x + hum(len(x), rate_hz, rng) * np.float32(reference * 10.0 ** (-rng.uniform(30, 55) / 20.0))
    gain = 10.0 ** (float(rng.uniform(-18.0, 6.0)) / 20.0)
    x = x * np.float32(gain)
    if rng.random() < 0.08:
        limit = float(np.percentile(np.abs(x), 99.5)) + _EPS
        x = np.clip(x, -limit, limit)
    return np.clip(x, -1.0, 1.0).astype(np.float32)
