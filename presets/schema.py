"""The schema of presets: strict values with ranges, and errors that name what is wrong.

Knows neither the engine's threads nor the model, and reads no file (`loader` does). Values are immutable.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from ..engine.errors import ConfigError
from ..engine.mix import HOUSE_MIX, Mix
from ..engine.part_sounds import DEFAULT_SOUND, INSTRUMENTS, NEURAL, PartSound, part_sound
from ..files.json_text import plain
from .bindings import BindingRow
from .sections import Sections, as_values
from .strict import Strict, fault_line, nearest

STYLES: tuple[str, ...] = (
    "rock",
    "pop_ballad",
    "funk",
    "blues_shuffle",
    "reggae",
    "bossa_nova",
    "swing",
    "disco",
    "soul",
    "slow_blues",
    "country_train",
    "ska",
    "samba",
    "jazz_waltz",
    "hip_hop",
    "metal",
    "folk_strum",
    "gospel",
    "odd_five",
    "cumbia",
    "reggaeton",
    "tango",
    "afrobeat",
    "house",
    "drum_and_bass",
    "bluegrass",
    "musette",
    "six_eight_ballad",
)
"""The styles that the band plays, by the names used in presets; the first nineteen are those that it was taught."""

OFF_DB = float("-inf")
"""The level of a part that is switched off."""
LOWEST_BPM, HIGHEST_BPM = 30.0, 300.0
HIGHEST_LEVEL_DB, HIGHEST_CLICK_DB = 12.0, 6.0


class PresetError(ConfigError):
    """A preset that does not exist or does not hold: one line that says where and what to write instead."""


def _gain(value: object, highest_db: float) -> object:
    if value == "off" or value is False:  # plain `off` is a boolean in YAML
        return OFF_DB
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number and value != OFF_DB and not -60.0 <= float(value) <= highest_db:  # type: ignore[arg-type]
        raise ValueError(f"give a gain from -60 to {highest_db:g} dB, or off")
    return value


def _level(value: object) -> object:
    return _gain(value, HIGHEST_LEVEL_DB)


def _click(value: object) -> object:
    return _gain(value, HIGHEST_CLICK_DB)


def _tempo(value: object) -> object:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value != "follow" and not (number and LOWEST_BPM <= float(value) <= HIGHEST_BPM):  # type: ignore[arg-type]
        raise ValueError("give a tempo from 30 to 300 bpm, or follow")
    return float(value) if number else value  # type: ignore[arg-type]


def as_tuple(value: object) -> object:
    """A YAML list as the tuple that strict models want."""
    return tuple(value) if isinstance(value, list) else value


Level = Annotated[
    float,
    BeforeValidator(_level),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": -60, "maximum": 12}, {"enum": ["off"]}]}),
]
ClickLevel = Annotated[
    float,
    BeforeValidator(_click),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": -60, "maximum": 6}, {"enum": ["off"]}]}),
]
Tempo = Annotated[
    float | Literal["follow"],
    BeforeValidator(_tempo),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": LOWEST_BPM, "maximum": HIGHEST_BPM}, {"enum": ["follow"]}]}
    ),
]
Part = Literal["drums", "bass", "keys"]
TimeSourceName = Literal["auto", "link", "transport", "midi_clock", "mtc", "tap", "listener"]


class Levels(Strict):
    """Gain of each part in dB, -60 to +12, or the word `off`."""

    drums: Level = 0.0
    bass: Level = 0.0
    keys: Level = 0.0

    def in_order(self, parts: Iterable[str]) -> tuple[float, ...]:
        """The gains in the order of `parts`. Raises PresetError for a part that has no level here."""
        fields = type(self).model_fields
        missing = [part for part in parts if part not in fields]
        if missing:
            raise PresetError(f"no level for part {missing[0]}: parts are {', '.join(fields)}")
        return tuple(float(getattr(self, part)) for part in parts)


_SOUND_NAME: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1, "maximum": 128}]}
_BY_PART: dict[str, Any] = {
    "type": "object",
    "properties": {**dict.fromkeys(("drums", "bass", "keys"), _SOUND_NAME), "bank": {"type": "string"}},
    "additionalProperties": False,
}


class Sounds(Strict):
    """What each part sounds with: `neural`, `instruments`, or an instrument or kit by its name or number."""

    drums: str = DEFAULT_SOUND
    bass: str = DEFAULT_SOUND
    keys: str = DEFAULT_SOUND
    bank: str = Field(default="", max_length=1000)
    """File of a bank, or part of the name of one that is found; empty: the first that is found."""

    @field_validator("drums", "bass", "keys", mode="before")
    @classmethod
    def _known(cls, value: object, info: ValidationInfo) -> str:
        try:
            return part_sound(str(info.field_name), value).name
        except ConfigError as error:
            raise ValueError(str(error)) from None

    def in_order(self, parts: Iterable[str]) -> tuple[PartSound, ...]:
        """The sounds in the order of `parts`."""
        return tuple(part_sound(part, getattr(self, part), self.bank) for part in parts)


def _sounds(value: object) -> object:
    """One word for all parts."""
    return dict.fromkeys(("drums", "bass", "keys"), value) if value in (NEURAL, INSTRUMENTS) else value


Program = Annotated[int, Field(ge=1, le=128)]


class Programs(Strict):
    """General MIDI program of each part, counted from 1, for notes that go out as MIDI; of the drums the kit."""

    drums: Program | None = None
    bass: Program | None = None
    keys: Program | None = None


class PartMixing(Strict):
    """How one part is mixed; what is left out is as the house has it."""

    pan: float | None = Field(default=None, ge=-1.0, le=1.0)
    width: float | None = Field(default=None, ge=0.0, le=1.0)
    room: float | None = Field(default=None, ge=0.0, le=1.0)
    compression: float | None = Field(default=None, ge=0.0, le=1.0)


class Mixing(Strict):
    """Each part's pan (-1 left, 1 right), width, share of the room, and compression, from 0 to 1."""

    drums: PartMixing = PartMixing()
    bass: PartMixing = PartMixing()
    keys: PartMixing = PartMixing()


