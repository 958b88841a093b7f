"""Figures of touch and distance for kinds of sound, over takes: collected, and as lines of a table.

Knows neither band nor engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .distance import distance
from .takes import PARTS, Notes, Take
from .touch import VOICES, VoiceTouch, above_16_khz_db, register, touch_of

Row = dict[str, Any]
_DISTANCES = ("log_mel_db", "onset_strength", "onset_correlation")


@dataclass
class SoundFigures:
    """One kind of sound, take after take, each beside the same notes through the reference."""

    voices: dict[str, VoiceTouch] = field(default_factory=lambda: {voice: VoiceTouch() for voice in VOICES})
    reference: dict[str, VoiceTouch] = field(default_factory=lambda: {voice: VoiceTouch() for voice in VOICES})
    distances: dict[str, list[Row]] = field(default_factory=lambda: {part: [] for part in PARTS})
    air_db: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {part: [] for part in PARTS})
    notes: list[Notes] = field(default_factory=list)

    def add(self, take: Take, reference: Take) -> None:
        """One take and its reference, which has the same notes."""
        for voice, (part, _) in VOICES.items():
            self.voices[voice].add(touch_of(take.parts[part], take.notes, voice))
            self.reference[voice].add(touch_of(reference.parts[part], take.notes, voice))
        for part in PARTS:
            self.distances[part].append(distance(take.parts[part], reference.parts[part], take.notes, part))
            self.air_db[part].append((above_16_khz_db(take.parts[part]), above_16_khz_db(reference.parts[part])))
        self.notes.append(take.notes)

    def row(self) -> Row:
        """Plain values."""
        offsets = {part: self._offset_db(part) for part in PARTS}
        voices = {}
        for voice, (part, _) in VOICES.items():
            own, reference = self.voices[voice].row(), self.reference[voice].row()
            own["beside_db"] = {
                level: own["level_db"][level] - reference["level_db"][level] - offsets[part]
                for level in own["level_db"]
                if level in reference["level_db"]
            }
            voices[voice] = {"sound": own, "reference": reference}
        return {
            "voices": voices,
            "parts": {part: self._part_row(part) for part in PARTS},
            "keys": register(self.notes),
        }

    def _part_row(self, part: str) -> Row:
        row: Row = {name: _mean([entry[name] for entry in self.distances[part]]) for name in _DISTANCES}
        row["above_16_khz_db"] = _mean([own for own, _ in self.air_db[part]])
        row["above_16_khz_db_reference"] = _mean([reference for _, reference in self.air_db[part]])
        return row

    def _offset_db(self, part: str) -> float:
        """How much louder the whole part is than the reference's: over all classes of all its voices, by their hits."""
        total = weight = 0.0
        for voice, (of, _) in VOICES.items():
            if of != part:
                continue
            own, reference = self.voices[voice].levels_db, self.reference[voice].levels_db
            for level in own.keys() & reference.keys():
                hits = len(own[level])
                total += hits * (float(np.median(own[level])) - float(np.median(reference[level])))
                weight += hits
        return total / weight if weight else 0.0


def _mean(values: Sequence[float | None]) -> float | None:
    kept = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(kept)) if kept else None


def lines_of(kind: str, row: Row, font: str) -> list[str]:
    """The figures as Markdown tables: a row for each voice, then for each part."""
    lines = [
        f"### {kind}, beside {font}",
        "",
        "Each pair: its own / the reference's.",
        "",
        "| Voice | Hits alone | Level by class of velocity, over the reference (dB) | Range (dB) | Rise (ms) "
        "| To -20 dB (ms) | Below 100 Hz (dB) |",
        "|---|---|---|---|---|---|---|",
    ]
    for voice, both in row["voices"].items():
        own, reference = both["sound"], both["reference"]
        levels = " ".join(f"{level}:{value:+.1f}" for level, value in own["beside_db"].items()) or "-"
        pairs = " | ".join(_pair(own[name], reference[name]) for name in ("range_db", "rise_ms", "decay_ms"))
        low = _pair(own["below_100_hz_db"], reference["below_100_hz_db"])
        lines.append(f"| {voice} | {own['hits']} | {levels} | {pairs} | {low} |")
    lines += [
        "",
        "| Part | Log-mel distance (dB) | Onset strength, of the reference's | Onset correlation | Above 16 kHz (dB) |",
        "|---|---|---|---|---|",
    ]
    for part, figures in row["parts"].items():
        air = _pair(figures["above_16_khz_db"], figures["above_16_khz_db_reference"])
        lines.append(f"| {part} | {' | '.join(_one(figures[name]) for name in _DISTANCES)} | {air} |")
    keys = row["keys"]
    if keys["median_pitch"] is not None:
        lines += [
            "",
            f"Keys: median pitch {keys['median_pitch']:.0f}, {keys['below_c4']:.0%} of the notes below C4 (60), "
            f"{keys['below_c3']:.0%} below C3; {keys['near_bass']:.1%} of their time nearer than a fourth to the bass.",
        ]
    return lines


def _one(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _pair(own: float | None, reference: float | None) -> str:
    """Own / reference."""
    return f"{'-' if own is None else f'{own:.1f}'} / {'-' if reference is None else f'{reference:.1f}'}"
