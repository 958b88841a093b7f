"""What is played, and how the band behaves: presets, songs, charts, options, chords by hand. Values; any thread."""

from __future__ import annotations

from dataclasses import dataclass

from .stamp import NOW


@dataclass(frozen=True, slots=True)
class SelectPreset:
    """A preset by name. Resolved by the session into the commands above. Any thread."""

    name: str


@dataclass(frozen=True, slots=True)
class StepPreset:
    """So many presets on (or back, negative). Resolved by the session. Any thread."""

    by: int = 1


@dataclass(frozen=True, slots=True)
class SelectSong:
    """A song of the set list, counted from 1. Resolved by the session. Any thread."""

    number: int


@dataclass(frozen=True, slots=True)
class StepSong:
    """So many songs on (or back). Resolved by the session. Any thread."""

    by: int = 1


@dataclass(frozen=True, slots=True)
class MoveSong:
    """A song of the set list to another place; both count from 1. Resolved by the session. Any thread."""

    number: int
    to: int


@dataclass(frozen=True, slots=True)
class NextAtEnd:
    """The next song comes when this one ends, or does not; None turns it over. Any thread."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class SetChart:
    """Play by this chord chart (engine.chart.Chart); None: by ear again. Any thread."""

    chart: object | None


@dataclass(frozen=True, slots=True)
class SetSections:
    """What a preset says that sections of these names ask of the band (charts.section_settings.SectionSettings): a
    chart's own word counts more. Any thread."""

    settings: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class JumpSection:
    """At the next bar line go to the chart's section of that name; an empty name: the one after this one.

    Any thread.
    """

    name: str = ""


@dataclass(frozen=True, slots=True)
class SetOption:
    """How the band behaves from now on: one of BAND_OPTIONS or HAND_OPTIONS, as a preset may ask. Any thread."""

    name: str
    value: float | int | str


BAND_OPTIONS = (
    "when_silent",
    "when_clock_stops",
    "start_at",
    "fills",
    "chart_place",
    "count_in",
    "click_db",
    "ceiling_dbfs",
)
HAND_OPTIONS = ("chords", "chords_hold", "chords_split", "chords_side", "chords_channel")  # harmony/chord_hand.py


@dataclass(frozen=True, slots=True)
class HandMessage:
    """A MIDI note or controller for a hand that leads; status 0xFF: the device has gone. Any thread."""

    status: int
    number: int = 0
    value: int = 0
    at_sample: int = NOW
    device: str = ""


@dataclass(frozen=True, slots=True)
class Announce:
    """What the snapshot shall say is played: names of the preset and the song. The session posts it. Any thread."""

    preset: str = ""
    song: str = ""
    song_number: int = 0
    songs: int = 0
