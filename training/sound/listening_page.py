"""A page to hear rendered songs: players, piano roll, waveforms, labels. Knows no models.

Needs matplotlib and soundfile.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..band.score import SECTIONS, Score, warp
from .song_labels import FRAME_S

if TYPE_CHECKING:
    from .render import RenderedSong

_COLOURS = {"lead": "C2", "keys": "C1", "bass": "C0"}
_DRUM_ROWS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("kick", (35, 36)), ("pedal", (44,)), ("stick", (37,)), ("snare", (38, 39, 40)), ("low tom", (41, 43)),
    ("mid tom", (45, 47)), ("high tom", (48, 50)), ("hat", (42,)), ("open hat", (46,)), ("ride", (51, 53)),
    ("crash", (49, 57)), ("hand", tuple(range(54, 57)) + tuple(range(58, 88))),
)  # fmt: skip


def piano_roll(score: Score, path: Path, first_bar: int = 0, bars: int = 16) -> None:
    """A picture of some bars: the lead, keys and bass, the drums, chords and sections. Writes a PNG."""
    plt = _pyplot()
    shown = score.bars[first_bar : first_bar + bars]
    low, high = shown[0].start_beat, shown[-1].start_beat + shown[-1].beats
    figure, axes = plt.subplots(3, 1, figsize=(16, 11), height_ratios=(2, 2, 1.2), sharex=True)
    for axis, parts in ((axes[0], ("lead",)), (axes[1], ("keys", "bass"))):
        pitches = [60]
        for part in parts:
            for note in score.notes[part]:
                if low <= note.beat < high:
                    start = warp(note.beat, score.swing, score.swing_grid_beats)
                    axis.barh(
                        note.pitch,
                        note.length_beats,
                        0.8,
                        start,
                        color=_COLOURS[part],
                        alpha=0.2 + 0.6 * note.velocity / 127,
                    )
                    pitches.append(note.pitch)
        axis.set_ylim(min(pitches) - 2, max(pitches) + 4)
        axis.set_ylabel(" and ".join(parts))
        for bar in shown:
            for at, chord in bar.chords:
                axis.text(bar.start_beat + at + 0.05, max(pitches) + 2, chord.name, fontsize=8)
    for note in score.notes["drums"]:
        if low <= note.beat < high:
            row = next((k for k, (_, pitches) in enumerate(_DRUM_ROWS) if note.pitch in pitches), len(_DRUM_ROWS) - 1)
            at = warp(note.beat, score.swing, score.swing_grid_beats)
            axes[2].scatter(at, row, s=note.velocity / 3, c="k", alpha=0.2 + 0.6 * note.velocity / 127)
    axes[2].set_yticks(range(len(_DRUM_ROWS)), [name for name, _ in _DRUM_ROWS], fontsize=7)
    for axis in axes:
        for bar in shown:
            axis.axvline(bar.start_beat, color="k", lw=1.5 if bar.first_of_section else 0.6)
        axis.set_xlim(low - 0.1, high)
    for bar in shown:
        axes[2].text(bar.start_beat + 0.05, len(_DRUM_ROWS) - 0.4, f"{bar.section} {bar.density:.1f}", fontsize=6)
    figure.suptitle(f"{score.style}, {score.metre}, {score.bpm:.0f} bpm, seed {score.seed}, lead: {score.lead_mode}")
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    plt.close(figure)


def waveforms(song: RenderedSong, path: Path) -> None:
    """A picture of a whole song: each stem, and the labels beneath. Writes a PNG."""
    plt = _pyplot()
    names = list(song.stems)
    figure, axes = plt.subplots(len(names) + 2, 1, figsize=(16, 11), sharex=True)
    step = max(1, len(song.stems["lead"]) // 3000)
    for axis, name in zip(axes, names, strict=False):
        sound = song.stems[name]
        folded = np.abs(sound[: len(sound) // step * step].reshape(-1, step)).max(axis=1)
        times = np.arange(len(folded)) * step / song.rate_hz
        axis.fill_between(times, -folded, folded, lw=0)
        axis.set_ylabel(name, fontsize=8)
        axis.set_ylim(-1, 1)
    frames = np.arange(len(song.labels["beat_phase"])) * FRAME_S
    axes[-2].step(frames, song.labels["playing"], label="playing")
    for k, part in enumerate(("drums", "bass", "keys")):
        axes[-2].step(frames, 0.8 * song.labels["part_active"][:, k] + 1.2 * (k + 1), label=part)
    axes[-2].legend(fontsize=6, loc="right")
    axes[-1].step(frames, song.labels["chord_root"], label="root")
    axes[-1].step(frames, song.labels["section"], label="section (" + ", ".join(SECTIONS) + ")")
    axes[-1].legend(fontsize=6, loc="right")
    for beat in song.labels["downbeats_s"]:
        axes[-1].axvline(beat, color="k", lw=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    plt.close(figure)


def write_page(songs: list[RenderedSong], out: Path) -> Path:
    """Writes `out/index.html` with a player per stem, the mix, and pictures; returns the page's path."""
    import soundfile

    out.mkdir(parents=True, exist_ok=True)
    body = []
    for song in songs:
        name = f"{song.meta['style']}-{song.seed}"
        mix = sum((song.stems[k] for k in ("drums", "bass", "keys")), song.stems["lead_clean"].copy())
        sounds = {"mix": mix / max(1.0, float(np.abs(mix).max())), **song.stems}
        rows = []
        for stem, sound in sounds.items():
            file = f"{name}-{stem}.flac"
            soundfile.write(out / file, np.clip(sound, -1, 1), song.rate_hz, subtype="PCM_16")
            rows.append(f'<tr><td>{stem}</td><td><audio controls preload="none" src="{file}"></audio></td></tr>')
        waveforms(song, out / f"{name}-waves.png")
        pictures = f'<img src="{name}-waves.png" alt="waveforms and labels">'
        if song.score is not None:
            piano_roll(song.score, out / f"{name}-roll.png", first_bar=min(8, len(song.score.bars) - 1))
            pictures += f'<img src="{name}-roll.png" alt="piano roll">'
        facts = ", ".join(f"{k}: {v}" for k, v in song.meta.items())
        body.append(f"<h2>{html.escape(name)}</h2><p>{html.escape(facts)}</p><table>{''.join(rows)}</table>{pictures}")
    page = out / "index.html"
    page.write_text(
        "<!doctype html><meta charset=utf-8><title>Made music</title><style>body{font:15px sans-serif;margin:2em}"
        "img{max-width:100%;display:block}audio{width:32em}td{padding:0 1em 0 0}</style><h1>Made music</h1>"
        + "".join(body),
        encoding="utf-8",
    )
    return page


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
