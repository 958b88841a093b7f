"""Rhythms of a lead: where in a phrase something is struck, how long it sounds and how much it is leant on.

Far wider than the arranger's: every kind at every tempo and in every metre, so that the level of the beat has to be
told by accents, harmony and bass. Knows no pitches, no styles and no sound. Pure functions of a generator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

CELLS: dict[int, tuple[str, ...]] = {
    2: ("x-", "x-", "xx", "xx", "x.", ".x", "-x", "--"),
    3: ("x--", "x-x", "xxx", "xxx", "-x-", ".xx", "--x", "xx-", "x.."),
    4: (
        "x---", "x-x-", "x-x-", "x--x", "xxx-", "x-xx", "xxxx", "xx--", ".xx-", "..x-", "---x", "--x-", "x.x.", ".x.x",
        "-x-x", "xx-x", "..xx",
    ),
}  # fmt: skip
"""One beat by steps a beat: `x` struck, `-` held on, `.` rest."""
GROUPS: tuple[tuple[int, ...], ...] = (
    (3, 3, 2), (2, 3, 3), (3, 2, 3), (3, 3, 3, 3, 2, 2), (3, 3, 4, 3, 3), (3, 3, 2, 3, 3, 2), (5, 5, 6),
    (3, 3, 3, 3, 4), (4, 3, 3, 3, 3), (3, 5), (5, 3), (6, 6, 4), (2, 2, 3), (3, 2, 2), (3, 2), (2, 3), (3, 2, 2, 2),
    (4, 3),
)  # fmt: skip
"""Additive patterns, in steps; they start anew after a bar or two."""
CLAVES = (
    "x--x--x---x-x---", "x--x---x--x-x---", "x--x--x---x--x--", "x--x--x-x--x--x-", "x--xx-x-x--xx-x-",
    "x---..x-x---x---", "x-xx-xx-x-xx-xx-", "..x-..x-..x-x-x-", "x--x-x--x--x-x--", "x---x--x--x-x---",
)  # fmt: skip
"""A bar of four at four steps a beat; at two steps they last two bars."""
GALLOPS = ("x-xx", "x-xx", "xxx-", "xxxx", "xxxx", "x-x-", "xx-x")


@dataclass(frozen=True)
class Hit:
    """Something struck: `at` and `length` in beats from the phrase's start (before it: a pick-up), `accent` -1..1."""

    at: float
    length: float
    accent: float = 0.0


@dataclass(frozen=True)
class Grid:
    """What a rhythm stands on: beats a bar, steps a beat (2, 3 or 4), bars of the phrase."""

    beats: int
    steps: int
    bars: int

    @property
    def length_beats(self) -> int:
        return self.beats * self.bars


Rhythm = list[Hit]


def parse(text: str, steps: int, start_beat: float = 0.0) -> Rhythm:
    """Hits of a step string. A `-` with nothing before it is a rest."""
    hits: Rhythm = []
    open_hit = False
    for k, mark in enumerate(text):
        if mark == "x":
            hits.append(Hit(start_beat + k / steps, 1.0 / steps))
            open_hit = True
        elif mark == "-" and open_hit:
            hits[-1] = replace(hits[-1], length=hits[-1].length + 1.0 / steps)
        else:
            open_hit = False
    return hits


