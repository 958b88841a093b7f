"""`gigmate train …`: make a store of songs, train codec, listener and generator, and write shippable weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ..engine.config import ConfigError

if TYPE_CHECKING:
    from ..training.loop import LoopConfig

Model = TypeVar("Model")

app = typer.Typer(help="Make data, train the models, write weights.", no_args_is_help=True)

Data = Annotated[
    Path,
    typer.Option(help="Songs: a store (made by `gigmate train store`), shards of `gigmate data`, or folders of stems."),
]
Out = Annotated[Path, typer.Option(help="Folder of the training: checkpoint and log.")]
Minutes = Annotated[float, typer.Option(help="Length of the whole training in minutes, earlier runs included.")]
Steps = Annotated[int | None, typer.Option(help="Length of the whole training in steps instead.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="WEIGHTS", help="Fine-tune: 'shipped', a folder of weights, or a file.")
]
LearningRate = Annotated[float | None, typer.Option(help="Highest learning rate; fine-tuning takes a lower one.")]
Style = Annotated[str | None, typer.Option(help="The style that recorded stems are taught as.")]
Threads = Annotated[int, typer.Option(help="Torch threads.")]
Bf16 = Annotated[bool, typer.Option(help="Mixed precision (faster only on processors with bfloat16 arithmetic).")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Devices = Annotated[int, typer.Option(help="Processes that train as one: one a GPU.")]
Seed = Annotated[int, typer.Option()]
Resume = Annotated[bool, typer.Option("--resume/--fresh", help="Go on where the folder's training was, or begin anew.")]
TensorBoard = Annotated[Path | None, typer.Option(metavar="DIR", help="Figures for TensorBoard too.")]
ClearMl = Annotated[str | None, typer.Option(metavar="PROJECT", help="Figures to ClearML too.")]


@app.command()
def store(
    out: Annotated[Path, typer.Option(help="Folder to fill.")],
    songs: Annotated[int, typer.Option(help="How many songs.")] = 200,
    first_seed: Annotated[int, typer.Option()] = 0,
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
    split: Annotated[str, typer.Option()] = "train",
    style: Annotated[
        list[str] | None, typer.Option(help="Only this style; may be repeated. Default: all but the held-out ones.")
    ] = None,
    variety: Annotated[float, typer.Option(help="0 to 1: how far playing and sounds stray.")] = 0.5,
) -> None:
    """Render songs with features, labels and notes, as the trainers read them. Songs that are there are kept."""
    from ..training.band import splits
    from ..training.band.styles import STYLES
    from ..training.store import StoreOptions, render_store

    styles = tuple(style) if style else tuple(name for name in STYLES if name not in splits.HELD_STYLES)
    chosen = None if split == "held_style" and not style else styles
    render_store(out, range(first_seed, first_seed + songs), workers, StoreOptions(split, chosen, variety))


@app.command()
def codec(
    data: Data,
    out: Out,
    minutes: Minutes = 20,
    steps: Steps = None,
    start: From = None,
    batch: Annotated[int, typer.Option(help="Crops a step.")] = 12,
    learning_rate: LearningRate = None,
    style: Style = None,
    threads: Threads = 1,
    bf16: Bf16 = False,
    device: Device = "auto",
    devices: Devices = 1,
    seed: Seed = 0,
    resume: Resume = True,
    tensorboard: TensorBoard = None,
    clearml: ClearMl = None,
) -> None:
    """Train the codec."""
    from ..model.codec import MdctCodec
    from ..training.codec import train_codec

    weights = _weights(start, "codec")
    config = _config(locals(), learning_rate or (2e-4 if weights else 1e-3), weights)
    shape = _built(weights, "codec", MdctCodec).config if weights else None
    store = _store(data, out, style)
    if not start_processes(devices):
        train_codec(store, config, shape, batch=batch, seed=seed)


@app.command()
def listener(
    data: Data,
    out: Out,
    minutes: Minutes = 20,
    steps: Steps = None,
    start: From = None,
    batch: Annotated[int, typer.Option(help="Crops a step.")] = 16,
    learning_rate: LearningRate = None,
    style: Style = None,
    threads: Threads = 1,
    bf16: Bf16 = False,
    device: Device = "auto",
    devices: Devices = 1,
    seed: Seed = 0,
    resume: Resume = True,
    tensorboard: TensorBoard = None,
    clearml: ClearMl = None,
) -> None:
    """Train the listener."""
    from ..model.listener import Listener
    from ..training.listener import train_listener

    weights = _weights(start, "listener")
    config = _config(locals(), learning_rate or (3e-4 if weights else 1.5e-3), weights)
    shape = _built(weights, "listener", Listener).config if weights else None
    store = _store(data, out, style)
    if not start_processes(devices):
        train_listener(store, config, shape, batch=batch, seed=seed)


@app.command()
def generator(
    data: Data,
    out: Out,
    codec_weights: Annotated[
        Path | None,
        typer.Option(help="codec.safetensors whose tokens are learnt; with --from: the one beside those weights."),
    ] = None,
    minutes: Minutes = 60,
    steps: Steps = None,
    start: From = None,
    learning_rate: LearningRate = None,
    style: Style = None,
    threads: Threads = 1,
    bf16: Bf16 = False,
    device: Device = "auto",
    devices: Devices = 1,
    seed: Seed = 0,
    resume: Resume = True,
    tensorboard: TensorBoard = None,
    clearml: ClearMl = None,
) -> None:
    """Train the generator, or fine-tune it on a band's own stems (--from shipped --data my_stems/)."""
    from ..model.checkpoint import load_codec
    from ..model.generator import Generator
    from ..training.generator import train_generator, write_tokens
    from ..training.store import songs_in, styles_in

    weights = _weights(start, "generator")
    if codec_weights is None:
        if weights is None:
            raise ConfigError("whose tokens shall be learnt? give --codec-weights, or --from for the codec beside it")
        codec_weights = weights.with_name("codec.safetensors")
    shape = _built(weights, "generator", Generator).config if weights else None
    if shape is not None and style is not None and style not in shape.styles:
        raise ConfigError(f"style {style!r}: these weights know {', '.join(shape.styles)}")
    store = _store(data, out, style or (shape.styles[0] if shape else None))
    styles = shape.styles if shape else styles_in(store)
    unknown = sorted(set(styles_in(store)) - set(styles))
    if unknown:
        raise ConfigError(f"{store}: holds the style {unknown[0]!r}; these weights know {', '.join(styles)}")
    config = _config(locals(), learning_rate or (2e-4 if weights else 1e-3), weights)
    codec_model = load_codec(codec_weights)
    if devices > 1:
        write_tokens(songs_in(store), codec_model)  # once, before there are several to do it
    if not start_processes(devices):
        train_generator(store, codec_model, config, styles, shape, seed=seed)


