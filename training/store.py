"""A store of rendered songs for training: one memory-mapped folder per song, filled by many processes.

    000123/audio.npy     int16 [stems, N] at the codec's rate, in the order of STEMS
           features.npy  float16 [T, size] of the lead as a live microphone or plug hears it
           labels.npz    per-frame arrays and exact event lists (see training.render)
           score.npy     int16 [parts, SLOTS, T], what each part plays (model/generator/score_tokens.py)
           tokens.npy    int16 [parts, K, T], written once a codec is trained

Knows no model but the codec that it is handed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..dsp.features import FeatureExtractor, FeatureSpec
from .errors import TrainingError

if TYPE_CHECKING:
    from .sound.render import RenderedSong

Item = TypeVar("Item")
STEMS = ("lead", "drums", "bass", "keys", "lead_clean")
PARTS = STEMS[1:4]


@dataclass
class StoredSong:
    """One song, its arrays opened lazily; a lookup is a memory-mapped file."""

    path: Path

    def array(self, name: str) -> NDArray[Any]:
        """audio, features, score or tokens; TrainingError for audio that the store was made without."""
        try:
            return np.load(self.path / f"{name}.npy", mmap_mode="r")
        except FileNotFoundError:
            if name != "audio":
                raise
            raise TrainingError(
                f"{self.path.parent}: has songs without sound (for listener and harmony only): make others without "
                "--no-audio"
            ) from None

    def labels(self) -> dict[str, NDArray[Any]]:
        with np.load(self.path / "labels.npz", allow_pickle=False) as data:
            return {name: data[name] for name in data.files}


def songs_in(folder: Path) -> list[StoredSong]:
    """Every finished song of a store, by seed; raises TrainingError with the mend if there is none."""
    found = sorted(p.parent for p in folder.glob("*/labels.npz"))
    if not found:
        raise TrainingError(f"{folder}: contains no songs: make some with `gigmate train store --out {folder}`")
    return [StoredSong(p) for p in found]


def held_out(items: Sequence[Item], most: int = 16) -> list[Item]:
    """Those to check with, spread evenly: one in sixteen, at least one and at most `most`."""
    count = min(most, max(1, len(items) // 16))
    return [items[i * len(items) // count] for i in range(count)] if items else []


def check_enough(folder: Path, songs: int, held_out: int) -> None:
    """Raises TrainingError where nothing would be left to learn from beside the songs held out."""
    if songs <= held_out:
        raise TrainingError(
            f"{folder}: holds {songs} song{'s' * (songs != 1)}: at least 2 are needed, 1 of them for validation"
        )


MUSIC = ("band", "leads", "tunes")


@dataclass(frozen=True)
class StoreOptions:
    """How the songs of a store are made; see training.render.render_song."""

    split: str = "train"
    styles: tuple[str, ...] | None = None
    """None: the split's own."""
    variety: float = 0.0
    """0..1: how far playing and sounds stray from each style's own."""
    seconds: tuple[float, float] = (60.0, 120.0)
    """Shortest and longest of the arranger's songs."""
    keep_clean: bool = False
    music: str = "band"
    """`band`: the arranger's songs; `leads`: leads that people play, alone; `tunes`: melodies by people."""
    tunes: Path | None = None
    """The file of melodies that `gigmate train tunes` wrote."""
    audio: bool = True
    """False: audio.npy is left out, nine tenths of the disk; enough for the listener and for harmony."""


def render_store(folder: Path, seeds: range, workers: int, options: StoreOptions | None = None) -> None:
    """Render the songs of `seeds` that are not there yet, over `workers` processes."""
    options = options or StoreOptions()
    folder.mkdir(parents=True, exist_ok=True)
    todo = [seed for seed in seeds if not (folder / f"{seed:06d}" / "labels.npz").exists()]
    if workers <= 1:
        for seed in todo:
            _store_one(folder, seed, options)
        return
    with ProcessPoolExecutor(workers) as pool:
        for future in [pool.submit(_store_one, folder, seed, options) for seed in todo]:
            future.result()


def _store_one(folder: Path, seed: int, options: StoreOptions) -> None:
    from .trainers.score_labels import score_slots

    song = _rendered(seed, options)
    assert song.score is not None
    names = STEMS if options.keep_clean else STEMS[:4]
    frames = len(song.stems["lead"]) // FeatureSpec().frame_samples
    samples = frames * FeatureSpec().frame_samples
    part = folder / f"{seed:06d}.part{os.getpid()}"
    part.mkdir(exist_ok=True)
    if options.audio:
        audio = np.stack([song.stems[name][:samples] for name in names])
        np.save(part / "audio.npy", (np.clip(audio, -1, 1) * 32767).astype(np.int16))
    np.save(part / "features.npy", FeatureExtractor().whole(song.stems["lead"][:samples]).astype(np.float16))
    np.save(part / "score.npy", score_slots(song.score, frames))
    np.savez(part / "labels.npz", style_name=np.array(song.meta["style"]), **song.labels)  # type: ignore[arg-type]
    part.rename(folder / f"{seed:06d}")


def _rendered(seed: int, options: StoreOptions) -> RenderedSong:
    from .leads.song import write_lead_song
    from .leads.sound import render_lead
    from .leads.tunes import write_tune
    from .sound.render import render_song

    rate_hz = FeatureSpec().rate_hz
    if options.music == "leads":
        return render_lead(write_lead_song(seed), rate_hz)
    if options.music == "tunes":
        if options.tunes is None:
            raise TrainingError("tunes: name the file of melodies (`gigmate train tunes` writes one)")
        return render_lead(write_tune(seed, options.tunes), rate_hz)
    return render_song(
        seed,
        rate_hz=rate_hz,
        split=options.split,
        styles=options.styles,
        sound_variety=options.variety,
        playing_variety=options.variety,
        seconds=options.seconds,
    )


def styles_in(folder: Path) -> tuple[str, ...]:
    """The names of the styles that a store's songs are in, sorted."""
    return tuple(sorted({str(song.labels()["style_name"]) for song in songs_in(folder)}))
