"""The schema of what sections of a song ask of the band, by their names: `sections` of presets and of songs.

The words are those of a chart (engine/charts/section_settings.py). Values do not change; any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from ..engine.charts.section_settings import SectionSettings, SettingError, settings_of
from .strict import Strict


class SectionEntry(Strict):
    """One section. Field names are the keys of the YAML file."""

    density: float | None = Field(default=None, ge=0.0, le=1.0)
    """How busy the parts are."""
    level: float | str | dict[str, float] | None = None
    """dB over the usual level, of the whole band (2) or part by part ({keys: -3})."""
    mute: str | list[str] | None = None
    """The parts that are silent, or nobody."""
    sound: str | dict[str, str | int] | None = None
    """What parts sound with, as `sound` of a preset."""
    style: str | None = None
    """The style whose patterns are played."""
    feel: str | None = None
    """half, usual or double."""

    tempo: float | None = Field(default=None, ge=30.0, le=300.0)
    """bpm, as written: the rest of the song's tempo tonight goes with it."""

    @model_validator(mode="after")
    def _holds(self) -> SectionEntry:
        try:
            _ = self.settings
        except SettingError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def settings(self) -> SectionSettings:
        """As the engine takes them."""
        return settings_of(self.model_dump(exclude_none=True))


SectionName = Annotated[str, Field(min_length=1, max_length=40)]
Sections = dict[SectionName, SectionEntry]


def settings_by_name(sections: Mapping[str, SectionEntry]) -> dict[str, SectionSettings]:
    """Every section's settings."""
    return {name: entry.settings for name, entry in sections.items()}


def as_values(sections: Mapping[str, SectionEntry]) -> dict[str, Any]:
    """As they are written."""
    return {name: entry.model_dump(exclude_none=True) for name, entry in sections.items()}