class RoomSound(Strict):
    """The room that the parts stand in."""

    decay_s: float = Field(default=HOUSE_MIX.decay_s, ge=0.2, le=1.2)
    level: float = Field(default=HOUSE_MIX.room_level, ge=0.0, le=2.0)


_NOTE = re.compile(r"([A-G])([#b]?)(-1|[0-9])")
_NOTE_PLACES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def _key(value: object) -> object:
    """A key of a keyboard, by its MIDI note or its name, as a MIDI note; "all" as it is."""
    match = _NOTE.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        letter, sign, octave = match.groups()
        value = 12 * (int(octave) + 1) + _NOTE_PLACES[letter] + {"": 0, "#": 1, "b": -1}[sign]
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and value != "all" and not (whole and 0 <= value <= 127):  # type: ignore[operator]
        raise ValueError("give a note such as C4 (middle C), a MIDI note from 0 to 127, or all")
    return value


class Chords(Strict):
    """Where the chords come from, and which keys lead them."""

    source: Literal["auto", "midi"] = "midi"
    """`midi`: a hand on a MIDI keyboard, then chart and ear; `auto`: chart, then ear."""
    hold: Literal["latched", "held"] = "latched"
    """A chord stays until the next, or until its keys are up."""
    split: Annotated[
        int | Literal["all"] | None,
        BeforeValidator(_key),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 127}, {"type": "string"}]}),
    ] = None
    """The last key of the zone that leads; `all`: every key does; without one it stays as it was learnt or set."""
    side: Literal["below", "above"] = "below"
    """On which side of the split the zone lies."""
    channel: int = Field(default=0, ge=0, le=16)
    """The MIDI channel that leads; 0: every one."""

    @property
    def options(self) -> dict[str, int | str]:
        """As the engine's options (commands.HAND_OPTIONS)."""
        split = {} if self.split is None else {"chords_split": self.split}
        zone = {"chords_side": self.side, "chords_channel": self.channel}
        return {"chords": self.source, "chords_hold": self.hold, **split, **zone}


def _chords(value: object) -> object:
    """One word for where they come from."""
    return {"source": value} if isinstance(value, str) else value


