"""Melodies by people as songs for the listener: harmonised, at some tempo, in some key, played as people play.

Needs the file that `tunebook.collect` writes. Knows no sound. Deterministic.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..band import feel, splits
from ..band.chord_theory import NAMES
from ..band.form import choose
from ..band.score import Bar, Chord, Note, Score
from . import rhythm as rhythms
from .hands import LEFT_HANDS, Hands
from .harmonise import harmonise, key_of
from .rhythm import Hit
from .song import Plan, finish, player, program_for

BEATS = {
    "2/4": (2, 1.0),
    "3/4": (3, 1.0),
    "4/4": (4, 1.0),
    "2/2": (2, 2.0),
    "6/8": (2, 1.5),
    "9/8": (3, 1.5),
    "12/8": (4, 1.5),
}
"""Metre to beats a bar and quarters a beat: what a foot taps to."""
PLAYED = {"melody": 0.30, "two_hands": 0.22, "octaves": 0.06, "pushed": 0.42}
"""What is made of a tune, and its share: alone, over a left hand, in octaves, syncopated."""
USUAL_BPM = 112.0
USUAL_NOTES_HZ = 5.0


@lru_cache(maxsize=1)
def _read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def write_tune(seed: int, path: Path, seconds: tuple[float, float] = (40.0, 64.0)) -> Score:
    """One of the tunes of `path`, by the seed."""
    rng = np.random.default_rng([0x7475, seed])
    tunes = _read(path)
    return arrange(rng, seed, tunes[int(rng.integers(len(tunes)))], seconds)


def arrange(rng: np.random.Generator, seed: int, tune: dict[str, Any], seconds: tuple[float, float]) -> Score:
    """The tune from its first bar on, again and again until the time is full."""
    beats, quarters = BEATS[tune["metre"]]
    written = [[(at / quarters, for_ / quarters, int(pitch)) for at, for_, pitch in bar] for bar in tune["bars"]]
    per_beat = sum(len(bar) for bar in written[1:]) / (beats * (len(written) - 1))
    plan = _plan(rng, tune["metre"], beats, per_beat)
    count = max(8, round(float(rng.uniform(*seconds)) * plan.bpm / 60.0 / beats))
    whole = [written[0], *(written[1 + k % (len(written) - 1)] for k in range(count))]
    weights = np.zeros(12)
    for bar in written:
        for _, length, pitch in bar:
            weights[pitch % 12] += length
    last = next(bar[-1][2] for bar in reversed(written) if bar)
    key, minor = key_of(weights, last % 12)
    chords = harmonise([_heard(bar) for bar in whole], key, minor)
    up = (plan.key - key) % 12
    pitches = [p for bar in written for _, _, p in bar]
    up -= 12 if up + max(pitches) > 88 or (up > 6 and min(pitches) + up > 62) else 0
    bars = [_bar(k, beats, _moved(chord, plan.key - key), plan.key, minor) for k, chord in enumerate(chords)]
    bars[0].lead_from_beats = min((at for at, _, _ in written[0]), default=float(beats))
    what = str(choose(rng, PLAYED))
    texture = "two_hands" if what == "two_hands" else "melody"
    programs = {"lead": program_for(rng, texture), "drums": 0, "bass": 33, "keys": 0}
    hands = player(rng, "melody", programs["lead"], plan)
    notes = [n for k, bar in enumerate(whole) for n in _line(hands, bars, k, bar, up)]
    if what == "pushed":
        notes = _syncopated(rng, notes, plan)
    elif what == "octaves":
        notes += [Note(n.beat, n.length_beats, n.pitch - 12, n.velocity) for n in notes]
    elif what == "two_hands":
        notes += hands.left_hand(str(choose(rng, LEFT_HANDS)), bars[1:], plan.steps)
    return finish(rng, seed, plan, bars, notes, programs, "tune")


def _bar(k: int, beats: int, chord: Chord, key: int, minor: bool) -> Bar:
    """Bar `k` of the song; bar 0 is the pick-up's, sections of eight follow."""
    number, within = divmod(max(k - 1, 0), 8)
    bar = Bar(k, k * beats, beats, "chorus" if number % 2 else "verse", [(0.0, chord)], 0.5, key, minor)
    bar.first_of_section, bar.section_number, bar.bar_in_section = within == 0, number, within
    bar.parts = (False, False, False)
    return bar


def _plan(rng: np.random.Generator, metre: str, beats: int, notes_per_beat: float) -> Plan:
    """A tempo by how many notes a beat has, around what people count, and a key."""
    usual = np.log(USUAL_BPM * (0.85 if metre.endswith("8") else 1.0))
    low, high = splits.HELD_TEMPO_BPM
    while True:
        bpm = float(np.exp(0.3 * np.log(60.0 * USUAL_NOTES_HZ / notes_per_beat) + 0.7 * usual + rng.normal(0.0, 0.25)))
        if 56.0 <= bpm <= 205.0 and not low <= bpm <= high and bpm / 60.0 * notes_per_beat < 9.0:
            break
    compound = metre in ("6/8", "9/8", "12/8")
    swing, grid = 0.5, 0.5
    if not compound and rng.random() < 0.3:
        grid = 0.25 if notes_per_beat > 2.4 else 0.5
        swing = feel.swing_by_tempo(bpm * (2 if grid == 0.25 else 1), float(rng.uniform(0.3, 1.0)))
    keys = [k for k in range(12) if k not in splits.HELD_KEYS]
    return Plan(round(bpm, 2), beats, 3 if compound else 2, swing, grid, int(choose(rng, keys)), False)


def _heard(bar: list[tuple[float, float, int]]) -> np.ndarray:
    weights = np.zeros(12)
    for at, length, pitch in bar:
        weights[pitch % 12] += length * (1.5 if abs(at - round(at)) < 1e-6 else 1.0)
    return weights


def _moved(chord: Chord, semitones: int) -> Chord:
    root, bass = (chord.root + semitones) % 12, (chord.bass + semitones) % 12
    return Chord(root, chord.tones, bass, NAMES[root] + chord.quality, chord.quality)


def _line(hands: Hands, bars: list[Bar], k: int, bar: list[tuple[float, float, int]], up: int) -> list[Note]:
    return [hands.note([bars[k]], Hit(at, length), bars[k].start_beat + at, pitch + up) for at, length, pitch in bar]


def _syncopated(rng: np.random.Generator, notes: list[Note], plan: Plan) -> list[Note]:
    """The tune as a player who anticipates would play it."""
    line = sorted(notes, key=lambda n: n.beat)
    places = {round(n.beat, 4): n for n in line}
    share = float(rng.uniform(0.15, 1.0))
    by = float(rng.choice((0.25, 0.5, 0.5, 0.5))) if plan.steps == 2 else 1 / 3
    out = []
    before = -1.0
    for n in line:
        early = n.beat - by
        if n.beat % 1 == 0 and early > before + 1e-6 and round(early, 4) not in places and rng.random() < share:
            n = Note(early, n.length_beats + by, n.pitch, min(126, n.velocity + 6))
        before = n.beat
        out.append(n)
    cut = rhythms.cut_short([Hit(n.beat, n.length_beats) for n in out])
    return [Note(n.beat, max(0.06, h.length), n.pitch, n.velocity) for n, h in zip(out, cut, strict=True)]
