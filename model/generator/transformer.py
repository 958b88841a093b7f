"""The generator: a decoder-only transformer over codec frames, conditioned on the input and the musical position.

Per frame and part, a temporal transformer takes the embeddings of the part's own last tokens, the heard sound as of
`ahead` frames before, and the chord; beat, bar, tempo, chord, style, density and ahead steer every layer's norms
(AdaLN). A small depth transformer then writes the frame place after place, so that no delay pattern costs latency:
first what is played in symbols (score_tokens.py), then how it sounds (the codec's first codebooks). The parts run as
one batch. Knows no sound, no thread and no player.
"""

from __future__ import annotations

from typing import Dict

import torch
from torch import Tensor, nn

from ..layers import CausalConv, ConvBlock, RmsNorm, SwiGlu, WindowAttention, embedding
from ..streaming import Streaming
from .conditioning import CHORD_SIZE, MOMENT_SIZE, FrameCondition
from .depth import Depth
from .generator_config import MAX_AHEAD_FRAMES, GeneratorConfig
from .note_steering import Steer
from .sampling import Sampling


class HeardEncoder(Streaming):
    """Feature frames [B, T, heard_size] to [B, T, size], causal, without delay. One thread at a time."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.head = CausalConv("heard.head", config.heard_size, config.heard_channels, 3)
        self.blocks = nn.ModuleList(
            [ConvBlock(f"heard.block{i}", config.heard_channels, 5, 1 + i, expand=2) for i in range(2)]
        )
        self.tail = nn.Linear(config.heard_channels, config.size)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        state = self.head.init_state(batch)
        for block in self.blocks:
            state.update(block.init_state(batch))
        return state

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        y = self.head.step(x.transpose(1, 2), state)
        for block in self.blocks:
            y = block.step(y, state)
        return self.tail(y.transpose(1, 2))

    def whole(self, x: Tensor) -> Tensor:
        y = self.head.whole(x.transpose(1, 2))
        for block in self.blocks:
            y = block.whole(y)
        return self.tail(y.transpose(1, 2))


class TemporalLayer(Streaming):
    """Attention and feed-forward, each normed, scaled, shifted and gated by the condition (AdaLN, Peebles 2023).

    One thread at a time.
    """

    def __init__(self, key: str, config: GeneratorConfig) -> None:
        super().__init__()
        self.attention = WindowAttention(f"{key}.attention", config.size, config.heads, config.window_frames)
        self.feed = SwiGlu(config.size, config.hidden)
        self.norm_a = RmsNorm(config.size, gain=False)
        self.norm_f = RmsNorm(config.size, gain=False)
        self.modulate = nn.Linear(config.condition_size, 6 * config.size)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)
        with torch.no_grad():  # gates start at 0.3, so that layers speak from the first step on
            self.modulate.bias[2 * config.size : 3 * config.size] = 0.3
            self.modulate.bias[5 * config.size :] = 0.3
        unit = torch.tensor([0.0, 1.0, 0.0, 0.0, 1.0, 0.0]).repeat_interleave(config.size)
        self.unit = nn.Buffer(unit, persistent=False)  # scales are learnt as what differs from 1

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        return self.attention.init_state(batch)

    def step_with(self, x: Tensor, condition: Tensor, turn: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """One step [B, size] under the condition [B, .]; `turn` as in WindowAttention."""
        m = (self.modulate(condition) + self.unit).chunk(6, dim=-1)
        y = self.attention.step_at(torch.addcmul(m[0], self.norm_a(x), m[1]), turn, state)
        x = torch.addcmul(x, m[2], y)
        return torch.addcmul(x, m[5], self.feed(torch.addcmul(m[3], self.norm_f(x), m[4])))

    def whole_with(self, x: Tensor, condition: Tensor, keep: Tensor) -> Tensor:
        m = self.modulate(condition).chunk(6, dim=-1)
        x = x + m[2] * self.attention.whole_masked(self.norm_a(x) * (1 + m[1]) + m[0], keep)
        return x + m[5] * self.feed(self.norm_f(x) * (1 + m[4]) + m[3])


class Generator(nn.Module):
    """Training: `logits`. Live: `init_state`, `hear` once a frame, `step` once a frame (TorchScript-able).

    One thread at a time.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.parts, self.slots, self.places = len(config.parts), config.slots, len(config.places)
        self.heard = HeardEncoder(config)
        # from 0, as published, it had not moved after thousands of steps, and nothing reached the encoder behind it
        self.heard_gain = nn.Parameter(torch.full((config.size,), 0.2))
        std = self.places**-0.5
        self.embed = nn.ModuleList([embedding(size + 1, config.size, std) for size in config.places])
        self.chord = nn.Linear(CHORD_SIZE, config.size)
        self.chord_condition = nn.Linear(CHORD_SIZE, config.condition_size)
        self.style = nn.Embedding(len(config.styles) + 1, config.condition_size)
        self.part = nn.Embedding(self.parts, config.condition_size)
        self.ahead = nn.Embedding(MAX_AHEAD_FRAMES + 1, config.condition_size)
        self.moment = nn.Sequential(
            nn.Linear(MOMENT_SIZE + 1, 2 * config.condition_size),
            nn.SiLU(),
            nn.Linear(2 * config.condition_size, config.condition_size),
        )
        self.condition = nn.Sequential(nn.SiLU(), nn.Linear(config.condition_size, config.condition_size), nn.SiLU())
        self.layers = nn.ModuleList([TemporalLayer(f"layer{i}", config) for i in range(config.layers)])
        self.norm = RmsNorm(config.size)
        self.depth = Depth(config)

    @torch.no_grad()
    def exaggerate_styles(self, strength: float) -> None:
        """Move every style away from that of no style: at 1 as they were learnt, above that each is more itself.

        Guidance without a classifier (Ho and Salimans, 2022) does so with the answers, and asks twice for each frame;
        here the condition is moved, which costs nothing. In place: not for weights that are to be trained on.
        """
        none = self.style.weight[-1:].clone()
        self.style.weight.copy_(none + strength * (self.style.weight - none))

    def init_state(self, songs: int) -> Dict[str, Tensor]:
        """State for `songs` bands of all parts. "tokens" holds each part's last tokens + 1, so that 0 is none yet."""
        state = self.heard.init_state(songs)
        for layer in self.layers:
            state.update(layer.init_state(songs * self.parts))
        device = self.heard_gain.device
        state["tokens"] = torch.zeros((songs * self.parts, self.places), dtype=torch.int64, device=device)
        return state

    def _condition(self, given: FrameCondition) -> Tensor:
        """What steers every layer, [S * parts, T, condition_size]."""
        told = torch.cat([given.moment, given.density.unsqueeze(-1)], dim=-1)
        base = self.moment(told) + self.chord_condition(given.chord)
        base = base + (self.style(given.style) + self.ahead(given.ahead)).unsqueeze(1)
        full = base.unsqueeze(1) + self.part.weight[None, :, None, :]
        return self.condition(full.flatten(0, 1))

    def _input(self, tokens: Tensor, heard: Tensor, chord: Tensor) -> Tensor:
        """Last tokens (-1: none) [S * parts, T, places], heard and chord [S, T, .] to [S * parts, T, size]."""
        total = (heard * self.heard_gain + self.chord(chord)).repeat_interleave(self.parts, dim=0)
        for level, table in enumerate(self.embed):
            total = total + table(tokens[:, :, level] + 1)
        return total

    def whole(self, tokens: Tensor, heard: Tensor, given: FrameCondition, keep: Tensor) -> Tensor:
        """Temporal output [S * parts, T, size] for *previous* tokens [S * parts, T, places] (a frame late; -1: none).

        `heard` [S, T, heard_size] is already shifted by each song's `ahead` [S]; `keep` [S * parts, T] or empty hides
        frames of the past from attention.
        """
        condition = self._condition(given)
        x = self._input(tokens, self.heard.whole(heard), given.chord)
        for layer in self.layers:
            x = layer.whole_with(x, condition, keep)
        return self.norm(x)

    @torch.jit.export
    def hear(self, features: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Encode one heard frame [S, 1, heard_size] to [S, 1, size]; the caller delays it by `ahead` frames."""
        return self.heard.step(features, state)

    @torch.jit.export
    def step(
        self, heard: Tensor, given: FrameCondition, sampling: Sampling, steer: Steer, state: Dict[str, Tensor]
    ) -> Tensor:
        """Tokens [S * parts, places] of the next frame; `heard` [S, 1, size] is `hear`'s output `ahead` frames before.

        `given` is of one frame; `sampling` and `steer` [S * parts] as in `Depth.sample`.
        """
        condition = self._condition(given)[:, 0]
        last = state["tokens"]
        x = self._input(last.unsqueeze(1) - 1, heard, given.chord)[:, 0]
        turn = self.layers[0].attention.turn(state)
        for layer in self.layers:
            x = layer.step_with(x, condition, turn, state)
        chords = given.chord[:, 0].repeat_interleave(self.parts, dim=0)
        tokens = self.depth.sample(self.norm(x), chords, last - 1, sampling, steer)
        last.copy_(tokens + 1)
        return tokens
