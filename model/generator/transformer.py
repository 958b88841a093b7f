"""The band: a decoder-only transformer over codec frames, conditioned on what is heard and on where the music is.

Per frame and part, a temporal transformer takes the embeddings of the part's own last tokens, the heard sound as of
`ahead` frames before, and the chord; beat, bar, tempo, chord, style, density and ahead steer every layer's norms
(AdaLN). A small depth transformer then writes the frame place after place, so that no delay pattern costs latency:
first what is played in symbols (score_tokens.py), then how it sounds (the codec's first codebooks). The parts run as
one batch. Knows no sound, no thread and no player.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, List

import torch
from torch import Tensor, nn

from ..layers import (
    CausalConv,
    ConvBlock,
    RmsNorm,
    SwiGlu,
    WindowAttention,
    embedding,
    scaled_normal_,
)
from ..streaming import Streaming
from .conditioning import CHORD_SIZE, MAX_AHEAD_FRAMES, MOMENT_SIZE
from .note_steering import STEERED, Steer
from .sampling import pick
from .score_tokens import (
    FIRST_NOTE,
    LOWEST_NOTE,
    ONSET_QUARTERS,
    SLOT_ENTRIES,
    SLOTS,
    STATE,
)

NEVER = -1e4
"""Added to the logit of what cannot be."""
FAINT_CHANCE = 0.02
"""A chance of a beginning as small as this is pushed up half as much as a large one, and a smaller one hardly."""


@dataclass(frozen=True)
class GeneratorConfig:
    """Vocabulary and sizes of the generator, as its file of weights gives them. Any thread."""

    styles: tuple[str, ...] = ("rock",)
    parts: tuple[str, ...] = ("drums", "bass", "keys")
    codebooks: int = 4
    """Codec codebooks that it writes, the coarsest first: the finer ones are close to noise for it."""
    entries: int = 1024
    slots: int = SLOTS
    slot_entries: int = SLOT_ENTRIES
    heard_size: int = 328
    frame_rate_hz: float = 25.0
    layers: int = 6
    size: int = 256
    heads: int = 4
    hidden: int = 704
    window_frames: int = 256
    condition_size: int = 128
    heard_channels: int = 160
    depth_layers: int = 2
    depth_size: int = 192
    depth_heads: int = 4
    depth_hidden: int = 512

    @property
    def places(self) -> tuple[int, ...]:
        """What a frame of one part is made of, in order: the number of entries of each slot and codebook."""
        return (self.slot_entries,) * self.slots + (self.entries,) * self.codebooks

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def is_onset(state: Tensor) -> Tensor:
    """Whether something begins in a frame of that state (see score_tokens.py)."""
    return (state >= 1) & (state <= 4)  # ONSET_QUARTERS, spelt for TorchScript


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
        noise: Tensor,
        temperature: float,
        sound_temperature: float,
        top_k: int,
        top_p: float,
        steer: Steer,
    ) -> Tensor:
        """Tokens [N, places] drawn with uniform noise [N, places] for z [N, size], chord [N, CHORD_SIZE] and the last
        frame's tokens [N, places] (-1: none).

        `temperature` is that of the notes, `sound_temperature` that of the codec's tokens. `steer` (steering.py) bends
        the notes. What cannot be is never drawn: a note that sounds on without having been there, a beginning with
        nothing that begins.
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
            if place < self.steered:
                logits = logits + steer.bias[:, place, : logits.shape[1]]
            if place == self.first_note:
                bias = self._bias(tokens[0], chord, last, steer.pull)
                begins = is_onset(tokens[0])
                # something begins, so there is something
                logits[:, 0] = logits[:, 0] + torch.where(begins, self.never, 0.0)
            if place >= self.first_note and place < self.slots:
                logits = logits + bias
            heat = temperature if place < self.slots else sound_temperature
            token = pick(logits, noise[:, place], heat, top_k, top_p)
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

    def _condition(self, moment: Tensor, chord: Tensor, density: Tensor, style: Tensor, ahead: Tensor) -> Tensor:
        """[S, T, MOMENT_SIZE], [S, T, CHORD_SIZE], [S, T], [S], [S] to [S * parts, T, condition_size]."""
        base = self.moment(torch.cat([moment, density.unsqueeze(-1)], dim=-1)) + self.chord_condition(chord)
        base = base + (self.style(style) + self.ahead(ahead)).unsqueeze(1)
        full = base.unsqueeze(1) + self.part.weight[None, :, None, :]
        return self.condition(full.flatten(0, 1))

    def _input(self, tokens: Tensor, heard: Tensor, chord: Tensor) -> Tensor:
        """Last tokens (-1: none) [S * parts, T, places], heard and chord [S, T, .] to [S * parts, T, size]."""
        total = (heard * self.heard_gain + self.chord(chord)).repeat_interleave(self.parts, dim=0)
        for level, table in enumerate(self.embed):
            total = total + table(tokens[:, :, level] + 1)
        return total

    def whole(
        self,
        tokens: Tensor,
        heard: Tensor,
        moment: Tensor,
        chord: Tensor,
        density: Tensor,
        style: Tensor,
        ahead: Tensor,
        keep: Tensor,
    ) -> Tensor:
        """Temporal output [S * parts, T, size] for *previous* tokens [S * parts, T, places] (a frame late; -1: none).

        `heard` [S, T, heard_size] is already shifted by each song's `ahead` [S]; `keep` [S * parts, T] or empty hides
        frames of the past from attention.
        """
        condition = self._condition(moment, chord, density, style, ahead)
        x = self._input(tokens, self.heard.whole(heard), chord)
        for layer in self.layers:
            x = layer.whole_with(x, condition, keep)
        return self.norm(x)

    @torch.jit.export
    def hear(self, features: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Encode one heard frame [S, 1, heard_size] to [S, 1, size]; the caller delays it by `ahead` frames."""
        return self.heard.step(features, state)

    @torch.jit.export
    def step(
        self,
        heard: Tensor,
        moment: Tensor,
        chord: Tensor,
        density: Tensor,
        style: Tensor,
        ahead: Tensor,
        noise: Tensor,
        temperature: float,
        sound_temperature: float,
        top_k: int,
        top_p: float,
        state: Dict[str, Tensor],
        steer: Steer,
    ) -> Tensor:
        """Tokens [S * parts, places] of the next frame; `heard` [S, 1, size] is `hear`'s output `ahead` frames before.

        Temperatures and `steer` [S * parts] as in `Depth.sample`.
        """
        condition = self._condition(moment, chord, density, style, ahead)[:, 0]
        last = state["tokens"]
        x = self._input(last.unsqueeze(1) - 1, heard, chord)[:, 0]
        turn = self.layers[0].attention.turn(state)
        for layer in self.layers:
            x = layer.step_with(x, condition, turn, state)
        chords = chord[:, 0].repeat_interleave(self.parts, dim=0)
        z = self.norm(x)
        tokens = self.depth.sample(z, chords, last - 1, noise, temperature, sound_temperature, top_k, top_p, steer)
        last.copy_(tokens + 1)
        return tokens
