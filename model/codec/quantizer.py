"""Residual vector quantiser: each codebook codes what the ones before it left over (Zeghidour 2021, Défossez 2022).

Knows no audio. The codebooks are buffers: they learn by moving averages, not by gradients (training/ drives that).
"""

from __future__ import annotations

from typing import List, Tuple

import torch
from torch import Tensor, nn


class ResidualQuantizer(nn.Module):
    """Vectors [B, D, T] <-> tokens [B, K, T], K codebooks of `entries` vectors. Stateless, so it streams as it is.

    One thread at a time.
    """

    def __init__(self, size: int, codebooks: int = 8, entries: int = 1024) -> None:
        super().__init__()
        self.size, self.codebooks, self.entries = size, codebooks, entries
        self.codes = nn.Buffer(torch.randn(codebooks, entries, size) * size**-0.5)

    def nearest(self, x: Tensor, level: int) -> Tensor:
        """Index [N] of the entry of codebook `level` that is closest to each row of x [N, D]."""
        codes = self.codes[level]
        distance = codes.square().sum(dim=1)[None, :] - 2.0 * torch.matmul(x, codes.T)
        return distance.argmin(dim=1)

    def encode(self, x: Tensor, levels: int = 0) -> Tensor:
        """Tokens [B, K, T] of x [B, D, T]; `levels` below K codes more coarsely (0 means all)."""
        batch, _, steps = x.shape
        residual = x.transpose(1, 2).reshape(-1, self.size)
        tokens: List[Tensor] = []
        for level in range(self.codebooks if levels == 0 else levels):
            index = self.nearest(residual, level)
            residual = residual - self.codes[level][index]
            tokens.append(index.view(batch, steps))
        return torch.stack(tokens, dim=1)

    def decode(self, tokens: Tensor) -> Tensor:
        """Vectors [B, D, T] of tokens [B, K', T]; K' may be smaller than K."""
        total = self.codes[0][tokens[:, 0]]
        for level in range(1, tokens.shape[1]):
            total = total + self.codes[level][tokens[:, level]]
        return total.transpose(1, 2)


@torch.no_grad()
def learn_codes(
    quantizer: ResidualQuantizer, x: Tensor, counts: Tensor, sums: Tensor, decay: float, revive_below: float
) -> Tuple[Tensor, Tensor]:
    """One moving-average update of every codebook from the rows x [N, D].

    `counts` [K, E] and `sums` [K, E, D] are the averages (owned by the trainer). Entries used less often than
    `revive_below` per step are moved onto random rows. Returns the tokens [N, K] and the perplexity [K] of this batch.
    """
    residual = x
    tokens, perplexities = [], []
    for level in range(quantizer.codebooks):
        index = quantizer.nearest(residual, level)
        used = torch.bincount(index, minlength=quantizer.entries).to(x.dtype)
        summed = torch.zeros_like(sums[level]).index_add_(0, index, residual)
        counts[level].mul_(decay).add_(used, alpha=1 - decay)
        sums[level].mul_(decay).add_(summed, alpha=1 - decay)
        dead = counts[level] < revive_below
        if bool(dead.any()):
            picks = residual[torch.randint(len(residual), (int(dead.sum()),), device=x.device)]
            counts[level][dead] = 1.0
            sums[level][dead] = picks
        before = quantizer.codes[level][index]
        quantizer.codes[level].copy_(sums[level] / counts[level].clamp(min=1e-6)[:, None])
        residual = residual - before
        share = used / used.sum()
        perplexities.append(torch.exp(-(share * (share + 1e-10).log()).sum()))
        tokens.append(index)
    return torch.stack(tokens, dim=1), torch.stack(perplexities)
