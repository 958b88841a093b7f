"""The depth transformer: writes one frame, slot after slot: first the notes, then the sound tokens.

Knows the temporal transformer's output and the chord, and no time. Tensors in and out, TorchScript reads it.
"""

from __future__ import annotations

from typing import List

import torch
from torch import Tensor, nn

from ..layers import RmsNorm, SwiGlu, embedding, scaled_normal_
from .conditioning import CHORD_SIZE
from .generator_config import GeneratorConfig
from .note_steering import STEERED, Steer
from .sampling import Sampling, sample_token
from .score_tokens import FIRST_NOTE, LOWEST_NOTE, ONSET_QUARTERS, STATE

NEVER = -1e4
"""Added to the logit of what cannot be."""
FAINT_CHANCE = 0.02
"""A chance of a beginning as small as this is pushed up half as much as a large one, and a smaller one hardly."""


def is_onset(state: Tensor) -> Tensor:
    """Whether something begins in a frame of that state (see score_tokens.py)."""
    return (state >= 1) & (state <= 4)  # ONSET_QUARTERS, spelt for TorchScript


class DepthLayer(nn.Module):
    """Plain causal attention over the places of one frame. One thread at a time."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        size = config.depth_size
        self.heads = config.depth_heads
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.out = nn.Linear(size, size, bias=False)
        self.feed = SwiGlu(size, config.depth_hidden)
        self.norm_a = RmsNorm(size)
        self.norm_f = RmsNorm(size)
        scaled_normal_(self.qkv.weight)
        scaled_normal_(self.out.weight)
        self.gain = nn.Parameter(torch.full((2,), 0.5))
        self.scale = nn.Buffer(torch.tensor((size // self.heads) ** -0.5), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """All positions at once: [N, K, size]."""
        n, steps, size = x.shape
        q, k, v = (
            self.qkv(self.norm_a(x)).view(n, steps, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        )
        scores = torch.matmul(q, k.transpose(2, 3)) * (size // self.heads) ** -0.5
        later = torch.ones(steps, steps, dtype=torch.bool, device=x.device).triu(1)
        weights = torch.softmax(scores.masked_fill(later, float("-inf")), dim=-1).to(v.dtype)
        y = torch.matmul(weights, v).transpose(1, 2).flatten(2)
        x = x + self.gain[0] * self.out(y)
        return x + self.gain[1] * self.feed(self.norm_f(x))

    def step(self, x: Tensor, keys: Tensor, values: Tensor, position: int) -> Tensor:
        """One position [N, size]; keys and values [K, N, H, size / H] are filled in as positions pass."""
        n, size = x.shape
        q, k, v = self.qkv(self.norm_a(x)).view(n, 3, self.heads, size // self.heads).unbind(1)
        keys[position] = k
        values[position] = v
        # few keys: sums of products begin sooner than matrix products
        scores = (keys[: position + 1] * (q * self.scale)).sum(dim=3)
        y = (torch.softmax(scores, dim=0).unsqueeze(3) * values[: position + 1]).sum(dim=0)
        x = torch.addcmul(x, self.out(y.flatten(1)), self.gain[0])
        return torch.addcmul(x, self.feed(self.norm_f(x)), self.gain[1])


class Depth(nn.Module):
    """One frame of one part, place after place, from the temporal transformer's output and the chord.

    Tokens are 0 and up, -1 where unknown. One thread at a time.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.heads, self.size, self.slots = config.depth_heads, config.depth_size, config.slots
        self.count, self.first_note, self.never = len(config.places), FIRST_NOTE, NEVER
        self.state, self.steered, self.quarters, self.faint = STATE, STEERED, ONSET_QUARTERS, FAINT_CHANCE
        # the pitch class of each entry of a note slot; entry 0 is no note
        pitch_class = (torch.arange(config.slot_entries) + LOWEST_NOTE - 1) % 12
        self.note_class = nn.Buffer(pitch_class, persistent=False)
        self.start = nn.Linear(config.size, config.depth_size)
        self.chord = nn.Linear(CHORD_SIZE, config.depth_size)
        self.places = nn.Parameter(torch.randn(self.count, config.depth_size) * 0.1)
        self.embed = nn.ModuleList([embedding(size + 1, config.depth_size, 0.3) for size in config.places[:-1]])
        self.layers = nn.ModuleList([DepthLayer(config) for _ in range(config.depth_layers)])
        self.norm = RmsNorm(config.depth_size)
        self.outs = nn.ModuleList()
        for size in config.places:
            out = nn.Linear(config.depth_size, size)
            nn.init.normal_(out.weight, std=0.02)
            nn.init.zeros_(out.bias)
            self.outs.append(out)

    def forward(self, z: Tensor, chord: Tensor, tokens: Tensor) -> List[Tensor]:
        """Teacher-forced logits [N, entries] per place, of tokens [N, places] given z [N, size], chord [N, .]."""
        base = self.start(z) + self.chord(chord)
        rows = [base + self.places[0]]
        for place, table in enumerate(self.embed):
            rows.append(base + self.places[place + 1] + table(tokens[:, place] + 1))
        y = torch.stack(rows, dim=1)
        for layer in self.layers:
            y = layer(y)
        y = self.norm(y)
        return [out(y[:, place]) for place, out in enumerate(self.outs)]

    def sample(
        self,
        z: Tensor,
        chord: Tensor,
        last: Tensor,
        sampling: Sampling,
        steer: Steer,
    ) -> Tensor:
        """Tokens [N, places] drawn for z [N, size], chord [N, CHORD_SIZE] and the last frame's tokens [N, places] (-1:
        none).

        `steer` (note_steering.py) bends the notes. What cannot be is never drawn: a note that sounds on without having
        been there, a beginning with nothing that begins.
        """
        n = z.shape[0]
        base = self.start(z) + self.chord(chord)
        shape = [self.count, n, self.heads, self.size // self.heads]
        keys: List[Tensor] = []
        values: List[Tensor] = []
        for _layer in self.layers:
            keys.append(torch.empty(shape, device=z.device))
            values.append(torch.empty(shape, device=z.device))
        tokens: List[Tensor] = []
        x = base + self.places[0]
        y = x
        bias = base
        for place, out in enumerate(self.outs):
            y = x
            for index, layer in enumerate(self.layers):
                y = layer.step(y, keys[index], values[index], place)
            logits = out(self.norm(y))
            if place == self.state:
                logits = self._pushed(logits, steer.push)
            if place < self.slots:
                logits = logits + steer.bias[:, min(place, self.steered - 1), : logits.shape[1]]
            if place == self.first_note:
                bias = self._bias(tokens[0], chord, last, steer.pull)
                begins = is_onset(tokens[0])
                # something begins, so there is something
                logits[:, 0] = logits[:, 0] + torch.where(begins, self.never, 0.0)
            if place >= self.first_note and place < self.slots:
                logits = logits + bias
            heat = sampling.temperature if place < self.slots else sampling.sound_temperature
            token = sample_token(logits, sampling.noise[:, place], heat, sampling.top_k, sampling.top_p)
            tokens.append(token)
            for other, table in enumerate(self.embed):
                if other == place:
                    # of weights alone, so the compiled program has the sum as a constant
                    rows = table.weight[1:] + self.places[place + 1]  # type: ignore[index]
                    x = base + nn.functional.embedding(token, rows)
        return torch.stack(tokens, dim=1)

    def _pushed(self, logits: Tensor, push: Tensor) -> Tensor:
        """Logits of the state with beginnings likelier by `push` [N], up only where there is a chance of one."""
        first, stop = 1, 1 + self.quarters
        chance = torch.softmax(logits, dim=-1)[:, first:stop].sum(dim=1)
        nats = push.clamp(max=0.0) + push.clamp(min=0.0) * chance / (chance + self.faint)
        pushed = logits.clone()
        pushed[:, first:stop] = logits[:, first:stop] + nats.unsqueeze(1)
        return pushed

    def _bias(self, state: Tensor, chord: Tensor, last: Tensor, pull: Tensor) -> Tensor:
        """What is added to the logits of the note slots [N, slot_entries], by the state [N] that was drawn."""
        entries = self.note_class.shape[0]
        hits = (pull < 0.0).unsqueeze(1)
        outside = (1.0 - chord[:, self.note_class].clamp(0.0, 1.0)) * chord[:, -1:]
        outside[:, 0] = 0.0
        there = torch.zeros(state.shape[0], entries, device=chord.device)
        there.scatter_(1, last[:, self.first_note : self.slots].clamp(min=0), 1.0)
        there = torch.where(hits | (state == 0).unsqueeze(1), torch.zeros_like(there), there)
        there[:, 0] = 1.0
        sounding = torch.where(is_onset(state).unsqueeze(1), torch.zeros_like(there), (1.0 - there) * self.never)
        return sounding - pull.clamp(min=0.0).unsqueeze(1) * outside
