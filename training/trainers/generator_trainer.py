"""Training of the generator on codec tokens, under the conditions and errors that occur on stage.

Per crop: the heard sound is as old as a drawn `ahead`; chords come exact, late or not at all; moment, style, density
and heard sound are each withheld at times; the part's own past is spoilt and hidden at times, because a band that may
lean on its own past stops listening. Offline only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...model.codec.codec_protocol import TokenCodec
from ...model.generator.conditioning import (
    FrameCondition,
    MomentColumns,
    chord_features,
    moment_features,
)
from ...model.generator.generator_config import CHORD_AHEAD_FRAMES, GeneratorConfig
from ...model.generator.score_tokens import FIRST_NOTE, ONSET_QUARTERS, STATE
from ...model.generator.transformer import Generator
from ..loop import Loop, LoopConfig
from ..store import (
    PARTS,
    StoredSong,
    check_enough,
    held_out,
    songs_in,
)

MAX_TRAINED_AHEAD_FRAMES = 8
SLOT_WEIGHTS = (2.0, 0.5, 3.0, 2.0, 2.0, 2.0)
LEVEL_WEIGHTS = (2.0, 1.5, 1.0, 0.7, 0.4, 0.3, 0.2, 0.2)
"""The notes come first; of the codebooks the first two carry most, the last ones shine that is nearly noise."""
ONSET_SHARE = 1.2
PART_WEIGHTS = (0.35, 1.0, 1.0)
"""Drums are learnt long before pitches are."""


def write_tokens(songs: list[StoredSong], codec: TokenCodec) -> None:
    """Encode the parts of every song that has no tokens.npy yet: int16 [parts, K, T]."""
    for song in songs:
        if (song.path / "tokens.npy").exists():
            continue
        audio = np.asarray(song.array("audio")[1 : 1 + len(PARTS)]).astype(np.float32) / 32767.0
        with torch.no_grad():
            tokens = codec.encode(torch.from_numpy(audio))
        part = song.path / "tokens.part.npy"
        np.save(part, tokens.numpy().astype(np.int16))
        part.rename(song.path / "tokens.npy")


@dataclass
class Piece:
    """One song as the generator's training holds it in memory."""

    features: NDArray[np.float16]  # [T, heard]
    tokens: NDArray[np.int16]  # [T, parts, places]: score slots (-1: unknown), then codebooks
    moment: NDArray[np.float16]  # [T, MOMENT_SIZE]
    root: NDArray[np.int8]
    pitch_classes: NDArray[np.float16]  # [T, 12]
    density: NDArray[np.float16]
    active: NDArray[np.bool_]  # [T, parts]
    style: int


def piece_of(song: StoredSong, config: GeneratorConfig) -> Piece:
    """Read a stored song and work out its conditions. A song without notes (a recording) has unknown slots."""
    labels = song.labels()
    codes = np.asarray(song.array("tokens"))[:, : config.codebooks].transpose(2, 0, 1)
    frames = len(codes)
    slots = np.full((frames, len(config.parts), config.slots), -1, np.int16)
    if (song.path / "score.npy").exists():
        slots = np.asarray(song.array("score"))[:, :, :frames].transpose(2, 0, 1)
    tokens = np.concatenate([slots, codes], axis=2)

    def column(name: str) -> Tensor:
        return torch.from_numpy(labels[name][:frames].astype(np.float32))

    active = labels["part_active"][:frames].astype(bool)
    # on stage this flag asks the band to fall silent; so in training it says whether the band sounds
    playing = torch.from_numpy(active.any(axis=1).astype(np.float32))
    ones = torch.ones(frames)
    columns = MomentColumns(
        column("beat_phase"),
        column("bar_phase"),
        column("tempo_bpm"),
        column("beats_per_bar"),
        playing,
        ones,
        ones,
    )
    moment = moment_features(columns, config.frame_rate_hz)
    return Piece(
        features=np.asarray(song.array("features"))[:frames],
        tokens=tokens,
        moment=moment.numpy().astype(np.float16),
        root=labels["chord_root"][:frames].astype(np.int8),
        pitch_classes=labels["chord_pcs"][:frames].astype(np.float16),
        density=labels["density"][:frames].astype(np.float16),
        active=active,
        style=_style_index(str(labels["style_name"]), config.styles),
    )


def _style_index(name: str, styles: tuple[str, ...]) -> int:
    """The style's place, or the one that stands for none where the model does not know it."""
    return styles.index(name) if name in styles else len(styles)


@dataclass
class Batch:
    tokens: Tensor  # [S * parts, T, places] targets
    previous: Tensor  # [S * parts, T, places] inputs, shifted and spoilt
    heard: Tensor
    moment: Tensor
    chord: Tensor
    density: Tensor
    style: Tensor
    ahead: Tensor
    keep: Tensor
    weight: Tensor  # [S * parts, T] chance of a frame to be scored


