"""The listener: a small causal network from heard features to beats, downbeats, onsets, tempo, chord and activity.

Knows no grid and no memory of the song: the conductor makes a moment of what it says. Its answer for a frame comes
`DELAY_FRAMES` later, so that it has heard the hit that it reports. Streaming contract; inference thread only.
"""

from __future__ import annotations

from typing import Dict

import torch
from torch import Tensor, nn

from .configs import DELAY_FRAMES, TEMPO_BINS, TEMPO_HIGH_BPM, TEMPO_LOW_BPM, ListenerConfig
from .layers import CausalConv, ConvBlock
from .streaming import Streaming


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
