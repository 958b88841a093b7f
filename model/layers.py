"""The streaming building blocks: causal convolutions, gated blocks, windowed attention with a ring of keys and values.

Know no audio. Every stateful layer keeps the contract of streaming.py and is named by its `key`. Inference thread only.
"""

from __future__ import annotations

from typing import Dict, List

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .streaming import Streaming


def scaled_normal_(weight: Tensor) -> None:
    """N(0, 1/sqrt(fan_in)): torch's default start stalled the codec's training (docs/decisions)."""
    fan_in = weight[0].numel()
    nn.init.normal_(weight, std=fan_in**-0.5)


def embedding(entries: int, size: int, std: float) -> nn.Embedding:
    """A table of vectors whose start has the standard deviation `std`."""
    table = nn.Embedding(entries, size)
    nn.init.normal_(table.weight, std=std)
    return table


class CausalConv(Streaming):
    """A 1-D convolution [B, C_in, T] -> [B, C_out, T / stride] that sees the past only. One thread at a time."""

    def __init__(
        self,
        key: str,
        in_channels: int,
        out_channels: int,
        kernel: int,
        dilation: int = 1,
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        if kernel * dilation < stride:
            raise ValueError(f"{key}: a kernel of {kernel} with stride {stride} would skip input")
        self.key = key
        self.in_channels, self.dilation, self.stride = in_channels, dilation, stride
        self.past = (kernel - 1) * dilation + 1 - stride
        self.by_channel = groups == in_channels and groups == out_channels and stride == 1
        self.dense = groups == 1
        self.conv = nn.Conv1d(in_channels, out_channels, kernel, stride=stride, dilation=dilation, groups=groups)
        scaled_normal_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        return {self.key: torch.zeros(batch, self.in_channels, self.past, device=self.conv.weight.device)}

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        past = state[self.key]
        padded = torch.cat([past, x], dim=2)
        past.copy_(padded.narrow(2, padded.shape[2] - self.past, self.past))
        return self._few(padded)

    def _few(self, padded: Tensor) -> Tensor:
        """The convolution of the few positions of a step, as sums of products: what a convolution needs to begin costs
        several times more than they do."""
        if not (self.by_channel or self.dense):
            return self.conv(padded)
        span, weight, bias = self.past + self.stride, self.conv.weight, self.conv.bias
        if self.by_channel:
            # channels last, so that neighbours in memory are summed side by side
            taps = padded.transpose(1, 2).contiguous().unfold(1, padded.shape[2] - span + 1, 1)
            if self.dilation > 1:
                taps = taps[:, :: self.dilation]
            y = (taps.transpose(2, 3) * weight.permute(2, 1, 0)).sum(dim=1)
            return (y if bias is None else y + bias).transpose(1, 2)
        taps = padded.unfold(2, span, self.stride)
        if self.dilation > 1:
            taps = taps[:, :, :, :: self.dilation]
        return F.linear(taps.transpose(1, 2).flatten(2), weight.flatten(1), bias).transpose(1, 2)

    def whole(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (self.past, 0)))


class ConvBlock(Streaming):
    """ConvNeXt-like residual block (Liu 2022): depthwise causal convolution, norm, gated pointwise map.

    One thread at a time.
    """

    def __init__(self, key: str, channels: int, kernel: int = 7, dilation: int = 1, expand: int = 3) -> None:
        super().__init__()
        self.depthwise = CausalConv(key, channels, channels, kernel, dilation, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.up = nn.Linear(channels, expand * channels)
        self.down = nn.Linear(expand * channels, channels)
        scaled_normal_(self.up.weight)
        scaled_normal_(self.down.weight)
        nn.init.zeros_(self.up.bias)
        nn.init.zeros_(self.down.bias)
        self.gain = nn.Parameter(torch.full((channels,), 0.3))

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        return self.depthwise.init_state(batch)

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        return x + self._mix(self.depthwise.step(x, state))

    def whole(self, x: Tensor) -> Tensor:
        return x + self._mix(self.depthwise.whole(x))

    def _mix(self, x: Tensor) -> Tensor:
        y = self.down(F.gelu(self.up(self.norm(x.transpose(1, 2)))))
        return (y * self.gain).transpose(1, 2)


def length(x: Tensor) -> Tensor:
    """Euclidean norm over the last axis, never 0: a third of the operations of a root of a mean of squares, each of
    which costs a step more than its numbers."""
    return torch.linalg.vector_norm(x, 2.0, [-1], True).clamp(min=1e-6)


class RmsNorm(nn.Module):
    """Root-mean-square norm over the last axis (Zhang and Sennrich 2019), gain optional. One thread at a time."""

    def __init__(self, size: int, gain: bool = True) -> None:
        super().__init__()
        self.root = size**0.5
        self.weight = nn.Parameter(torch.ones(size), requires_grad=gain)

    def forward(self, x: Tensor) -> Tensor:
        return x / length(x) * (self.weight * self.root)


class SwiGlu(nn.Module):
    """Gated feed-forward (Shazeer 2020): silu(a) * b, projected back. One thread at a time."""

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(size, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, size, bias=False)
        scaled_normal_(self.up.weight)
        scaled_normal_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * value)


