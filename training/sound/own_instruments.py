"""Instruments of our own, without any sample: plucked, struck, blown and bowed tones, and a drum machine.

A second source of sound beside soundfonts, under this project's licence. General MIDI program numbers choose a kind of
tone. Knows no music. Deterministic; a process renders one part at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

_LONGEST_S = 4.0
_RELEASE_S = 0.03


@dataclass(frozen=True)
class Tone:
    """A kind of tone: partials `k ** -slope`, comb from the place of plucking, decay in 1/s (times k ** `damp`)."""

    slope: float
    pluck: float
    decay: float
    damp: float
    partials: int
    attack_s: float = 0.002
    odd: float = 1.0
    stretch: float = 0.0
    vibrato: float = 0.0
    breath: float = 0.0
    drawbars: tuple[tuple[float, float], ...] = ()


_DRAWBARS = ((0.5, 0.7), (1.0, 1.0), (1.5, 0.5), (2.0, 0.6), (3.0, 0.2), (4.0, 0.3))
_TONES: tuple[tuple[range, Tone], ...] = (
    (range(4), Tone(1.1, 0.12, 1.1, 0.5, 14, stretch=4e-4)),
    (range(4, 8), Tone(2.2, 0.0, 1.4, 0.8, 6, odd=0.5)),
    (range(8, 16), Tone(1.8, 0.0, 2.5, 0.6, 5, stretch=8e-3)),
    (range(16, 24), Tone(1.0, 0.0, 0.0, 0.0, 1, 0.006, drawbars=_DRAWBARS)),
    (range(24, 27), Tone(1.2, 0.17, 1.8, 0.8, 14)),
    (range(27, 32), Tone(1.0, 0.1, 1.2, 0.6, 14)),
    (range(32, 36), Tone(1.5, 0.25, 1.3, 0.9, 10)),
    (range(36, 40), Tone(1.0, 0.06, 2.0, 1.0, 14)),
    (range(40, 56), Tone(1.1, 0.0, 0.0, 0.0, 12, 0.06, vibrato=0.004)),
    (range(56, 72), Tone(1.0, 0.0, 0.0, 0.0, 12, 0.03, vibrato=0.004, breath=0.01)),
    (range(72, 80), Tone(2.0, 0.0, 0.0, 0.0, 5, 0.04, vibrato=0.005, breath=0.03)),
    (range(80, 128), Tone(1.0, 0.0, 0.3, 0.1, 14, 0.01, odd=0.7)),
)  # fmt: skip


def render_events(
    events: list[tuple[float, float, int, int]],
    program: int,
    *,
    drums: bool,
    length_samples: int,
    rate_hz: int,
    tuning_cents: float = 0.0,
) -> np.ndarray:
    """Mono float32 [length_samples] of (start_s, end_s, pitch, velocity) events; as `synth.render_events`."""
    out = np.zeros(length_samples + int(_LONGEST_S * rate_hz) + 1, dtype=np.float32)
    again: dict[int, float] = {}
    for start_s, end_s, pitch, velocity in sorted(events, reverse=True):
        at = max(0, round(start_s * rate_hz))
        if at >= length_samples:
            continue
        if drums:
            sound = _drum(pitch, rate_hz)
            limit = again.get(42, np.inf) if pitch == 46 else np.inf
            if limit < start_s + len(sound) / rate_hz:
                sound = _released(sound, max(0.0, limit - start_s), rate_hz)
        else:
            last = min(end_s, again.get(pitch, np.inf))
            sound = _released(_tone(program, pitch, velocity // 43, rate_hz, tuning_cents), last - start_s, rate_hz)
        again[pitch] = start_s
        out[at : at + len(sound)] += sound * np.float32((velocity / 127.0) ** 1.6)
    return out[:length_samples]


def _released(sound: np.ndarray, held_s: float, rate_hz: int) -> np.ndarray:
    held = max(0, int(held_s * rate_hz))
    release = int(_RELEASE_S * rate_hz)
    if held + release >= len(sound):
        return sound
    end = sound[: held + release].copy()
    end[held:] *= np.linspace(1.0, 0.0, release, dtype=np.float32)
    return end


@lru_cache(maxsize=512)
def _tone(program: int, pitch: int, touch: int, rate_hz: int, tuning_cents: float) -> np.ndarray:
    """The whole ring of one note. `touch` 0..2: the harder, the brighter."""
    tone = next(t for programs, t in _TONES if program in programs)
    frequency = 440.0 * 2.0 ** ((pitch - 69 + tuning_cents / 100.0) / 12.0)
    t = np.arange(int(_LONGEST_S * rate_hz)) / rate_hz
    rng = np.random.default_rng([program, pitch, touch])
    if tone.vibrato:
        t = t + tone.vibrato / (2.0 * np.pi * 5.3) * np.sin(2.0 * np.pi * 5.3 * t) * np.minimum(t / 0.4, 1.0)
    out = np.zeros(len(t))
    bright = 0.35 * (1 - touch)
    partials = tone.drawbars or tuple((float(k), _strength(tone, k, bright)) for k in range(1, tone.partials + 1))
    for k, strength in partials:
        place = k * frequency * np.sqrt(1.0 + tone.stretch * k * k)
        if place > 0.45 * rate_hz:
            continue
        decay = tone.decay * k**tone.damp * (frequency / 200.0) ** 0.4
        out += strength * np.exp(-decay * t) * np.sin(2.0 * np.pi * place * t + rng.uniform(0, 2 * np.pi))
    if tone.breath:
        out += tone.breath * signal.lfilter([1.0], [1.0, -0.7], rng.standard_normal(len(t)))
    attack = int(tone.attack_s * rate_hz)
    out[:attack] *= np.linspace(0.0, 1.0, attack)
    return (0.25 * out / np.sqrt(np.mean(out[: rate_hz // 4] ** 2) + 1e-9) * 0.4).astype(np.float32)


def _strength(tone: Tone, k: int, bright: float) -> float:
    comb = abs(np.sin(np.pi * k * tone.pluck)) + 0.05 if tone.pluck else 1.0
    return float(k ** -(tone.slope + bright) * comb * (tone.odd if k % 2 == 0 else 1.0))


@lru_cache(maxsize=128)
def _drum(pitch: int, rate_hz: int) -> np.ndarray:
    """One hit of a drum machine by General MIDI key."""
    rng = np.random.default_rng([0x6472, pitch])

    def skin(high_hz: float, low_hz: float, fall: float, decay: float, length_s: float) -> np.ndarray:
        t = np.arange(int(length_s * rate_hz)) / rate_hz
        place = low_hz * t + (high_hz - low_hz) / fall * (1.0 - np.exp(-fall * t))
        return np.sin(2.0 * np.pi * place) * np.exp(-decay * t)

    def hiss(low_hz: float, high_hz: float, decay: float, length_s: float) -> np.ndarray:
        n = int(length_s * rate_hz)
        band = signal.butter(2, [low_hz, min(high_hz, 0.47 * rate_hz)], "band", fs=rate_hz, output="sos")
        return signal.sosfilt(band, rng.standard_normal(n)) * np.exp(-decay * np.arange(n) / rate_hz)

    def metal(decay: float, length_s: float, base_hz: float, noise: float) -> np.ndarray:
        t = np.arange(int(length_s * rate_hz)) / rate_hz
        ring = sum(np.sign(np.sin(2 * np.pi * base_hz * r * t)) for r in (1.0, 1.342, 1.231, 1.617, 2.144, 2.731))
        high = signal.butter(2, 5500, "high", fs=rate_hz, output="sos")
        return (0.15 * signal.sosfilt(high, ring) + noise * hiss(6000, 14000, decay, length_s)) * np.exp(-decay * t)

    if pitch in (35, 36):
        out = skin(160, 48, 28, 7, 0.5)
        out[: int(0.004 * rate_hz)] += 0.4 * rng.standard_normal(int(0.004 * rate_hz))
    elif pitch in (38, 40):
        body, rattle = skin(240, 180, 30, 18, 0.35), hiss(1200, 9000, 14, 0.35)
        out = 0.6 * body + 0.7 * rattle
    elif pitch == 37:
        out = skin(1900, 1700, 60, 70, 0.08) + 0.3 * hiss(1500, 6000, 80, 0.08)
    elif pitch == 39:
        out = hiss(900, 4000, 18, 0.25)
    elif 41 <= pitch <= 50 and pitch not in (42, 44, 46, 49):
        low = 80.0 + 14.0 * (pitch - 41)
        out = skin(1.6 * low, low, 14, 7, 0.6)
    elif pitch in (42, 44):
        out = metal(60 if pitch == 42 else 90, 0.12, 320, 0.6)
    elif pitch == 46:
        out = metal(7, 0.7, 320, 0.6)
    elif pitch in (49, 57, 55):
        out = metal(2.2, 2.0, 260, 1.0)
    elif pitch in (51, 53, 59):
        out = metal(3.5, 1.2, 420, 0.25) + 0.15 * hiss(3000, 9000, 50, 1.2)
    elif pitch in (54, 69, 70, 82):
        out = hiss(5000, 13000, 28, 0.18)
    else:
        out = skin(900, 800, 40, 35, 0.15)
    return (0.5 * out / (np.abs(out).max() + 1e-9)).astype(np.float32)
