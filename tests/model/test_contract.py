"""The check of the streaming contract finds what it is there for: layers that break one rule each."""

from __future__ import annotations

import pytest
import torch
from gigmate.model.streaming import Streaming
from torch import Tensor

from .contract import verify_contract


class Sum(Streaming):
    """The sum of this step and the one before: [B, T] -> [B, T]. Keeps the contract."""

    def init_state(self, batch: int) -> dict[str, Tensor]:
        return {"last": torch.zeros(batch, 1)}

    def step(self, x: Tensor, state: dict[str, Tensor]) -> Tensor:
        y = x + torch.cat([state["last"], x[:, :-1]], dim=1)
        state["last"].copy_(x[:, -1:])
        return y

    def whole(self, x: Tensor) -> Tensor:
        return x + torch.cat([torch.zeros(len(x), 1), x[:, :-1]], dim=1)


class LooksAheadByNothing(Sum):
    """Adds the future with weight 0."""

    def whole(self, x: Tensor) -> Tensor:
        return super().whole(x) + 0.0 * x.sum(dim=1, keepdim=True)


class ForgetsInLargeBlocks(Sum):
    """A block of exactly four steps loses its last value."""

    def step(self, x: Tensor, state: dict[str, Tensor]) -> Tensor:
        y = super().step(x, state)
        if x.shape[1] == 4:
            state["last"].zero_()
        return y


class KeepsGradientsFromThePast(Sum):
    def whole(self, x: Tensor) -> Tensor:
        return x + torch.cat([torch.zeros(len(x), 1), x[:, :-1].detach()], dim=1)


class LearnsFromTheFuture(Sum):
    """Its values see the past alone; its gradients flow from the future (a straight-through estimate gone wrong)."""

    def whole(self, x: Tensor) -> Tensor:
        ahead = x.roll(-1, 1).nan_to_num(0.0, 0.0, 0.0)
        return super().whole(x) + (ahead - ahead.detach())


def test_a_layer_that_keeps_it_passes() -> None:
    verify_contract(Sum(), torch.randn(2, 12), 1, 1, 1)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (LooksAheadByNothing(), "sees the future"),
        (ForgetsInLargeBlocks(), "not close"),
        (KeepsGradientsFromThePast(), "depends"),
        (LearnsFromTheFuture(), "flows to the future"),
    ],
)
def test_a_layer_that_breaks_a_rule_is_found(layer: Streaming, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        verify_contract(layer, torch.randn(2, 12), 1, 1, 1)