class _ChordsSchema:
    """The schema of `chords`, made when one is asked for."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [Chords.model_json_schema(), {"enum": ["auto", "midi"]}]}


class Preset(Strict):
    """One way for the band to play. Field names are the keys of the YAML file."""

    name: str = Field(min_length=1, max_length=60)
    description: str = Field(default="", max_length=200)
    style: str = Field(default="rock", json_schema_extra={"enum": list(STYLES)})
    """One of STYLES."""
    density: float = Field(default=0.5, ge=0.0, le=1.0)
    """How busy the parts are."""
    levels_db: Levels = Levels()
    """Gain of each part over how the arranger wrote it, or off."""
    sound: Annotated[
        Sounds,
        BeforeValidator(_sounds),
        WithJsonSchema({"anyOf": [_BY_PART, {"enum": [NEURAL, INSTRUMENTS]}]}),
    ] = Sounds()
    """What the parts sound with: `neural` or `instruments` for all, or part by part."""
    mix: Mixing = Mixing()
    """Pan, width, room and compression of each part."""
    room: RoomSound = RoomSound()
    """How long the room rings (seconds), and how much of it is heard: 0 none, 1 as the parts say."""
    muted: Annotated[tuple[Part, ...], BeforeValidator(as_tuple)] = ()
    """Parts that are silent at first, and come in when they are unmuted."""
    midi_programs: Programs = Programs()
    """General MIDI programs of the notes that go out; of a part without one: that of its sound, or of the style."""
    temperature: float = Field(default=0.9, gt=0.0, le=2.0)
    """How much the band dares: low is steady, high is wild."""
    top_k: int = Field(default=100, ge=1, le=1024)
    """Out of how many of the likeliest sounds each next one is drawn ..."""
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    """... and what share of the likelihood these hold."""
    groove: float = Field(default=1.0, ge=0.0, le=1.0)
    """How closely the band keeps to a pattern of its style: 0 plays as it comes, 1 bar after bar."""
    listening: float = Field(default=1.0, ge=0.0, le=1.0)
    """How much the band answers you: accents and stops, gaps, dynamics, room for a solo; 0 plays on regardless."""
    tempo_bpm: Tempo = "follow"
    """The tempo that the conductor expects at first, or `follow`: found by ear alone."""
    count_in: int = Field(default=0, ge=0, le=2)
    """Bars that are clicked before the band comes in. Needs a tempo."""
    click_db: ClickLevel = 0.0
    """Level of those clicks, or off: then the band comes in after so many silent bars."""
    start: Literal["cold", "now"] = "cold"
    """`cold` waits for the foot switch; `now` plays as soon as the sound is up."""
    start_at: Literal["now", "bar"] = "now"
    """Where a start takes effect: at once, or at the next bar line."""
    when_silent: Literal["stop", "go_on"] = "stop"
    """What the band does when you stop: falls silent at the end of the bar, or plays on."""
    when_clock_stops: Literal["stop", "go_on"] = "stop"
    """What the band does when the transport or MIDI clock that it follows stops: stops with it until it goes on, or
    plays on in the tempo that it had."""
    chart_place: Literal["song", "entrance"] = "song"
    """Where a chart is when a transport or MIDI clock leads: at the place in the song that it tells, or at its
    beginning where the band comes in."""
    chords: Annotated[
        Chords,
        BeforeValidator(_chords),
        _ChordsSchema(),
    ] = Chords(source="auto")
    """`midi`: chords by hand on a MIDI keyboard; or a list of `source`, `hold`, `split`, `side` and `channel`."""
    fills: Literal["auto", "ask", "never"] = "auto"
    """Whether a fill leads into a new section of the chart by itself, only when asked for, or never."""
    sections: Sections = Field(default={}, max_length=100)
    """What sections of these names ask of the band, where the chart does not say it."""
    time_source: TimeSourceName = "auto"
    """Whom the band follows while this preset is on; `auto`: the first that gives the time, or --time-source."""
    ceiling_dbfs: float = Field(default=-1.0, ge=-60.0, le=0.0)
    """No sample of the output is louder."""
    pedal: Annotated[tuple[BindingRow, ...], BeforeValidator(as_tuple)] = Field(default=(), max_length=100)
    """What gestures mean while this preset is on, as in a file of bindings."""

    @property
    def mixed(self) -> Mix:
        """The mix as the desk takes it."""
        house = zip(Levels.model_fields, HOUSE_MIX.parts, strict=True)
        parts = [
            dataclasses.replace(part, **getattr(self.mix, name).model_dump(exclude_none=True)) for name, part in house
        ]
        return Mix(tuple(parts), self.room.decay_s, self.room.level)

    @field_validator("style")
    @classmethod
    def _known_style(cls, value: str) -> str:
        if value not in STYLES:
            raise ValueError(f"no style {value!r}{nearest(value, STYLES)}: styles are {', '.join(STYLES)}")
        return value


def parse_preset(values: object, where: str) -> Preset:
    """Check what a YAML file held. `where` names the file in the error.

    Raises PresetError with the first thing that is wrong: a wrong key is answered with the nearest right one.
    """
    if not isinstance(values, Mapping):
        raise PresetError(f"{where}: a preset is a list of `key: value` lines, with at least `name:`")
    try:
        return Preset.model_validate(dict(values))
    except ValidationError as error:
        raise PresetError(f"{where}: {fault_line(error, Preset)}") from None


def as_text(preset: Preset) -> str:
    """The preset as a YAML file that holds, every key written out."""
    values = preset.model_dump(exclude={"pedal"})
    values["levels_db"] = {
        part: "off" if level_db == OFF_DB else level_db for part, level_db in values["levels_db"].items()
    }
    values["click_db"] = "off" if preset.click_db == OFF_DB else preset.click_db
    values["muted"] = list(values["muted"])
    values["midi_programs"] = preset.midi_programs.model_dump(exclude_none=True)
    values["mix"] = preset.mix.model_dump(exclude_none=True)
    values["sections"] = as_values(preset.sections)
    values["pedal"] = [row.model_dump(exclude_none=True) for row in preset.pedal]
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)


def json_schema(model: type[Strict] = Preset) -> dict[str, Any]:
    """The JSON Schema of presets, as plain values: for editors that help while one is written."""
    schema: dict[str, Any] = model.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    loaded: dict[str, Any] = plain(schema)  # nothing but plain values is left
    return loaded
