"""What lies between an instrument and its amplifier: compression, distortion, wah, chorus, tremolo, delay.

Knows no music. Pure functions of (sound, rate, generator), float32 in and out; the same length.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from . import augment


def compress(x: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Levels out touch: a ratio of 2 to 8 above a threshold, 5 ms in, 50 to 300 ms out."""
    hop = rate_hz // 200
    blocks = np.abs(x[: len(x) // hop * hop]).reshape(-1, hop).max(axis=1)
    release = float(np.exp(-1.0 / (200.0 * rng.uniform(0.05, 0.3))))
    level = np.empty_like(blocks)
    held = 0.0
    for k, peak in enumerate(blocks):
        held = max(float(peak), held * release)
        level[k] = held
    threshold = float(np.percentile(level, 90)) * 10.0 ** (-rng.uniform(6, 24) / 20.0) + 1e-9
    gain = np.minimum(1.0, (threshold / np.maximum(level, 1e-9)) ** (1.0 - 1.0 / rng.uniform(2.0, 8.0)))
    smooth = np.interp(np.arange(len(x)), (np.arange(len(gain)) + 0.5) * hop, gain)
    return (x * smooth).astype(np.float32)


def distort(x: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """A distortion pedal or a high-gain channel: lows tightened, 20 to 55 dB of drive, a gate for the noise."""
    low = signal.butter(1, float(rng.uniform(60, 220)), "high", fs=rate_hz, output="sos")
    tight = signal.sosfilt(low, x).astype(np.float32)
    tight = tight * np.float32(10.0 ** ((-18.0 - augment.active_rms_db(tight, rate_hz)) / 20.0))
    return augment.drive(tight, float(rng.uniform(20, 55)), float(rng.uniform(0, 0.3)))


def wah(x: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """A resonant band that moves, by the foot: blocks of 20 ms, crossfaded."""
    hop = rate_hz // 50
    count = len(x) // hop + 2
    sweep = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.2, 4.0) * np.arange(count) / 50.0 + rng.uniform(0, 6.28))
    centres = np.geomspace(450.0, 2200.0, 6)
    bands = np.stack([signal.lfilter(*signal.iirpeak(c, 3.0, fs=rate_hz), x) for c in centres])
    place = np.interp(np.arange(len(x)), np.arange(count) * hop, sweep) * (len(centres) - 1)
    index = np.minimum(place.astype(np.int64), len(centres) - 2)
    share = place - index
    at = np.arange(len(x))
    moved = bands[index, at] * (1 - share) + bands[index + 1, at] * share
    return (0.25 * x + 2.0 * moved).astype(np.float32)


def chorus(x: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """A copy with a delay that wavers around 8 to 20 ms (a flanger: 1 to 4 ms)."""
    base = rng.uniform(0.008, 0.02) if rng.random() < 0.7 else rng.uniform(0.001, 0.004)
    at = np.arange(len(x))
    waver = base * (1.0 + rng.uniform(0.1, 0.5) * np.sin(2 * np.pi * rng.uniform(0.1, 3.0) * at / rate_hz))
    wet = np.interp(at - waver * rate_hz, at, x, left=0.0)
    return (x + rng.uniform(0.3, 0.9) * wet).astype(np.float32)


def tremolo(x: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Loudness that wavers, at a rate of its own."""
    wave = np.sin(2 * np.pi * rng.uniform(2.5, 8.0) * np.arange(len(x)) / rate_hz)
    return (x * (1.0 - rng.uniform(0.1, 0.45) * (1.0 + wave))).astype(np.float32)


def delay(x: np.ndarray, rate_hz: int, rng: np.random.Generator, beat_s: float) -> np.ndarray:
    """Echoes: slap-back, or in time with the music (a beat, a half, dotted), or not."""
    draw = rng.random()
    time_s = float(
        rng.uniform(0.07, 0.14)
        if draw < 0.4
        else rng.choice((1.0, 0.5, 0.75)) * beat_s
        if draw < 0.75
        else rng.uniform(0.2, 0.6)
    )
    gap, back = max(1, int(time_s * rate_hz)), float(rng.uniform(0.1, 0.45))
    wet = np.zeros_like(x)
    level = float(rng.uniform(0.15, 0.5))
    for k in range(1, 5):
        if k * gap >= len(x):
            break
        wet[k * gap :] += level * back ** (k - 1) * x[: len(x) - k * gap]
    return (x + wet).astype(np.float32)


def board(
    x: np.ndarray, rate_hz: int, rng: np.random.Generator, beat_s: float, driven: bool, electric: bool
) -> np.ndarray:
    """A pedal board and its amplifier: what of it is on, is drawn. `driven`: always distorted."""
    if rng.random() < (0.4 if electric else 0.15):
        x = compress(x, rate_hz, rng)
    if electric and rng.random() < 0.08:
        x = wah(x, rate_hz, rng)
    if driven or (electric and rng.random() < 0.12):
        x = augment.cabinet(distort(x, rate_hz, rng), rate_hz, rng)
    if rng.random() < (0.25 if electric else 0.08):
        x = chorus(x, rate_hz, rng)
    if electric and rng.random() < 0.1:
        x = tremolo(x, rate_hz, rng)
    if rng.random() < (0.25 if electric else 0.06):
        x = delay(x, rate_hz, rng, beat_s)
    return x
