"""The listener: a small causal network from heard features to beats, downbeats, onsets, tempo, chord and activity.

Knows no grid and no memory of the song: the conductor makes a moment of what it says. Its answer for a frame comes
`DELAY_FRAMES` later, so that it has heard the hit that it reports. Streaming contract; inference thread only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict

import torch
from torch import Tensor, nn

from .layers import CausalConv, ConvBlock
from .streaming import Streaming

DELAY_FRAMES = 1
TEMPO_BINS = 50
TEMPO_LOW_BPM, TEMPO_HIGH_BPM = 48.0, 228.0


@dataclass(frozen=True)
class ListenerConfig:
    """Sizes of the listener, as its file of weights gives them. Any thread."""

    heard_size: int = 328
    sub_frames: int = 4
    channels: int = 160
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 1, 4, 16)
    kernel: int = 3
    expand: int = 5
    """Hidden units of a block, for each channel."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def layout(self) -> dict[str, tuple[int, int]]:
        """Where each answer lies in the output: name to (start, stop)."""
        sizes = {
            "beat": self.sub_frames,
            "downbeat": self.sub_frames,
            "onset": self.sub_frames,
            "chord_root": 13,
            "chord_pitch_classes": 12,
            "activity": 1,
            "tempo": TEMPO_BINS,
        }
        places, start = {}, 0
        for name, size in sizes.items():
            places[name] = (start, start + size)
            start += size
        return places


class Listener(Streaming):
    """Features [B, T, heard_size] to logits [B, T, outputs] (see ListenerConfig.layout), of frames T - DELAY_FRAMES.

    One thread at a time.
    """

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__()
        self.config = config
        self.delay = DELAY_FRAMES
        self.head = CausalConv("listener.head", config.heard_size, config.channels, 3)
        self.blocks = nn.ModuleList(
            [
                ConvBlock(f"listener.block{i}", config.channels, config.kernel, dilation, config.expand)
                for i, dilation in enumerate(config.dilations)
            ]
        )
        self.norm = nn.LayerNorm(config.channels)
        self.tail = nn.Linear(config.channels, max(stop for _, stop in config.layout().values()))

    @torch.jit.export
    def init_state(self, batch: int) -> Dict[str, Tensor]:
        state = self.head.init_state(batch)
        for block in self.blocks:
            state.update(block.init_state(batch))
        return state

    @torch.jit.export
    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        y = self.head.step(x.transpose(1, 2), state)
        for block in self.blocks:
            y = block.step(y, state)
        return self.tail(self.norm(y.transpose(1, 2)))

    def whole(self, x: Tensor) -> Tensor:
        y = self.head.whole(x.transpose(1, 2))
        for block in self.blocks:
            y = block.whole(y)
        return self.tail(self.norm(y.transpose(1, 2)))


def tempo_bins_bpm() -> Tensor:
    """Centres of the tempo bins, log-spaced."""
    return torch.logspace(0, 1, TEMPO_BINS, base=TEMPO_HIGH_BPM / TEMPO_LOW_BPM) * TEMPO_LOW_BPM
