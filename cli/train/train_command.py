"""`gigmate train …`: makes stores of songs, trains the models, and writes weights files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...engine.errors import ConfigError
from . import train_codec
from .train_options import (
    Bf16,
    ClearMl,
    Data,
    Device,
    Devices,
    From,
    LearningRate,
    ListenerWeights,
    Minutes,
    Out,
    Resume,
    Seed,
    Steps,
    Style,
    TensorBoard,
    Threads,
    built,
    check_split,
    listener_of,
    loop_config,
    start_processes,
    store_of,
    weights_of,
)

app = typer.Typer(help="Make training data, train the models, write weights.", no_args_is_help=True)
app.command()(train_codec.codec)
app.command()(train_codec.compare_codecs)
app.command()(train_codec.import_encodec)


@app.command()
def store(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    songs: Annotated[int, typer.Option(min=1, help="Number of songs.")] = 200,
    first_seed: Annotated[int, typer.Option()] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes.")] = 2,
    split: Annotated[str, typer.Option()] = "train",
    style: Annotated[
        list[str] | None, typer.Option(help="Only this style; may be repeated. Default: all but the held-out ones.")
    ] = None,
    variety: Annotated[float, typer.Option(min=0.0, max=1.0, help="0 to 1: how much playing and sounds vary.")] = 0.5,
    audio: Annotated[
        bool,
        typer.Option(
            help="Store the sound. Without it, songs take a tenth of the space; listener and harmony need none."
        ),
    ] = True,
    music: Annotated[
        str,
        typer.Option(help="band: songs of the arranger; leads: a lead alone, more varied; tunes: folk melodies."),
    ] = "band",
    tunes: Annotated[Path | None, typer.Option(help="The melodies, as written by `gigmate train tunes`.")] = None,
) -> None:
    """Render songs with features, labels and notes for training. Existing songs are kept."""
    from ...training.band import splits
    from ...training.band.styles import STYLES
    from ...training.store import MUSIC, StoreOptions, render_store

    check_split(split)
    if music not in MUSIC:
        raise ConfigError(f"--music {music}: give one of {', '.join(MUSIC)}")
    if music != "band" and (split != "train" or style):
        raise ConfigError(f"--music {music}: has neither splits nor styles: leave --split and --style out")
    if music == "tunes" and (tunes is None or not tunes.is_file()):
        raise ConfigError("--music tunes: give --tunes FILE; `gigmate train tunes --out FILE` writes it")
    for name in style or ():
        if name not in STYLES:
            raise ConfigError(f"--style {name}: no such style; styles are {', '.join(STYLES)}")
    styles = tuple(style) if style else tuple(name for name in STYLES if name not in splits.HELD_STYLES)
    chosen = None if split == "held_style" and not style else styles
    options = StoreOptions(split, chosen, variety, audio=audio, music=music, tunes=tunes)
    render_store(out, range(first_seed, first_seed + songs), workers, options)


@app.command()
def tunes(out: Annotated[Path, typer.Option(metavar="FILE.json", help="The file to write.")]) -> None:
    """Read melodies by people from music21's collections (`pip install music21`), for `store --music tunes`."""
    from ...training.leads.tunebook import collect

    print(f"{out}: {collect(out)} tunes")