def draw(
    pieces: list[Piece], rng: np.random.Generator, songs: int, frames: int, config: GeneratorConfig, clean: bool = False
) -> Batch:
    """One batch; `clean` (for validation) withholds and spoils nothing, with an ahead of 2 frames."""
    rows: list[dict[str, Any]] = [_crop(pieces, rng, frames, config, clean) for _ in range(songs)]

    def stack(name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.from_numpy(np.stack([row[name] for row in rows])).to(dtype)

    parts = len(config.parts)
    tokens = stack("tokens", torch.int64).permute(0, 2, 1, 3).flatten(0, 1)
    first = stack("first", torch.int64).flatten(0, 1)[:, None]
    previous = torch.cat([first, tokens[:, :-1]], dim=1)
    keep = torch.ones(songs * parts, frames)
    if not clean:
        previous = _spoil(previous, rng, config.places)
        hide = rng.random(songs * parts)
        keep_np = rng.random((songs * parts, frames)) > np.where(hide < 0.5, 0.2, 0.0)[:, None]
        keep_np[hide > 0.92] = False
        keep = torch.from_numpy(keep_np.astype(np.float32))
    root, classes, known = stack("root", torch.int64), stack("pitch_classes"), stack("chord_known")
    weight = torch.where(stack("active").permute(0, 2, 1).flatten(0, 1) > 0, 1.0, 0.25)
    weight = weight * torch.tensor(PART_WEIGHTS).repeat(songs)[:, None]
    return Batch(
        tokens,
        previous,
        stack("heard"),
        stack("moment"),
        chord_features(root, classes, known),
        stack("density"),
        stack("style", torch.int64),
        stack("ahead", torch.int64),
        keep,
        weight,
    )


def _spoil(previous: Tensor, rng: np.random.Generator, places: tuple[int, ...]) -> Tensor:
    """Forget 8 % of frames, and swap 4 % of tokens for random ones: live, the past is the model's own and imperfect."""
    shape = tuple(previous.shape)
    forget = torch.from_numpy(rng.random(shape[:2]) < 0.08)
    swap = torch.from_numpy(rng.random(shape) < 0.04)
    noise = torch.from_numpy(rng.integers(0, np.array(places), shape))
    spoilt = torch.where(swap, noise, previous)
    spoilt[forget] = -1
    # for a stretch of a fifth of the rows there is no past at all: then only chord and beat can say what to play
    for row in np.flatnonzero(rng.random(shape[0]) < 0.2):
        start = int(rng.integers(-shape[1] // 2, shape[1]))
        spoilt[row, max(0, start) : start + int(rng.integers(shape[1] // 4, shape[1]))] = -1
    return spoilt


def _crop(
    pieces: list[Piece], rng: np.random.Generator, frames: int, config: GeneratorConfig, clean: bool
) -> dict[str, Any]:
    piece = pieces[int(rng.integers(len(pieces)))]
    # one crop in ten starts with the song, where the band has no past
    start = 0 if rng.random() < 0.1 else int(rng.integers(max(1, len(piece.tokens) - frames)))
    stop = start + frames
    ahead = 2 if clean else int(rng.integers(1, MAX_TRAINED_AHEAD_FRAMES + 1))
    index = np.arange(start - ahead, stop - ahead)
    heard = piece.features[np.maximum(index, 0)].astype(np.float32)
    heard[index < 0] = -1.0
    moment = piece.moment[start:stop].astype(np.float32)
    density = piece.density[start:stop].astype(np.float32)
    style, chord_known = piece.style, np.ones(frames, np.float32)
    chord_index = np.minimum(np.arange(start, stop) + CHORD_AHEAD_FRAMES, len(piece.root) - 1)
    if not clean:
        if rng.random() < 0.1:
            heard[:] = 0.0
        if rng.random() < 0.07:
            moment[:] = 0.0
        else:
            moment[:, -2] = rng.uniform(0.4, 1.0)  # confidence
        if rng.random() < 0.1:
            density[:] = -1.0
        if rng.random() < 0.1:
            style = len(config.styles)
        chance = rng.random()
        if chance < 0.1:
            chord_known[:] = 0.0
        elif chance < 0.28:
            chord_index = np.maximum(chord_index - int(rng.integers(4, 20)), 0)
    no_past = np.full((len(config.parts), len(config.places)), -1)
    return {
        "tokens": piece.tokens[start:stop],
        "first": piece.tokens[start - 1] if start > 0 else no_past,
        "heard": heard,
        "moment": moment,
        "density": density,
        "style": np.int64(style),
        "ahead": np.int64(ahead),
        "root": piece.root[chord_index],
        "pitch_classes": piece.pitch_classes[chord_index].astype(np.float32),
        "chord_known": chord_known,
        "active": piece.active[start:stop],
    }


def loss_of(model: Generator, batch: Batch, share: float, loop: Loop) -> tuple[Tensor, Tensor]:
    """Weighted loss, and the cross-entropy per place [places] in nats, on a drawn share of the frames.

    Frames in which notes begin are nearly all drawn, since what to play is decided there. The chance of a beginning
    must not be learnt from that, so every place but the notes counts each frame by one over its chance to be drawn.
    """
    with loop.autocast():
        given = FrameCondition(batch.moment, batch.chord, batch.density, batch.style, batch.ahead)
        z = model.whole(batch.previous, batch.heard, given, batch.keep)
        state = batch.tokens[:, :, STATE]
        begins = (state >= 1) & (state <= ONSET_QUARTERS)
        chance = (torch.where(begins, ONSET_SHARE, share) * batch.weight).clamp(max=1.0)
        picks = torch.nonzero(torch.rand(chance.shape, device=chance.device) < chance)
        row, frame = picks[:, 0], picks[:, 1]
        tokens = batch.tokens[row, frame]
        logits = model.depth(z[row, frame], batch.chord[row // model.parts, frame], tokens)
    fair = (batch.weight / chance)[row, frame]
    notes = range(FIRST_NOTE, model.slots)
    entropy = torch.stack(
        [_entropy(x, tokens[:, k], torch.ones_like(fair) if k in notes else fair) for k, x in enumerate(logits)]
    )
    weights = torch.tensor(
        [*SLOT_WEIGHTS[: model.slots], *LEVEL_WEIGHTS[: model.places - model.slots]], device=z.device
    )
    return (entropy * weights).sum() / weights.sum(), entropy.detach()


def _entropy(logits: Tensor, tokens: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean cross-entropy over the known tokens; 0 where none is."""
    each = F.cross_entropy(logits.float(), tokens, reduction="none", ignore_index=-1)
    known = (tokens >= 0) * weight
    return (each * known).sum() / known.sum().clamp(min=1e-6)


def train_generator(
    data: Path,
    codec: TokenCodec,
    config: LoopConfig,
    styles: tuple[str, ...],
    model_config: GeneratorConfig | None = None,
    songs_per_batch: int = 4,
    frames: int = 256,
    share: float = 0.25,
    seed: int = 0,
) -> None:
    """Train (or resume) a generator on the store `data`; the checkpoint lies in `config.out`."""
    torch.manual_seed(seed)
    songs = songs_in(data)
    write_tokens(songs, codec)
    shape = model_config or GeneratorConfig(styles=styles)
    pieces = [piece_of(song, shape) for song in songs]
    held = held_out(pieces)
    check_enough(data, len(pieces), len(held))
    train = [p for p in pieces if not any(p is h for h in held)]
    model = Generator(shape)
    loop = Loop(config, model, "generator", shape.to_dict())
    loop.resume()
    rng = loop.sampler(seed)
    for step in loop:
        batch = loop.move(draw(train, rng, songs_per_batch, frames, shape))
        loss, entropy = loss_of(model, batch, share, loop)
        figures = {name: float(entropy[place]) for name, place in _shown(shape).items()}
        loop.update(loss, {**figures, "heard_gain": float(model.heard_gain.detach().abs().mean())})
        if (step + 1) % 250 == 0:
            loop.log(**validate(model, held, shape, loop))


def _shown(shape: GeneratorConfig) -> dict[str, int]:
    """The places whose cross-entropy goes into the log."""
    return {
        "state": STATE,
        "note": FIRST_NOTE,
        "note_2": FIRST_NOTE + 1,
        "code": shape.slots,
        "code_2": shape.slots + 1,
    }


@torch.no_grad()
def validate(model: Generator, pieces: list[Piece], shape: GeneratorConfig, loop: Loop) -> dict[str, float]:
    """Held-out loss with the right input, and the same with the heard sound of another song: does it listen?"""
    batch = loop.move(draw(pieces, np.random.default_rng(7), 16, 256, shape, clean=True))
    torch_state = torch.get_rng_state()
    torch.manual_seed(3)
    right, entropy = loss_of(model, batch, 0.2, loop)
    batch.heard = batch.heard.roll(1, dims=0)
    torch.manual_seed(3)
    wrong, _ = loss_of(model, batch, 0.2, loop)
    torch.set_rng_state(torch_state)
    shown = {f"valid_{name}": float(entropy[place]) for name, place in _shown(shape).items()}
    return {"valid": float(right), "valid_wrong_input": float(wrong), **shown}
