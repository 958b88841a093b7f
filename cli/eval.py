"""`gigmate eval`: plays held-out made songs through the live path and lets the judges score what comes out.

Every figure stands beside the true part (ceiling), a part of another song (floor), and the band's own output scored
against another song (what a band that does not listen would get).
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..engine.config import ConfigError, EngineConfig

if TYPE_CHECKING:
    import numpy as np

    from ..training.render import RenderedSong

    Parts = dict[str, np.ndarray]

PARTS = ("drums", "bass", "keys")
app = typer.Typer(help="Score the band (no verb), or its codec or listener, on held-out made songs.")


@app.callback(invoke_without_command=True)
def evaluate(
    context: typer.Context,
    songs: Annotated[int, typer.Option(help="How many held-out songs.")] = 24,
    seconds: Annotated[float, typer.Option(help="Length played of each.")] = 40.0,
    first_seed: Annotated[int, typer.Option()] = 0,
    split: Annotated[str, typer.Option(help="test, held_font, held_key, held_tempo, held_lead …")] = "test",
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Weights to judge; else the shipped.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the figures here.")] = None,
    keep: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the recordings here.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Score the band on held-out songs, through the live path: streaming, int8, its own beats and chords."""
    if context.invoked_subcommand is not None:
        return
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        played = [perform(folder, seed, split, seconds, weights) for seed in range(first_seed, first_seed + songs)]
        for index, (song, parts) in enumerate(played):
            other_song, _ = played[(index + 1) % len(played)]
            rows.append(score_song(song, parts, other_song, seconds))
            if not as_json:
                line = rows[-1]
                print(
                    f"{line['seed']:4d} {line['style']:<14} {line['bpm']:5.0f} bpm  on beat {line['drums_beat_f']:.2f} "
                    f"lag {line['drums_lag_ms']:+4.0f} ms  bass in chord {line['bass_in_chord']:.2f}",
                    flush=True,
                )
    summary = summarise(rows)
    result = {"songs": len(rows), "seconds": seconds, "split": split, "summary": summary, "rows": rows}
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n")
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in summary.items():
            print(f"{name:<28} {value:.3f}")


