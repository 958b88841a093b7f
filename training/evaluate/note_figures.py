"""Evaluates the notes of the band beside the written parts: number, length, fills, density, dynamics.

The generator's slots (model/generator/score_tokens.py) are read frame by frame while it plays with a song's true beats
and chords, so no listener, conductor or judge of sound stands between. Knows no engine. `python -m
gigmate.training.evaluate.note_figures` prints the figures; one torch thread.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...files.json_text import json_text
from ...model.accompanist import Accompanist
from ...model.generator import score_tokens as st
from ...model.generator.generator_config import CHORD_AHEAD_FRAMES
from ...model.generator.note_hand import NO_HAND, NoHand
from ..band.score import PARTS
from ..trainers.score_labels import score_slots
from .statistics import rank_correlation

if TYPE_CHECKING:
    from ...model.band_stream import LoadedBand
    from ..sound.render import RenderedSong

Floats = NDArray[np.floating[Any]]
Slots = NDArray[np.int64]
STYLES = ("rock", "funk", "pop_ballad", "gospel", "swing", "soul", "disco", "reggae")
DENSITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
FILL_DENSITY = 0.35
"""What the engine's stage adds to the density while a fill is played."""
FILL_EVERY_BARS = 4
SWELLS_DB = (0.0, -9.0, 0.0, 6.0, -9.0, 3.0)
"""Of the lead, for two bars each, over and over."""
SEEDS_FROM = 70_000
SKIP_FRAMES = 75
AHEAD_FRAMES = 3
_CRASH, _TOM = 1 << st.DRUM_VOICES.index("crash"), 1 << st.DRUM_VOICES.index("tom")


@dataclass(frozen=True)
class Moment:
    """As the model reads it."""

    beat_phase: float
    bar_phase: float
    tempo_bpm: float
    beats_per_bar: int
    chord_root: int
    chord_pitch_classes: tuple[float, ...]
    playing: bool = True
    confidence: float = 1.0
    next_root: int = -1
    chord_bass: int = -1


@dataclass(frozen=True)
class Controls:
    """As the model reads them."""

    style: str
    density: float = 0.5
    fill: float = 0.0
    temperature: float = 0.9
    top_k: int = 100
    top_p: float = 0.95
    hand: NoHand = NO_HAND
    groove: float = 1.0
    pattern: str = ""


@dataclass(frozen=True)
class Take:
    """What was played: slots [parts, SLOTS, n] and sound [parts, samples] of the song's frames from `first` on."""

    slots: Slots
    sound: Floats
    first: int


