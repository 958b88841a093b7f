"""What a section of a song asks of the band: how busy and loud it is, who plays, with which sound, style and feel.

Read from the lines below a section's name in a chart and from the `sections` of presets and set lists, with the same
words. Frozen values and pure functions, any thread.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ..errors import ConfigError
from ..part_sounds import PartSound, part_sound, sounds_of
from ..player import PARTS
from ..style_priors import STYLE_PRIORS

FEELS = {"half": 0.5, "usual": 1.0, "double": 2.0}
"""How many times as fast the band counts."""
LEVEL_RANGE_DB = (-24.0, 9.0)
NOBODY = "nobody"


class SettingError(ConfigError):
    """A setting that cannot be: what to write instead. Any thread."""


@dataclass(frozen=True, slots=True)
class SectionSettings:
    """What is not given stays as preset and musician have it. Any thread."""

    density: float | None = None
    """0 sparse to 1 busy."""
    level: tuple[float, ...] | None = None
    """dB over the preset's level of each part, in the order of PARTS."""
    mute: tuple[str, ...] | None = None
    """The parts that are silent; all others play."""
    sound: tuple[tuple[str, PartSound], ...] | None = None
    """(part, sound) of those that have another."""
    style: str | None = None
    feel: str | None = None
    """One of FEELS."""
    tempo: float | None = None
    """bpm, as written: who plays the song faster tonight plays it all faster."""

    def over(self, under: SectionSettings) -> SectionSettings:
        """These, and where they say nothing, those."""
        return replace(under, **self.given())

    def given(self) -> dict[str, Any]:
        """What they say, by name."""
        return {
            field.name: getattr(self, field.name) for field in fields(self) if getattr(self, field.name) is not None
        }

    def lines(self) -> list[str]:
        """As lines of a chart."""
        return [f"{name}: {_WRITE[name](value)}" for name, value in self.given().items()]


AS_IT_IS = SectionSettings()
NAMES = tuple(field.name for field in fields(SectionSettings))


def with_setting(settings: SectionSettings, name: str, value: object) -> SectionSettings:
    """The settings and one more, from a line of a chart or a value of YAML. Raises SettingError."""
    if name not in NAMES:
        raise SettingError(f"a section has no {name!r}{_near(name, NAMES)}: it may have {', '.join(NAMES)}")
    if getattr(settings, name) is not None:
        raise SettingError(f"{name} is given twice")
    read: dict[str, Any] = {name: _READ[name](value)}
    return replace(settings, **read)


def settings_of(values: Mapping[str, object]) -> SectionSettings:
    """The settings that a mapping gives. Raises SettingError."""
    settings = AS_IT_IS
    for name, value in values.items():
        settings = with_setting(settings, name, value)
    return settings


def by_name(settings: Mapping[str, SectionSettings], name: str) -> SectionSettings:
    """Those for a section of that name, in whatever case; AS_IT_IS where there are none."""
    return next((own for known, own in settings.items() if known.lower() == name.lower()), AS_IT_IS)


# ------------------------------------------------------------------------------------------------------ words, values


def _number(text: object, what: str, low: float, high: float) -> float:
    try:
        if isinstance(text, bool) or not isinstance(text, (int, float, str)):
            raise ValueError
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise SettingError(f"{what} {str(text)[:40]!r}: give a number from {low:g} to {high:g}")
    return number


def _density(value: object) -> float:
    return _number(value, "density", 0.0, 1.0)


def _level(value: object) -> tuple[float, ...]:
    """ "2" for all, "keys=-3", or "2, keys=-3": the whole band and a part beside it; in YAML also {keys: -3}."""
    if isinstance(value, Mapping):
        pieces = [f"{part}={level}" for part, level in value.items()]
    else:
        pieces = [piece.strip() for piece in str(value).split(",")]
    whole, parts = 0.0, dict.fromkeys(PARTS, 0.0)
    for piece in pieces:
        part, equals, level = piece.rpartition("=")
        text = level.strip().removesuffix("dB").strip()
        db = _number(text, "level", *LEVEL_RANGE_DB)
        if equals:
            parts[_part(part.strip())] = db
        else:
            whole = db
    return tuple(min(whole + parts[part], LEVEL_RANGE_DB[1]) for part in PARTS)


def _mute(value: object) -> tuple[str, ...]:
    words = [str(word) for word in value] if isinstance(value, (list, tuple)) else str(value).replace(",", " ").split()
    if words in ([NOBODY], []):
        return ()
    muted = {_part(word) for word in words}
    return tuple(part for part in PARTS if part in muted)


def _sound(value: object) -> tuple[tuple[str, PartSound], ...]:
    try:
        if isinstance(value, Mapping):
            found = {_part(str(part)): part_sound(str(part), word) for part, word in value.items()}
        else:
            found = sounds_of(str(value))
    except SettingError:
        raise
    except ConfigError as error:
        raise SettingError(str(error)) from None
    return tuple((part, found[part]) for part in PARTS if part in found)


def _style(value: object) -> str:
    if value not in STYLE_PRIORS:
        raise SettingError(f"no style {str(value)[:40]!r}{_near(str(value), STYLE_PRIORS)}: see docs/sets.md")
    return str(value)


def _feel(value: object) -> str:
    if value not in FEELS:
        raise SettingError(f"feel {str(value)[:40]!r}{_near(str(value), FEELS)}: give half, usual or double")
    return str(value)


def _tempo(value: object) -> float:
    text = value.removesuffix("bpm").strip() if isinstance(value, str) else value
    return _number(text, "tempo", 30.0, 300.0)


def _part(word: str) -> str:
    if word not in PARTS:
        raise SettingError(f"there is no part {word[:40]!r}{_near(word, PARTS)}: the parts are {', '.join(PARTS)}")
    return word


def _near(word: str, words: object) -> str:
    close = difflib.get_close_matches(word[:60].lower(), list(words), n=1, cutoff=0.5)  # type: ignore[call-overload]
    return f" (did you mean {close[0]}?)" if close else ""


def _level_text(level: tuple[float, ...]) -> str:
    if len(set(level)) == 1:
        return f"{level[0]:+g}"
    return ", ".join(f"{part}={db:+g}" for part, db in zip(PARTS, level, strict=True) if db)


def _sound_text(sound: tuple[tuple[str, PartSound], ...]) -> str:
    names = {each.name for _, each in sound}
    if len(names) == 1 and len(sound) == len(PARTS) and (sound[0][1].neural or sound[0][1].of_style):
        return names.pop()
    return ",".join(f"{part}={each.name}" for part, each in sound)


_READ: dict[str, Callable[[object], object]] = {
    "density": _density, "level": _level, "mute": _mute, "sound": _sound, "style": _style, "feel": _feel,
    "tempo": _tempo,
}  # fmt: skip
_WRITE: dict[str, Callable[..., str]] = {
    "density": lambda value: f"{value:g}",
    "level": _level_text,
    "mute": lambda value: ", ".join(value) or NOBODY,
    "sound": _sound_text,
    "style": str,
    "feel": str,
    "tempo": lambda value: f"{value:g}",
}
