"""The codec's report: figures as a page, spectrograms of original and decoded side by side, sound to compare by ear.

Writes codec.json, codec.md, codec-spectrograms.png and ten codec-ab-NN-….ogg into one folder. Needs matplotlib (the
`train` extra). Knows how to show figures, not how they are made. Offline only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...files.json_text import json_text
from ...model.codec.codec_protocol import TokenCodec
from .. import provenance
from ..errors import TrainingError
from ..evaluate.codec_quality import (
    FEWER,
    STEMS,
    Sound,
    roundtrip,
)

FloatArray = NDArray[np.float32]
EXCERPT_S, PAUSE_S = 3.0, 0.4
TAKES = (("drums", 3), ("bass", 2), ("keys", 3), ("lead", 2))
"""How many of the ten pairs are of which stem."""


def excerpt(codec: TokenCodec, sound: Sound) -> tuple[FloatArray, FloatArray]:
    """The loudest `EXCERPT_S` of a sound, original and decoded, aligned."""
    decoded, _ = roundtrip(codec, sound.audio)
    size = int(EXCERPT_S * codec.sample_rate_hz)
    hop = codec.sample_rate_hz // 4
    length = min(len(decoded), len(sound.audio))
    starts = range(0, max(1, length - size), hop)
    start = max(starts, key=lambda at: float(np.square(sound.audio[at : at + size]).sum()))
    return sound.audio[start : start + size], decoded[start : start + size]


def draw_spectrograms(codec: TokenCodec, sounds: Sequence[Sound], path: Path) -> None:
    """One row a stem: original left, decoded right."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    stems = [stem for stem in STEMS if any(sound.stem == stem for sound in sounds)]
    figure = Figure(figsize=(9.0, 2.3 * len(stems) + 0.4), dpi=72, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(len(stems), 2, sharex=True, sharey=True, squeeze=False)
    for row, stem in zip(axes, stems, strict=True):
        pair = excerpt(codec, next(sound for sound in sounds if sound.stem == stem))
        for axis, audio, name in zip(row, pair, ("original", "decoded"), strict=True):
            axis.imshow(
                _level_db(audio), origin="lower", aspect="auto", cmap="magma", vmin=-80.0, vmax=0.0,
                extent=(0.0, EXCERPT_S, 0.0, codec.sample_rate_hz / 2000.0),
            )  # fmt: skip
            axis.set_title(f"{stem}, {name}", fontsize=9)
        row[0].set_ylabel("kHz")
    for axis in axes[-1]:
        axis.set_xlabel("s")
    canvas.print_png(str(path))


def _level_db(audio: FloatArray, window: int = 1024, hop: int = 256) -> FloatArray:
    """Spectrogram [bins, T] in dB below its own peak."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, window)[::hop] * np.hanning(window)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1))).T
    return (10.0 * np.log10(power / max(float(power.max()), 1e-9) + 1e-9)).astype(np.float32)


def write_pairs(codec: TokenCodec, splits: Mapping[str, Sequence[Sound]], folder: Path) -> list[Path]:
    """Ten files to compare by ear: the original, a pause, the same decoded. The splits take turns."""
    import soundfile

    for old in folder.glob("codec-ab-*.ogg"):
        old.unlink()
    written: list[Path] = []
    for stem, count in TAKES:
        of_split = [[(split, sound) for sound in sounds if sound.stem == stem] for split, sounds in splits.items()]
        by_turns = [item for turn in zip_longest(*of_split) for item in turn if item is not None]
        for split, sound in by_turns[:count]:
            original, decoded = excerpt(codec, sound)
            pause = np.zeros(int(PAUSE_S * codec.sample_rate_hz), np.float32)
            both = np.concatenate([original, pause, decoded])
            path = folder / f"codec-ab-{len(written) + 1:02d}-{stem}-{split}.ogg"
            with soundfile.SoundFile(
                path, "w", codec.sample_rate_hz, 1, subtype="VORBIS", format="OGG", compression_level=0.4
            ) as file:
                for start in range(0, len(both), 32_000):  # the encoder overflows on one large write
                    file.write(both[start : start + 32_000])
            written.append(path)
    return written


def write_report(
    folder: Path, codec: TokenCodec, sounds: Mapping[str, Sequence[Sound]], result: dict[str, Any]
) -> None:
    """The whole report of `result` (see cli/eval/eval_codec.py) on `sounds` by split. Raises TrainingError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(sounds.values()))
    draw_spectrograms(codec, first, folder / "codec-spectrograms.png")
    pairs = write_pairs(codec, sounds, folder)
    (folder / "codec.json").write_text(json_text(result, indent=1) + "\n", encoding="utf-8")
    (folder / "codec.md").write_text(page(result, [path.name for path in pairs]), encoding="utf-8")


