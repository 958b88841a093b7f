"""The streaming contract of all causal modules: explicit state, step, whole, declared delay.

Knows no audio and no thread. The one test of the contract is tests/model/contract.py.

Rules
-----
* State is a flat `Dict[str, Tensor]` (TorchScript can pass it); each stateful layer owns the entries whose names start
  with its own `key`, given at construction (`key=f"{key}.conv1"`), so that keys never clash.
* `init_state(batch)` makes fresh state for a silent past. `step(x, state)` takes the next block of time steps and
  **updates the state in place** (fixed shapes: nothing grows). Save a state with `clone_state`.
* `whole(x)` runs a whole sequence from a silent past; `step` over any split of the same sequence gives the same output.
* Causal: output up to t depends on input up to t only, whatever comes after it (NaN too), and so do its gradients. A
  module whose output lags its input declares the lag as `delay`, in its own output steps: `whole(x)[..., t]` belongs to
  the input at `t - delay`.
"""

from __future__ import annotations

from typing import Dict

import torch
from torch import Tensor, nn

State = Dict[str, Tensor]


class Streaming(nn.Module):
    """Base of causal, streaming modules. Subclasses implement `init_state`, `step`, `whole` and may set `delay`.

    One thread at a time.
    """

    delay = 0  # not annotated: TorchScript cannot read a string annotation on a class

    def init_state(self, batch: int) -> Dict[str, Tensor]:
        """State of a silent past for `batch` independent streams."""
        raise NotImplementedError

    def step(self, x: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Process the next time steps and update `state` in place."""
        raise NotImplementedError

    def whole(self, x: Tensor) -> Tensor:
        """Process a whole sequence from a silent past (used in training)."""
        raise NotImplementedError


def clone_state(state: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """A deep copy: the way to save, branch or restore a stream."""
    return {name: value.clone() for name, value in state.items()}


def reset_state(state: Dict[str, Tensor]) -> None:
    """Zero a state in place. Layers must therefore be written so that all-zero state is the silent past."""
    with torch.no_grad():
        for value in state.values():
            value.zero_()
