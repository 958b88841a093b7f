"""`--tempo`, `--style`, `--density`, `--level`, `--mute` and `--fills`: a preset changed for one run. Any thread.

Knows presets, set lists and charts, and nothing of what plays them.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ...engine.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...engine.charts.chart import Chart
    from ...presets.schema import Preset
    from ...presets.setlist import SetList

TempoOption = Annotated[
    str | None,
    typer.Option(
        "--tempo", metavar="BPM|follow", help="The tempo to expect, or follow: by ear. Default: the preset's."
    ),
]
StyleOption = Annotated[
    str | None, typer.Option("--style", metavar="NAME", help="Play in this style. Default: the preset's.")
]
DensityOption = Annotated[
    float | None, typer.Option("--density", metavar="0..1", help="How busy the parts are. Default: the preset's.")
]
FillsOption = Annotated[
    str | None,
    typer.Option("--fills", metavar="auto|ask|never", help="Fills into new sections. Default: the preset's."),
]
LevelOption = Annotated[
    list[str] | None,
    typer.Option("--level", metavar="PART=DB", help="Level of a part, -60 to 12 dB, or off. May be repeated."),
]
MuteOption = Annotated[
    list[str] | None,
    typer.Option("--mute", metavar="PART", help="This part is silent until it is unmuted. May be repeated."),
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options ask for; what they leave open is as the preset says. They win over presets and charts."""

    tempo_bpm: float | str | None = None
    style: str | None = None
    density: float | None = None
    levels_db: Mapping[str, float] = dataclasses.field(default_factory=dict)
    muted: tuple[str, ...] = ()
    fills: str | None = None

    def first(self, preset: Preset) -> Preset:
        """The preset that the run begins with."""
        changed = {"tempo_bpm": self.tempo_bpm, "style": self.style, "density": self.density}
        update = {name: value for name, value in changed.items() if value is not None}
        return self.every(preset).model_copy(update=update)

    def every(self, preset: Preset) -> Preset:
        """Any preset of the run: levels and mutes are of the musicians who are there, whatever the song."""
        levels = preset.levels_db.model_copy(update=dict(self.levels_db))
        muted = tuple(dict.fromkeys((*preset.muted, *self.muted)))
        fills = preset.fills if self.fills is None else self.fills
        return preset.model_copy(update={"levels_db": levels, "muted": muted, "fills": fills})

    def chart(self, chart: Chart | None) -> Chart | None:
        """The chart of the run, whose own tempo gives way."""
        if chart is None or self.tempo_bpm is None or not chart.tempo_bpm:
            return chart
        return dataclasses.replace(chart, tempo_bpm=0.0 if isinstance(self.tempo_bpm, str) else self.tempo_bpm)

    def set_list(self, songs: SetList | None) -> SetList | None:
        """The set list of the run. Raises ConfigError where its songs say themselves what is asked for."""
        if songs is None:
            return None
        if (self.tempo_bpm, self.style, self.density) != (None, None, None):
            raise ConfigError("--tempo, --style and --density: the songs of a set list have their own; leave them out")
        played = tuple(dataclasses.replace(song, preset=self.every(song.preset)) for song in songs.songs)
        return dataclasses.replace(songs, songs=played)


AS_IT_IS = Wish()


def wish_of(
    tempo: str | None,
    style: str | None,
    density: float | None,
    level: Sequence[str] | None,
    mute: Sequence[str] | None,
    fills: str | None = None,
) -> Wish:
    """The options' values, checked. Raises ConfigError for what no preset could say."""
    from ...engine.player import PARTS
    from ...presets.schema import STYLES
    from ...presets.strict import nearest

    if style is not None and style not in STYLES:
        raise ConfigError(f"--style {style}: no such style{nearest(style, STYLES)}")
    if density is not None and not 0.0 <= density <= 1.0:
        raise ConfigError(f"--density {density:g}: give 0 to 1")
    for part in mute or ():
        if part not in PARTS:
            raise ConfigError(f"--mute {part}: the parts are {', '.join(PARTS)}")
    if fills not in (None, "auto", "ask", "never"):
        raise ConfigError(f"--fills {fills}: give auto, ask or never")
    return Wish(_tempo(tempo), style, density, _levels(level or ()), tuple(mute or ()), fills)


def _tempo(text: str | None) -> float | str | None:
    from ...presets.schema import HIGHEST_BPM, LOWEST_BPM

    if text is None or text == "follow":
        return text
    tempo_bpm = _number(text)
    if not LOWEST_BPM <= tempo_bpm <= HIGHEST_BPM:
        raise ConfigError(f"--tempo {text}: give {LOWEST_BPM:g} to {HIGHEST_BPM:g} bpm, or follow")
    return tempo_bpm


def _levels(texts: Sequence[str]) -> dict[str, float]:
    from ...engine.player import PARTS
    from ...presets.schema import HIGHEST_LEVEL_DB, OFF_DB

    levels_db = {}
    for text in texts:
        part, _, value = text.partition("=")
        level_db = OFF_DB if value == "off" else _number(value)
        if part not in PARTS or not (level_db == OFF_DB or -60.0 <= level_db <= HIGHEST_LEVEL_DB):
            raise ConfigError(
                f"--level {text}: give a part ({', '.join(PARTS)}) and -60 to {HIGHEST_LEVEL_DB:g} dB or off, "
                "such as bass=-3"
            )
        if part in levels_db:
            raise ConfigError(f"--level {text}: {part} is given twice")
        levels_db[part] = level_db
    return levels_db


def _number(text: str) -> float:
    """Of digits; NaN, which is in no range, of anything else."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
