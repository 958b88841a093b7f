"""The schema of set lists: the songs of an evening, each with preset, tempo, key and optional chart.

Knows nothing of what plays them. Values do not change; any thread. Reads the set list, its presets and its charts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError, field_validator

from ..engine.charts.chart import Chart, ChartError
from ..engine.charts.chart_parser import parse_chart
from ..engine.charts.chord_symbol import ChordError, english_key
from ..engine.errors import ConfigError
from ..sheets.link import is_link
from .loader import DEFAULT_PRESET, load_preset
from .schema import (
    Preset,
    PresetError,
    Tempo,
    as_tuple,
)
from .sections import Sections, settings_by_name
from .strict import Strict, fault_line, read_yaml

MOST_SONGS = 500


class SetListError(ConfigError):
    """A set list that does not exist or does not hold: one line that says where and what to write instead."""


class SongEntry(Strict):
    """One song. Field names are the keys of the YAML file."""

    title: str = Field(min_length=1, max_length=100)
    """Its name."""
    preset: str | None = Field(default=None, min_length=1, max_length=300)
    """A preset by name, or its .yaml file, as seen from the set list's folder; else the one asked for at the start."""
    tempo_bpm: Tempo | None = None
    """bpm, or follow; else what the chart says, else the preset."""
    key: str | None = None
    """The key you play it in ("Gm"): a chart in another one is moved."""
    chart: str | None = Field(default=None, min_length=1, max_length=100_000)
    """Bar notation (with | in it), or the name of a chart file; FILE#3 or FILE#Title is one song of several."""
    sections: Sections = Field(default={}, max_length=100)
    """What sections of these names ask of the band, over what the chart says."""
    notes: str = Field(default="", max_length=1000)
    """For whoever looks at the screen."""
    lyrics: str = Field(default="", max_length=20_000)
    """The words of the song, shown on the page; [Verse] on a line of its own is where a section begins."""

    @field_validator("key")
    @classmethod
    def _known_key(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                return english_key(value)
            except ChordError as error:
                raise ValueError(str(error)) from None
        return value


class SetListEntry(Strict):
    """The whole file."""

    name: str = Field(default="", max_length=100)
    """Of the evening."""
    songs: Annotated[tuple[SongEntry, ...], BeforeValidator(as_tuple)] = Field(min_length=1, max_length=MOST_SONGS)
    """In the order of the evening."""


@dataclass(frozen=True, slots=True)
class Song:
    """One song, ready to be played."""

    title: str
    preset_name: str
    """As the set list names it."""
    preset: Preset
    tempo_bpm: float | None
    """0: by ear; None: what the preset says."""
    key: str
    """Empty where nobody said it."""
    chart: Chart | None
    notes: str = ""
    lyrics: str = ""

    @property
    def plays_at_bpm(self) -> float:
        """The tempo in bpm, 0: by ear."""
        if self.tempo_bpm is not None:
            return self.tempo_bpm
        return 0.0 if isinstance(self.preset.tempo_bpm, str) else self.preset.tempo_bpm


@dataclass(frozen=True, slots=True)
class SetList:
    """The songs in their order."""

    name: str
    songs: tuple[Song, ...]


def load_set(path: Path, folders: Sequence[Path] = (), default_preset: str = DEFAULT_PRESET) -> SetList:
    """The set list in that file, with presets and charts read. `folders` hold presets of the user's.

    Songs that name no preset have `default_preset`.

    Raises SetListError: unreadable, against the schema, or a song whose preset or chart does not hold.
    """
    values = read_yaml(path, "set list", SetListError)
    if not isinstance(values, Mapping):
        raise SetListError(f"{path}: write `songs:`, and below it a line `- title: ...` for each")
    try:
        entry = SetListEntry.model_validate(dict(values))
    except ValidationError as error:
        raise SetListError(f"{path}: {fault_line(error, SetListEntry)}") from None
    songs = []
    for number, song in enumerate(entry.songs, 1):
        try:
            songs.append(_song(song, path.parent, folders, default_preset))
        except (PresetError, ChartError) as error:
            raise SetListError(f"{path}: song {number} ({song.title}): {error}") from None
    return SetList(entry.name or path.stem, tuple(songs))


def _song(entry: SongEntry, folder: Path, folders: Sequence[Path], default_preset: str) -> Song:
    name = entry.preset or default_preset
    if entry.preset is not None and Path(name).suffix in (".yaml", ".yml"):
        preset = load_preset(folder / name)
    else:
        preset = load_preset(name, folders)
    chart = None if entry.chart is None else _chart(entry.chart, entry.key, folder)
    if chart is not None and entry.sections:
        chart = chart.with_settings(settings_by_name(entry.sections))
    tempo_bpm: float | None = None
    if entry.tempo_bpm is not None:
        tempo_bpm = 0.0 if isinstance(entry.tempo_bpm, str) else entry.tempo_bpm
    elif chart is not None and chart.tempo_bpm:
        tempo_bpm = chart.tempo_bpm
    key = entry.key or ("" if chart is None else chart.key)
    return Song(entry.title, name, preset, tempo_bpm, key, chart, entry.notes, entry.lyrics)


def _chart(text: str, key: str | None, folder: Path) -> Chart:
    """A chart written into the set list is in the song's key; one in a file says its own, and is moved."""
    if "|" in text and not is_link(text):
        chart = parse_chart(text, "chart")
        return chart if key is None or not chart.key else chart.in_key(key)
    from ..sheets.library import read_chart  # and the formats that it reads

    chart = read_chart(text.strip() if is_link(text) else folder / text.strip())
    return chart if key is None else chart.in_key(key)