def cells(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """Beats from a vocabulary that the phrase keeps to: two bars of them, the second sometimes like the first, laid out
    as phrases are, the last bar come to rest."""
    table = CELLS[grid.steps]
    taste = rng.dirichlet(np.full(len(table), 0.25))
    bars = ["".join(table[int(rng.choice(len(table), p=taste))] for _ in range(grid.beats)) for _ in range(3)]
    bars = [bar if "x" in bar else "x" + bar[1:] for bar in bars]
    order = FORMS[int(rng.integers(len(FORMS)))]
    names = [order[k % 4] for k in range(grid.bars)]
    text = "".join(bars[n] for n in names)
    if rng.random() < 0.5:  # a close: the last bar's end is held or silent
        size = grid.beats * grid.steps
        rest = int(rng.integers(1, max(2, size // 2 + 1)))
        text = text[:-rest] + ("-" if rng.random() < 0.5 else ".") * rest
    return parse(text, grid.steps)


FORMS = ((0, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1), (0, 1, 1, 0), (0, 1, 0, 2), (0, 0, 0, 0), (0, 1, 2, 1))


def additive(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """3-3-2 and its kin, leant on where a group begins; the steps inside a group struck softly, or not at all."""
    sizes = GROUPS[int(rng.integers(len(GROUPS)))]
    span = grid.beats * grid.steps * int(rng.choice((1, 1, 2)))
    inner = float(rng.choice((0.0, 0.0, 0.5, 1.0)))
    text: list[str] = []
    firsts: list[int] = []
    while len(text) < span:
        for size in sizes:
            firsts.append(len(text))
            text += ["x"] + ["x" if rng.random() < inner else "-" for _ in range(size - 1)]
    bar = "".join(text[:span])
    leant = {k / grid.steps for k in firsts}
    whole = parse((bar * grid.bars)[: grid.length_beats * grid.steps], grid.steps)
    return [replace(h, accent=0.8 if round(h.at % (span / grid.steps), 6) in leant else -0.5) for h in whole]


def cross(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """Every third step over fours, every second or fourth over threes: dotted and hemiola figures that cross the bar
    line and start anew after some bars."""
    every = int(rng.choice((3, 3, 3, 5, 6))) if grid.steps != 3 else int(rng.choice((2, 2, 4)))
    anew = grid.beats * grid.steps * int(rng.choice((1, 2, 4)))
    shape = "x" + "-" * (every - 1)
    if rng.random() < 0.3 and every > 2:
        shape = "xx" + "-" * (every - 2)
    bar = (shape * (anew // every + 1))[:anew]
    return parse((bar * grid.bars)[: grid.length_beats * grid.steps], grid.steps)


def even(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """One stroke a beat, or a step: comping on every beat, ostinati, runs. Some are left out."""
    every = int(rng.choice((1, grid.steps, grid.steps)))
    if grid.steps == 4 and rng.random() < 0.5:
        every = 2
    missing = float(rng.choice((0.0, 0.0, 0.05, 0.15)))
    short = float(rng.choice((0.25, 0.5, 0.9, 1.0)))
    total = grid.length_beats * grid.steps
    hits = [Hit(k / grid.steps, every / grid.steps * short) for k in range(0, total, every) if rng.random() >= missing]
    if every == grid.steps and rng.random() < 0.5:  # beats two and four, or one and three, are leant on
        turn = int(rng.integers(2))
        hits = [replace(h, accent=0.7 if round(h.at) % 2 == turn else -0.3) for h in hits]
    return hits


def off_beat(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """Nothing on any beat for bars: chops between the beats; the phrase's last bar, or its first beat, may be plain."""
    at = {
        2: (0.5,),
        3: (2 / 3,),
        4: ((0.5,), (0.5, 0.75), (0.25, 0.75), (0.75,))[int(rng.choice(4, p=(0.6, 0.2, 0.1, 0.1)))],
    }
    length = float(rng.choice((0.12, 0.25, 0.45)))
    places = at[grid.steps]
    hits = [Hit(b + p, length, -0.2 if n else 0.3) for b in range(grid.length_beats) for n, p in enumerate(places)]
    plain_from = grid.length_beats - int(rng.choice((0, 1, grid.beats)))
    hits = [h for h in hits if h.at < plain_from]
    hits += [Hit(float(b), 0.5, 0.6) for b in range(plain_from, grid.length_beats)]
    if rng.random() < 0.5:
        hits = [Hit(0.0, 0.4, 0.5), *hits]
    if rng.random() < 0.4:  # only every second of them
        hits = [h for h in hits if int(h.at) % 2 == 1 or h.at % 1 == 0]
    return hits


def back_beat(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """Two and four (in three: two and three), short; now and then the one before."""
    length = float(rng.choice((0.2, 0.5, 0.9)))
    hits = []
    for bar in range(grid.bars):
        for beat in range(grid.beats):
            on = beat % 2 == 1 if grid.beats != 3 else beat > 0
            if on or rng.random() < 0.12:
                hits.append(Hit(float(bar * grid.beats + beat), length, 0.4 if on else -0.4))
    return hits


def sparse(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """Long notes and rests: a few in a bar or one in two."""
    hits: Rhythm = []
    at = float(rng.choice((0.0, 0.0, 0.0, 0.5, 1.0)))
    while at < grid.length_beats - 0.5:
        length = float(rng.choice((1.0, 1.5, 2.0, 3.0, 4.0, 6.0, grid.beats)))
        sounding = length * float(rng.choice((1.0, 1.0, 0.6)))
        hits.append(Hit(at, min(sounding, grid.length_beats - at)))
        at += length
    return hits


def gallop(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """Chugged sixteenths and gallops, one cell nearly throughout; the strokes between are soft."""
    table = GALLOPS if grid.steps == 4 else ("xx", "xx", "x-") if grid.steps == 2 else ("xxx", "x-x", "xx-")
    main, other = (table[int(rng.integers(len(table)))] for _ in range(2))
    bar = "".join(other if rng.random() < 0.2 else main for _ in range(grid.beats))
    text = bar * (grid.bars - 1) + "".join(main if rng.random() < 0.5 else other for _ in range(grid.beats))
    return [replace(h, accent=0.6 if h.at % 1 == 0 else -0.4) for h in parse(text, grid.steps)]


def tremolo(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """Every note of a slow line picked again and again, a step apart; the first strokes are leant on."""
    line = (
        cells(rng, Grid(grid.beats, 2 if grid.steps != 3 else 3, grid.bars))
        if rng.random() < 0.5
        else sparse(rng, grid)
    )
    hits = []
    for note in line:
        count = max(1, round(note.length * grid.steps))
        hits += [Hit(note.at + k / grid.steps, 1.0 / grid.steps, 0.6 if k == 0 else 0.1) for k in range(count)]
    return hits


def clave(rng: np.random.Generator, grid: Grid) -> Rhythm:
    """Claves, tresillo, cinquillo, bossa, Charleston: a bar of four, or two bars at half the pace."""
    bar = CLAVES[int(rng.integers(len(CLAVES)))]
    total = grid.length_beats * grid.steps
    size = grid.beats * grid.steps * (2 if grid.steps == 2 else 1)
    bar = (bar + "x-" * size)[:size]
    return parse((bar * grid.bars)[:total], grid.steps)


KINDS: dict[str, Callable[[np.random.Generator, Grid], Rhythm]] = {
    "cells": cells, "additive": additive, "cross": cross, "even": even, "off_beat": off_beat, "back_beat": back_beat,
    "sparse": sparse, "gallop": gallop, "tremolo": tremolo, "clave": clave,
}  # fmt: skip


def without_first(rhythm: Rhythm, grid: Grid) -> Rhythm:
    """The first beat of every bar left out."""
    return [h for h in rhythm if h.at % grid.beats >= 1.0 - 1e-6]


def pushed(rng: np.random.Generator, rhythm: Rhythm, grid: Grid, share: float, by: float) -> Rhythm:
    """`share` of what falls on a beat comes `by` beats early, over the bar line too, where room is, and is leant on."""
    taken = {round(h.at, 4) for h in rhythm}
    out = []
    for h in rhythm:
        early = round(h.at - by, 4)
        if abs(h.at - round(h.at)) < 1e-6 and h.at > 0 and early not in taken and rng.random() < share:
            taken.add(early)
            h = Hit(early, h.length + by, max(h.accent, 0.5))
        out.append(h)
    return cut_short(sorted(out, key=lambda h: h.at))


def cut_short(rhythm: Rhythm) -> Rhythm:
    """Nothing sounds on into the next."""
    return [
        replace(h, length=min(h.length, rhythm[k + 1].at - h.at)) if k + 1 < len(rhythm) else h
        for k, h in enumerate(rhythm)
    ]


def pick_up(rng: np.random.Generator, rhythm: Rhythm, grid: Grid) -> Rhythm:
    """Notes that lead into the phrase, from a step to most of a bar before it."""
    count = int(rng.integers(1, min(6, grid.beats * grid.steps)))
    step = 1.0 / grid.steps
    return [*(Hit(-k * step, step, -0.2) for k in range(count, 0, -1)), *rhythm]
