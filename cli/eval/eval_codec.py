"""`gigmate eval codec`: evaluates the codec on held-out sounds: figures, pictures, sounds. Main thread."""

from __future__ import annotations

import math
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.errors import ConfigError
from ...files.json_text import json_text, plain
from ..options.files import ForceOption
from ..output_files import check_output, write_json

if TYPE_CHECKING:
    from ...model.codec.codec_protocol import TokenCodec
    from ...training.evaluate.codec_quality import Sound

PERFORMANCE = Path(__file__).resolve().parents[2] / "presets" / "performance.flac"


def codec_figures(
    songs: Annotated[int, typer.Option(min=1, help="Number of held-out songs of each split.")] = 12,
    seconds: Annotated[float, typer.Option(min=4, help="Length of each song.")] = 30.0,
    split: Annotated[
        list[str] | None,
        typer.Option(help="May be repeated. Default: test, held_font, held_sound and the bundled performance."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Weights to evaluate. Default: the shipped ones.")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="Weights, or the folder of a training, to compare with. May be repeated."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the report here: page, spectrograms and ten sounds to compare."),
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Show the learning curve of this training: its folder, or the codec.json of an earlier report.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the figures to this file.")] = None,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Evaluate the codec on held-out sounds, beside Opus, its untrained self, and other weights."""
    import torch

    from ...model import checkpoint
    from ...training import provenance
    from ...training.evaluate.codec_quality import score_sounds, sizes, speed
    from ...training.trainers.codec_report import read_curve, write_report

    if out is not None:
        check_output(out, "--out", force)
    torch.set_num_threads(1)
    codec = checkpoint.load_codec(weights_file(weights or checkpoint.SHIPPED))
    others = {path.stem: load_any(path, codec) for path in against or ()}
    sounds = {name: sounds_in(name, songs, seconds, codec.sample_rate_hz) for name in split or SPLITS}
    result: dict[str, Any] = {
        "command": shlex.join(["gigmate", *sys.argv[1:]]),
        "date": provenance.today(),
        "commit": provenance.commit(),
        "songs": songs,
        "seconds": seconds,
        "against": list(others),
        "bits_per_second": codec.frame_rate_hz * codec.num_codebooks * math.log2(codec.quantizer.entries),
        "splits": {name: score_sounds(codec, found, others) for name, found in sounds.items()},
        "sizes": sizes(codec),
        "speed": speed(codec),
        "load": load_in_words(),
        "curve": read_curve(curve) if curve is not None else [],
    }
    result = plain(result)
    if out is not None:
        write_json(out, result)
    if report is not None:
        write_report(report, codec, sounds, result)
    if as_json:
        print(json_text(result))
        return
    for name, about in result["splits"].items():
        print(name)
        for stem, figures in about["stems"].items():
            shown = (f"{figure} {value:.2f}" for figure, value in figures.items() if value is not None)
            print(f"  {stem:<6} " + "  ".join(shown))
        use = sum(about["codebook_use"]) / len(about["codebook_use"])
        bits = about["bits_per_second"]
        print(f"  codebooks {use:.0%} in use, {bits['entropy']:.0f} of {bits['sent']:.0f} bit/s")
    for name in ("sizes", "speed"):
        print("  ".join(f"{figure} {value:.1f}" for figure, value in result[name].items()))
    if report is not None:
        print(f"report: {report / 'codec.md'}")


SPLITS = ("test", "held_font", "held_sound", "performance")


def weights_file(path: Path) -> Path:
    """The codec's file that a path means."""
    return path / "codec.safetensors" if path.is_dir() else path


def load_any(path: Path, like: TokenCodec) -> TokenCodec:
    """A codec from weights or from a training's folder; ConfigError where its rate or frame is another."""
    from ...training.trainers.codec_finish import start_of

    other = start_of(path)
    if (other.sample_rate_hz, other.frame_size) != (like.sample_rate_hz, like.frame_size):
        raise ConfigError(f"--against {path}: {other.sample_rate_hz} Hz, frames of {other.frame_size}: not comparable")
    return other


def sounds_in(split: str, songs: int, seconds: float, rate_hz: int) -> list[Sound]:
    """What is coded of a split. ConfigError for a name that does not exist."""
    from ...training.band.splits import SPLITS as KNOWN
    from ...training.evaluate.codec_quality import Sound, sounds_of
    from ...training.sound.render import render_song

    if split == "performance":
        import soundfile
        import soxr

        audio, own_hz = soundfile.read(PERFORMANCE, dtype="float32")
        return [Sound("lead", soxr.resample(audio, own_hz, rate_hz)[: int(seconds * rate_hz)])]
    if split not in KNOWN:
        raise ConfigError(f"--split {split}: give performance, {', '.join(KNOWN)}")
    length = (seconds, seconds + 5)
    return sounds_of((render_song(seed, rate_hz, split, seconds=length) for seed in range(songs)), seconds)


def load_in_words() -> str:
    """Whether timings may be trusted."""
    if not hasattr(os, "getloadavg"):
        return "load not known"
    load = os.getloadavg()[0]
    return f"load {load:.1f} on {os.cpu_count()} cores" + (": the machine was busy" if load > 1.5 else "")
