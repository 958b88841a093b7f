"""Training of the voice: swapped tokens are of the same notes, and a tiny voice comes nearer to the part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.model.codec.mdct_codec import CodecConfig, MdctCodec
from gigmate.model.voice import Voice, VoiceConfig
from gigmate.training.loop import Loop, LoopConfig
from gigmate.training.store import songs_in
from gigmate.training.trainers import voice_trainer as training
from gigmate.training.trainers.generator_trainer import write_tokens

from ..stores import tiny_store
from .test_generator_trainer import with_notes

CODEC = CodecConfig(
    fine_channels=16, fine_blocks=1, coarse_channels=16, coarse_blocks=1, latent=8, codebooks=2, entries=16
)
SHAPE = VoiceConfig(latent=8, levels=2, channels=24, dilations=(1,), note_size=16, harmonics=4)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = with_notes(tmp_path / "songs", lowest=33)  # where the sound of these stores is
    write_tokens(songs_in(made), MdctCodec(CODEC))
    return made


def test_only_pitched_parts_with_known_notes_are_taken(store: Path, tmp_path: Path) -> None:
    assert len(training.voice_songs(songs_in(store), SHAPE)) == 8
    unknown = tiny_store(tmp_path / "unknown", songs=2)
    write_tokens(songs_in(unknown), MdctCodec(CODEC))
    assert training.voice_songs(songs_in(unknown), SHAPE) == []


def test_swapped_tokens_are_those_of_a_frame_with_the_same_notes(store: Path) -> None:
    song = training.voice_songs(songs_in(store), SHAPE)[0]
    for frame in range(0, song.slots.shape[1], 7):
        alike = song.like[song.first[frame] : song.first[frame] + song.count[frame]]
        assert frame in alike
        assert (song.slots[:, alike] == song.slots[:, [frame]]).all()


def test_a_tiny_voice_comes_nearer_to_the_part(store: Path, tmp_path: Path) -> None:
    """Of the bass alone, without a codec: the oscillators learn how loud the tone is."""
    torch.manual_seed(0)
    songs = [song for song in training.voice_songs(songs_in(store), SHAPE) if song.part == 0]
    codec, model, distance = MdctCodec(CODEC).requires_grad_(False), Voice(SHAPE), training.VoiceLoss(32_000)
    config = LoopConfig(tmp_path / "run", learning_rate=2e-2, warmup_steps=5, steps=40, device="cpu")
    loop = Loop(config, model, "voice", SHAPE.to_dict())
    tokens, slots, part, has, audio = training.draw(songs, np.random.default_rng(2), 3, 24)
    batch = (tokens, slots, part, torch.zeros_like(has), audio)
    before = float(training.loss_of(model, codec, distance, batch, loop).detach())
    for _ in loop:
        loop.update(training.loss_of(model, codec, distance, batch, loop), {})
    assert float(training.loss_of(model, codec, distance, batch, loop).detach()) < 0.8 * before


def test_what_is_judged_follows_the_voice_and_the_plain_decoder_stays(store: Path, tmp_path: Path) -> None:
    songs = training.voice_songs(songs_in(store), SHAPE)
    codec, distance = MdctCodec(CODEC).requires_grad_(False), training.VoiceLoss(32_000)
    model = Voice(SHAPE)
    loop = Loop(LoopConfig(tmp_path / "run", steps=1, device="cpu"), model, "voice", SHAPE.to_dict())
    plain = training.plain_distances(codec, distance, songs, loop)
    before = training.validate(model, codec, distance, songs, loop)
    assert set(plain) == {f"plain_{name}" for name in before}
    torch.nn.init.constant_(model.gain.bias, -9.0)
    after = training.validate(model, codec, distance, songs, loop)
    assert all(after[name] != value for name, value in before.items())
    assert training.plain_distances(codec, distance, songs, loop) == plain