@app.command()
def listener(
    data: Data,
    out: Out,
    minutes: Minutes = 20,
    steps: Steps = None,
    start: From = None,
    batch: Annotated[int, typer.Option(help="Crops per step.")] = 16,
    expand: Annotated[
        int | None,
        typer.Option(help="Hidden units per channel; with --from, widen those weights to this many.", min=1),
    ] = None,
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
    from ...model.listener import Listener, ListenerConfig
    from ...training.trainers.listener_trainer import train_listener, widen

    weights = weights_of(start, "listener")
    if weights is not None and expand is not None:
        out.mkdir(parents=True, exist_ok=True)
        try:
            widen(weights, expand, out / "wide.safetensors")
        except ValueError as error:
            raise ConfigError(str(error)) from error
        weights = out / "wide.safetensors"
    config = loop_config(locals(), learning_rate or (3e-4 if weights else 1.5e-3), weights)
    anew = ListenerConfig(expand=expand or ListenerConfig.expand)
    shape = built(weights, "listener", Listener).config if weights else anew
    store = store_of(data, out, style)
    if not start_processes(devices):
        train_listener(store, config, shape, batch=batch, seed=seed)


@app.command()
def harmony(
    data: Data,
    out: Out,
    minutes: Minutes = 30,
    steps: Steps = None,
    start: From = None,
    listener_weights: ListenerWeights = None,
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
    """Train the network that reads chords and keys from half-beats of the listener's output."""
    from ...model.configs import HarmonyConfig
    from ...model.harmony.chord_network import Harmony
    from ...training.store import styles_in
    from ...training.trainers.chord_network_trainer import train_harmony

    weights = weights_of(start, "harmony")
    config = loop_config(locals(), learning_rate or (1e-3 if weights else 2e-3), weights)
    store = store_of(data, out, style)
    shape = built(weights, "harmony", Harmony).config if weights else HarmonyConfig(styles_in(store))
    ear = listener_of(listener_weights)
    if not start_processes(devices):
        train_harmony(store, ear, config, shape, seed=seed)


@app.command()
def metre(
    data: Data,
    out: Out,
    minutes: Minutes = 30,
    steps: Steps = None,
    listener_weights: ListenerWeights = None,
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
    """Train the network that says where in the beat the beats are, from up to 64 beats of the listener's output."""
    from ...training.trainers.metre_trainer import train_metre

    config = loop_config(locals(), learning_rate or 2e-3, None)
    store = store_of(data, out, style)
    ear = listener_of(listener_weights)
    if not start_processes(devices):
        train_metre(store, ear, config, seed=seed)


@app.command()
def generator(
    data: Data,
    out: Out,
    codec_weights: Annotated[
        Path | None,
        typer.Option(help="The codec.safetensors whose tokens are learnt. With --from: the one beside those weights."),
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
    from ...model.checkpoint import load_codec
    from ...model.generator.transformer import Generator
    from ...training.band.styles import STYLES
    from ...training.store import songs_in, styles_in
    from ...training.trainers.generator_trainer import train_generator, write_tokens

    weights = weights_of(start, "generator")
    if codec_weights is None:
        if weights is None:
            raise ConfigError("no codec: give --codec-weights, or --from for the codec beside those weights")
        codec_weights = weights.with_name("codec.safetensors")
    shape = built(weights, "generator", Generator).config if weights else None
    if shape is not None and style is not None and style not in shape.styles:
        raise ConfigError(f"style {style!r}: these weights know {', '.join(shape.styles)}")
    store = store_of(data, out, style or (shape.styles[0] if shape else None))
    styles = shape.styles if shape else tuple(sorted(STYLES))
    unknown = sorted(set(styles_in(store)) - set(styles))
    if unknown:
        raise ConfigError(f"{store}: contains the style {unknown[0]!r}; these weights know {', '.join(styles)}")
    config = loop_config(locals(), learning_rate or (2e-4 if weights else 1e-3), weights)
    codec_model = load_codec(codec_weights)
    if devices > 1:
        write_tokens(songs_in(store), codec_model)  # once, before there are several to do it
    if not start_processes(devices):
        train_generator(store, codec_model, config, styles, shape, seed=seed)


@app.command()
def voice(
    data: Data,
    out: Out,
    codec_weights: Annotated[Path, typer.Option(help="The codec.safetensors whose decoder the voice works with.")],
    minutes: Minutes = 30,
    steps: Steps = None,
    start: From = None,
    learning_rate: LearningRate = None,
    threads: Threads = 1,
    bf16: Bf16 = False,
    device: Device = "auto",
    devices: Devices = 1,
    seed: Seed = 0,
    resume: Resume = True,
    tensorboard: TensorBoard = None,
    clearml: ClearMl = None,
) -> None:
    """Train the voice of bass and keys."""
    from ...model.checkpoint import load_codec
    from ...model.codec.mdct_codec import MdctCodec
    from ...model.voice import Voice
    from ...training.trainers.voice_trainer import train_voice

    weights = weights_of(start, "voice")
    shape = built(weights, "voice", Voice).config if weights else None
    config = loop_config(locals(), learning_rate or (5e-4 if weights else 2e-3), weights)
    codec_model = load_codec(codec_weights)
    if not isinstance(codec_model, MdctCodec):
        raise ConfigError(f"{codec_weights}: the voice works with the MDCT codec; give one of that architecture")
    if not start_processes(devices):
        train_voice(store_of(data, out, None), codec_model, config, shape, seed=seed)


@app.command()
def weights(
    run: Annotated[Path, typer.Argument(help="Folder of the training.")],
    kind: Annotated[str, typer.Argument(help="codec, listener, harmony, generator or voice.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    best: Annotated[
        bool, typer.Option("--best", help="The weights that did best on held-out songs instead of the last ones.")
    ] = False,
    rest: Annotated[
        str | None, typer.Option(help="Also copy the other models from this folder, or from 'shipped'.")
    ] = None,
    blend: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Mix with the weights that the fine-tuning started from: 'shipped', a folder or a file.",
        ),
    ] = None,
    share: Annotated[float, typer.Option(help="With --blend: the share of the training.")] = 0.5,
) -> None:
    """Write the running average of a training's weights as a weights file."""
    from ...model.checkpoint import KINDS, SHIPPED
    from ...training.export import complete_folder, export_weights

    if kind not in KINDS:
        raise ConfigError(f"kind {kind!r}: give {', '.join(KINDS)}")
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"share {share:g}: give more than 0, and 1 at most")
    if kind == "codec" and blend is not None:
        raise ConfigError("codebooks cannot be mixed, because the order of their entries differs: leave --blend out")
    export_weights(run, kind, out, best, weights_of(blend, kind), share)
    made = [out]
    if rest is not None:
        made += complete_folder(out, SHIPPED if rest == "shipped" else Path(rest))
    for path in made:
        typer.echo(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    app()
