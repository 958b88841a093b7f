"""Examples to hear and see, and looped songs, for the evaluation. Knows no engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dsp.loudness_meter import SILENT_LUFS, integrated_lufs
from ..band.chord_theory import NAMES
from ..sound.song_labels import FRAME_LABELS, FRAME_S
from .part_fit import JUDGE_RATE_HZ, chroma_at, for_judges

if TYPE_CHECKING:
    from ..sound.render import RenderedSong

FloatArray = NDArray[np.floating[Any]]
PARTS = ("drums", "bass", "keys")
SEAM_S = 0.005


def go_round(song: RenderedSong, seconds: float) -> tuple[RenderedSong, float]:
    """The song from its first bar line to its last, over and over, for at least `seconds`, and the length of a round.

    Frame labels are those of the nearest frame; beats and bars are exact.
    """
    bars = song.labels["downbeats_s"]
    begin = round(float(bars[0]) * song.rate_hz)
    size = round(float(bars[-1]) * song.rate_hz) - begin
    rounds = max(2, int(np.ceil(seconds * song.rate_hz / size)))
    fade = np.ones(size, np.float32)
    ramp = np.linspace(0, 1, int(SEAM_S * song.rate_hz), dtype=np.float32)
    fade[: len(ramp)], fade[-len(ramp) :] = ramp, ramp[::-1]
    stems = {name: np.tile(sound[begin : begin + size] * fade, rounds) for name, sound in song.stems.items()}
    round_s = size / song.rate_hz
    frames = int(rounds * round_s / FRAME_S)
    at = (np.arange(frames) * FRAME_S) % round_s + begin / song.rate_hz
    index = np.clip((at / FRAME_S).round().astype(int), 0, len(song.labels["beat_phase"]) - 1)
    labels = {name: song.labels[name][index] for name in FRAME_LABELS}
    for name, times in song.labels.items():
        if name not in FRAME_LABELS:
            own = times[(times >= bars[0] - 1e-9) & (times < bars[-1] - 1e-6)] - begin / song.rate_hz
            labels[name] = np.concatenate([own + k * round_s for k in range(rounds)])
    return dataclasses.replace(song, stems=stems, labels=labels, score=None), round_s


def write_example(
    folder: Path, number: int, lead: FloatArray, band: FloatArray, parts: Mapping[str, FloatArray], song: RenderedSong
) -> None:
    """`NN-input.ogg` (mono), `NN-band.ogg`, `NN-mix.ogg` (the musician in the middle, as loud as the band), and for
    the eye `NN.png` (spectrograms) and `NN.txt` (notes).

    `lead` [n]; `band` and each of the `parts` [n, 2]; all at the song's rate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    loudness = [integrated_lufs(sound, song.rate_hz) for sound in (lead, band.T)]
    over_lu = loudness[1] - loudness[0] if min(loudness) > SILENT_LUFS else 0.0
    heard = np.asarray(lead * 10.0 ** (over_lu / 20.0), np.float32)
    sounds = {"input": heard[:, None], "band": band, "mix": heard[:, None] + band}
    for name, sound in sounds.items():
        _write_ogg(folder / f"{number:02d}-{name}.ogg", sound, song.rate_hz)
    true = {part: song.stems[part][: len(lead)] for part in PARTS}
    played = {part: sound.mean(axis=1) for part, sound in parts.items()}
    _write_picture(folder / f"{number:02d}.png", played, true, song)
    (folder / f"{number:02d}.txt").write_text(notes_beside(played, true, song), encoding="utf-8")


def _write_ogg(path: Path, sound: FloatArray, rate_hz: int) -> None:
    """[n, channels]."""
    import soundfile

    level, channels = max(1.0, float(np.abs(sound).max()) / 0.98), sound.shape[1]
    with soundfile.SoundFile(
        path, "w", rate_hz, channels, format="OGG", subtype="VORBIS", compression_level=0.8
    ) as file:
        for start in range(0, len(sound), rate_hz):  # the encoder overflows on one large write
            file.write((sound[start : start + rate_hz] / level).astype(np.float32))