def _number(value: float | None, digits: int = 1) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "−")


def _table(figures: Mapping[str, Mapping[str, float]], names: Mapping[str, str], digits: int = 1) -> list[str]:
    """Rows by stem, columns by figure; columns that no stem has are left out."""
    shown = {key: title for key, title in names.items() if any(key in row for row in figures.values())}
    lines = ["| stem | " + " | ".join(shown.values()) + " |", "|---" * (len(shown) + 1) + "|"]
    for stem, row in figures.items():
        lines.append(f"| {stem} | " + " | ".join(_number(row.get(key), digits) for key in shown) + " |")
    return lines


def page(result: dict[str, Any], pairs: Sequence[str]) -> str:
    """codec.md: every figure, and the command that makes it."""
    others = list(result["against"])
    fewer = {"fewer_": f"{FEWER} codebooks"}
    columns = {"": "", **fewer, "opus_": "Opus", "untrained_": "untrained", **{f"{name}_": name for name in others}}
    lines = [
        "# The codec on held-out sounds",
        "",
        *provenance.lines(result["command"], result["date"], result["commit"]),
        "That command writes figures, picture and sounds; do not edit this page.",
        "",
        *_targets(result),
        "",
        f"Songs per split: {result['songs']}, of {result['seconds']:g} s; medians over songs, through the quantiser at "
        f"{result['bits_per_second'] / 1000:g} kbit/s. Opus runs at the lowest rate that libsndfile gives, three times "
        "ours. `untrained` is the same codec before training"
        + (f"; {', '.join(others)}: the weights given with --against" if others else "")
        + ". Everything is in codec.json.",
    ]
    for split, about in result["splits"].items():
        title, text = SPLIT_TEXTS.get(split, (split, ""))
        lines += ["", f"## {title}", "", *([text, ""] if text else [])]
        mel = {f"{prefix}mel_db": f"log-mel L1{', ' + name if name else ' (dB)'}" for prefix, name in columns.items()}
        wave = {"si_sdr_db": "SI-SDR (dB)", "opus_si_sdr_db": "SI-SDR, Opus", "stft": "STFT", "opus_stft": "STFT, Opus"}
        lines += _table(about["stems"], mel | wave)
    lines += [
        "",
        *_hits(result, columns),
        "",
        *_costs(result),
        *_curve(result),
        "",
        *_ears(pairs),
        "",
        *HOW,
    ]
    return "\n".join(lines) + "\n"


SPLIT_TEXTS = {
    "test": ("Songs that training has not seen", ""),
    "held_font": (
        "A soundfont that training has not heard",
        "The bank that comes with csound; it shares no sample with FluidR3.",
    ),
    "held_sound": ("Sounds that training has not heard at all", "Our own synthesiser, which shares no sample."),
    "performance": ("The bundled performance", "The guitar that `gigmate-live` rehearses with (half a minute)."),
}


def _hits(result: dict[str, Any], columns: Mapping[str, str]) -> list[str]:
    lines = [
        "## Lone drum hits",
        "",
        "Each figure is that of the decoded hit minus that of the original: how long before the hit the level is "
        "within 30 dB of its peak, the energy 15 to 3 ms before it, and the rise time from 10 to 90 %. Where the "
        "original is silent before a hit, as in held_sound, the second figure says little.",
        "",
        "| split | codec | pre-echo (ms) | pre-echo (dB) | attack (ms) |",
        "|---|---|---|---|---|",
    ]
    for split, about in result["splits"].items():
        drums = about["stems"].get("drums", {})
        for prefix, name in columns.items():
            if f"{prefix}pre_echo_ms" in drums:
                cells = [_number(drums[f"{prefix}{figure}"]) for figure in ("pre_echo_ms", "pre_echo_db", "attack_ms")]
                lines.append(f"| {split} | {name or 'ours'} | " + " | ".join(cells) + " |")
    return lines


def _costs(result: dict[str, Any]) -> list[str]:
    first, size, speed = next(iter(result["splits"].values())), result["sizes"], result["speed"]
    use = 100 * float(np.mean(first["codebook_use"]))
    return [
        "## Cost",
        "",
        f"- Codebooks: {use:.0f} % of the entries in use, {first['bits_per_second']['entropy']:.0f} of "
        f"{first['bits_per_second']['sent']:.0f} bit/s by entropy (a short test cannot use them all).",
        f"- Size: {size['numbers'] / 1e6:.1f} M numbers, {size['half_mib']:.1f} MiB in half precision (as shipped), "
        f"{size['int8_mib']:.1f} MiB with the linear layers in int8.",
        f"- Speed, streaming, fp32, processor time of one thread ({result['load']}): encode "
        f"{speed['encode_rtf']:.0f}, decode {speed['decode_rtf']:.0f} times real time; three parts decode in "
        f"{speed['decode_3_parts_ms']:.1f} ms a frame (`gigmate bench` times the whole step).",
    ]


