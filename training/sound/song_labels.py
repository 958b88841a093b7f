"""The labels of a song for each 40 ms frame, and the exact times of beats and notes. Knows no sound.

Frame f stands for the moment f * 1280 / 32000 s, at any rendering rate.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..band.score import (
    ALL_PARTS,
    PARTS,
    SECTIONS,
    Score,
)

FRAME_S = 1280 / 32000
FRAME_LABELS = {
    "beat_phase": np.float32,
    "bar_phase": np.float32,
    "tempo_bpm": np.float32,
    "beats_per_bar": np.int8,
    "chord_root": np.int8,
    "chord_pcs": np.bool_,
    "bass_pc": np.int8,
    "key": np.int8,
    "minor": np.bool_,
    "section": np.int8,
    "density": np.float32,
    "style_id": np.int16,
    "playing": np.bool_,
    "part_active": np.bool_,
    "swing": np.float32,
}
EXACT_LABELS = ("beats_s", "downbeats_s", *(f"onsets_{p}_s" for p in ALL_PARTS))


def label(score: Score, frames: int) -> dict[str, np.ndarray]:
    """All labels of a song: `FRAME_LABELS` with `frames` rows each ([F], chord_pcs [F, 12], part_active [F, 3]) and
    `EXACT_LABELS`, float64 seconds.

    Phases count on before the first and after the last bar. `chord_root` is -1 outside the song's bars. `playing`: the
    lead is in a stretch of playing (its pauses inside phrases count as playing). `part_active`: the part is meant to
    play in this bar (drums: or lead the band in from here to the bar line).
    """
    moments = np.arange(frames) * FRAME_S
    beats = score.beats_at(moments)
    bars = score.bars
    starts = np.array([b.start_beat for b in bars], dtype=np.float64)
    index = np.clip(np.searchsorted(starts, beats + 1e-9, side="right") - 1, 0, len(bars) - 1)
    inside = (beats >= 0) & (beats < score.length_beats)
    times = score.beat_times_s
    at = np.clip(np.floor(beats).astype(np.int64), 0, len(times) - 2)
    out: dict[str, np.ndarray] = {
        "beat_phase": np.mod(beats, 1.0),
        "bar_phase": np.mod(beats - starts[index], score.beats_per_bar) / score.beats_per_bar,
        "tempo_bpm": 60.0 / (times[at + 1] - times[at]),
        "beats_per_bar": np.full(frames, score.beats_per_bar),
        "style_id": np.full(frames, score.style_id),
        "swing": np.full(frames, score.swing),
        "key": np.array([b.key for b in bars])[index],
        "minor": np.array([b.minor for b in bars])[index],
        "section": np.where(inside, np.array([SECTIONS.index(b.section) for b in bars])[index], 0),
        "density": np.array([b.density for b in bars])[index],
        "part_active": np.array([b.parts for b in bars])[index] & inside[:, None],
    }
    for bar in bars:
        if bar.pickup_beats and any(
            bar.start_beat <= n.beat < bar.start_beat + bar.beats for n in score.notes["drums"]
        ):
            led = bar.start_beat + bar.beats - bar.pickup_beats
            out["part_active"][(beats >= led) & (beats < bar.start_beat + bar.beats), 0] = True
    out.update(_chords(score, beats, inside))
    playing = np.zeros(frames, dtype=bool)
    for begin, end in score.lead_spans_beats:
        playing |= (beats >= begin) & (beats < end)
    out["playing"] = playing
    out = {name: np.ascontiguousarray(out[name].astype(kind)) for name, kind in FRAME_LABELS.items()}
    out["beats_s"] = times[:-1].copy()
    out["downbeats_s"] = times[starts.astype(np.int64)]
    for part in ALL_PARTS:
        onsets = sorted({round(score.note_seconds(n)[0], 5) for n in score.notes[part]})
        out[f"onsets_{part}_s"] = np.array(onsets, dtype=np.float64)
    return out


def _chords(score: Score, beats: np.ndarray, inside: np.ndarray) -> dict[str, np.ndarray]:
    spans = [(bar.start_beat + at, chord) for bar in score.bars for at, chord in bar.chords]
    begins = np.array([s for s, _ in spans])
    which = np.clip(np.searchsorted(begins, beats + 1e-9, side="right") - 1, 0, len(spans) - 1)
    classes = np.zeros((len(spans), 12), dtype=bool)
    for row, (_, chord) in enumerate(spans):
        classes[row, list(chord.pcs)] = True
    return {
        "chord_root": np.where(inside, np.array([c.root for _, c in spans])[which], -1),
        "bass_pc": np.where(inside, np.array([c.bass for _, c in spans])[which], -1),
        "chord_pcs": classes[which] & inside[:, None],
    }


def silent_frames(labels: dict[str, np.ndarray], part: str) -> np.ndarray:
    """Bool [F]: where a part is meant to be silent, by its label (its last notes may still ring a little)."""
    return ~labels["part_active"][:, PARTS.index(part)]


def chords_of(labels: Mapping[str, np.ndarray]) -> np.ndarray:
    """Root (0 is C) + 12 * (minor third and no major one) of each frame [F]; -1 where there is no chord."""
    root, classes = labels["chord_root"].astype(np.int64), labels["chord_pcs"]
    rows = np.arange(len(root))
    minor = classes[rows, (root + 3) % 12] & ~classes[rows, (root + 4) % 12]
    return np.where(root < 0, -1, root + 12 * minor)
