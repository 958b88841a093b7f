"""Training of the metre network, which says on which quarter of a line's beat the beats are, and at which level.

It is shown less than there is: often without what the listener calls beats, without onsets, or without the turns of one
kind. What people play contradicts one or the other; so it learns to do with the rest. Offline only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ...dsp.metre_slots import CHANNELS, LEVELS, MASK, OVERALL, SLOTS, SLOTS_PER_BEAT
from ...model.listener import Listener
from ..errors import TrainingError
from ..loop import Loop, LoopConfig
from ..store import check_enough, held_out, songs_in
from .metre_data import MetreSong, draw_line, metre_song

UNSHOWN = ((0.4, slice(0, 2)), (0.3, slice(2, 3)), (0.15, slice(5, None, 2)), (0.15, slice(6, None, 2)))
"""Share of the lines, and the channels that are not shown: beats, onsets, turns of the notes, turns of the root."""
WEIGHTS = {"place": 1.0, "level": 1.0, "downbeat": 2.0, "beat": 0.5}
_CHECKED = 384
_TRIES = 1000


class MetreShape(NamedTuple):
    """Sizes of the network. A block reaches twice as far as the one before."""

    width: int = 48
    blocks: int = 6


SHAPE = MetreShape()


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return self.out(F.gelu(inner, approximate="tanh"))  # type: ignore[no-any-return]


class Said(NamedTuple):
    """What the network says of lines [B]."""

    places: Tensor
    """[B, SLOTS_PER_BEAT] log-odds."""
    levels: Tensor
    """[B, LEVELS] the same."""
    beats: Tensor
    """[B, SLOTS] of each slot."""
    downbeats: Tensor


class Metre(nn.Module):
    """The network as it is taught; engine/timing/beats/long_memory/metre_network.py computes the same on stage."""

    def __init__(self, shape: MetreShape = SHAPE, dropout: float = 0.15) -> None:
        super().__init__()
        self.enter = nn.Linear(CHANNELS + OVERALL, shape.width)
        self.blocks = nn.ModuleList(_Block(shape.width, 1 << k) for k in range(shape.blocks))
        self.norm = nn.LayerNorm(shape.width)
        self.slot = nn.Linear(shape.width, 3)
        self.level = nn.Linear(shape.width, len(LEVELS))
        self.sharpness = nn.Parameter(torch.zeros(1))
        self.drop = nn.Dropout(dropout)

    def forward(self, slots: Tensor, overall: Tensor) -> Said:
        """[B, SLOTS, CHANNELS] and [B, OVERALL]."""
        mask = slots[..., MASK : MASK + 1]
        whole = torch.cat([self.drop(slots), overall[:, None].expand(-1, slots.shape[1], -1)], dim=-1)
        z = self.enter(whole) * mask
        for block in self.blocks:
            z = (z + block(z)) * mask
        z = self.norm(z)
        said = self.slot(z)
        weight = torch.sigmoid(said[..., 1:2]) * mask
        shape = (len(slots), -1, SLOTS_PER_BEAT)
        beats = (mask.reshape(shape).sum(1) + 1e-6).clamp(min=1)
        places = (said[..., :1] * weight).reshape(shape).sum(1) / beats * self.sharpness.exp() * SLOTS_PER_BEAT
        mean = (z * mask).sum(1) / mask.sum(1).clamp(min=1)
        return Said(places, self.level(mean), said[..., 0], said[..., 2])


@dataclass(frozen=True)
class Lines:
    """A batch of lines as tensors, see metre_data.Line."""

    slots: Tensor
    overall: Tensor
    place: Tensor
    level: Tensor
    downbeats: Tensor


def draw_lines(rng: np.random.Generator, songs: list[MetreSong], rows: int) -> Lines:
    """`rows` lines of songs at random; TrainingError where the songs are all too short."""
    found = []
    for _ in range(_TRIES * rows):
        line = draw_line(rng, songs[int(rng.integers(len(songs)))])
        if line is not None:
            found.append(line)
        if len(found) == rows:
            break
    else:
        raise TrainingError("the songs have fewer than a dozen beats each: give longer ones")
    arrays = [np.stack([np.asarray(line[k]) for line in found]) for k in range(5)]
    return Lines(*(torch.from_numpy(a) for a in arrays))


def unshown(rng: np.random.Generator, slots: Tensor) -> Tensor:
    """The slots with less in them, see UNSHOWN."""
    slots = slots.clone()
    for share, channels in UNSHOWN:
        slots[torch.from_numpy(rng.random(len(slots)) < share), :, channels] = 0.0
    return slots


def losses(said: Said, lines: Lines) -> dict[str, Tensor]:
    """Nats: of place and level by line, of beats and downbeats by slot."""
    right = lines.place >= 0
    heard = lines.slots[..., MASK] * right[:, None]
    on = (torch.arange(SLOTS, device=heard.device) % SLOTS_PER_BEAT == lines.place[:, None]).float()

    def by_slot(odds: Tensor, wanted: Tensor) -> Tensor:
        each = F.binary_cross_entropy_with_logits(odds, wanted, reduction="none")
        return (each * heard).sum() / heard.sum().clamp(min=1)

    return {
        "place": F.cross_entropy(said.places, lines.place, ignore_index=-1),
        "level": F.cross_entropy(said.levels, lines.level),
        "downbeat": by_slot(said.downbeats, lines.downbeats),
        "beat": by_slot(said.beats, on),
    }


def train_metre(
    data: Path, listener: Listener, config: LoopConfig, batch: int = 48, seed: int = 0, shape: MetreShape = SHAPE
) -> None:
    """Train (or resume) on the store `data` as `listener` hears it; checkpoints lie in `config.out`, and at the end
    metre.safetensors, the running average, for engine/timing/beats/long_memory."""
    torch.manual_seed(seed)
    songs = songs_in(data)
    checked = held_out(songs, most=48)
    held = {s.path for s in checked}
    check_enough(data, len(songs), len(held))
    listener.eval()
    train = [metre_song(s, listener) for s in songs if s.path not in held]
    test = draw_lines(np.random.default_rng(1), [metre_song(s, listener) for s in checked], _CHECKED)
    model = Metre(shape)
    loop = Loop(config, model, "metre", shape._asdict())
    loop.resume()
    rng = loop.sampler(seed)
    for step in loop:
        lines = loop.move(draw_lines(rng, train, batch))
        shown = unshown(rng, lines.slots)
        with loop.autocast():
            said = model(shown, lines.overall)
        parts = losses(Said(*(part.float() for part in said)), lines)
        total = torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()
        loop.update(total, {name: float(value.detach()) for name, value in parts.items()})
        if (step + 1) % 200 == 0:
            loop.log(**check(model, test, loop))
    if loop.group.leads:
        write_weights(loop.ema, config.out / "metre.safetensors")


def write_weights(state: dict[str, Tensor], out: Path) -> None:
    """The network's arrays, half precision."""
    arrays = {name: value.detach().cpu().numpy().astype(np.float16) for name, value in state.items()}
    save_file(arrays, out)


@torch.no_grad()
def check(model: Metre, test: Lines, loop: Loop) -> dict[str, float]:
    """Figures on lines of held-out songs: quick to see, not those that count (`gigmate eval leads` has those)."""
    was_training = model.training
    model.eval()
    lines = loop.move(test)
    said = model(lines.slots, lines.overall)
    parts = losses(said, lines)
    right = lines.place >= 0
    figures = {f"test_{name}": float(value) for name, value in parts.items()}
    figures["valid"] = sum(WEIGHTS[name] * float(value) for name, value in parts.items())
    figures["test_place_share"] = float((said.places.argmax(1) == lines.place)[right].float().mean())
    figures["test_level_share"] = float((said.levels.argmax(1) == lines.level).float().mean())
    model.train(was_training)
    return figures
