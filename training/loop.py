"""The training loop: clock and schedule, checkpoints that resume to the step, running average, log.

Knows no model and no loss. One process, or several that torchrun started (training.parallel). A stop signal saves
before it ends. Main thread only.
"""

from __future__ import annotations

import dataclasses
import json
import math
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ..files.json_text import json_text, plain
from ..model import checkpoint
from .errors import TrainingError
from .parallel import Group, pick_device
from .sinks import (
    ClearMl,
    JsonLines,
    Sink,
    TensorBoard,
)

Movable = TypeVar("Movable")


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
    """Mixed precision: on processors with AVX512-BF16 or AMX several times faster, elsewhere slower. A GPU always."""
    steps: int | None = None
    """Length of the whole training in steps instead; then the same seed gives the same weights, on any clock."""
    device: str = "auto"
    """auto, cpu or cuda."""
    fresh: bool = False
    """Begin anew: the checkpoint and the log that lie in `out` are removed."""
    start: Path | None = None
    """Weights (.safetensors) to begin from where there is no checkpoint: fine-tuning."""
    tensorboard: Path | None = None
    clearml: str | None = None
    """Name of a ClearML project."""


class Loop:
    """Drives one training: iterate it, call `update(loss, figures)` once per turn; `progress` is 0..1 of its length.

    Raises TrainingError for a device that is not there and for a logger that is not installed.
    """

    def __init__(self, config: LoopConfig, model: nn.Module, kind: str, shape: dict[str, Any]) -> None:
        self.config, self.model, self.kind, self.shape = config, model, kind, shape
        self.device = pick_device(config.device)
        model.to(self.device)
        self.group = Group(self.device)
        if self.group.leads:
            config.out.mkdir(parents=True, exist_ok=True)
        decay = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
        plain = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
        groups = [{"params": decay, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas)
        self.ema = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self.unaveraged: frozenset[str] = frozenset()
        """Names of tensors that are averages already."""
        self.step, self.elapsed = 0, 0.0
        self.best = math.inf
        """The lowest `valid` that was logged; its averaged weights are best.pt."""
        self._sums: dict[str, float] = {}
        self._summed = 0
        self._stop = False
        self._extra: dict[str, Tensor] = {}
        self._samplers: dict[str, np.random.Generator] = {}
        self._sampler_states: dict[str, Any] = {}
        self._lines = JsonLines(config.out / "log.jsonl")
        self._sinks = self._open_sinks() if self.group.leads else []
        self._screen: Any = None

    # ------------------------------------------------------------------------------------ what a trainer asks for

    def keep(self, **tensors: Tensor) -> None:
        """Register tensors (moving averages of codebooks, say) that checkpoints save and restore in place."""
        self._extra.update(tensors)

    def sampler(self, seed: int, name: str = "data") -> np.random.Generator:
        """The random numbers that draw the data: checkpoints hold their state, so a resumed training draws what it
        would have drawn. Every process of a group draws its own."""
        where = [seed, self.group.rank] if self.group.rank else [seed]
        made = np.random.default_rng([*where, self.step])
        state = self._sampler_states.get(name)
        if state is not None and self.group.leads:
            made.bit_generator.state = state
        self._samplers[name] = made
        return made

    def move(self, value: Movable) -> Movable:
        """The value with every tensor in it (in dataclasses, tuples, lists, dicts) on the training's device."""
        moved: Any = value
        if isinstance(value, Tensor):
            moved = value.to(self.device, non_blocking=True)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: self.move(getattr(value, f.name)) for f in dataclasses.fields(value)}
            moved = dataclasses.replace(value, **fields)
        elif isinstance(value, dict):
            moved = {name: self.move(item) for name, item in value.items()}
        elif isinstance(value, (list, tuple)):
            moved = type(value)(self.move(item) for item in value)
        return moved

    def autocast(self) -> torch.autocast:
        """Mixed precision for the learnt maps of a step: always on a GPU, else where configured."""
        on = self.config.bf16 or self.device.type == "cuda"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=on)

    @property
    def progress(self) -> float:
        if self.config.steps is not None:
            return min(1.0, self.step / self.config.steps) if self.config.steps else 1.0
        return min(1.0, self.elapsed / (60.0 * self.config.minutes))

    # --------------------------------------------------------------------------------------------- checkpoints

    def resume(self) -> bool:
        """Load the newest checkpoint of `out`, if there is one (else the weights to start from, if any were named).

        True where a training goes on. Raises TrainingError for a folder that holds another training, CheckpointError
        for weights that do not fit.
        """
        path = self.config.out / "last.pt"
        if self.config.fresh and self.group.leads:
            for name in ("last.pt", "best.pt", "log.jsonl"):
                (self.config.out / name).unlink(missing_ok=True)
        self.group.same([torch.zeros(1, device=self.device)])  # nobody looks before the first has removed
        if not path.exists():
            if self.config.start is not None:
                self._start_from(self.config.start)
            self._same_everywhere()
            return False
        try:
            saved = torch.load(path, map_location=self.device, weights_only=True)
            kind, shape = saved["kind"], checkpoint.completed(saved["kind"], saved["shape"])
        except (RuntimeError, EOFError, KeyError, OSError, ValueError) as error:
            raise TrainingError(f"{path}: no readable checkpoint ({error}); start again with --fresh") from error
        if kind != self.kind or plain(shape) != plain(self.shape):
            what = f"another {kind}" if kind == self.kind else f"a {kind}"
            raise TrainingError(f"{path}: the training of {what}; give another folder, or start again with --fresh")
        unknown = sorted(saved["extra"].keys() - self._extra.keys())
        if unknown:
            what = f"another stage of training (it keeps {unknown[0]})"
            raise TrainingError(f"{path}: {what}; give another folder, or start again with --fresh")
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        for name, value in saved["ema"].items():
            self.ema[name].copy_(value)
        for name, value in saved["extra"].items():
            self._extra[name].copy_(value)
        self.step, self.elapsed = saved["step"], saved["elapsed"]
        self.best = saved.get("best", math.inf)
        self._sums, self._summed = saved.get("sums", {}), saved.get("summed", 0)
        self._restore_random(saved)
        if self.group.leads:
            self._lines.cut(self.step)
        return True

    def save(self) -> None:
        if not self.group.leads:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema,
            "extra": self._extra,
            "step": self.step,
            "elapsed": self.elapsed,
            "kind": self.kind,
            "shape": self.shape,
            "best": self.best,
            "sums": self._sums,
            "summed": self._summed,
            "torch_random": torch.get_rng_state(),
            "samplers": json_text({name: made.bit_generator.state for name, made in self._samplers.items()}),
        }
        if self.device.type == "cuda":
            state["cuda_random"] = torch.cuda.get_rng_state(self.device)
        _write(state, self.config.out / "last.pt")

    def _keep_best(self, valid: float) -> None:
        """The averaged weights alone: what `gigmate train weights` needs, and nothing to go on from."""
        if not valid < self.best:
            return
        self.best = valid
        story = {"step": self.step, "elapsed": self.elapsed, "kind": self.kind, "shape": self.shape, "valid": valid}
        _write({"ema": self.ema, **story}, self.config.out / "best.pt")

    def _start_from(self, path: Path) -> None:
        start, header = checkpoint.load(path, self.kind)
        if plain(header["config"]) != plain(self.shape):
            raise TrainingError(f"{path}: a {self.kind} of another shape: leave out the options that set the shape")
        self.model.load_state_dict(start.state_dict())
        for name, value in self.model.state_dict().items():
            self.ema[name].copy_(value)

    def _restore_random(self, saved: dict[str, Any]) -> None:
        if "torch_random" not in saved or not self.group.leads:  # saved by an older version, or another's numbers
            return
        torch.set_rng_state(saved["torch_random"].cpu())
        if self.device.type == "cuda" and "cuda_random" in saved:
            torch.cuda.set_rng_state(saved["cuda_random"].cpu(), self.device)
        self._sampler_states = json.loads(saved["samplers"])
        for name, made in self._samplers.items():
            if name in self._sampler_states:
                made.bit_generator.state = self._sampler_states[name]

    def _same_everywhere(self) -> None:
        self.group.same(self.model.state_dict().values())
        self.group.same(self.ema.values())

    # ---------------------------------------------------------------------------------------------------- log

    def log(self, **figures: Any) -> None:
        """Report the figures of this step everywhere. A lower `valid` than ever keeps the averaged weights."""
        if not self.group.leads:
            return
        line = {"minutes": round(self.elapsed / 60, 2), **figures}
        for sink in (self._lines, *self._sinks):
            sink.write(self.step, line)
        words = (f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in {"step": self.step, **line}.items())
        if self._screen is not None:
            self._screen.console.print(" ".join(words), highlight=False, markup=False)
        else:
            print(" ".join(words), flush=True)
        if "valid" in figures:
            self._keep_best(float(figures["valid"]))

    def _open_sinks(self) -> list[Sink]:
        sinks: list[Sink] = []
        if self.config.tensorboard is not None:
            sinks.append(TensorBoard(self.config.tensorboard))
        if self.config.clearml is not None:
            settings = {f.name: str(getattr(self.config, f.name)) for f in dataclasses.fields(self.config)}
            name = f"{self.kind} {self.config.out.name}"
            sinks.append(ClearMl(self.config.clearml, name, settings | {"shape": json_text(self.shape)}))
        return sinks

    def _open_screen(self) -> Any:
        """A bar with the time left, on a terminal."""
        if not (self.group.leads and sys.stdout.isatty()):
            return None
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        words, share = TextColumn("{task.description}"), TextColumn("{task.percentage:>3.0f} %")
        screen = Progress(words, BarColumn(), share, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        task = screen.add_task(self.kind, total=1.0)
        screen.update(task, completed=self.progress)
        screen.start()
        return screen

    # ---------------------------------------------------------------------------------------------------- loop

    def __iter__(self) -> Iterator[int]:
        before_signals = {}
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGINT):
                before_signals[name] = signal.signal(name, self._ask_stop)
        self._screen = self._open_screen()
        try:
            yield from self._turns()
            self.save()
        finally:
            if self._screen is not None:
                self._screen.stop()
                self._screen = None
            for name, handler in before_signals.items():
                signal.signal(name, handler)
            for sink in self._sinks:
                sink.close()
            self.group.leave()

    def _turns(self) -> Iterator[int]:
        before = saved = time.monotonic()
        while self.progress < 1.0 and not self._stop:
            for group in self.optimizer.param_groups:
                group["lr"] = self.config.learning_rate * self._schedule()
            yield self.step
            self.step += 1
            now = time.monotonic()
            # a paused process (SIGSTOP) must not use up its time: no honest step takes a minute
            self._stop, self.elapsed = self.group.agree(self._stop, self.elapsed + min(now - before, 60.0))
            before = now
            if self._screen is not None:
                self._screen.update(self._screen.task_ids[0], completed=self.progress)
            if now - saved > self.config.save_seconds:
                self.save()
                saved = now

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
        self.group.average_gradients(self.model)
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
        self._summed += 1
        if (self.step + 1) % self.config.log_steps == 0:
            self.log(**{k: v / self._summed for k, v in self._sums.items()})
            self._sums.clear()
            self._summed = 0


def _write(state: dict[str, Any], path: Path) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    torch.save(state, part)
    part.replace(path)
