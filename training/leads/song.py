"""A whole song for the listener from a seed: a lead alone, any pattern at any tempo in any metre. Knows no sound.

Not a song that the band would learn from: it has a lead and no parts. What a beat is, is what a musician would count.
Deterministic: the same seed gives the same notes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..band import feel, splits
from ..band.arrange import lead_spans
from ..band.chord_theory import parse_progression
from ..band.form import choose
from ..band.score import ALL_PARTS, Bar, Chord, Note, Score
from ..band.styles import FIRST_STYLES, STYLE_NAMES, STYLES
from . import rhythm as rhythms
from .hands import LEFT_HANDS, Hands, Touch
from .rhythm import Grid, Rhythm

SLOWEST_BPM, FASTEST_BPM = 56.0, 210.0
FASTEST_NOTES_HZ, FASTEST_CHUGS_HZ = 11.0, 13.5
METRES = {"4": 0.64, "3": 0.13, "2": 0.05, "2/3": 0.05, "4/3": 0.06, "3/3": 0.01, "5": 0.03, "7": 0.03}
"""Beats a bar; `/3`: each of three eighths."""
TEXTURES = {
    "melody": 0.16, "thirds": 0.03, "riff": 0.10, "chords": 0.19, "arpeggio": 0.11, "two_hands": 0.15, "power": 0.09,
    "picked": 0.03, "bass": 0.05, "pad": 0.03, "pedal": 0.04, "unison": 0.02,
}  # fmt: skip
"""What the lead does, and the share of songs (of sections, where it changes)."""
RHYTHMS: dict[str, dict[str, float]] = {
    "melody": {"cells": 6, "sparse": 1.5, "additive": 1, "cross": 0.7, "even": 0.8, "clave": 0.5},
    "thirds": {"cells": 4, "sparse": 1, "even": 1},
    "riff": {"cells": 4, "additive": 2, "clave": 1, "cross": 1, "gallop": 0.5, "even": 0.5},
    "chords": {
        "cells": 3,
        "even": 2.5,
        "off_beat": 2.5,
        "back_beat": 0.7,
        "additive": 1.5,
        "clave": 1,
        "sparse": 1,
        "cross": 0.3,
    },
    "arpeggio": {"even": 5, "additive": 1, "cross": 0.6, "cells": 1},
    "two_hands": {"cells": 4, "sparse": 1, "off_beat": 1, "additive": 1, "even": 1, "cross": 0.4},
    "power": {"gallop": 4, "additive": 2, "even": 2, "cells": 2, "cross": 0.5},
    "picked": {"tremolo": 1},
    "bass": {"cells": 4, "even": 2, "additive": 1, "clave": 1, "sparse": 0.5},
    "pad": {"sparse": 1},
    "pedal": {"even": 3, "additive": 2, "cells": 1, "gallop": 1},
    "unison": {"cells": 3, "additive": 1, "clave": 1},
}
PROGRAMS: dict[str, tuple[int, ...]] = {
    "melody": (
        0, 1, 4, 6, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 40, 41, 42, 52, 53,
        54, 56, 57, 59, 60, 61, 64, 65, 66, 68, 70, 72, 73, 74, 75, 78, 79, 80, 81, 82, 84, 85, 87, 104, 105, 107, 110,
    ),
    "thirds": (0, 1, 4, 16, 21, 23, 24, 25, 26, 40, 48, 56, 61, 73, 11, 12),
    "riff": (0, 2, 4, 6, 7, 11, 12, 16, 18, 25, 26, 27, 28, 29, 30, 30, 80, 81, 84, 87, 105, 61),
    "chords": (
        0, 1, 2, 3, 4, 6, 7, 16, 17, 18, 21, 23, 24, 24, 25, 25, 25, 26, 26, 27, 27, 27, 28, 29, 30, 31, 11, 12, 61,
        105,
    ),
    "arpeggio": (0, 1, 3, 4, 6, 7, 8, 11, 12, 24, 24, 25, 25, 26, 27, 27, 46, 80, 81, 104, 105, 106, 107),
    "two_hands": (0, 0, 0, 1, 2, 3, 4, 6, 7, 16, 17, 21, 24, 25),
    "power": (26, 27, 28, 28, 29, 30, 30, 30),
    "picked": (24, 25, 27, 28, 29, 30, 30, 105, 0, 40),
    "bass": (32, 33, 34, 35, 36, 37, 38, 39),
    "pad": (16, 17, 18, 19, 20, 48, 49, 50, 51, 52, 54, 62, 63, 88, 89, 90, 91, 92, 94, 21, 4, 0),
    "pedal": (0, 4, 7, 16, 24, 25, 27, 28, 29, 30, 80, 81, 38, 87, 11),
    "unison": (0, 29, 30, 27, 61, 62, 16, 81),
}  # fmt: skip
SIMPLE = {
    False: ("I", "I", "I", "IV", "V", "vi", "ii", "iii", "bVII", "V7", "IVmaj7", "Imaj7", "vi7", "ii7", "I/3", "V/3"),
    True: ("i", "i", "i", "iv", "v", "V7", "bVI", "bVII", "bIII", "iv7", "i7", "bVImaj7", "i5", "bVII5"),
}
FORMS = ("AABA", "AABB", "ABAB", "AAAB", "ABAC", "AAAA", "ABCB")


@dataclass(frozen=True)
class Plan:
    """What is drawn before a note is written."""

    bpm: float
    beats: int
    steps: int
    swing: float
    swing_grid_beats: float
    key: int
    minor: bool


def write_lead_song(seed: int, seconds: tuple[float, float] = (40.0, 64.0)) -> Score:
    """One song: a lead alone, with chords, bars and beats."""
    rng = np.random.default_rng([0x6C65, seed])
    texture = str(choose(rng, TEXTURES))
    plan = draw_plan(rng, texture in ("power", "picked"))
    count = max(6, round(float(rng.uniform(*seconds)) * plan.bpm / 60.0 / plan.beats))
    bars = lay_out(rng, plan, count)
    programs = {"lead": program_for(rng, texture), "drums": 0, "bass": 33, "keys": 0}
    hands = player(rng, texture, programs["lead"], plan)
    changing = rng.random() < 0.3
    notes: list[Note] = []
    by_section: dict[str, tuple[str, list[tuple[Rhythm, str]], str]] = {}
    for phrase in phrases(bars):
        name = phrase[0].section
        if name not in by_section:
            what = str(choose(rng, TEXTURES)) if changing and by_section else texture
            what = what if _fits(what, programs["lead"]) else texture
            by_section[name] = (
                what,
                [phrase_rhythm(rng, what, plan, len(phrase)) for _ in range(2)],
                str(choose(rng, LEFT_HANDS)),
            )
        what, made, left = by_section[name]
        rhythm, kind = made[0 if phrase[0].bar_in_section % 8 == 0 or rng.random() < 0.6 else 1]
        notes += play(hands, what, f"{name}{kind}", rhythm, phrase, left, plan.steps)
    return finish(rng, seed, plan, bars, notes, programs, texture)


def draw_plan(rng: np.random.Generator, metal: bool = False) -> Plan:
    """Tempo, metre, steps and swing, freely combined; tempi near 118 are likelier, as people count. `metal`: faster."""
    metre = str(choose(rng, METRES))
    beats, compound = int(metre[0]), metre.endswith("/3")
    while True:
        bpm = 118.0 * float(np.exp(rng.normal(0.0, 0.30)))
        if rng.random() < 0.2:
            bpm = float(np.exp(rng.uniform(np.log(SLOWEST_BPM), np.log(FASTEST_BPM))))
        bpm *= 0.72 if compound else 1.2 if metal else 1.0
        low, high = splits.HELD_TEMPO_BPM
        if SLOWEST_BPM <= bpm <= FASTEST_BPM * (0.75 if compound else 1.0) and not low <= bpm <= high:
            break
    fastest = FASTEST_CHUGS_HZ if metal else FASTEST_NOTES_HZ
    options = [n for n in (2, 2, 4, 4) if bpm / 60.0 * n <= fastest] or [2]
    steps = 3 if compound or (bpm < 180 and rng.random() < 0.1) else int(choose(rng, options))
    swing, grid = 0.5, 0.5
    if steps == 2 and rng.random() < 0.25:
        swing = feel.swing_by_tempo(bpm, float(rng.uniform(0.3, 1.0)))
    elif steps == 4 and rng.random() < 0.2:
        swing, grid = feel.swing_by_tempo(2 * bpm, float(rng.uniform(0.3, 1.0))), 0.25
    keys = [k for k in range(12) if k not in splits.HELD_KEYS]
    return Plan(round(bpm, 2), beats, steps, swing, grid, int(choose(rng, keys)), bool(rng.random() < 0.4))


def lay_out(rng: np.random.Generator, plan: Plan, count: int) -> list[Bar]:
    """Bars with chords: sections of four or eight bars in a form, over a style's progression or one that is drawn."""
    form, size = str(choose(rng, FORMS)), int(choose(rng, (4, 8, 8)))
    cycles = {name: progression(rng, plan) for name in "ABC"}
    bars: list[Bar] = []
    while len(bars) < count:
        number = len(bars) // size
        name = form[number % 4]
        within = len(bars) % size
        cycle = cycles[name]
        section = {"A": "verse", "B": "chorus", "C": "bridge"}[name]
        bar = Bar(len(bars), len(bars) * plan.beats, plan.beats, section, cycle[within % len(cycle)], 0.5)
        bar.key, bar.minor, bar.parts = plan.key, plan.minor, (False, False, False)
        bar.first_of_section, bar.section_number, bar.bar_in_section = within == 0, number, within
        bars.append(bar)
    return bars


