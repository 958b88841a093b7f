"""Scripted songs with one change each, and how long a band takes to follow it.

`chord`: one chord, then another, foreign to its key. `faster`, `slower`: the tempo jumps by 10 % at a bar
line. `pauses`: silence, playing, a stop, playing again. Made by the arranger and the renderer; the songs' own parts
are the ceiling. Knows no engine.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..band import arrange
from ..band.chord_theory import parse_progression
from ..band.feel import beat_times, swing_by_tempo
from ..band.players.lead import CHORDAL, PROGRAMS
from ..band.score import METRES, Bar, Score
from ..band.styles import STYLE_NAMES, STYLES
from ..sound.render import render_score
from .part_fit import (
    HOP,
    JUDGE_RATE_HZ,
    LAG_BIAS_S,
    chroma_at,
    onset_envelope,
)
from .sound_figures import level_db, onsets_s

if TYPE_CHECKING:
    from ..sound.render import RenderedSong

FloatArray = NDArray[np.floating[Any]]
KINDS = ("chord", "faster", "slower", "pauses")
CHANGE = 0.10
SILENT_BARS, PLAY_BARS, PAUSE_BARS = 2, 8, 5
QUIET_DB = -20.0
"""Below the level of playing by so much, the band has stopped."""
RING_S = 0.1
"""A last note may ring on for so long after the band has stopped playing."""
SEEDS_FROM = 90_000
"""Beyond the seeds of the songs that are judged otherwise."""


@dataclass(frozen=True)
class Scene:
    """One scripted song. `bars_s` [bars + 1] are its bar lines."""

    kind: str
    song: RenderedSong
    bars_s: FloatArray
    change_bar: int
    """The bar at whose line it happens: the new chord or tempo, or the stop."""

    @property
    def change_s(self) -> float:
        return float(self.bars_s[self.change_bar])

    @property
    def beats_s(self) -> FloatArray:
        return self.song.labels["beats_s"]


def write_scene(kind: str, index: int, styles: tuple[str, ...]) -> Scene:
    """Scene number `index` of a kind, in one of `styles`, rendered as a stage would sound. Raises ValueError."""
    if kind not in KINDS:
        raise ValueError(f"scene {kind!r}: give {', '.join(KINDS)}")
    rng = np.random.default_rng([SEEDS_FROM, KINDS.index(kind), index])
    style = STYLES[styles[int(rng.integers(len(styles)))]]
    metre = "4/4" if "4/4" in style.metres else next(iter(style.metres))
    beats = METRES[metre][0]
    low, high = style.metre_bpm.get(metre, style.bpm)
    bpm = round(float(rng.uniform(low + 0.25 * (high - low), low + 0.75 * (high - low))), 2)
    key = int(rng.integers(12))
    bars, change = _bars(kind, key, beats, rng)
    modes = [mode for mode in style.lead_modes if mode in CHORDAL] or list(style.lead_modes)
    mode = modes[int(rng.integers(len(modes)))]
    programs = {"lead": int(rng.choice(PROGRAMS[mode])), "drums": style.kit, "bass": style.bass_program,
                "keys": style.keys_program}  # fmt: skip
    factors = np.ones(len(bars) * beats)
    if kind in ("faster", "slower"):
        factors[change * beats :] *= 1 + (CHANGE if kind == "faster" else -CHANGE)
    times = beat_times(rng, bpm, len(factors), 0.0, 0.3, factors)
    straight = not style.swing_depth or METRES[metre][1]
    swing = 0.5 if straight else swing_by_tempo(bpm * (2 if style.swing_grid_beats == 0.25 else 1), style.swing_depth)
    score = Score(
        SEEDS_FROM + index, style.name, STYLE_NAMES.index(style.name), bpm, beats, key, False, swing,
        style.swing_grid_beats, mode, bars, times, programs, metre=metre,
    )  # fmt: skip
    arrange.play(rng, style, score)
    return Scene(kind, render_score(score, rng, split="test"), times[::beats], change)


def _bars(kind: str, key: int, beats: int, rng: np.random.Generator) -> tuple[list[Bar], int]:
    """The bars of a scene and the one with the change."""
    if kind == "chord":
        # their own notes are no passing notes of the first chord, so a walking bass confuses no judge
        words = ["I"] * 6 + [str(rng.choice(["bVI", "bIII"]))] * 6
        change = 6
    elif kind == "pauses":
        words = ["I", "IV"] * (SILENT_BARS + 2 * PLAY_BARS)
        words = words[: SILENT_BARS + PLAY_BARS + PAUSE_BARS + PLAY_BARS // 2 + 1]
        change = SILENT_BARS + PLAY_BARS
    else:
        words = (["I", "IV", "V", "I"] * 4)[:14]
        change = 6
    chords = parse_progression(" ".join(words), key, beats)
    bars = [
        Bar(k, k * beats, beats, "verse", chord, 0.6, key=key, first_of_section=k == 0, bar_in_section=k)
        for k, chord in enumerate(chords)
    ]
    if kind == "pauses":
        back = change + PAUSE_BARS
        for bar in bars:
            silent = bar.index < SILENT_BARS or change <= bar.index < back
            bar.lead_to_beats = 0.0 if silent else 99.0
            # the band enters at the bar line after the lead began, and rests from the bar line after it stopped
            rests = bar.index <= SILENT_BARS or change < bar.index <= back
            bar.parts = (not rests,) * 3
    return bars, change


# ---------------------------------------------------------------------------------------- how long it takes


def measure(scene: Scene, take: dict[str, FloatArray]) -> dict[str, float]:
    """The figures of a scene for a take at the judges' rate. nan: never within the scene."""
    if scene.kind == "chord":
        return chord_figures(scene, take)
    if scene.kind in ("faster", "slower"):
        return {"tempo_bars": tempo_bars(scene, take["mix"])}
    return pauses(scene, take["mix"])