@app.command()
def weights(
    run: Annotated[Path, typer.Argument(help="Folder of a training.")],
    kind: Annotated[str, typer.Argument(help="codec, listener or generator.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    best: Annotated[
        bool, typer.Option("--best", help="Those that did best on the songs held out, not the last.")
    ] = False,
    rest: Annotated[
        str | None, typer.Option(help="Also copy what is missing beside it from this folder, or 'shipped'.")
    ] = None,
) -> None:
    """Write the running average of a training's weights as a file to ship."""
    from ..model.checkpoint import KINDS, SHIPPED
    from ..training.export import complete_folder, export_weights

    if kind not in KINDS:
        raise ConfigError(f"kind {kind!r}: give {', '.join(KINDS)}")
    export_weights(run, kind, out, best)
    made = [out]
    if rest is not None:
        made += complete_folder(out, SHIPPED if rest == "shipped" else Path(rest))
    for path in made:
        typer.echo(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")


# ------------------------------------------------------------------------------------------------------- shared


def start_processes(devices: int) -> bool:
    """True where this process has only started the `devices` ones that train, as torchrun would, and they are done."""
    import os
    import subprocess
    import sys

    if devices < 1:
        raise ConfigError(f"{devices} devices: give at least 1")
    if devices == 1 or "WORLD_SIZE" in os.environ:
        return False
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(devices)]
    done = subprocess.run([*command, "-m", "gigmate", *sys.argv[1:]], check=False)
    if done.returncode:
        raise typer.Exit(1 if done.returncode > 0 else 128 - done.returncode)
    return True


def _config(options: dict[str, Any], learning_rate: float, start: Path | None) -> LoopConfig:
    """The loop's config from a verb's options, and torch told how many threads."""
    import torch

    from ..training.loop import LoopConfig

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


def _weights(start: str | None, kind: str) -> Path | None:
    """The file that --from means: `shipped`, a folder of weights, or a file."""
    if start is None:
        return None
    from ..model.checkpoint import SHIPPED

    path = SHIPPED if start == "shipped" else Path(start)
    return path / f"{kind}.safetensors" if path.is_dir() else path


def _built(path: Path, kind: str, wanted: type[Model]) -> Model:
    """An untrained model of the shape that the weights have."""
    from ..model import checkpoint

    model = checkpoint.build(kind, checkpoint.read_header(path)["config"])
    if not isinstance(model, wanted):
        raise ConfigError(f"{path}: holds no {kind}")
    return model


def _store(data: Path, out: Path, style: str | None) -> Path:
    """The store that `data` is, or that its stems are taken into (beside the training)."""
    from ..training.own_stems import as_store

    return as_store(data, out / "songs", style or "rock")


if __name__ == "__main__":
    app()
