"""Data-parallel training: processes started by torchrun share their gradients.

Plain data parallelism on `torch.distributed`: equal weights everywhere, each process its own data, gradients averaged
before each step. Alone (no WORLD_SIZE in the environment) everything here does nothing. Main thread only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .errors import TrainingError


class Group:
    """The processes of one training. `rank` 0 saves and logs."""

    def __init__(self, device: torch.device) -> None:
        """Joins the others, if there are any. Raises TrainingError where torch cannot."""
        self.rank, self.size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        self._device = device
        if self.size > 1 and not torch.distributed.is_initialized():
            if not torch.distributed.is_available():
                raise TrainingError("this torch was built without torch.distributed: train with one process")
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def same(self, tensors: Iterable[Tensor]) -> None:
        """Everybody takes rank 0's values."""
        if self.size > 1:
            for tensor in tensors:
                torch.distributed.broadcast(tensor.data, 0)

    def average_gradients(self, model: nn.Module) -> None:
        """The mean over the processes, in one message."""
        if self.size == 1:
            return
        grads = [p.grad for p in model.parameters() if p.requires_grad and p.grad is not None]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        torch.distributed.all_reduce(flat)
        flat /= self.size
        start = 0
        for grad in grads:
            grad.copy_(flat[start : start + grad.numel()].view_as(grad))
            start += grad.numel()

    def agree(self, stop: bool, elapsed_s: float) -> tuple[bool, float]:
        """Whether anybody was asked to stop, and the longest time, so that all end at the same step."""
        if self.size == 1:
            return stop, elapsed_s
        said = torch.tensor([float(stop), elapsed_s], dtype=torch.float64, device=self._device)
        torch.distributed.all_reduce(said, torch.distributed.ReduceOp.MAX)
        return bool(said[0] > 0), float(said[1])

    def leave(self) -> None:
        if self.size > 1 and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def pick_device(name: str) -> torch.device:
    """`auto`: a GPU where torch sees one; under torchrun each process its own. TrainingError for what is not there."""
    if name not in ("auto", "cpu", "cuda"):
        raise TrainingError(f"device {name!r}: give auto, cpu or cuda")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise TrainingError("torch sees no CUDA device here: use --device cpu, or install torch's CUDA build")
    if name == "cpu" or not there:
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
