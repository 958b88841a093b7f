"""Stores: encoding them twice changes nothing, and a band's own stems become one that can be trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.model.codec.mdct_codec import CodecConfig, MdctCodec
from gigmate.training import stem_store
from gigmate.training.errors import TrainingError
from gigmate.training.sound.render import STEMS, RenderedSong
from gigmate.training.stem_store import as_store
from gigmate.training.store import (
    StoreOptions,
    render_store,
    songs_in,
    styles_in,
)
from gigmate.training.trainers.generator_trainer import write_tokens

from .stores import labels, tiny_store

TINY = CodecConfig(
    fine_channels=16, fine_blocks=1, coarse_channels=16, coarse_blocks=1, latent=8, codebooks=2, entries=16
)


def test_encoding_a_store_is_idempotent(tmp_path: Path) -> None:
    torch.manual_seed(0)
    codec = MdctCodec(TINY).eval().requires_grad_(False)
    songs = songs_in(tiny_store(tmp_path, songs=2, seconds=4.0))
    write_tokens(songs, codec)
    first = [np.array(song.array("tokens")) for song in songs]
    times = [(song.path / "tokens.npy").stat().st_mtime_ns for song in songs]
    write_tokens(songs, codec)
    assert [(song.path / "tokens.npy").stat().st_mtime_ns for song in songs] == times
    (songs[1].path / "tokens.npy").unlink()
    write_tokens(songs, codec)
    assert all(np.array_equal(a, song.array("tokens")) for a, song in zip(first, songs, strict=True))
    assert first[0].shape == (3, 2, 100)
    assert not list(tmp_path.rglob("*.part*"))


def test_a_store_without_sound_says_so_where_sound_is_asked_for(tmp_path: Path) -> None:
    torch.manual_seed(0)
    with_sound, without = tmp_path / "with", tmp_path / "without"
    for out, audio in ((with_sound, True), (without, False)):
        render_store(out, range(7, 8), 1, StoreOptions(styles=("rock",), audio=audio))
    one, other = songs_in(with_sound)[0], songs_in(without)[0]
    for name in ("features", "score"):
        np.testing.assert_array_equal(one.array(name), other.array(name))
    assert one.array("audio").shape[0] == 4
    with pytest.raises(TrainingError, match="without --no-audio"):
        write_tokens([other], MdctCodec(TINY).eval())


def recorded(seconds: float) -> RenderedSong:
    frames = int(seconds * 25)
    rng = np.random.default_rng(0)
    stems = {name: rng.uniform(-0.1, 0.1, frames * 1280).astype(np.float32) for name in STEMS}
    return RenderedSong(
        0, 32_000, stems, labels(frames, rng.integers(0, 12, frames)), {"tracked": True, "style": "one"}
    )


def folder_of_stems(place: Path) -> Path:
    for name in ("one", "two"):
        (place / name).mkdir(parents=True)
        (place / name / "lead.wav").touch()
    return place


def test_own_stems_become_a_store_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def imported(folder: Path, *_: object) -> RenderedSong:
        read.append(folder)
        return recorded(100.0)

    monkeypatch.setattr(stem_store, "import_song", imported)
    stems = folder_of_stems(tmp_path / "stems")
    store = as_store(stems, tmp_path / "made", "funk")
    assert [song.path.name for song in songs_in(store)] == [f"{n}-00{k}" for n in ("one", "two") for k in (0, 1)]
    assert styles_in(store) == ("funk",)
    whole = recorded(100.0)
    second = songs_in(store)[1]
    audio, found = second.array("audio"), second.labels()
    assert audio.shape == (4, 1250 * 1280)
    assert np.allclose(audio[1], whole.stems["drums"][1250 * 1280 :] * 32767, atol=1.0)
    assert np.array_equal(found["chord_root"], whole.labels["chord_root"][1250:])
    assert np.allclose(found["beats_s"], np.arange(0, 50, 0.5))
    assert (second.array("score") == -1).all()
    assert len(second.array("features")) == 1250
    assert as_store(stems, tmp_path / "made", "funk") == store and len(read) == 2
    assert as_store(store, tmp_path / "other", "funk") == store


def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match=r"lead\.wav"):
        as_store(tmp_path, tmp_path / "made", "rock")
    with pytest.raises(TrainingError, match=r"lead\.wav"):
        as_store(tmp_path / "missing", tmp_path / "made", "rock")
    monkeypatch.setattr(stem_store, "import_song", lambda *_: recorded(5.0))
    with pytest.raises(TrainingError, match="too short"):
        as_store(folder_of_stems(tmp_path / "stems"), tmp_path / "made", "rock")
