"""Training of the generator: what a batch holds, what is scored, and that a tiny model learns notes from chords."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.model.codec.mdct_codec import CodecConfig, MdctCodec
from gigmate.model.generator.generator_config import CHORD_AHEAD_FRAMES, GeneratorConfig
from gigmate.model.generator.score_tokens import (
    FIRST_NOTE,
    LOUDNESS,
    LOWEST_NOTE,
    SLOTS,
    STATE,
)
from gigmate.model.generator.transformer import Generator
from gigmate.training.loop import Loop, LoopConfig
from gigmate.training.store import StoredSong, songs_in
from gigmate.training.trainers import generator_trainer as training

from ..stores import tiny_store

CODEC = CodecConfig(
    fine_channels=16, fine_blocks=1, coarse_channels=16, coarse_blocks=1, latent=8, codebooks=2, entries=16
)
SHAPE = GeneratorConfig(
    styles=("rock",), codebooks=2, entries=16, layers=1, size=32, heads=2, hidden=48, window_frames=40,
    condition_size=32, heard_channels=8, depth_layers=1, depth_size=32, depth_heads=2, depth_hidden=48,
)  # fmt: skip


def with_notes(folder: Path, lowest: int = 36) -> Path:
    """A tiny store in which bass and keys strike the root, so much above the note `lowest`, on every beat."""
    store = tiny_store(folder, songs=4)
    for song in songs_in(store):
        root = song.labels()["chord_root"].astype(int)
        score = np.zeros((3, SLOTS, len(root)), np.int16)
        beat = np.arange(len(root)) % 12 == 0
        score[:, STATE] = np.where(beat, 1, 6)
        score[:, LOUDNESS] = 5
        score[1:, FIRST_NOTE] = root + lowest - LOWEST_NOTE + 1
        score[0, FIRST_NOTE] = np.where(beat, 3, 0)
        np.save(song.path / "score.npy", score)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return with_notes(tmp_path / "songs")


@pytest.fixture
def pieces(store: Path) -> list[training.Piece]:
    training.write_tokens(songs_in(store), MdctCodec(CODEC))
    return [training.piece_of(song, SHAPE) for song in songs_in(store)]


def test_a_piece_holds_slots_and_then_codes(store: Path, pieces: list[training.Piece]) -> None:
    song: StoredSong = songs_in(store)[0]
    assert pieces[0].tokens.shape[1:] == (3, len(SHAPE.places))
    np.testing.assert_array_equal(pieces[0].tokens[:, :, :SLOTS].transpose(1, 2, 0), song.array("score"))
    np.testing.assert_array_equal(pieces[0].tokens[:, :, SLOTS:].transpose(1, 2, 0), song.array("tokens")[:, :2])


def test_a_recording_without_notes_is_not_scored_on_them(tmp_path: Path) -> None:
    store = tiny_store(tmp_path / "plain", songs=2)
    training.write_tokens(songs_in(store), MdctCodec(CODEC))
    (songs_in(store)[0].path / "score.npy").unlink()
    pieces = [training.piece_of(song, SHAPE) for song in songs_in(store)]
    assert all((piece.tokens[:, :, :SLOTS] == -1).all() for piece in pieces)
    batch = training.draw(pieces, np.random.default_rng(0), 2, 60, SHAPE)
    model = Generator(SHAPE)
    loop = Loop(LoopConfig(tmp_path / "run", device="cpu"), model, "generator", SHAPE.to_dict())
    loss, entropy = training.loss_of(model, batch, 0.5, loop)
    assert (
        bool(torch.isfinite(loss)) and entropy[:SLOTS].tolist() == [0.0] * SLOTS and bool((entropy[SLOTS:] > 0).all())
    )


def test_the_chord_is_that_of_two_frames_later_and_the_past_is_a_frame_late(pieces: list[training.Piece]) -> None:
    batch = training.draw(pieces, np.random.default_rng(3), 4, 80, SHAPE, clean=True)
    tokens = batch.tokens.view(4, 3, 80, -1)
    root = batch.chord[..., 12:25].argmax(-1) - 1
    played = (tokens[:, 1, :, FIRST_NOTE] + LOWEST_NOTE - 1) % 12
    assert bool((root[:, :-CHORD_AHEAD_FRAMES] == played[:, CHORD_AHEAD_FRAMES:]).all())
    assert torch.equal(batch.previous[:, 1:], batch.tokens[:, :-1])


def test_spoilt_pasts_stay_inside_the_tables(pieces: list[training.Piece]) -> None:
    rng = np.random.default_rng(1)
    batch = training.draw(pieces, rng, 8, 100, SHAPE)
    for place, entries in enumerate(SHAPE.places):
        assert int(batch.previous[..., place].min()) >= -1 and int(batch.previous[..., place].max()) < entries
    assert not torch.equal(batch.previous[:, 1:], batch.tokens[:, :-1])


def test_a_style_that_the_model_does_not_know_is_none(store: Path, tmp_path: Path) -> None:
    training.write_tokens(songs_in(store), MdctCodec(CODEC))
    other = GeneratorConfig(**{**SHAPE.to_dict(), "styles": ("polka", "tango")})
    assert training.piece_of(songs_in(store)[0], other).style == 2


def test_a_tiny_model_learns_the_root_from_the_chord_and_a_beginning_costs_no_more_than_it_is_worth(
    store: Path, tmp_path: Path
) -> None:
    """After some hundred steps the note is nearly certain, and states are not drawn toward beginnings."""
    config = LoopConfig(tmp_path / "run", learning_rate=6e-3, steps=240, log_steps=20, device="cpu")
    training.train_generator(store, MdctCodec(CODEC), config, ("rock",), SHAPE, songs_per_batch=2, frames=60)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "note" in line]
    assert steps[-1]["note"] < 0.35 * steps[0]["note"] and steps[-1]["note"] < 1.0
    assert steps[-1]["state"] < 0.6
