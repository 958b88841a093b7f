"""Training of the voice (model/voice.py) on the pitched parts of a store, with tokens as poor as a generator's.

The true tokens of a part match its waveform, those that a generator makes do not; taught on true ones alone, the voice
would lean on the codec. So in most crops the tokens of each frame are another frame's in which the same notes are in
the same state, and in some there are none. Offline only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...model.codec.mdct_codec import MdctCodec, MdctDecoder
from ...model.voice import Voice, VoiceConfig
from ..loop import Loop, LoopConfig
from ..store import (
    PARTS,
    StoredSong,
    check_enough,
    held_out,
    songs_in,
)
from .losses import MelDistance, MultiMel

SWAPPED, WITHOUT = 0.65, 0.12
"""Shares of crops with swapped tokens, and with none."""
_SKIPPED_FRAMES = 8
"""At the start of a crop, where the network has no past."""


@dataclass
class VoiceSong:
    """One part of one song in memory; its sound stays on disk."""

    song: StoredSong
    row: int
    part: int
    tokens: NDArray[np.int16]  # [levels, T]
    slots: NDArray[np.int16]  # [SLOTS, T]
    like: NDArray[np.int32]
    """[T] frames sorted by their notes and state."""
    first: NDArray[np.int32]
    count: NDArray[np.int32]
    """[T] where in `like` the frames of the same notes and state begin, and how many there are."""


def voice_songs(songs: list[StoredSong], config: VoiceConfig) -> list[VoiceSong]:
    """The pitched parts of all songs whose notes are known."""
    found = []
    for song in songs:
        if not (song.path / "score.npy").exists() or not (song.path / "tokens.npy").exists():
            continue
        slots, tokens = np.asarray(song.array("score")), np.asarray(song.array("tokens"))
        for part, name in enumerate(config.parts):
            row = PARTS.index(name)
            mine = slots[row, :, : tokens.shape[2]]
            if mine.min() < 0 or not mine.any():
                continue
            _, key = np.unique(mine, axis=1, return_inverse=True)
            key = key.reshape(-1)
            like = np.argsort(key, kind="stable")
            counts = np.bincount(key)
            first = np.concatenate([[0], np.cumsum(counts)[:-1]])
            found.append(
                VoiceSong(
                    song,
                    row,
                    part,
                    tokens[row, : config.levels],
                    mine,
                    like.astype(np.int32),
                    first[key].astype(np.int32),
                    counts[key].astype(np.int32),
                )
            )
    return found


Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def draw(songs: list[VoiceSong], rng: np.random.Generator, rows: int, frames: int, clean: bool = False) -> Batch:
    """Tokens [B, levels, T], slots [B, SLOTS, T], part [B], whether there are tokens [B] and audio [B, T * 1280]."""
    out: list[list[NDArray[np.generic]]] = [[], [], [], [], []]
    for _ in range(rows):
        song = songs[int(rng.integers(len(songs)))]
        start = int(rng.integers(max(1, song.tokens.shape[1] - frames)))
        index = np.arange(start, start + frames)
        source, chance = index, rng.random()
        if chance < SWAPPED and not clean:
            source = song.like[song.first[index] + rng.integers(0, song.count[index])]
        audio = np.asarray(song.song.array("audio")[1 + song.row, start * 1280 : (start + frames) * 1280])
        has = clean or chance < 1.0 - WITHOUT
        row = (song.tokens[:, source], song.slots[:, index], np.int64(song.part), np.float32(has), audio)
        for column, value in zip(out, row, strict=True):
            column.append(np.asarray(value))
    tokens, slots, part, has_tokens, sound = (torch.from_numpy(np.stack(column)) for column in out)
    return tokens.long(), slots.long(), part, has_tokens, sound.float() / 32767.0


class VoiceLoss(nn.Module):
    """Log-mel distances of many windows; long ones hear whether the pitch is clean."""

    def __init__(self, rate_hz: int) -> None:
        super().__init__()
        self.short = MultiMel(rate_hz)
        self.long = MelDistance(8192, 400, rate_hz)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.short(x, y) + 0.5 * self.long(x, y)


def sound_of(
    voice: Voice, codec: MdctCodec, tokens: Tensor, slots: Tensor, part: Tensor, has: Tensor, loop: Loop
) -> Tensor:
    """What is heard of a batch: [B, T * frame], as late as the decoder."""
    decoder = codec.decoder
    assert isinstance(decoder, MdctDecoder)
    with torch.no_grad(), loop.autocast():
        latents = codec.quantizer.decode(tokens) * has[:, None, None]
        features = decoder.features(latents)
    with torch.no_grad():
        coefficients = decoder.coefficients_of(features.float()) * has[:, None, None]
    sound, shaped = voice.whole(latents.float(), slots, part, coefficients)
    return sound + decoder.inverse.whole(shaped)


def loss_of(
    voice: Voice,
    codec: MdctCodec,
    distance: VoiceLoss,
    batch: tuple[Tensor, Tensor, Tensor, Tensor, Tensor],
    loop: Loop,
) -> Tensor:
    """Distance between the voice and the true part, the first frames left out."""
    tokens, slots, part, has, audio = batch
    made = sound_of(voice, codec, tokens, slots, part, has, loop)
    skip, delay = _SKIPPED_FRAMES * codec.frame_samples, codec.decode_delay_samples
    return distance(made[:, skip + delay :], audio[:, skip : audio.shape[1] - delay])


def train_voice(
    data: Path,
    codec: MdctCodec,
    config: LoopConfig,
    model_config: VoiceConfig | None = None,
    rows: int = 10,
    frames: int = 40,
    seed: int = 0,
) -> None:
    """Train (or resume) a voice on the store `data`; the checkpoint lies in `config.out`."""
    torch.manual_seed(seed)
    shape = model_config or VoiceConfig()
    songs = songs_in(data)
    checked = held_out(songs)
    check_enough(data, len(songs), len(checked))
    aside = {s.path for s in checked}
    train, held = voice_songs([s for s in songs if s.path not in aside], shape), voice_songs(checked, shape)
    model = Voice(shape)
    loop = Loop(config, model, "voice", shape.to_dict())
    codec.requires_grad_(False).to(loop.device)
    distance = VoiceLoss(shape.sample_rate_hz).to(loop.device)
    loop.resume()
    rng = loop.sampler(seed)
    loop.log(**plain_distances(codec, distance, held, loop))
    for step in loop:
        loss = loss_of(model, codec, distance, loop.move(draw(train, rng, rows, frames)), loop)
        loop.update(loss, {})
        if (step + 1) % 200 == 0:
            loop.log(**validate(model, codec, distance, held, loop))


@torch.no_grad()
def validate(
    model: Voice, codec: MdctCodec, distance: VoiceLoss, songs: list[VoiceSong], loop: Loop
) -> dict[str, float]:
    """Distance on held-out songs with swapped tokens and with true ones."""
    drawn = _drawn_to_judge(songs, loop)
    return {name: float(loss_of(model, codec, distance, batch, loop)) for name, batch in drawn.items()}


@torch.no_grad()
def plain_distances(codec: MdctCodec, distance: VoiceLoss, songs: list[VoiceSong], loop: Loop) -> dict[str, float]:
    """What `validate` would find of the codec's decoder alone, where it has tokens: fixed, so to be asked once."""
    found = {}
    skip, delay = _SKIPPED_FRAMES * codec.frame_samples, codec.decode_delay_samples
    for name, (tokens, _, _, has, audio) in _drawn_to_judge(songs, loop).items():
        there = has > 0
        plain = codec.decode(tokens[there])
        found[f"plain_{name}"] = float(distance(plain[:, skip + delay :], audio[there, skip : audio.shape[1] - delay]))
    return found


def _drawn_to_judge(songs: list[VoiceSong], loop: Loop) -> dict[str, Batch]:
    """The same pieces each time."""
    return {
        "valid": loop.move(draw(songs, np.random.default_rng(5), 24, 50)),
        "valid_true_tokens": loop.move(draw(songs, np.random.default_rng(5), 24, 50, clean=True)),
    }
