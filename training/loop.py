"""What every training shares: the clock and schedule, checkpoints that resume, the running average, the log.

Knows no model and no loss. One process; a stop signal saves before it ends.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LoopConfig:
    out: Path
    minutes: float = 20.0
    """Length of the whole training in wall time, earlier runs that it resumes included."""
    learning_rate: float = 5e-4
    warmup_steps: int = 100
    final_ratio: float = 0.03
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    save_seconds: float = 120.0
    log_steps: int = 20
    bf16: bool = False
    """Mixed precision; on processors with AVX512-BF16 or AMX several times faster, elsewhere slower."""


class Loop:
    """Drives one training: iterate it, call `update(loss, figures)` once per turn; `progress` is 0..1 of its time."""

    def __init__(self, config: LoopConfig, model: nn.Module, kind: str, shape: dict[str, Any]) -> None:
        self.config, self.model, self.kind, self.shape = config, model, kind, shape
        config.out.mkdir(parents=True, exist_ok=True)
        decay = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
        plain = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
        groups = [{"params": decay, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas)
        self.ema = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self.unaveraged: frozenset[str] = frozenset()
        """Names of tensors that are averages already."""
        self.step, self.elapsed = 0, 0.0
        self._sums: dict[str, float] = {}
        self._stop = False
        self._extra: dict[str, Tensor] = {}

    def keep(self, **tensors: Tensor) -> None:
        """Register tensors (moving averages of codebooks, say) that checkpoints save and restore in place."""
        self._extra.update(tensors)

    def autocast(self) -> torch.autocast:
        """Mixed precision for the learnt maps of a step, if so configured."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.config.bf16)

    @property
    def progress(self) -> float:
        return min(1.0, self.elapsed / (60.0 * self.config.minutes))

    def resume(self) -> bool:
        """Load the newest checkpoint of `out`, if there is one."""
        path = self.config.out / "last.pt"
        if not path.exists():
            return False
        saved = torch.load(path, map_location="cpu", weights_only=True)
        if saved["kind"] != self.kind or saved["shape"] != self.shape:
            raise ValueError(f"{path} is the training of another {saved['kind']}: give another folder")
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        for name, value in saved["ema"].items():
            self.ema[name].copy_(value)
        for name, value in saved["extra"].items():
            self._extra[name].copy_(value)
        self.step, self.elapsed = saved["step"], saved["elapsed"]
        return True

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema,
            "extra": self._extra,
            "step": self.step,
            "elapsed": self.elapsed,
            "kind": self.kind,
            "shape": self.shape,
        }
        part = self.config.out / "last.pt.part"
        torch.save(state, part)
        part.replace(self.config.out / "last.pt")

    def log(self, **figures: Any) -> None:
        line = {"step": self.step, "minutes": round(self.elapsed / 60, 2), **figures}
        with (self.config.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(" ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in line.items()), flush=True)

    def __iter__(self) -> Iterator[int]:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._ask_stop)
        before = saved = time.monotonic()
        while self.progress < 1.0 and not self._stop:
            for group in self.optimizer.param_groups:
                group["lr"] = self.config.learning_rate * self._schedule()
            yield self.step
            self.step += 1
            now = time.monotonic()
            # a paused process (SIGSTOP) must not use up its time: no honest step takes a minute
            self.elapsed += min(now - before, 60.0)
            before = now
            if now - saved > self.config.save_seconds:
                self.save()
                saved = now
        self.save()

    def _ask_stop(self, *_: object) -> None:
        self._stop = True

    def _schedule(self) -> float:
        warm = min(1.0, (self.step + 1) / self.config.warmup_steps)
        low = self.config.final_ratio
        return warm * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * self.progress)))

    def update(self, loss: Tensor, figures: dict[str, float]) -> None:
        """Backward, clip, step, average, log."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        if torch.isfinite(norm):
            self.optimizer.step()
        decay = min(self.config.ema_decay, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                if value.is_floating_point() and name not in self.unaveraged:
                    self.ema[name].lerp_(value, 1 - decay)
                else:
                    self.ema[name].copy_(value)
        for name, value in {**figures, "loss": float(loss.detach()), "norm": float(norm)}.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        if (self.step + 1) % self.config.log_steps == 0:
            self.log(**{k: v / self.config.log_steps for k, v in self._sums.items()})
            self._sums.clear()