def progression(rng: np.random.Generator, plan: Plan) -> list[list[tuple[float, Chord]]]:
    """Chords by bars. The harmony turns by bars, two or four bars, halves or single beats."""
    if rng.random() < 0.5:
        style = STYLES[choose(rng, FIRST_STYLES)]
        table = style.minor if plan.minor else style.major
        return parse_progression(choose(rng, table[choose(rng, list(table))]), plan.key, plan.beats)
    pool = SIMPLE[plan.minor]
    pace = str(choose(rng, {"bar": 0.55, "half": 0.12, "two": 0.22, "four": 0.06, "beat": 0.02, "mixed": 0.03}))
    words = [pool[0]]
    while len(words) < 4:
        word = str(choose(rng, pool))
        if word != words[-1]:
            words.append(word)
    if pace == "half" and plan.beats > 1:
        return parse_progression(
            f"{words[0]},{words[1]} {words[2]},{words[3]} {words[0]},{words[2]} {words[1]},{words[3]}",
            plan.key,
            plan.beats,
        )
    if pace == "beat" and plan.beats > 2:
        return parse_progression(
            ",".join((words * 2)[: plan.beats]) + f" {words[0]} {words[1]} {words[3]}", plan.key, plan.beats
        )
    if pace == "mixed":
        return parse_progression(f"{words[0]} % {words[1]},{words[2]} {words[3]}", plan.key, plan.beats)
    times = {"two": 2, "four": 4}.get(pace, 1)
    return parse_progression(
        " ".join(w for w in words[: 4 if times < 4 else 2] for w in [w] * times), plan.key, plan.beats
    )


