"""`gigmate train codec`, `compare-codecs` and `import-encodec`. Main thread."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...engine.errors import ConfigError
from ..options.files import ForceOption
from ..output_files import check_output
from .train_options import (
    Bf16,
    ClearMl,
    Data,
    Device,
    Devices,
    From,
    LearningRate,
    Minutes,
    Out,
    Resume,
    Seed,
    Steps,
    Style,
    TensorBoard,
    Threads,
    loop_config,
    start_processes,
    store_of,
    weights_of,
)

Batch = Annotated[int, typer.Option(help="Crops per step.")]


def codec(
    data: Data,
    out: Out,
    minutes: Minutes = 20,
    steps: Steps = None,
    start: From = None,
    architecture: Annotated[
        str | None, typer.Option(help="mdct or seanet. Default: mdct, or that of the weights in --from.")
    ] = None,
    finish: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            help="Adversarial finish of --from (a training's folder or weights) in so many minutes: the decoder alone "
            "learns on, tokens stay valid.",
        ),
    ] = None,
    batch: Batch = 12,
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
    """Train the codec, or add an adversarial finish to a trained one."""
    from ...model import checkpoint
    from ...training.trainers.codec_finish import LEARNING_RATE, finish_codec
    from ...training.trainers.codec_trainer import train_codec

    if architecture is not None and architecture not in checkpoint.ARCHITECTURES:
        raise ConfigError(f"--architecture {architecture}: give {' or '.join(checkpoint.ARCHITECTURES)}")
    if finish is not None:
        if start is None:
            raise ConfigError("--finish needs a codec: give --from with the folder of a training or weights")
        if finish <= 0:
            raise ConfigError(f"--finish {finish:g}: give minutes, more than 0")
        if architecture is not None:
            raise ConfigError("--architecture: that of --from is used; leave it out")
        config = loop_config({**locals(), "minutes": finish}, learning_rate or LEARNING_RATE, None)
        begin = Path(start) if (Path(start) / "last.pt").exists() else weights_of(start, "codec")
        assert begin is not None
        store = store_of(data, out, style)
        if not start_processes(devices):
            finish_codec(store, config, begin, batch=batch, seed=seed)
        return
    weights = weights_of(start, "codec")
    config = loop_config(locals(), learning_rate or (2e-4 if weights else 1e-3), weights)
    if weights is not None:
        shape = checkpoint.codec_config(checkpoint.read_header(weights)["config"])
        if architecture not in (None, shape.architecture):
            raise ConfigError(f"--architecture {architecture}: the weights of --from are {shape.architecture}")
    else:
        shape = checkpoint.ARCHITECTURES[architecture or "mdct"]()
    store = store_of(data, out, style)
    if not start_processes(devices):
        train_codec(store, config, shape, batch=batch, seed=seed)


def compare_codecs(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for both trainings, their weights and compare.json.")],
    minutes: Annotated[float, typer.Option(help="Length of each training.")] = 15,
    steps: Steps = None,
    batch: Batch = 12,
    learning_rate: LearningRate = None,
    style: Style = None,
    threads: Threads = 1,
    bf16: Bf16 = False,
    device: Device = "auto",
    seed: Seed = 0,
    resume: Resume = True,
) -> None:
    """Train both codec architectures, MDCT and SEANet, one after the other for the same time, and compare them."""
    from ...training.trainers import compare_codecs as comparing

    options = {**locals(), "tensorboard": None, "clearml": None}
    config = loop_config(options, learning_rate or 1e-3, None)
    result = comparing.compare_codecs(store_of(data, out, style), config, batch, seed)
    names = list(result)
    print(f"{'':<20}" + "".join(f"{name:>12}" for name in names))
    for figure in result[names[0]]:
        print(f"{figure:<20}" + "".join(f"{result[name].get(figure, float('nan')):12.4g}" for name in names))


def import_encodec(
    state: Annotated[Path, typer.Argument(help="The official 24 kHz weights, as written by torch.save.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the encodec package, which must be installed.")
    ] = False,
    force: ForceOption = False,
) -> None:
    """Import EnCodec's official weights as a codec. Only tensors are read from the file, nothing is unpickled."""
    import torch

    from ...model.codec import encodec_adapter as adapter

    check_output(out, "OUT", force)
    model = adapter.reference(adapter.read_state(state)) if check else None
    codec = adapter.import_weights(state, out)
    print(f"{out}: {out.stat().st_size / 2**20:.1f} MiB, {codec.sample_rate_hz} Hz, {codec.num_codebooks} codebooks")
    if model is not None:
        audio = 0.1 * torch.randn(1, codec.sample_rate_hz, generator=torch.Generator().manual_seed(0))
        share, distance = adapter.difference(codec, model, audio)
        print(f"beside the package: {share:.1%} of the tokens differ, samples by at most {distance:.1e}")
