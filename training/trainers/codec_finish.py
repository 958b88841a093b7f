"""The adversarial finish of a codec: trains the decoder alone against a discriminator; tokens stay valid.

Encoder and codebooks are frozen, so a generator that was trained on the tokens goes on with the finished decoder.
The losses and their shares are EnCodec's; the discriminator takes part in every second step, and is heard only after
it has learnt by itself for a tenth of the time. Offline only.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from ...model import checkpoint
from ...model.codec.codec_protocol import TokenCodec
from ..errors import TrainingError
from ..export import averaged
from ..loop import Loop, LoopConfig
from .adversarial import (
    Balancer,
    Discriminator,
    deceiving_loss,
    feature_loss,
    judge_loss,
    kept_adam,
)
from .codec_trainer import (
    aligned,
    crops,
    evaluate_codec,
    split_songs,
)
from .losses import MelDistance, MultiMel

SHARES = {"deceiving": 4.0, "features": 4.0, "mel": 2.0, "wave": 0.1}
LEARNING_RATE = 3e-4
ALONE = 0.1
"""Share of the stage in which the discriminator learns and nobody listens to it."""


def start_of(path: Path) -> TokenCodec:
    """The codec to finish: the averaged weights of a training's folder, a folder of weights, or a file of weights.

    Raises CheckpointError.
    """
    if (path / "last.pt").exists():
        model, _ = averaged(path, "codec")
        assert isinstance(model, TokenCodec)
        return model
    return checkpoint.load_codec(path / "codec.safetensors" if path.is_dir() else path)


def finish_codec(
    data: Path, config: LoopConfig, start: Path, batch: int = 8, seed: int = 0, judge: Discriminator | None = None
) -> float:
    """Finish the codec of `start` on the store `data`; the checkpoint lies in `config.out`, resumable like any other.

    Returns the share that is done. Raises TrainingError, CheckpointError.
    """
    if config.out.resolve() == start.resolve():
        raise TrainingError(f"{start}: the training to start from: give the finish another folder with --out")
    torch.manual_seed(seed)
    songs, held_out = split_songs(data)
    codec = start_of(start).train()
    codec.requires_grad_(False)
    codec.decoder.requires_grad_(True)
    config = dataclasses.replace(config, betas=(0.5, 0.9), weight_decay=0.0, start=None)
    loop = Loop(config, codec, "codec", codec.config.to_dict())
    judge = (judge or Discriminator()).to(loop.device)
    judge_optimizer, kept = kept_adam(judge, config.learning_rate)
    balancer = Balancer(SHARES, device=loop.device)
    loop.keep(**kept, balance=balancer.lengths)
    loop.resume()
    rng = loop.sampler(seed)
    mel = MultiMel(codec.sample_rate_hz).to(loop.device)
    ears = MelDistance(1024, 80, codec.sample_rate_hz).to(loop.device)
    for step in loop:
        audio = loop.move(crops(songs, rng, batch, codec.frame_samples))
        levels = codec.num_codebooks if rng.random() < 0.5 else int(rng.integers(2, codec.num_codebooks + 1))
        with torch.no_grad():
            latents = codec.quantizer.decode(codec.encode(audio)[:, :levels])
        with loop.autocast():
            features = codec.decoder.features(latents)
        made, true = aligned(codec, codec.decoder.audio(features.float()), audio)
        losses = {"mel": mel(made, true), "wave": (made - true).abs().mean()}
        figures: dict[str, float] = {}
        if step % 2 == 0:
            figures["judge"] = _teach(judge, judge_optimizer, loop, made.detach(), true)
            if loop.progress >= ALONE:
                losses |= _verdict(judge, made, true)
        gradient = balancer.gradient(losses, made)
        figures |= {name: float(value.detach()) for name, value in losses.items()}
        loop.update((made * gradient).sum(), figures)  # its gradient is the balanced one; its value says nothing
        if (step + 1) % 400 == 0:
            loop.log(**evaluate_codec(codec, held_out, ears))
    return loop.progress


def _teach(judge: Discriminator, optimizer: torch.optim.Adam, loop: Loop, made: Tensor, true: Tensor) -> float:
    """One step of the discriminator; its loss."""
    judge.requires_grad_(True)
    loss = judge_loss(judge(true), judge(made))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    loop.group.average_gradients(judge)
    if bool(torch.isfinite(torch.nn.utils.clip_grad_norm_(judge.parameters(), loop.config.clip_norm))):
        optimizer.step()
    judge.requires_grad_(False)
    return float(loss.detach())


def _verdict(judge: Discriminator, made: Tensor, true: Tensor) -> dict[str, Tensor]:
    """What the discriminator says of the made sound, as losses of the decoder."""
    with torch.no_grad():
        of_true = judge(true)
    of_made = judge(made)
    return {"deceiving": deceiving_loss(of_made), "features": feature_loss(of_true, of_made)}