def _write_picture(
    path: Path,
    parts: Mapping[str, FloatArray],
    true: Mapping[str, FloatArray],
    song: RenderedSong,
    seconds: float = 12.0,
) -> None:
    """Log-mel spectrograms of `seconds` from the middle: left the band's parts, right the true ones."""
    import librosa
    from matplotlib.figure import Figure
    from PIL import Image

    samples = len(next(iter(true.values())))
    start_s = max(0.0, samples / song.rate_hz / 2 - seconds / 2)
    a, b = int(start_s * song.rate_hz), int((start_s + seconds) * song.rate_hz)
    figure = Figure(figsize=(11, 7), layout="constrained")
    grid = figure.subplots(len(PARTS), 2, sharex=True)
    bars = song.labels["downbeats_s"] - start_s
    for row, part in enumerate(PARTS):
        for column, (name, sounds) in enumerate((("band", parts), ("true", true))):
            mel = librosa.feature.melspectrogram(y=for_judges(sounds[part][a:b], song.rate_hz), sr=JUDGE_RATE_HZ,
                                                 hop_length=256, n_mels=96)  # fmt: skip
            axes = grid[row][column]
            axes.imshow(10 * np.log10(mel + 1e-6), origin="lower", aspect="auto", vmin=-60, vmax=20, cmap="magma",
                        extent=(0, seconds, 0, 96))  # fmt: skip
            for bar_s in bars[(bars > 0) & (bars < seconds)]:
                axes.axvline(bar_s, color="white", linewidth=0.5)
            axes.set_title(f"{part}, {name}", fontsize=9)
    figure.suptitle(f"{song.meta['style']}, {song.meta['bpm']:.0f} bpm, seconds from {start_s:.0f} s", fontsize=10)
    figure.savefig(path, dpi=70)
    with Image.open(path) as drawn:  # a third of the size
        few = drawn.convert("RGB").quantize(48)
    few.save(path, optimize=True)


def notes_beside(parts: Mapping[str, FloatArray], true: Mapping[str, FloatArray], song: RenderedSong) -> str:
    """Text: for each beat the true chord's notes, the strongest note of the bass, three of the keys."""
    labels = song.labels
    frames = int(len(true["bass"]) / song.rate_hz / FRAME_S)
    chroma = {
        (name, part): chroma_at(for_judges(sounds[part], song.rate_hz), frames)
        for name, sounds in (("band", parts), ("true", true))
        for part in ("bass", "keys")
    }
    lines = ["bar.beat  chord            bass band/true   keys band | true"]
    beats = labels["beats_s"][labels["beats_s"] < frames * FRAME_S - 0.5]
    bars = labels["downbeats_s"]
    for k in range(len(beats) - 1):
        a, b = int(beats[k] / FRAME_S), max(int(beats[k] / FRAME_S) + 1, int(beats[k + 1] / FRAME_S))
        bar = int(np.searchsorted(bars, beats[k] + 1e-6))
        first = int(np.searchsorted(beats, bars[bar - 1] - 1e-6)) if bar else 0
        chord = " ".join(NAMES[pc] for pc in np.flatnonzero(labels["chord_pcs"][min(a, len(labels["chord_pcs"]) - 1)]))

        def strongest(name: str, part: str, count: int, a: int = a, b: int = b) -> str:
            energy = chroma[name, part][a:b].sum(axis=0)
            return " ".join(NAMES[pc] for pc in np.argsort(-energy)[:count]) if energy.sum() > 1e-6 else "-"

        bass = f"{strongest('band', 'bass', 1):>4}/{strongest('true', 'bass', 1):<8}"
        keys = f"{strongest('band', 'keys', 3):<9} | {strongest('true', 'keys', 3)}"
        lines.append(f"{bar:3d}.{k - first + 1:<4d} {chord:<16} {bass} {keys}")
    return "\n".join(lines) + "\n"
