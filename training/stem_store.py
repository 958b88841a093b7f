"""A store for the trainers, made from a band's own recordings or from rendered shards (training.store).

    my_stems/first_song/lead.wav drums.wav bass.wav keys.wav     (other formats and names: sound/stem_files.py)
             second_song/…

Songs are cut into pieces of well under a minute, each a song of the store, so that a few recordings are enough to
learn from and to check with. Their beats, bars and chords are tracked, not known; what was played is not known at all
(`score.npy` holds -1). Knows no model. Offline, main thread.
"""

from __future__ import annotations

import itertools
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dsp.features import FeatureExtractor, FeatureSpec
from ..model.generator.score_tokens import SLOTS
from .errors import TrainingError
from .sound.recorded_stems import import_song
from .sound.render import RenderedSong, load_song
from .sound.song_labels import EXACT_LABELS, FRAME_LABELS, FRAME_S
from .sound.stem_files import StemError, find_stems
from .store import PARTS, STEMS

PIECE_S = 40.0
SHORTEST_PIECE_S = 20.0


def as_store(
    data: Path,
    made: Path,
    style: str,
    beats_per_bar: int = 4,
    bpm: float | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """The store to train on: `data` itself if it is one, else what it holds (folders of stems, or shards that
    `gigmate data` wrote), taken into the store `made`; what is there already is kept.

    `style` is the style that recorded songs are taught as. `say` is told what of the stems is left out. Raises
    TrainingError where there is nothing to learn from, or a file is none.
    """
    if next(data.glob("*/labels.npz"), None) is not None and next(data.glob("*/features.npy"), None) is not None:
        return data
    shards = sorted(data.glob("song-*.npz"))
    folders = [folder for folder in sorted((data, *data.iterdir())) if _has_lead(folder)] if data.is_dir() else []
    if not shards and not folders:
        raise TrainingError(
            f"{data}: neither a store of songs nor a folder of songs with lead.wav and drums.wav, bass.wav or keys.wav"
        )
    made.mkdir(parents=True, exist_ok=True)
    for path in (*shards, *folders):
        if (made / f"{path.stem}-000" / "labels.npz").exists():
            continue
        song = _song(path, beats_per_bar, bpm) if path in folders else _shard(path)
        for line in song.meta.get("remarks", ()):
            say(line)
        if song.rate_hz != FeatureSpec().rate_hz:
            raise TrainingError(f"{path}: is at {song.rate_hz} Hz; make it with --rate {FeatureSpec().rate_hz}")
        name = style if song.meta.get("tracked") else str(song.meta["style"])
        # the first piece comes last: where it is, all are
        for number, arrays in reversed(list(enumerate(_pieces(song)))):
            _write(made / f"{path.stem}-{number:03d}", arrays, name)
    return made


def _song(folder: Path, beats_per_bar: int, bpm: float | None) -> RenderedSong:
    try:
        return import_song(folder, 0, FeatureSpec().rate_hz, beats_per_bar, bpm)
    except StemError as error:
        raise TrainingError(str(error)) from error


def _shard(path: Path) -> RenderedSong:
    try:
        return load_song(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path}: is no song that `gigmate data` wrote: delete it, or make it again") from error


def _has_lead(folder: Path) -> bool:
    return "lead" in find_stems(folder)[0]


def _pieces(song: RenderedSong) -> Iterator[dict[str, Any]]:
    """Equal cuts of about PIECE_S, in whole frames: audio, features and labels of each, from its own time 0."""
    hop = FeatureSpec().frame_samples
    frames = min(len(song.stems["lead"]) // hop, len(song.labels["beat_phase"]))
    samples = frames * hop
    if frames * FRAME_S < SHORTEST_PIECE_S:
        raise TrainingError(
            f"a song of {frames * FRAME_S:.0f} s is too short: record at least {SHORTEST_PIECE_S:.0f} s"
        )
    audio = np.stack([song.stems[name][:samples] for name in STEMS[:4]])
    features = FeatureExtractor().whole(song.stems["lead"][:samples]).astype(np.float16)
    count = max(1, round(frames * FRAME_S / PIECE_S))
    edges = np.linspace(0, frames, count + 1).astype(int)
    for first, last in itertools.pairwise(edges):
        labels: dict[str, NDArray[Any]] = {name: song.labels[name][first:last] for name in FRAME_LABELS}
        for name in EXACT_LABELS:
            times = song.labels[name]
            inside = (times >= first * FRAME_S) & (times < last * FRAME_S)
            labels[name] = times[inside] - first * FRAME_S
        yield {
            "audio": (np.clip(audio[:, first * hop : last * hop], -1, 1) * 32767).astype(np.int16),
            "features": features[first:last],
            "score": np.full((len(PARTS), SLOTS, last - first), -1, np.int16),
            "labels": labels,
        }


def _write(folder: Path, arrays: dict[str, Any], style: str) -> None:
    part = folder.with_name(f"{folder.name}.part{os.getpid()}")
    part.mkdir(exist_ok=True)
    for name in ("audio", "features", "score"):
        np.save(part / f"{name}.npy", arrays[name])
    np.savez(part / "labels.npz", style_name=np.array(style), **arrays["labels"])
    if folder.exists():
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
    part.rename(folder)
