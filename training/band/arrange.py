"""Writes a whole song from a seed: style, key, tempo, form, the three parts and the lead. Knows no sound and no files.

Deterministic: the same seed and arguments give the same notes, on any machine.
"""

from __future__ import annotations

import numpy as np

from . import feel, splits
from .form import choose, lay_out, plan_lead
from .players.bass import write_bass
from .players.drums import KICK, settle, write_drums
from .players.keys import write_keys
from .players.lead import PROGRAMS, settle_lead, write_lead
from .score import (
    METRES,
    PARTS,
    Bar,
    Score,
)
from .style import Style
from .styles import FIRST_STYLES, STYLE_NAMES, STYLES

_SLOWEST_BPM, _FASTEST_BPM = 46.0, 220.0


def write_song(
    seed: int,
    split: str = "train",
    styles: tuple[str, ...] | None = None,
    sound_variety: float = 0.0,
    seconds: tuple[float, float] = (60.0, 120.0),
    playing_variety: float = 0.0,
) -> Score:
    """Writes one song.

    `styles`: names to draw from (default: the first eight, or the held-out ones in their split). `sound_variety` 0..1:
    how often the band takes other sounds than the style's own. `playing_variety` 0..1: wider tempos, sudden tempo
    changes of about 10 %, free starts, sections pushed and dragged. Raises ValueError for an unknown split or style.
    """
    splits.check(split)
    names = _names(split, styles)
    rng = np.random.default_rng([0x616D, splits.SPLITS[split], seed])
    style = STYLES[choose(rng, names)]
    metre = choose(rng, style.metres)
    beats = METRES[metre][0]
    bpm = _tempo(rng, split, style.metre_bpm.get(metre, style.bpm), playing_variety)
    key = int(rng.integers(12))
    if split == "held_key":
        key = int(choose(rng, splits.HELD_KEYS))
    while split != "held_key" and key in splits.HELD_KEYS:
        key = int(rng.integers(12))
    minor = bool(rng.random() < style.minor_share)
    swing = 0.5
    if style.swing_depth and not METRES[metre][1]:
        pace = bpm * (2 if style.swing_grid_beats == 0.25 else 1)
        swing = feel.swing_by_tempo(pace, style.swing_depth)
    bar_s = beats * 60.0 / bpm
    bars = lay_out(rng, style, key, minor, beats, max(12, round(float(rng.uniform(*seconds)) / bar_s)))
    plan_lead(rng, bars, bar_s)
    mode = choose(rng, style.lead_modes)
    programs = _programs(rng, style, mode, split, sound_variety)
    wander = float(choose(rng, (0.0, 0.004, 0.01, 0.02)))
    start_s = float(rng.uniform(0.1, 0.7))
    pace_changes = feel.pace(rng, bars, playing_variety)
    times = feel.beat_times(rng, bpm, bars[-1].start_beat + beats, wander, start_s, pace_changes)
    score = Score(
        seed, style.name, STYLE_NAMES.index(style.name), bpm, beats, key, minor, swing, style.swing_grid_beats, mode,
        bars, times, programs, metre=metre,
    )  # fmt: skip
    play(rng, style, score)
    return score


def _names(split: str, styles: tuple[str, ...] | None) -> tuple[str, ...]:
    """The styles to draw from. A train split drops held-out styles only when nobody named any."""
    if styles is None:
        if split == "held_style":
            return splits.HELD_STYLES
        low, high = splits.HELD_TEMPO_BPM
        fast = tuple(n for n in FIRST_STYLES if STYLES[n].bpm[0] <= low and STYLES[n].bpm[1] >= high)
        return fast if split == "held_tempo" else FIRST_STYLES
    unknown = [n for n in styles if n not in STYLES]
    if unknown:
        raise ValueError(f"unknown style {unknown[0]!r}; known: {', '.join(STYLE_NAMES)}")
    return tuple(styles)


def _tempo(rng: np.random.Generator, split: str, span: tuple[float, float], variety: float) -> float:
    low = max(_SLOWEST_BPM, span[0] * (1.0 - 0.15 * variety))
    high = min(_FASTEST_BPM, span[1] * (1.0 + 0.15 * variety))
    bpm = float(np.round(rng.uniform(low, high), 2))
    held_low, held_high = splits.HELD_TEMPO_BPM
    if split == "held_tempo":
        return float(np.round(rng.uniform(held_low, held_high), 2))
    while held_low <= bpm <= held_high:
        bpm = float(np.round(rng.uniform(low, high), 2))
    return bpm


def _programs(rng: np.random.Generator, style: Style, mode: str, split: str, sound_variety: float) -> dict[str, int]:
    options = PROGRAMS[mode]
    if style.lead_programs and set(style.lead_programs) & set(options):
        options = tuple(p for p in options if p in style.lead_programs)
    allowed = tuple(p for p in options if p not in splits.HELD_LEADS)
    if split == "held_lead":
        allowed = tuple(p for p in options if p in splits.HELD_LEADS) or splits.HELD_LEADS
    programs = {
        "lead": int(choose(rng, allowed)), "drums": style.kit, "bass": style.bass_program, "keys": style.keys_program,
    }  # fmt: skip
    others = {"drums": style.other_kits, "bass": style.other_bass_programs, "keys": style.other_keys_programs}
    for part, other in others.items():
        if other and rng.random() < 0.7 * sound_variety:
            programs[part] = int(choose(rng, other))
    return programs


def play(rng: np.random.Generator, style: Style, score: Score) -> None:
    """Lets everyone play a score that has bars and times, but no notes yet: the lead settles, the drummer listens, the
    rhythm section locks, and the lead plays. Each draws from chances of their own, so a part whose bars are denser has
    more notes, and the others play as before."""
    bars, metre = score.bars, score.metre
    musician = settle_lead(rng, style, metre, score.lead_mode, score.programs["lead"])
    kit = settle(rng, style, metre, musician.accents)
    chance = dict(zip(PARTS, rng.spawn(len(PARTS)), strict=True))
    taste = {part: int(own.integers(2**31)) for part, own in chance.items()}
    drums = write_drums(chance["drums"], style, bars, kit, score.swing, score.bpm, taste["drums"])
    kicks = {round(note.beat, 3) for note in drums if note.pitch == KICK}
    parts = {
        "drums": drums,
        "bass": write_bass(chance["bass"], style, bars, kit, metre, score.bpm, kicks, taste["bass"]),
        "keys": write_keys(chance["keys"], style, bars, metre, musician.accents, score.bpm, taste["keys"]),
    }
    for part, notes in parts.items():
        offset, sd = style.timing_ms[part]
        score.notes[part] = feel.humanise(chance[part], notes, sd, offset, 4.0)
    lead = write_lead(rng, musician, bars)
    score.notes["lead"] = feel.humanise(rng, lead, float(rng.uniform(5.0, 14.0)), float(rng.normal(0.0, 3.0)), 5.0)
    score.lead_spans_beats = lead_spans(bars)


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
