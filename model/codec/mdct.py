"""The modified discrete cosine transform as a causal, streaming pair of linear maps with perfect reconstruction.

Knows no learning. Princen, Johnson and Bradley 1987, with the sine window: hop M, window 2M, M coefficients per hop.
Torch modules under the streaming contract; the analysis is causal without delay, the synthesis lags by one hop,
because a hop's samples are complete only when the next hop's coefficients are known.
"""

from __future__ import annotations

import math
from typing import Dict

import torch
from torch import Tensor, nn

from ..streaming import Streaming


def mdct_matrix(hop: int) -> Tensor:
    """Windowed orthonormal basis [2 * hop, hop]: its transpose synthesises (time-domain aliasing cancels)."""
    n = torch.arange(2 * hop, dtype=torch.float64)[:, None]
    k = torch.arange(hop, dtype=torch.float64)[None, :]
    window = torch.sin(math.pi * (n + 0.5) / (2 * hop))
    basis = torch.cos(math.pi / hop * (n + 0.5 + hop / 2) * (k + 0.5))
    return (window * basis * math.sqrt(2.0 / hop)).float()


class Mdct(Streaming):
    """Audio [B, N] (N a multiple of hop) to coefficients [B, hop, N / hop]. Delay 0: hop t ends at sample (t+1)*hop.

    One thread at a time.
    """

    def __init__(self, hop: int, key: str) -> None:
        super().__init__()
        self.hop = hop
        self.key = key
        self.basis = nn.Buffer(mdct_matrix(hop), persistent=False)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        return {self.key: torch.zeros(batch, self.hop, device=self.basis.device)}

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        past = state[self.key]
        padded = torch.cat([past, x], dim=1)
        past.copy_(padded[:, padded.shape[1] - self.hop :])
        return self._analyse(padded)

    def whole(self, x: Tensor) -> Tensor:
        return self._analyse(nn.functional.pad(x, (self.hop, 0)))

    def _analyse(self, padded: Tensor) -> Tensor:
        return torch.matmul(padded.unfold(1, 2 * self.hop, self.hop), self.basis).transpose(1, 2)


class InverseMdct(Streaming):
    """Coefficients [B, hop, T] to audio [B, T * hop], one hop late (`delay` is in output samples).

    One thread at a time.
    """

    def __init__(self, hop: int, key: str) -> None:
        super().__init__()
        self.hop = hop
        self.key = key
        self.delay = hop
        self.basis = nn.Buffer(mdct_matrix(hop).T.contiguous(), persistent=False)

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        return {self.key: torch.zeros(batch, self.hop, device=self.basis.device)}

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        pieces = torch.matmul(x.transpose(1, 2), self.basis)
        tail = state[self.key]
        late = torch.cat([tail.unsqueeze(1), pieces[:, :-1, self.hop :]], dim=1)
        tail.copy_(pieces[:, -1, self.hop :])
        return (pieces[:, :, : self.hop] + late).flatten(1)

    def whole(self, x: Tensor) -> Tensor:
        pieces = torch.matmul(x.transpose(1, 2), self.basis)
        late = nn.functional.pad(pieces[:, :-1, self.hop :], (0, 0, 1, 0))
        return (pieces[:, :, : self.hop] + late).flatten(1)