def play(
    band: LoadedBand, song: RenderedSong, density: float = 0.5, fill: Floats | None = None,
    lead: Floats | None = None, frames: int = 500, always: bool = False,
) -> Take:  # fmt: skip
    """The band on a song with its true moments. `fill` [frames of the song]; `lead` instead of the song's own;
    `always`: also where the written band rests."""
    player, labels = Accompanist(band), song.labels
    player.reset(0, AHEAD_FRAMES)
    heard = np.asarray(song.stems["lead"] if lead is None else lead, np.float32)
    heard = np.concatenate([np.zeros(player.tail_samples, np.float32), heard])
    size, last = player.frame_samples, len(labels["beat_phase"]) - 1
    slots, sound = [], []
    for index in range(min(frames, last - AHEAD_FRAMES, len(heard) // size - 8)):
        at = index + AHEAD_FRAMES
        player.listen(heard[index * size : index * size + player.tail_samples + size].copy())
        filled = 0.0 if fill is None else float(fill[at])
        busy = min(1.0, density + FILL_DENSITY * filled)
        moment = _moment(labels, at, min(at + CHORD_AHEAD_FRAMES, last), always)
        sound.append(player.play(moment, Controls(str(song.meta["style"]), busy, filled)).copy())
        slots.append(player.slots())
    return Take(np.stack(slots, axis=2), np.concatenate(sound, axis=1), AHEAD_FRAMES)


def _moment(labels: dict[str, Any], at: int, chord_at: int, always: bool) -> Moment:
    return Moment(
        float(labels["beat_phase"][at]) % 1.0,
        float(labels["bar_phase"][at]) % 1.0,
        float(labels["tempo_bpm"][at]),
        int(labels["beats_per_bar"][at]),
        int(labels["chord_root"][chord_at]),
        tuple(float(x) for x in labels["chord_pcs"][chord_at]),
        always or bool(labels["part_active"][at].any()),
    )


def begins(slots: Slots) -> NDArray[np.bool_]:
    """[..., SLOTS, n] to whether something begins [..., n]."""
    state = slots[..., st.STATE, :]
    return np.asarray((state >= 1) & (state <= st.ONSET_QUARTERS))


def sounds(slots: Slots) -> NDArray[np.bool_]:
    """[..., SLOTS, n] of pitched parts to whether a note sounds [..., n]."""
    return np.asarray((slots[..., st.FIRST_NOTE :, :] > 0).any(axis=-2))


def bars_of(labels: dict[str, Any], first: int, frames: int) -> NDArray[np.int64]:
    """Number of the bar of each frame, 0 the first of the song."""
    phase = np.asarray(labels["bar_phase"], np.float64) % 1.0
    return np.cumsum(np.concatenate([[0], np.diff(phase) < -0.5]))[first : first + frames]


def note_figures(slots: Slots, written: Slots, active: NDArray[np.bool_]) -> dict[str, float]:
    """Beginnings and sounding frames of the band over those of the written parts, where these are meant to play."""
    figures: dict[str, float] = {}
    for row, part in enumerate(PARTS):
        there = active[:, row]
        own, true = begins(slots)[row] & there, begins(written)[row] & there
        figures[f"{part}_onsets_of_written"] = float(own.sum() / max(1, true.sum()))
        if part != "drums":
            own, true = sounds(slots)[row] & there, sounds(written)[row] & there
            figures[f"{part}_sounding_of_written"] = float(own.sum() / max(1, true.sum()))
    return figures


def fill_figures(slots: Slots, bars: NDArray[np.int64], filled: NDArray[np.bool_]) -> dict[str, float]:
    """Of the drums in whole bars: hits a bar and share of hits with a tom, in fill bars and in others, and the share
    of fills with a crash within a frame of the next downbeat."""
    hits, voices = begins(slots)[0], np.maximum(slots[0, st.FIRST_NOTE], 0)
    figures: dict[str, float] = {}
    whole = list(np.unique(bars)[1:-1])
    for name, chosen in (("fill", True), ("other", False)):
        rows = [(bars == bar) & hits for bar in whole if bool(filled[bars == bar].mean() > 0.5) is chosen]
        every = np.concatenate([voices[row] for row in rows]) if rows else np.zeros(0, np.int64)
        figures[f"{name}_hits_a_bar"] = float(np.mean([row.sum() for row in rows])) if rows else float("nan")
        figures[f"{name}_tom_share"] = float(((every & _TOM) > 0).mean()) if len(every) else 0.0
    lines = [
        int(np.flatnonzero(bars == bar)[0]) for bar in whole if bar > bars[0] and filled[bars == bar - 1].mean() > 0.5
    ]
    crashes = [bool((voices[max(0, line - 1) : line + 2] & _CRASH).any()) for line in lines]
    figures["crash_after"] = float(np.mean(crashes)) if crashes else float("nan")
    return figures


def onsets_a_beat(slots: Slots, labels: dict[str, Any], first: int) -> list[float]:
    """Of each part, from SKIP_FRAMES on."""
    tempo = np.asarray(labels["tempo_bpm"][first + SKIP_FRAMES : first + slots.shape[2]], np.float64)
    return [float(row[SKIP_FRAMES:].sum() / (tempo / 1500.0).sum()) for row in begins(slots)]


def swelling(song: RenderedSong) -> tuple[Floats, Floats]:
    """The lead with SWELLS_DB on it, and its gain in dB [samples]."""
    lead = np.asarray(song.stems["lead"], np.float64)
    lines = (np.asarray(song.labels["downbeats_s"])[::2] * song.rate_hz).astype(int)
    gain_db = np.zeros(len(lead))
    for k, line in enumerate(lines):
        gain_db[line:] = SWELLS_DB[k % len(SWELLS_DB)]
    return lead * 10.0 ** (gain_db / 20.0), gain_db


def follow_correlation(take: Take, gain_db: Floats, lines_s: Floats, rate_hz: int, frame: int) -> float:
    """Of the lead's gain and the level of the band, over stretches of two bars after the first; nan for too few."""
    mix, shift = take.sound.sum(axis=0), take.first * frame
    lines = (np.asarray(lines_s)[2::2] * rate_hz).astype(int)
    pairs = [
        (gain_db[a + 1], 10.0 * np.log10(np.mean(np.square(mix[a - shift : b - shift], dtype=np.float64)) + 1e-9))
        for a, b in itertools.pairwise(lines) if shift <= a and b - shift <= len(mix)
    ]  # fmt: skip
    x = np.array(pairs)
    return float(np.corrcoef(x[:, 0], x[:, 1])[0, 1]) if len(x) > 2 and x.std(axis=0).min() > 0 else float("nan")


def judge(band: LoadedBand, song: RenderedSong, what: tuple[str, ...], frames: int = 500) -> dict[str, Any]:
    """All figures of one song. `what`: of notes, fill, density and dynamics."""
    labels, figures = song.labels, dict[str, Any]()
    if "notes" in what:
        take = play(band, song, frames=frames)
        rows = slice(take.first, take.first + take.slots.shape[2])
        if song.score is None:
            raise ValueError("the song has no score: its notes are not known")
        written = score_slots(song.score, len(labels["beat_phase"])).astype(np.int64)[:, :, rows]
        figures |= note_figures(take.slots, written, np.asarray(labels["part_active"][rows], bool))
    if "fill" in what:
        bars = bars_of(labels, 0, len(labels["beat_phase"]))
        filled = bars % FILL_EVERY_BARS == FILL_EVERY_BARS - 1
        take = play(band, song, fill=filled.astype(np.float64), frames=frames, always=True)
        rows = slice(take.first, take.first + take.slots.shape[2])
        figures |= fill_figures(take.slots, bars[rows], filled[rows])
    if "density" in what:
        curves = []
        for density in DENSITIES:
            take = play(band, song, density, frames=min(frames, 350), always=True)
            curves.append(onsets_a_beat(take.slots, labels, take.first))
        for part, curve in zip(PARTS, zip(*curves, strict=True), strict=True):
            figures[f"{part}_onsets_a_beat"] = [round(x, 2) for x in curve]
            figures[f"{part}_density_rank"] = rank_correlation(list(DENSITIES), list(curve))
    if "dynamics" in what:
        lead, gain_db = swelling(song)
        take = play(band, song, lead=lead, frames=2 * frames, always=True)
        figures["follow_correlation"] = follow_correlation(
            take, gain_db, labels["downbeats_s"], song.rate_hz, take.sound.shape[1] // take.slots.shape[2]
        )
    return figures


def main() -> None:
    """Print one line of JSON for each song and the means."""
    import torch

    from ...model.loading import load_band
    from ..sound.render import render_song

    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--only", action="append", choices=("notes", "fill", "density", "dynamics"))
    ask.add_argument("--styles", default=",".join(STYLES))
    ask.add_argument("--seconds", type=float, default=20.0)
    ask.add_argument("--weights", type=Path)
    asked = ask.parse_args()
    torch.set_num_threads(1)
    band, rows = load_band(asked.weights), []
    for number, style in enumerate(asked.styles.split(",")):
        seconds = asked.seconds * (2.0 if asked.only == ["dynamics"] else 1.0)
        song = render_song(SEEDS_FROM + number, split="test", styles=(style,), seconds=(seconds, seconds + 4.0))
        what = tuple(asked.only or ("notes", "fill", "density", "dynamics"))
        rows.append(judge(band, song, what, int(25 * asked.seconds)))
        print(json_text({"style": style, **rows[-1]}), flush=True)
    for name, value in rows[0].items():
        if isinstance(value, float):
            print(f"{name:<28}{np.nanmean([row[name] for row in rows]):8.2f}")


if __name__ == "__main__":
    main()
