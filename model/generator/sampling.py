"""Drawing a token from logits: temperature, top-k, top-p, by uniform noise that the caller seeds.

Noise comes in from outside, so that a seed gives the same band live, offline and under TorchScript.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Sampling(NamedTuple):
    """How a frame's tokens are drawn. Any thread."""

    noise: Tensor
    """[N, places], uniform in [0, 1)."""
    temperature: float
    """Of the notes."""
    sound_temperature: float
    """Of the codec's tokens."""
    top_k: int
    """0: no limit."""
    top_p: float


def sample_token(logits: Tensor, noise: Tensor, temperature: float, top_k: int, top_p: float) -> Tensor:
    """Tokens [N] from logits [N, E] and uniform noise [N] in [0, 1).

    temperature 0 takes the likeliest; otherwise the smallest set of likeliest tokens whose probability reaches
    `top_p` (Holtzman 2020), of at most `top_k` (0: no limit), is drawn from by inverting its cumulative sum.
    """
    if temperature <= 0.0:
        return logits.argmax(dim=-1)
    entries = logits.shape[-1]
    limit = entries if top_k <= 0 else min(top_k, entries)
    best, order = torch.topk(logits, limit, dim=-1)
    chance = torch.softmax(best / temperature, dim=-1)
    reached = torch.cumsum(chance, dim=-1)
    last = (reached < top_p).sum(dim=-1, keepdim=True).clamp(max=limit - 1)  # of those that are kept
    target = noise.unsqueeze(-1) * reached.gather(1, last)
    place = torch.minimum((reached <= target).sum(dim=-1, keepdim=True), last)
    return order.gather(1, place).squeeze(1)