def chord_figures(scene: Scene, take: dict[str, FloatArray]) -> dict[str, float]:
    """`chord_beats`: beats from the change until bass and keys are stronger on the new chord's own notes than on the
    old one's, and stay so for three in four of the beats that are left. `old_chord_before`: share of the eight beats
    before on which the old chord was the stronger; where it hardly was (.5 is chance), nothing was followed."""
    chroma = np.zeros((0, 12))
    for part in ("bass", "keys"):
        made = chroma_at(take[part], int(len(take[part]) / JUDGE_RATE_HZ / 0.04))
        made = made / (made.mean() + 1e-9)
        chroma = made if not len(chroma) else chroma + made
    pcs = scene.song.labels["chord_pcs"]
    at = int(scene.change_s / 0.04)
    old, new = pcs[at - 5], pcs[at + 5]

    def new_above_old(beats_s: FloatArray) -> NDArray[np.bool_]:
        spans = [chroma[int(a / 0.04) : int(b / 0.04)].sum(axis=0) for a, b in itertools.pairwise(beats_s)]
        return np.array([bool(e[new & ~old].sum() > e[old & ~new].sum()) for e in spans], bool)

    before = float(1.0 - new_above_old(scene.beats_s[scene.beats_s <= scene.change_s + 1e-3][-9:]).mean())
    ahead = new_above_old(scene.beats_s[scene.beats_s >= scene.change_s - 1e-3])
    followed = (float(k) for k in range(len(ahead) - 4) if ahead[k] and ahead[k:].mean() >= 0.75)
    return {"chord_beats": next(followed, math.nan) if before > 0.6 else math.nan, "old_chord_before": before}


def tempo_bars(scene: Scene, mix: FloatArray, window_beats: int = 4, near_s: float = 0.05) -> float:
    """Bars from the change of tempo until the onsets gather within `near_s` of the new beats, and mostly stay there.

    For every beat after the change, where onsets gather over the four beats from there on, looked for within a quarter
    of a beat. The band follows from the first beat on after which four in five of the rest are near.
    """
    envelope = onset_envelope(mix)
    beats = scene.beats_s[(scene.beats_s >= scene.change_s - 1e-3)]
    beats = beats[beats < len(mix) / JUDGE_RATE_HZ - 0.5]
    beat_s = float(np.median(np.diff(beats)))
    lags = np.arange(-beat_s / 4, beat_s / 4, 0.004)
    near = []
    for k in range(len(beats) - window_beats):
        at = ((beats[k : k + window_beats, None] + lags[None] + LAG_BIAS_S) * JUDGE_RATE_HZ / HOP).round().astype(int)
        strength = envelope[np.clip(at, 0, len(envelope) - 1)].mean(axis=0)
        near.append(bool(strength.max() > 1e-3 and abs(lags[int(np.argmax(strength))]) <= near_s))
    beats_per_bar = int(scene.song.labels["beats_per_bar"][0])
    for k in range(len(near) - beats_per_bar):
        if near[k] and np.mean(near[k:]) >= 0.8:
            return k / beats_per_bar
    return math.nan


def pauses(scene: Scene, mix: FloatArray) -> dict[str, float]:
    """Silence before, entry, stop: levels relative to playing, bars, and how far the first hit is from a beat."""
    bars = scene.bars_s
    stop, back = scene.change_bar, scene.change_bar + PAUSE_BARS

    def stretch(start_s: float, end_s: float) -> FloatArray:
        return mix[int(start_s * JUDGE_RATE_HZ) : int(end_s * JUDGE_RATE_HZ)]

    step_s = 0.05
    hop = int(step_s * JUDGE_RATE_HZ)
    levels = np.array([level_db(mix[i : i + hop]) for i in range(0, len(mix) - hop, hop)])
    full = level_db(stretch(bars[stop - 4], bars[stop]))
    figures = {"before_db": level_db(stretch(0.0, bars[SILENT_BARS])) - full}
    if full < -60.0:
        return {"before_db": math.nan, "entry_bars": math.nan, "stop_bars": math.nan, "after_db": math.nan,
                "entry_error_ms": math.nan}  # fmt: skip
    bar_s = float(np.median(np.diff(bars)))
    began = int(bars[SILENT_BARS] / step_s)
    loud = np.flatnonzero(levels[began : int(bars[stop] / step_s)] > full - 12.0)
    figures["entry_bars"] = float(loud[0]) * step_s / bar_s if len(loud) else math.nan
    figures["entry_error_ms"] = math.nan
    if len(loud):
        entry_s = bars[SILENT_BARS] + loud[0] * step_s
        hits = onsets_s(stretch(max(0.0, entry_s - 0.3), entry_s + 1.0)) + max(0.0, entry_s - 0.3) - LAG_BIAS_S / 2
        if len(hits):
            off = scene.beats_s - hits[0]
            figures["entry_error_ms"] = float(1e3 * np.abs(off).min())
    pause = levels[int(bars[stop] / step_s) : int(bars[back] / step_s)]
    sounding = np.flatnonzero(pause > full + QUIET_DB)
    stopped = 0.0 if not len(sounding) else max(0.0, (float(sounding[-1]) + 1) * step_s - RING_S) / bar_s
    figures["stop_bars"] = stopped if stopped < PAUSE_BARS - 0.5 else math.nan
    figures["after_db"] = level_db(stretch(bars[stop + 2], bars[back])) - full
    return figures
