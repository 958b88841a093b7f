"""Writes a whole song from a seed: style, key, tempo, form, the three parts and the lead. Knows no sound and no files.

Deterministic: the same seed and arguments give the same notes, on any machine.
"""

from __future__ import annotations

import numpy as np

from . import feel
from .bass import write_bass
from .drums import settle, write_drums
from .form import choose, lay_out, plan_lead
from .keys import write_keys
from .lead import PROGRAMS, write_lead
from .score import METRES, Bar, Score
from .styles import FIRST_STYLES, STYLE_NAMES, STYLES

SPLITS = {"train": 0, "validation": 1, "test": 2}


def write_song(seed: int, split: str = "train", styles: tuple[str, ...] | None = None, sound_variety: float = 0.0,
               seconds: tuple[float, float] = (60.0, 120.0)) -> Score:
    """Writes one song.

    `styles`: names to draw from (default: the first eight). `sound_variety` 0..1: how often the band takes other
    sounds than the style's own. Raises ValueError for an unknown split or style.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    names = FIRST_STYLES if styles is None else tuple(styles)
    unknown = [n for n in names if n not in STYLES]
    if unknown:
        raise ValueError(f"unknown style {unknown[0]!r}; known: {', '.join(STYLE_NAMES)}")
    rng = np.random.default_rng([0x616D, SPLITS[split], seed])
    style = STYLES[choose(rng, names)]
    metre = choose(rng, style.metres)
    beats = METRES[metre][0]
    bpm = float(np.round(rng.uniform(*style.metre_bpm.get(metre, style.bpm)), 2))
    key = int(rng.integers(12))
    minor = bool(rng.random() < style.minor_share)
    swing = feel.swing_by_tempo(bpm * (2 if style.swing_grid_beats == 0.25 else 1), style.swing_depth) \
        if style.swing_depth else 0.5
    bar_s = beats * 60.0 / bpm
    bars = lay_out(rng, style, key, minor, beats, max(12, round(float(rng.uniform(*seconds)) / bar_s)))
    plan_lead(rng, bars, bar_s)
    mode = choose(rng, style.lead_modes)
    programs = {"lead": int(choose(rng, PROGRAMS[mode])), "drums": style.kit, "bass": style.bass_program,
                "keys": style.keys_program}
    for part, others in (("drums", style.other_kits), ("bass", style.other_bass_programs),
                         ("keys", style.other_keys_programs)):
        if others and rng.random() < 0.7 * sound_variety:
            programs[part] = int(choose(rng, others))
    last = bars[-1]
    wander = float(choose(rng, (0.0, 0.004, 0.01, 0.02)))
    start_s = float(rng.uniform(0.1, 0.7))
    times = feel.beat_times(rng, bpm, last.start_beat + beats, wander, start_s)
    score = Score(seed, style.name, STYLE_NAMES.index(style.name), bpm, beats, key, minor, swing, style.swing_grid_beats,
                  mode, bars, times, programs, metre=metre)
    kit = settle(rng, style, metre)
    parts = {"drums": write_drums(rng, style, bars, kit, swing), "bass": write_bass(rng, style, bars, kit, metre),
             "keys": write_keys(rng, style, bars, metre)}
    for part, notes in parts.items():
        offset, sd = style.timing_ms[part]
        score.notes[part] = feel.humanise(rng, notes, sd, offset, 4.0)
    lead = write_lead(rng, style, bars, metre, mode, programs["lead"])
    score.notes["lead"] = feel.humanise(rng, lead, float(rng.uniform(5.0, 14.0)), float(rng.normal(0.0, 3.0)), 5.0)
    score.lead_spans_beats = lead_spans(bars)
    return score


def lead_spans(bars: list[Bar]) -> list[tuple[float, float]]:
    """(start, end) in beats of each stretch in which the lead plays; pauses inside its phrases do not count."""
    spans: list[tuple[float, float]] = []
    for bar in bars:
        begin = bar.start_beat + bar.lead_from_beats
        end = bar.start_beat + min(bar.lead_to_beats, float(bar.beats))
        if end <= begin:
            continue
        if spans and begin - spans[-1][1] < 1e-6:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return spans