@app.command("codec")
def codec_figures(
    songs: Annotated[int, typer.Option(help="How many held-out songs.")] = 12,
    seconds: Annotated[float, typer.Option(help="Length of each.")] = 30.0,
    split: Annotated[str, typer.Option(help="test, held_font …")] = "test",
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Weights to judge; else the shipped.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the figures here.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Score the codec on held-out songs, beside Opus and beside itself untrained."""
    import torch

    from ..model import checkpoint
    from ..training.evaluate_codec import evaluate_codec
    from ..training.render import render_song

    torch.set_num_threads(1)
    codec = checkpoint.load_codec((weights or checkpoint.SHIPPED) / "codec.safetensors")
    rendered = [render_song(seed, split=split, seconds=(seconds, seconds + 5)) for seed in range(songs)]
    result = evaluate_codec(codec, rendered, seconds)
    if out is not None:
        out.write_text(json.dumps({"split": split, "seconds": seconds, **result}, indent=1) + "\n")
    if as_json:
        print(json.dumps(result))
        return
    for stem, figures in result["stems"].items():
        print(f"{stem:<6} " + "  ".join(f"{name} {value:.2f}" for name, value in figures.items()))
    use = sum(result["codebook_use"]) / len(result["codebook_use"])
    print(f"codebooks {use:.0%} in use, {result['bits_per_second']['entropy']:.0f} of 2000 bit/s")
    print("  ".join(f"{name} {value:.1f}" for name, value in result["speed"].items()))


@app.command("listener")
def listener_figures(
    songs: Annotated[int, typer.Option(help="How many held-out songs.")] = 48,
    seconds: Annotated[float, typer.Option(help="Least length of each.")] = 35.0,
    first_seed: Annotated[int, typer.Option()] = 200,
    split: Annotated[str, typer.Option(help="test, held_font, held_key, held_tempo, held_lead …")] = "test",
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Weights to judge; else the shipped.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="F.json", help="Also write the figures here.")] = None,
    baselines: Annotated[bool, typer.Option(help="Also librosa's offline tracker and a naive causal one.")] = True,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Score listener and conductor on held-out songs: streaming, the lead alone with its live sound."""
    from ..training.render import render_song
    from .ear import Ear
    from .eval_listener import evaluate_song, without_nan
    from .eval_listener import summarise as summarise_listener
    from .files import check_writable, write_json

    if songs < 1 or seconds < 15:
        raise ConfigError(f"{songs} songs of {seconds:g} s: give at least 1 of 15 s")
    if out is not None:
        check_writable(out, "--out")
    ear = Ear(weights)
    rows = []
    for seed in range(first_seed, first_seed + songs):
        song = render_song(seed, split=split, seconds=(seconds, seconds + 10))
        rows.append(evaluate_song(ear, song, baselines))
        if not as_json:
            line = rows[-1]
            print(
                f"{seed:4d} {line['style']:<14} {line['lead']:<7} {line['bpm']:5.0f} bpm  beat {line['beat_f']:.2f}  "
                f"20 ms {line['within_20_ms']:.2f}  bar {line['downbeat_f']:.2f}  chord {line['chord_share']:.2f}",
                flush=True,
            )
    summary = summarise_listener(rows)
    result = without_nan({"split": split, "seconds": seconds, "summary": summary, "rows": rows})
    if out is not None:
        write_json(out, result)
    if as_json:
        print(json.dumps(result))
        return
    print(f"{'':<24}" + "".join(f"{group:>10}" for group in summary))
    for name in summary["all"]:
        values = (figures.get(name) for figures in summary.values())
        print(f"{name:<24}" + "".join(f"{'-':>10}" if value is None else f"{value:10.3f}" for value in values))


def perform(folder: Path, seed: int, split: str, seconds: float, weights: Path | None) -> tuple[RenderedSong, Parts]:
    """Render song `seed`, let the band play along with its lead through the engine; the parts it played, 32 kHz."""
    import soundfile

    from ..presets.schema import Preset
    from ..session import PlayerLoading, open_session
    from ..training.render import render_song

    song = render_song(seed, split=split)
    heard, record = folder / f"{split}-{seed}-heard.wav", folder / f"{split}-{seed}-band.wav"
    soundfile.write(heard, song.stems["lead"][: int(seconds * song.rate_hz)], song.rate_hz, subtype="PCM_24")
    config = EngineConfig(
        backend="file", input_file=str(heard), realtime=False, record_file=str(record), start_playing=True, seed=seed
    )
    preset = Preset(name="eval", description="", style=song.meta["style"])
    with open_session(config, preset, PlayerLoading(weights, seed)) as session:
        session.start()
        while not session.wait(0.2):
            pass
    audio, rate_hz = soundfile.read(record, dtype="float32", always_2d=True)
    if rate_hz != song.rate_hz:
        raise RuntimeError(f"recorded at {rate_hz} Hz instead of {song.rate_hz}")
    return song, {name: audio[:, 2 + i] for i, name in enumerate(PARTS)}


def score_song(song: RenderedSong, played: Parts, other: RenderedSong, seconds: float) -> dict[str, Any]:
    """Figures of one song: played, true, of another song, and played against another song's truth."""
    import numpy as np

    from ..training.evaluate import beat_f, chroma_at, for_judges, in_chord, key_classes, signed_lag_ms

    rate_hz, frames = song.rate_hz, int(seconds * 25)
    size = int(seconds * rate_hz)
    skip_s = float(song.labels["downbeats_s"][min(4, len(song.labels["downbeats_s"]) - 1)])
    row: dict[str, Any] = {
        "seed": song.seed,
        "style": song.meta["style"],
        "bpm": song.meta["bpm"],
        "lead": song.meta["lead_mode"],
        "after_s": round(skip_s, 2),
    }

    def truth(of: RenderedSong) -> tuple[np.ndarray, float]:
        beats = of.labels["beats_s"]
        return beats[beats < seconds - 0.5], float(np.median(of.labels["tempo_bpm"]))

    beats, bpm = truth(song)
    other_beats, other_bpm = truth(other)
    takes = {
        "drums": played["drums"],
        "true_drums": song.stems["drums"][:size],
        "floor_drums": other.stems["drums"][:size],
    }
    for name, audio in takes.items():
        row[f"{name}_beat_f"] = beat_f(for_judges(audio, rate_hz), beats, bpm, skip_s)
        row[f"{name}_lag_ms"] = signed_lag_ms(for_judges(audio, rate_hz), beats, skip_s)
    row["wrong_drums_beat_f"] = beat_f(for_judges(played["drums"], rate_hz), other_beats, other_bpm, skip_s)
    scale = key_classes(song.labels["key"], song.labels["minor"])
    skip = int(skip_s * 25)
    for part in ("bass", "keys"):
        for name, audio in (
            (part, played[part]),
            (f"true_{part}", song.stems[part][:size]),
            (f"floor_{part}", other.stems[part][:size]),
        ):
            chroma = chroma_at(for_judges(audio, rate_hz), min(frames, len(song.labels["chord_pcs"])))
            row[f"{name}_in_chord"] = in_chord(chroma, song.labels["chord_pcs"], skip)
            row[f"{name}_in_key"] = in_chord(chroma, scale, skip)
            if name == part:
                row[f"wrong_{part}_in_chord"] = in_chord(chroma, other.labels["chord_pcs"], skip)
    row["level_db"] = {
        part: round(20 * math.log10(float(np.sqrt(np.mean(played[part] ** 2))) + 1e-6), 1) for part in PARTS
    }
    return row


def summarise(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Medians over songs of every figure, and how much of the true part's gap the band reaches."""
    import numpy as np

    names = [name for name, value in rows[0].items() if isinstance(value, float) and name not in ("bpm", "after_s")]
    medians = {name: float(np.nanmedian([row[name] for row in rows])) for name in names}
    for part, figure in (("drums", "beat_f"), ("bass", "in_chord"), ("keys", "in_chord")):
        own = np.nanmean([row[f"{part}_{figure}"] for row in rows]) - np.nanmean(
            [row[f"wrong_{part}_{figure}"] for row in rows]
        )
        full = np.nanmean([row[f"true_{part}_{figure}"] for row in rows]) - np.nanmean(
            [row[f"floor_{part}_{figure}"] for row in rows]
        )
        medians[f"{part}_share_of_gap"] = float(own / full)
    return medians
