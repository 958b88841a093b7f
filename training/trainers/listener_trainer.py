"""Training of the listener on the lead as a live input hears it: beats, downbeats, onsets, tempo, chord, activity.

The answer for a frame is asked DELAY_FRAMES later. Offline only.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...model import checkpoint
from ...model.listener import Listener, ListenerConfig
from ..loop import Loop, LoopConfig
from ..store import check_enough, held_out, songs_in
from .listener_data import ListenerData


def losses(output: Tensor, target: Tensor, config: ListenerConfig) -> dict[str, Tensor]:
    """Loss per answer, mean over frames after a second of context; pulses weigh their rare hits more."""
    output, target = output[:, 25:], target[:, 25:]
    result = {}
    for name, (start, stop) in config.layout().items():
        o, t = output[..., start:stop], target[..., start:stop]
        if name in ("chord_root", "tempo"):
            result[name] = -(t * F.log_softmax(o, dim=-1)).sum(-1).mean()
        elif name in ("beat", "downbeat", "onset"):
            result[name] = F.binary_cross_entropy_with_logits(o, t, weight=1 + 4 * t)
        else:
            result[name] = F.binary_cross_entropy_with_logits(o, t)
    start, stop = config.layout()["beat"]
    result["beat_moment"] = moment_loss(output[..., start:stop].flatten(1), target[..., start:stop].flatten(1))
    return result


def moment_loss(output: Tensor, target: Tensor) -> Tensor:
    """Where around each beat it is said to be, against where it is: cross-entropy (nats) of what is said near a beat,
    as shares, from logits and pulses [B, T]. At its least where the pulses' own loss is, and so a lens on the moment:
    the middle of what is said, as a loss, was met by skewed flanks while the peaks stayed where they were. Where next
    to nothing is said, next to nothing is asked."""
    inner = target[:, _AROUND:-_AROUND]
    beside = target.unfold(1, 2 * _AROUND + 1, 1)
    row, at = torch.nonzero((inner > _NEAR_TOP) & (inner >= beside.amax(-1)), as_tuple=True)
    wanted = beside[row, at]
    said = F.logsigmoid(output.unfold(1, 2 * _AROUND + 1, 1)[row, at])
    trust = (said.detach().exp().sum(-1) / wanted.sum(-1)).clamp(max=1.0)
    missed = -(wanted / wanted.sum(-1, keepdim=True) * F.log_softmax(said, dim=-1)).sum(-1)
    return (missed * trust).sum() / max(len(missed), 1)


WEIGHTS = {
    "beat": 3.0,
    "downbeat": 3.0,
    "onset": 1.0,
    "chord_root": 0.5,
    "chord_pitch_classes": 1.0,
    "activity": 0.5,
    "tempo": 0.3,
    "beat_moment": 0.3,
}
_AROUND = 4  # sub-frames beside a beat within which its pulse is looked for
_NEAR_TOP = 0.85  # of a pulse, at the sub-frame that holds its event


def widen(source: Path, expand: int, out: Path) -> None:
    """Write to `out` the listener of `source` with `expand` hidden units for each channel. Those that come in say
    nothing yet, so it answers as before (Net2Net's idea, Chen 2016). ValueError for fewer than it has."""
    narrow, header = checkpoint.load(source, "listener")
    assert isinstance(narrow, Listener)
    had = narrow.config.expand
    if expand < had:
        raise ValueError(f"{source}: has {had} hidden units for each channel, {expand} are fewer")
    wide = Listener(replace(narrow.config, expand=expand))
    state = wide.state_dict()
    for name, value in narrow.state_dict().items():
        if name.endswith("down.weight"):
            state[name].zero_()
        state[name][tuple(slice(size) for size in value.shape)] = value
    part = out.with_name(f"{out.name}.{os.getpid()}.part")  # each process of a group writes it, and reads it
    checkpoint.save(part, "listener", wide, wide.config.to_dict(), header["notes"])
    part.replace(out)


def train_listener(
    data: Path,
    config: LoopConfig,
    model_config: ListenerConfig | None = None,
    batch: int = 16,
    frames: int = 600,
    seed: int = 0,
) -> None:
    """Train (or resume) a listener on the store `data`; the checkpoint lies in `config.out`."""
    torch.manual_seed(seed)
    songs = songs_in(data)
    checked = held_out(songs)
    held = {s.path for s in checked}
    check_enough(data, len(songs), len(held))
    shape = model_config or ListenerConfig()
    train = ListenerData([s for s in songs if s.path not in held], shape)
    test = ListenerData(checked, shape)
    frames = min(frames, train.shortest_frames)
    model = Listener(shape)
    loop = Loop(config, model, "listener", shape.to_dict())
    loop.resume()
    rng = loop.sampler(seed)
    for step in loop:
        x, y = loop.move(train.batch(rng, batch, frames))
        with loop.autocast():
            output = model.whole(x)
        parts = losses(output.float(), y, shape)
        total = torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()
        loop.update(total, {name: float(value.detach()) for name, value in parts.items()})
        if (step + 1) % 200 == 0:
            loop.log(**check(model, test, shape, loop))


@torch.no_grad()
def check(model: Listener, test: ListenerData, shape: ListenerConfig, loop: Loop) -> dict[str, float]:
    """Frame-wise figures on held-out songs: quick to see, not the figures that count (training.evaluate has those)."""
    x, y = loop.move(test.batch(np.random.default_rng(1), 24, min(700, test.shortest_frames)))
    with loop.autocast():
        output = model.whole(x).float()
    parts = losses(output, y, shape)
    figures = {"valid": sum(WEIGHTS[name] * float(value) for name, value in parts.items())}
    figures |= {f"test_{name}": float(value) for name, value in parts.items()}
    start, stop = shape.layout()["chord_root"]
    hit = output[:, 100:, start:stop].argmax(-1) == y[:, 100:, start:stop].argmax(-1)
    figures["test_root_share"] = float(hit.float().mean())
    start, stop = shape.layout()["tempo"]
    off = (output[:, 200:, start:stop].argmax(-1) - y[:, 200:, start:stop].argmax(-1)).abs() <= 1
    figures["test_tempo_share"] = float(off.float().mean())
    return figures