def phrases(bars: list[Bar]) -> list[list[Bar]]:
    """The bars in phrases of four at most, none over a section's end."""
    out: list[list[Bar]] = []
    for bar in bars:
        if bar.first_of_section or len(out[-1]) == 4:
            out.append([])
        out[-1].append(bar)
    return out


def phrase_rhythm(rng: np.random.Generator, texture: str, plan: Plan, bars: int) -> tuple[Rhythm, str]:
    """A rhythm of one phrase, with what people do to it, and a name for its pitches to be kept under."""
    grid = Grid(plan.beats, plan.steps, bars)
    kind = str(choose(rng, RHYTHMS[texture]))
    made = rhythms.KINDS[kind](rng, grid)
    draw = rng.random()
    if kind not in ("off_beat", "back_beat", "tremolo"):
        if draw < 0.10:
            made = rhythms.without_first(made, grid)
        elif draw < 0.5:
            by = 1.0 / plan.steps if rng.random() < 0.5 or plan.steps == 3 else 0.5
            made = rhythms.pushed(rng, made, grid, float(rng.choice((0.15, 0.3, 0.6, 0.9))), by)
        if texture in ("melody", "riff", "thirds", "two_hands") and rng.random() < 0.3:
            made = rhythms.pick_up(rng, made, grid)
    if not made:
        made = rhythms.sparse(rng, grid)
    return made, f"{kind}{rng.integers(1 << 30)}"


def program_for(rng: np.random.Generator, texture: str) -> int:
    """An instrument that does such a thing."""
    return int(choose(rng, [p for p in PROGRAMS[texture] if p not in splits.HELD_LEADS]))


def _fits(texture: str, program: int) -> bool:
    return program in PROGRAMS[texture]