TARGET_MEL_DB, TARGET_PRE_ECHO_MS = 4.0, 5.0


def _targets(result: dict[str, Any]) -> list[str]:
    lines = ["## What is claimed", "", "| claim | split | figure | met |", "|---|---|---|---|"]
    missed = False
    for split, about in result["splits"].items():
        parts = {stem: row for stem, row in about["stems"].items() if stem != "lead"}
        if not parts:
            continue
        found = ", ".join(f"{stem} {_number(row['mel_db'])} dB" for stem, row in parts.items())
        over = [f"{stem} {_number(row['mel_db'])} dB" for stem, row in parts.items() if row["mel_db"] > TARGET_MEL_DB]
        words = f"**missed by {', '.join(over)}**" if over else "yes"
        lines.append(f"| log-mel L1 of drums, bass and keys ≤ {TARGET_MEL_DB:g} dB | {split} | {found} | {words} |")
        late = parts.get("drums", {}).get("pre_echo_ms", 0.0)
        words = "**missed**" if late > TARGET_PRE_ECHO_MS else "yes"
        lines.append(f"| pre-echo of drum hits ≤ {TARGET_PRE_ECHO_MS:g} ms | {split} | {_number(late)} ms | {words} |")
        missed = missed or bool(over) or late > TARGET_PRE_ECHO_MS
    if missed:
        lines += ["", "What would help: longer training (the curve still falls where it ends), and a store whose "
                  "sounds stray further from the soundfonts (`gigmate train store --variety 1`)."]  # fmt: skip
    return lines


def _curve(result: dict[str, Any]) -> list[str]:
    """How the training went, where its log was given: the checks on songs of the training's own store."""
    if not result["curve"]:
        return []
    names = [f"{stem}_{figure}" for figure in ("mel_db", "si_sdr_db") for stem in STEMS]
    lines = ["", "## Learning curve", "", "Log-mel L1 and SI-SDR in dB on songs held out of the training, from its "
             "log: what a half-trained checkpoint scores.", ""]  # fmt: skip
    titles = [name.replace("_mel_db", ", mel").replace("_si_sdr_db", ", SI-SDR") for name in names]
    lines += ["| minutes | step | " + " | ".join(titles) + " |", "|---" * (len(names) + 2) + "|"]
    for row in result["curve"]:
        cells = [_number(row.get(name)) for name in names]
        lines.append(f"| {row['minutes']:.0f} | {row['step'] + 1} | " + " | ".join(cells) + " |")
    return lines


def read_curve(run: Path) -> list[dict[str, float]]:
    """The checks that the log of a training's folder tells of, or those in an earlier report's codec.json.

    Raises TrainingError where there are none.
    """
    if run.is_file():
        try:
            curve: list[dict[str, float]] = json.loads(run.read_text(encoding="utf-8"))["curve"]
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{run}: not a report of `gigmate eval codec`: give its codec.json") from error
        return curve
    path = run / "log.jsonl"
    if not path.is_file():
        raise TrainingError(f"{path}: no log of a training: give the folder that --out named")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if any(name.endswith("_mel_db") for name in row)]


def _ears(pairs: Sequence[str]) -> list[str]:
    lines = ["## To see and to hear", "", "![spectrograms of original and decoded](codec-spectrograms.png)", ""]
    lines += [f"Each file is {EXCERPT_S:g} s of the original, a pause, and the same decoded:", ""]
    return lines + [f"- [{name}]({name})" for name in pairs]


HOW = [
    "## How the other figures are made",
    "",
    "- Both architectures side by side, MDCT and SEANet: one recipe, same data, same minutes, same seed. It prints the",
    "  table and writes runs/compare/compare.json; decision 1 (docs/decisions) has its figures.",
    "",
    "      gigmate train compare-codecs --data STORE --out runs/compare --minutes 15",
    "",
    "- A half-trained checkpoint beside it: write one while the training runs, then give it to the report.",
    "",
    "      gigmate train weights runs/codec codec half.safetensors",
    "      gigmate eval codec --against half.safetensors --report docs/results",
    "",
    "- The adversarial finish (decoder alone, tokens stay valid), and its figures beside those of the start:",
    "",
    "      gigmate train codec --data STORE --out runs/finish --from runs/codec --finish 30",
    "      gigmate eval codec --against runs/finish",
    "",
    "- EnCodec's official 24 kHz weights, if you have them, on our layers, compared with the package:",
    "",
    "      gigmate train import-encodec encodec_24khz-d7cc33bc.th encodec.safetensors --check",
    "",
    "- The cost of a frame for three parts, alone and inside the whole step: `gigmate bench`.",
]
