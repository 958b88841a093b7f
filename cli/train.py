"""`gigmate train …`: make a store of songs, train codec, listener and generator, and write shippable weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make data, train the models, write weights.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="Folder of rendered songs (made by `gigmate train store`).")]
Out = Annotated[Path, typer.Option(help="Folder of the training: checkpoint and log; resumed if it is there.")]
Minutes = Annotated[float, typer.Option(help="Length of the whole training in minutes, earlier runs included.")]
Threads = Annotated[int, typer.Option(help="Torch threads.")]
Bf16 = Annotated[bool, typer.Option(help="Mixed precision (faster only on processors with bfloat16 arithmetic).")]
Seed = Annotated[int, typer.Option()]


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
    variety: Annotated[
        float, typer.Option(help="0 to 1: how far playing and sounds stray.")
    ] = 0.5,
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
    threads: Threads = 1,
    bf16: Bf16 = False,
    seed: Seed = 0,
    batch: int = 12,
) -> None:
    """Train the codec."""
    import torch

    from ..training.codec import train_codec
    from ..training.loop import LoopConfig

    torch.set_num_threads(threads)
    train_codec(data, LoopConfig(out, minutes, learning_rate=1e-3, bf16=bf16), batch=batch, seed=seed)


@app.command()
def listener(
    data: Data,
    out: Out,
    minutes: Minutes = 20,
    threads: Threads = 1,
    bf16: Bf16 = False,
    seed: Seed = 0,
) -> None:
    """Train the listener."""
    import torch

    from ..training.listener import train_listener
    from ..training.loop import LoopConfig

    torch.set_num_threads(threads)
    train_listener(data, LoopConfig(out, minutes, learning_rate=1.5e-3, bf16=bf16), seed=seed)


@app.command()
def generator(
    data: Data,
    out: Out,
    codec_weights: Annotated[Path, typer.Option(help="codec.safetensors whose tokens are learnt.")],
    minutes: Minutes = 60,
    threads: Threads = 1,
    bf16: Bf16 = False,
    seed: Seed = 0,
) -> None:
    """Train the generator."""
    import torch

    from ..model.checkpoint import load_codec
    from ..training.generator import train_generator
    from ..training.loop import LoopConfig
    from ..training.store import styles_in

    torch.set_num_threads(threads)
    model = load_codec(codec_weights)
    config = LoopConfig(out, minutes, learning_rate=1e-3, warmup_steps=200, bf16=bf16)
    train_generator(data, model, config, styles_in(data), seed=seed)


@app.command()
def weights(
    run: Annotated[Path, typer.Argument(help="Folder of a training.")],
    kind: Annotated[str, typer.Argument(help="codec, listener or generator.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
) -> None:
    """Write the running average of a training's weights as a file to ship."""
    from ..training.export import export_weights

    export_weights(run, kind, out)
    typer.echo(f"{out}: {out.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    app()
