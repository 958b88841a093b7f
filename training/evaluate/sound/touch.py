"""Touch: how a renderer's sound answers velocity, how it begins and ends, beside the same notes through a soundfont.

Measured on hits that stand alone. Classical measures, no learnt weights; knows neither band nor engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .takes import RATE_HZ, Note, Notes

FloatArray = NDArray[np.floating[Any]]
VOICES: dict[str, tuple[str, frozenset[int]]] = {
    "kick": ("drums", frozenset((35, 36))),
    "snare": ("drums", frozenset((38, 40))),
    "hat": ("drums", frozenset((42, 44, 46))),
    "ride": ("drums", frozenset((51, 53, 59))),
    "bass": ("bass", frozenset(range(128))),
    "keys": ("keys", frozenset(range(128))),
}
CLASSES = 8
"""Of velocity, 16 wide each."""
_ALONE_BEFORE_S, _ALONE_AFTER_S = 0.09, 0.09
_CHORD_S = 0.025
_METAL = VOICES["hat"][1] | VOICES["ride"][1]
_LEVEL_S = 0.08
_RISE_FROM_S, _RISE_TO_S = -0.02, 0.06
_DECAY_MOST_S = 0.6
_FLOOR = 1e-6
_FOURTH = 5
LEAST_HITS = 3
"""Fewer are no median."""


@dataclass
class VoiceTouch:
    """What hits of one voice were like. Lists hold a number for each."""

    levels_db: dict[int, list[float]] = field(default_factory=dict)
    """By class of velocity: RMS of the first 80 ms."""
    rise_ms: list[float] = field(default_factory=list)
    decay_ms: list[float] = field(default_factory=list)
    """From the peak to 20 dB below it; as long as it could be watched where it does not get there."""
    below_100_hz_db: list[float] = field(default_factory=list)
    """Share of the energy of the first 150 ms."""

    def add(self, other: VoiceTouch) -> None:
        for level, values in other.levels_db.items():
            self.levels_db.setdefault(level, []).extend(values)
        for name in ("rise_ms", "decay_ms", "below_100_hz_db"):
            getattr(self, name).extend(getattr(other, name))

    def row(self) -> dict[str, Any]:
        """Medians; None for too few."""
        levels = {str(k): median(v) for k, v in sorted(self.levels_db.items()) if len(v) >= LEAST_HITS}
        values = [value for value in levels.values() if value is not None]
        return {
            "hits": sum(len(v) for v in self.levels_db.values()),
            "level_db": levels,
            "range_db": values[-1] - values[0] if len(values) > 1 else None,
            "rise_ms": median(self.rise_ms), "decay_ms": median(self.decay_ms),
            "below_100_hz_db": median(self.below_100_hz_db),
        }  # fmt: skip


def median(values: Sequence[float]) -> float | None:
    """None for fewer than LEAST_HITS."""
    return float(np.median(values)) if len(values) >= LEAST_HITS else None


def velocity_class(velocity: int) -> int:
    """1 to CLASSES."""
    return min(CLASSES, max(1, velocity * CLASSES // 128 + 1))


def alone(notes: Notes, voice: str) -> Iterator[tuple[Note, float]]:
    """Hits of a voice with none beside them, and how long until the next one.

    Of a chord (keys that are struck together) the loudest note stands for all. Beside a kick or a snare, hats and the
    ride do not count: they are far quieter, and the reference has them too.
    """
    part, pitches = VOICES[voice]
    skins = voice in ("kick", "snare")
    heard = (n for n in notes if n.part == part and (n.pitch in pitches or not skins or n.pitch not in _METAL))
    hits: list[Note] = []
    for note in sorted(heard, key=lambda note: (note.start_s, -note.velocity)):
        if part == "keys" and hits and note.start_s - hits[-1].start_s < _CHORD_S:
            if note.velocity > hits[-1].velocity:
                hits[-1] = note._replace(start_s=hits[-1].start_s)
            continue
        hits.append(note)
    for place, note in enumerate(hits):
        before = note.start_s - hits[place - 1].start_s if place else math.inf
        after = hits[place + 1].start_s - note.start_s if place + 1 < len(hits) else math.inf
        if note.pitch in pitches and before >= _ALONE_BEFORE_S and after >= _ALONE_AFTER_S:
            yield note, after


def touch_of(sound: FloatArray, notes: Notes, voice: str) -> VoiceTouch:
    """The hits of a voice in its part's sound, [2, n] or [n] at RATE_HZ."""
    mono = np.asarray(sound, np.float64)
    mono = mono.mean(axis=0) if mono.ndim == 2 else mono
    found = VoiceTouch()
    for note, until_s in alone(notes, voice):
        _add_hit(found, mono, note, until_s, low=voice == "kick")
    return found


