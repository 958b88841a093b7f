"""One worker's bench of `gigmate eval`: what is judged, the stage, songs for it. Main thread of each process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.errors import ConfigError

if TYPE_CHECKING:
    from ...model.codec.mdct_codec import MdctCodec
    from ...model.runtime import LiveBand
    from ...training.sound.render import RenderedSong
    from .eval_playing import Played, Stage

Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What is judged. Two runs with equal settings may share a file of rows."""

    weights_id: str
    styles: tuple[str, ...]
    split: str = "test"
    first_seed: int = 0
    songs: int = 104
    seconds: float = 30.0
    oracle_songs: int = 104
    ablation_songs: int = 32
    scenes: int = 16
    control_leads: int = 12
    control_seconds: float = 24.0
    control_styles: int = 4
    truth_songs_per_style: int = 8
    steady_runs: int = 3
    steady_minutes: float = 10.0
    codec_songs: int = 8


@dataclass(frozen=True)
class Task:
    name: str
    """Unique, as rows carry it: `song:12`."""
    kind: str
    number: int
    what: str = ""


@dataclass
class Bench:
    settings: Settings
    stage: Stage
    weights: Path | None
    arrays: Path
    eager: tuple[LiveBand, MdctCodec] | None = None


def known_styles(weights: Path | None) -> tuple[str, ...]:
    """Those of the arranger's that the generator knows, in its order. Raises CheckpointError, ConfigError."""
    from ...model import checkpoint
    from ...training.band.styles import STYLES

    folder = weights or checkpoint.SHIPPED
    known = tuple(checkpoint.read_header(folder / "generator.safetensors")["config"]["styles"])
    styles = tuple(style for style in known if style in STYLES)
    if not styles:
        raise ConfigError(f"{folder}: knows none of the arranger's styles: {', '.join(known)}")
    return styles


def render(bench: Bench, seed: int, seconds: float, style: str | None = None, split: str | None = None) -> RenderedSong:
    from ...training.sound.render import render_song

    split = split or bench.settings.split
    styles = (style,) if style else None if split == "held_style" else bench.settings.styles
    return render_song(seed, split=split, styles=styles, seconds=(seconds, seconds + 4.0))


def style_of(bench: Bench, song: RenderedSong) -> str:
    """The song's style, or the nearest that the band knows: its first."""
    style = str(song.meta["style"])
    return style if style in bench.settings.styles else bench.settings.styles[0]


def about(song: RenderedSong) -> Row:
    bpm = round(float(np.median(song.labels["tempo_bpm"])), 1)
    return {"style": song.meta["style"], "bpm": bpm, "lead": song.meta["lead_mode"], "metre": song.meta["metre"]}


def cost(played: Played) -> Row:
    cpu = played.cpu_ms if len(played.cpu_ms) else np.zeros(1)
    p50, p99, p999 = (float(x) for x in np.percentile(cpu, (50.0, 99.0, 99.9)))
    cost = {"p50_ms": p50, "p99_ms": p99, "p99.9_ms": p999, "times_real_time": 40.0 / max(1e-3, float(cpu.mean()))}
    return {"step": cost, "ahead_frames": played.ahead_frames, "misses": played.misses}
