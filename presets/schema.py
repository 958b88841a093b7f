"""What a preset may say, and the error that names what is wrong in one: strict values with ranges.

Knows neither the engine's threads nor the model, and reads no file (`loader` does). Values are immutable.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..engine.config import ConfigError

STYLES: tuple[str, ...] = (
    "rock",
    "pop_ballad",
    "funk",
    "blues_shuffle",
    "reggae",
    "bossa_nova",
    "swing",
    "disco",
)
"""The styles that the band was taught, by the names used in presets."""

OFF_DB = float("-inf")
"""The level of a part that is switched off."""


class PresetError(ConfigError):
    """A preset that does not exist or does not hold: one line that says where and what to write instead."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Levels(_Strict):
    """Gain of each part in dB, -60 to +12, or the word `off`."""

    drums: float = 0.0
    bass: float = 0.0
    keys: float = 0.0

    @field_validator("drums", "bass", "keys", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        return OFF_DB if value == "off" or value is False else value  # plain `off` is a boolean in YAML

    @field_validator("drums", "bass", "keys")
    @classmethod
    def _range(cls, value: float) -> float:
        if value != OFF_DB and not -60.0 <= value <= 12.0:
            raise ValueError("give a gain from -60 to 12 dB, or off")
        return value

    def in_order(self, parts: Iterable[str]) -> tuple[float, ...]:
        """The gains in the order of `parts`. Raises PresetError for a part that has no level here."""
        fields = type(self).model_fields
        missing = [part for part in parts if part not in fields]
        if missing:
            raise PresetError(f"no level for part {missing[0]}: parts are {', '.join(fields)}")
        return tuple(float(getattr(self, part)) for part in parts)


class Preset(_Strict):
    """One way for the band to play. Field names are the keys of the YAML file."""

    name: str = Field(min_length=1, max_length=60)
    description: str = Field(default="", max_length=200)
    style: str = "rock"
    density: float = Field(default=0.5, ge=0.0, le=1.0)
    """How busy the parts are."""
    levels_db: Levels = Levels()
    temperature: float = Field(default=0.9, gt=0.0, le=2.0)
    top_k: int = Field(default=100, ge=1, le=1024)
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    tempo_bpm: float | Literal["follow"] = "follow"
    """The tempo that the conductor expects at first, or `follow`: found by ear alone."""
    ceiling_dbfs: float = Field(default=-1.0, ge=-60.0, le=0.0)
    start: Literal["cold", "now"] = "cold"
    """`cold` waits for the foot switch; `now` plays as soon as the sound is up."""

    @field_validator("style")
    @classmethod
    def _known_style(cls, value: str) -> str:
        if value not in STYLES:
            raise ValueError(f"no style {value!r}{nearest(value, STYLES)}: styles are {', '.join(STYLES)}")
        return value

    @field_validator("tempo_bpm")
    @classmethod
    def _tempo_range(cls, value: float | str) -> float | str:
        if not isinstance(value, str) and not 30.0 <= value <= 300.0:
            raise ValueError("give a tempo from 30 to 300 bpm, or follow")
        return value


def nearest(word: str, words: Iterable[str]) -> str:
    """ " (did you mean X?)" for the closest of `words`, or nothing where none is close."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def parse_preset(values: object, where: str) -> Preset:
    """Check what a YAML file held. `where` names the file in the error.

    Raises PresetError with the first thing that is wrong: a wrong key is answered with the nearest right one.
    """
    if not isinstance(values, Mapping):
        raise PresetError(f"{where}: a preset is a list of `key: value` lines, with at least `name:`")
    try:
        return Preset.model_validate(dict(values))
    except ValidationError as error:
        raise PresetError(f"{where}: {_first_fault(error)}") from None


def _first_fault(error: ValidationError) -> str:
    """One line for the first of pydantic's findings, unknown keys before wrong values."""
    findings = sorted(error.errors(), key=lambda finding: finding["type"] != "extra_forbidden")
    finding = findings[0]
    path = [str(step) for step in finding["loc"]]
    if finding["type"] == "extra_forbidden":
        model = Levels if path[0] == "levels_db" and len(path) > 1 else Preset
        keys = tuple(model.model_fields)
        return f"no key {'.'.join(path)!r}{nearest(path[-1], keys)}: keys are {', '.join(keys)}"
    if path[0] == "tempo_bpm":
        return _line("tempo_bpm", finding["input"], "give a tempo from 30 to 300 bpm, or follow")
    if finding["type"] == "missing":
        return f"the key {'.'.join(path)!r} is missing: write `{path[-1]}: ...`"
    return _line(".".join(path), finding["input"], _mend(finding))


def _line(key: str, value: object, mend: str) -> str:
    text = repr(value)
    return f"{key}: {text if len(text) <= 40 else text[:37] + '...'}: {mend}"


def _mend(finding: Any) -> str:
    if finding["type"] == "value_error":
        return str(finding["ctx"]["error"])
    message = str(finding["msg"])
    return message[:1].lower() + message[1:]