def rope_table(positions: Tensor, head_size: int) -> Tensor:
    """cos and sin [T, 2, head_size / 2] of rotary positions (Su 2021); float64 inside, exact after hours."""
    inverse = 10_000.0 ** (-torch.arange(0, head_size, 2, dtype=torch.float64, device=positions.device) / head_size)
    angle = positions.double()[:, None] * inverse[None, :]
    return torch.stack([angle.cos(), angle.sin()], dim=1).float()


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Rotate [..., T, D] by a table [T, 2, D / 2] (halves convention)."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = table[:, 0], table[:, 1]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class WindowAttention(Streaming):
    """Causal self-attention over the last `window` steps: [B, T, D] -> [B, T, D].

    Streaming keeps the last `window` keys and values in a ring, so a step costs the same in hour 3 as in minute 1.
    Queries and keys are normed (QK-norm) and rotated by absolute position, which only shows in differences.

    One thread at a time.
    """

    def __init__(self, key: str, size: int, heads: int, window: int) -> None:
        super().__init__()
        self.key_k, self.key_v, self.key_t = f"{key}.k", f"{key}.v", f"{key}.t"
        self.heads, self.window, self.head_size = heads, window, size // heads
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.out = nn.Linear(size, size, bias=False)
        self.norm_q = RmsNorm(self.head_size)
        self.norm_k = RmsNorm(self.head_size)
        self.scale = nn.Buffer(torch.tensor(self.head_size**-0.5), persistent=False)
        scaled_normal_(self.qkv.weight)
        scaled_normal_(self.out.weight)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        device = self.norm_q.weight.device
        shape = (batch, self.heads, self.window, self.head_size)
        return {
            self.key_k: torch.zeros(shape, device=device),
            self.key_v: torch.zeros(shape, device=device),
            self.key_t: torch.zeros(batch, dtype=torch.int64, device=device),
        }

    def _project(self, x: Tensor, table: Tensor) -> List[Tensor]:
        batch, steps, _ = x.shape
        q, k, v = self.qkv(x).view(batch, steps, 3, self.heads, self.head_size).permute(2, 0, 3, 1, 4).unbind(0)
        return [rotate(self.norm_q(q), table), rotate(self.norm_k(k), table), v]

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        outputs: List[Tensor] = []
        for t in range(x.shape[1]):
            outputs.append(self.step_at(x[:, t], self.turn(state), state).unsqueeze(1))
        return torch.cat(outputs, dim=1)

    def turn(self, state: Dict[str, Tensor]) -> Tensor:
        """Rotation [2, head_size] of the step that comes: what equal layers of one clock need to know once."""
        table = rope_table(state[self.key_t][:1], self.head_size)[0]
        return torch.stack([table[0].repeat(2), torch.cat([-table[1], table[1]])])

    def step_at(self, x: Tensor, turn: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """One step [B, D] -> [B, D]; `turn` is this step's."""
        keys, values, clock = state[self.key_k], state[self.key_v], state[self.key_t]
        now = int(clock[0].item())
        qkv = self.qkv(x).view(x.shape[0], 3, self.heads, self.head_size)
        both = qkv[:, :2]
        gain = torch.stack([self.norm_q.weight, self.norm_k.weight]).unsqueeze(1) * self.norm_q.root
        both = both / length(both) * gain
        both = torch.addcmul(both * turn[0], both.roll(self.head_size // 2, -1), turn[1])
        slot = now % self.window
        keys[:, :, slot] = both[:, 1]
        values[:, :, slot] = qkv[:, 2]
        clock.add_(1)
        filled = min(now + 1, self.window)
        # softmax does not care for the order of keys, so the ring needs no unrolling
        scores = torch.matmul((both[:, 0] * self.scale).unsqueeze(2), keys[:, :, :filled].transpose(2, 3))
        return self.out(torch.matmul(torch.softmax(scores, dim=-1), values[:, :, :filled]).flatten(1))

    def whole(self, x: Tensor) -> Tensor:
        return self.whole_masked(x, torch.zeros(0, device=x.device))

    def whole_masked(self, x: Tensor, keep: Tensor) -> Tensor:
        """`whole`, with keys of the past hidden where `keep` [B, T] is 0 (an empty tensor hides none)."""
        steps = x.shape[1]
        q, k, v = self._project(x, rope_table(torch.arange(steps, device=x.device), self.head_size))
        age = torch.arange(steps, device=x.device)[:, None] - torch.arange(steps, device=x.device)[None, :]
        mask = ((age >= 0) & (age < self.window))[None, None]
        if keep.numel() > 0:
            mask = mask & ((keep[:, None, None, :] > 0) | (age == 0))
        # A hidden key has weight 0, but 0 times NaN is NaN. A key that is seen keeps its NaN in the score.
        v = v.masked_fill(~torch.isfinite(x).all(dim=-1)[:, None, :, None], 0.0)
        # written out: the fused kernel's backward pass took a third of a training step on the CPU
        scores = torch.matmul(q, k.transpose(2, 3)) * self.head_size**-0.5
        y = torch.matmul(torch.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1).to(v.dtype), v)
        return self.out(y.transpose(1, 2).flatten(2))