def player(rng: np.random.Generator, texture: str, program: int, plan: Plan) -> Hands:
    """Touch, register and length of notes for a song."""
    flat = rng.random() < 0.25
    touch = Touch(
        base=float(rng.uniform(70, 108)), metre=0.0 if flat else float(rng.uniform(0, 14)),
        accent=0.0 if flat else float(rng.uniform(4, 24)), spread=float(rng.choice((0.0, 2.0, 5.0, 8.0))),
        back=bool(rng.random() < 0.12),
    )  # fmt: skip
    low = int(rng.integers(48, 68))
    if program in (24, 25, 26, 27, 28, 29, 30, 31):
        low = int(rng.integers(40, 60))
    if texture in ("power", "unison"):
        low = int(rng.integers(36, 45))
    voicing = "guitar" if 24 <= program <= 31 else str(choose(rng, ("triad", "seventh", "shell", "rootless")))
    return Hands(
        rng, touch, low, low + int(rng.integers(14, 27)), float(rng.choice((0.3, 0.6, 0.9, 0.97, 1.0))),
        float(rng.uniform(0.4, 0.95)), voicing,
        float(rng.uniform(5, 28)) if voicing == "guitar" else float(rng.uniform(0, 6)),
        low + 10.0, bool(rng.random() < 0.5), float(rng.uniform(0.0, 0.9)),
    )  # fmt: skip


def play(hands: Hands, texture: str, name: str, rhythm: Rhythm, bars: list[Bar], left: str, steps: int) -> list[Note]:
    """One phrase."""
    if texture == "two_hands":
        right = (
            hands.chords
            if hands.kept.setdefault(f"{name}/right", [int(hands.rng.integers(3))])[0] == 0
            else hands.melody
        )
        return hands.left_hand(left, bars, steps) + right(name, rhythm, bars)
    if texture == "unison":
        line = hands.riff(name, rhythm, bars)
        return line + [Note(n.beat, n.length_beats, n.pitch + 12, n.velocity, n.shift_ms) for n in line]
    return {
        "melody": hands.melody, "thirds": hands.thirds, "riff": hands.riff, "chords": hands.chords, "pad": hands.pad,
        "arpeggio": hands.arpeggio, "power": hands.power, "picked": hands.picked, "bass": hands.bass,
        "pedal": hands.pedal,
    }[texture](name, rhythm, bars)  # fmt: skip


def finish(
    rng: np.random.Generator,
    seed: int,
    plan: Plan,
    bars: list[Bar],
    notes: list[Note],
    programs: dict[str, int],
    mode: str,
) -> Score:
    """The score: beats in time, stops, the player's timing and errors."""
    wander = float(choose(rng, (0.0, 0.0, 0.004, 0.01, 0.02)))
    length = bars[-1].start_beat + plan.beats
    times = feel.beat_times(rng, plan.bpm, length, wander, float(rng.uniform(0.1, 1.5)), np.ones(length))
    if len(bars) > 12 and rng.random() < 0.2:  # the lead rests for a bar or two
        at = int(rng.integers(5, len(bars) - 4))
        for bar in bars[at : at + int(rng.integers(1, 3))]:
            bar.lead_to_beats = 0.0
    silent = [(b.start_beat, b.start_beat + b.beats) for b in bars if b.lead_to_beats == 0.0]
    missed = float(choose(rng, (0.0, 0.0, 0.01, 0.03)))
    kept = [
        n for n in notes
        if 0.0 <= n.beat < length and not any(a <= n.beat < b for a, b in silent) and rng.random() >= missed
    ]  # fmt: skip
    if not kept:
        kept = [Note(0.0, 1.0, 60, 90)]
    exact = rng.random() < 0.25
    sd_ms, offset_ms = (0.0, 0.0) if exact else (float(rng.uniform(2, 14)), float(rng.normal(0, 4)))
    style = STYLES[choose(rng, FIRST_STYLES)].name
    score = Score(
        seed, style, STYLE_NAMES.index(style), plan.bpm, plan.beats, plan.key, plan.minor, plan.swing,
        plan.swing_grid_beats, mode, bars, times, programs, metre=f"{plan.beats}/4",
    )  # fmt: skip
    score.notes = {part: [] for part in ALL_PARTS}
    score.notes["lead"] = feel.humanise(rng, _single(kept), sd_ms, offset_ms, 0.0)
    score.lead_spans_beats = lead_spans(bars)
    return score


def _single(notes: list[Note]) -> list[Note]:
    """No pitch struck twice at one moment."""
    found: dict[tuple[float, int], Note] = {}
    for n in notes:
        key = (round(n.beat, 4), n.pitch)
        if key not in found or found[key].velocity < n.velocity:
            found[key] = n
    return list(found.values())
