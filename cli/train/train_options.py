"""The options that the training verbs share. Main thread; heavy imports inside."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ...engine.errors import ConfigError

if TYPE_CHECKING:
    from ...model.listener import Listener
    from ...training.loop import LoopConfig

Model = TypeVar("Model")

Data = Annotated[
    Path,
    typer.Option(help="Songs: a store (made by `gigmate train store`), shards of `gigmate data`, or folders of stems."),
]
Out = Annotated[Path, typer.Option(help="Folder of the training, for checkpoints and log.")]
Minutes = Annotated[float, typer.Option(help="Length of the whole training in minutes, including earlier runs.")]
Steps = Annotated[int | None, typer.Option(help="Length of the whole training in steps instead.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="WEIGHTS", help="Fine-tune these weights: 'shipped', a folder of weights, or a file."
    ),
]
LearningRate = Annotated[float | None, typer.Option(help="Highest learning rate. Default: lower for fine-tuning.")]
Style = Annotated[str | None, typer.Option(help="The style under which recorded stems are learnt.")]
Threads = Annotated[int, typer.Option(help="Number of torch threads.")]
Bf16 = Annotated[bool, typer.Option(help="Mixed precision (faster only on processors with bfloat16 arithmetic).")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Devices = Annotated[int, typer.Option(help="Number of processes that train together, one per GPU.")]
Seed = Annotated[int, typer.Option()]
Resume = Annotated[bool, typer.Option("--resume/--fresh", help="Continue the training in the folder, or start again.")]
TensorBoard = Annotated[Path | None, typer.Option(metavar="DIR", help="Also log figures for TensorBoard here.")]
ClearMl = Annotated[str | None, typer.Option(metavar="PROJECT", help="Also log figures to this ClearML project.")]


def start_processes(devices: int) -> bool:
    """True where this process has only started the `devices` ones that train, as torchrun would, and they are done."""
    import os
    import subprocess

    if devices < 1:
        raise ConfigError(f"{devices} devices: give at least 1")
    if devices == 1 or "WORLD_SIZE" in os.environ:
        return False
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(devices)]
    done = subprocess.run([*command, "-m", "gigmate", *sys.argv[1:]], check=False)
    if done.returncode:
        raise typer.Exit(1 if done.returncode > 0 else 128 - done.returncode)
    return True


def check_split(split: str) -> None:
    """Raise ConfigError for a split that there is none of."""
    from ...training.band import splits

    try:
        splits.check(split)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def loop_config(options: dict[str, Any], learning_rate: float, start: Path | None) -> LoopConfig:
    """The loop's config from a verb's options, and torch told how many threads."""
    import torch

    from ...training.loop import LoopConfig

    if options["threads"] < 1:
        raise ConfigError(f"{options['threads']} threads: give at least 1")
    torch.set_num_threads(options["threads"])
    return LoopConfig(
        options["out"],
        options["minutes"],
        learning_rate=learning_rate,
        warmup_steps=200,
        bf16=options["bf16"],
        steps=options["steps"],
        device=options["device"],
        fresh=not options["resume"],
        start=start,
        tensorboard=options["tensorboard"],
        clearml=options["clearml"],
    )


ListenerWeights = Annotated[
    Path | None,
    typer.Option("--listener", metavar="F", help="The listener.safetensors whose answers are read. Default: shipped."),
]


def listener_of(weights: Path | None) -> Listener:
    """The listener of that file, or the shipped one; raises CheckpointError."""
    from ...model import checkpoint
    from ...model.listener import Listener

    ear, _ = checkpoint.load(weights or checkpoint.SHIPPED / "listener.safetensors", "listener")
    assert isinstance(ear, Listener)
    return ear


def weights_of(start: str | None, kind: str) -> Path | None:
    """The file that --from means: `shipped`, a folder of weights, or a file."""
    if start is None:
        return None
    from ...model.checkpoint import SHIPPED

    path = SHIPPED if start == "shipped" else Path(start)
    return path / f"{kind}.safetensors" if path.is_dir() else path


def built(path: Path, kind: str, wanted: type[Model]) -> Model:
    """An untrained model of the shape that the weights have."""
    from ...model import checkpoint

    model = checkpoint.build(kind, checkpoint.read_header(path)["config"])
    if not isinstance(model, wanted):
        raise ConfigError(f"{path}: holds no {kind}")
    return model


def store_of(data: Path, out: Path, style: str | None) -> Path:
    """The store that `data` is, or that its stems are taken into (beside the training)."""
    from ...training.stem_store import as_store

    return as_store(data, out / "songs", style or "rock", say=lambda line: print(line, file=sys.stderr))
