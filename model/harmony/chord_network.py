"""The harmony network: from half-beats of listener output to the current chord, the key, and the next chords.

The listener knows neither bars nor the song. This small recurrent network is asked once for each half-beat of the
conductor's, with its place in the bar and with what was heard at the same places of the bars before, and remembers.
The same cells look at the twelve transpositions of everything side by side (weights shared), so that what it learns
in one key it knows in all. This is what is trained; on stage numpy computes the same (harmonist.py). Streaming
contract; one thread at a time.
"""

from __future__ import annotations

from typing import Dict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..configs import ANSWERS, ROOTS, UNPITCHED, HarmonyConfig
from ..streaming import Streaming
from .harmonist import HarmonyNetwork

FORGOTTEN = 0.2
"""Share of the units that a step of training does without: songs are few, and are soon known by heart."""


class Harmony(Streaming):
    """Half-beats [B, T, size] to log-odds [B, T, len(ANSWERS), CHORDS]. One thread at a time."""

    def __init__(self, config: HarmonyConfig) -> None:
        super().__init__()
        self.config = config
        self.pitched = config.channels * ROOTS
        self.style = nn.Linear(len(config.styles) + 1, config.style_size, bias=False)
        nn.init.normal_(self.style.weight, std=0.3)
        self.head = nn.Linear(self.pitched + UNPITCHED + config.style_size, config.units)
        self.forget = nn.Dropout(FORGOTTEN)
        self.cell = nn.GRU(config.units, config.units, batch_first=True)
        self.tail = nn.Linear(2 * config.units, 2 * len(ANSWERS))

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        units = self.config.units
        return {"harmony": torch.zeros(batch, ROOTS, units, device=self.tail.weight.device)}

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        batch, steps = x.shape[:2]
        pitched = x[:, :, : self.pitched].unflatten(2, (-1, ROOTS))
        turned = torch.stack([torch.roll(pitched, -root, 3) for root in range(ROOTS)], dim=1).flatten(3)
        rest = x[:, :, self.pitched :]
        rest = torch.cat([rest[:, :, :UNPITCHED], self.style(rest[:, :, UNPITCHED:])], dim=2)
        z = F.silu(self.head(torch.cat([turned, rest[:, None].expand(-1, ROOTS, -1, -1)], dim=3)))
        held = state["harmony"]
        y, last = self.cell(self.forget(z).flatten(0, 1), held.flatten(0, 1)[None].clone())
        held.copy_(last[0].view_as(held))
        odds = self.tail(self.forget(torch.cat([y.view_as(z), z], dim=3))).view(batch, ROOTS, steps, len(ANSWERS), 2)
        return odds.permute(0, 2, 3, 4, 1).flatten(3)

    def whole(self, x: Tensor) -> Tensor:
        return self.step(x, self.init_state(x.shape[0]))


def network_of(model: Harmony) -> HarmonyNetwork:
    """What computes the same on stage."""
    arrays = {name: value.detach().float().cpu().numpy() for name, value in model.state_dict().items()}
    return HarmonyNetwork(model.config, arrays)