def _add_hit(found: VoiceTouch, mono: FloatArray, note: Note, until_s: float, low: bool) -> None:
    at = round(note.start_s * RATE_HZ)
    first, last = at + round(_RISE_FROM_S * RATE_HZ), at + round(_RISE_TO_S * RATE_HZ)
    if first < 0 or last >= mono.size:
        return
    body = mono[at - round(0.005 * RATE_HZ) : at + round(_LEVEL_S * RATE_HZ)]
    level = float(np.sqrt(np.mean(np.square(body))))
    if level < _FLOOR:
        return
    found.levels_db.setdefault(velocity_class(note.velocity), []).append(20.0 * math.log10(level))
    envelope = _envelope(mono[first : last + round(_DECAY_MOST_S * RATE_HZ)], 48)
    peak = int(np.argmax(envelope[: last - first]))
    top = float(envelope[peak])
    rising = envelope[: peak + 1]
    ten, ninety = np.flatnonzero(rising <= 0.1 * top), np.flatnonzero(rising >= 0.9 * top)
    if len(ten) and len(ninety):
        found.rise_ms.append(1000.0 * max(0, int(ninety[0]) - int(ten[-1])) / RATE_HZ)
    watched = min(len(envelope), at - first + round(min(until_s, _DECAY_MOST_S) * RATE_HZ))
    smooth = _envelope(mono[first : first + watched], 480)
    fallen = np.flatnonzero(smooth[peak:] < 0.1 * float(smooth.max(initial=_FLOOR)))
    found.decay_ms.append(1000.0 * (int(fallen[0]) if len(fallen) else max(0, len(smooth) - peak)) / RATE_HZ)
    if low:
        window = mono[at : at + round(0.15 * RATE_HZ)]
        power = np.abs(np.fft.rfft(window)) ** 2
        share = power[np.fft.rfftfreq(window.size, 1.0 / RATE_HZ) < 100.0].sum() / max(power.sum(), 1e-20)
        found.below_100_hz_db.append(10.0 * math.log10(max(float(share), 1e-9)))


def _envelope(sound: FloatArray, window: int) -> FloatArray:
    """Root of the mean square over a centred window."""
    if not len(sound):
        return np.zeros(0)
    power = np.convolve(np.square(sound), np.full(window, 1.0 / window), "same")
    return np.asarray(np.sqrt(np.maximum(power, 0.0)))


def above_16_khz_db(sound: FloatArray) -> float:
    """Share of a part's energy above 16 kHz, dB; -90 at least."""
    mono = np.asarray(sound, np.float64)
    mono = mono.mean(axis=0) if mono.ndim == 2 else mono
    power = np.zeros(2049)
    for first in range(0, mono.size - 4096, 4096):
        power += np.abs(np.fft.rfft(mono[first : first + 4096] * np.hanning(4096))) ** 2
    share = power[np.fft.rfftfreq(4096, 1.0 / RATE_HZ) >= 16_000.0].sum() / max(float(power.sum()), 1e-20)
    return max(-90.0, 10.0 * math.log10(max(float(share), 1e-9)))


def register(takes: Sequence[Notes]) -> dict[str, float | None]:
    """Where the keys play: median pitch, shares of the notes below middle C and below C3, and the share of their time
    in which the bass sounds above them or nearer than a fourth below."""
    keys = [note for notes in takes for note in notes if note.part == "keys"]
    if not keys:
        return {"median_pitch": None, "below_c4": None, "below_c3": None, "near_bass": None}
    pitches = np.array([note.pitch for note in keys])
    near_s = sum(_near_bass_s(notes) for notes in takes)
    return {
        "median_pitch": float(np.median(pitches)),
        "below_c4": float(np.mean(pitches < 60)),
        "below_c3": float(np.mean(pitches < 48)),
        "near_bass": near_s / max(sum(note.end_s - note.start_s for note in keys), 1e-9),
    }


def _near_bass_s(notes: Notes) -> float:
    """Seconds that notes of the keys share with one of the bass that is above them or less than a fourth below."""
    bass = np.array([(note.start_s, note.end_s, note.pitch) for note in notes if note.part == "bass"]).reshape(-1, 3)
    near_s = 0.0
    for note in notes:
        if note.part == "keys":
            shared_s = np.minimum(bass[:, 1], note.end_s) - np.maximum(bass[:, 0], note.start_s)
            near_s += float(np.maximum(shared_s, 0.0)[note.pitch - bass[:, 2] < _FOURTH].max(initial=0.0))
    return near_s
