"""The show: the presets to choose from, the songs of the set list, and the current song.

Knows no port and no player: it turns "the next song" into commands that the engine obeys. One thread at a time
(`lists` and the properties: any). Nothing here reads a file after it was made, so that a pedal's step never waits
for a disk.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .engine.charts.chart import Chart
from .engine.commands import (
    BAND_OPTIONS,
    Announce,
    Command,
    MoveSong,
    SelectPreset,
    SelectSong,
    SetChart,
    SetControl,
    SetOption,
    SetPresetLevels,
    SetPresetMix,
    SetPrograms,
    SetSections,
    SetSounds,
    SetTempo,
    SetTimeSource,
    StepPreset,
    StepSong,
)
from .engine.errors import ConfigError
from .engine.gestures import BindingTable
from .engine.part_sounds import PartSound, with_sounds
from .engine.player import PARTS
from .presets.bindings import bindings_of
from .presets.loader import preset_files, read_preset
from .presets.schema import Chords, Preset, PresetError
from .presets.sections import settings_by_name
from .presets.setlist import SetList, Song
from .sound.general_midi import programs_of

OF_SHOW = (SelectPreset, StepPreset, SelectSong, StepSong, MoveSong)
"""The commands that are resolved here."""
CONTROL_NAMES = ("style", "density", "temperature", "top_k", "top_p", "groove", "listening")


def commands_of(preset: Preset) -> list[Command]:
    """The commands that bring a running engine to that preset's sound and habits; its tempo is not among them."""
    commands: list[Command] = [SetControl(name, getattr(preset, name)) for name in CONTROL_NAMES]
    commands += [SetOption(name, getattr(preset, name)) for name in BAND_OPTIONS]
    muted = tuple(part in preset.muted for part in PARTS)
    levels = SetPresetLevels(tuple(preset.levels_db.in_order(PARTS)), muted)
    programs = SetPrograms(tuple(midi_programs_of(preset).values()))
    sections = SetSections(tuple(settings_by_name(preset.sections).items()))
    return [*commands, levels, SetPresetMix(preset.mixed), programs, sections]


def midi_programs_of(preset: Preset) -> dict[str, int]:
    """General MIDI programs of the parts, from 0, in the order of PARTS: the preset's own, else those of the
    instruments that it names as its sound, else those of its style."""
    programs = programs_of(preset.style)
    for part, sound in zip(PARTS, preset.sound.in_order(PARTS), strict=True):
        number = getattr(preset.midi_programs, part)
        if number is not None:
            programs[part] = number - 1
        elif sound.program >= 0:
            programs[part] = sound.program
    return programs


def known_presets(folders: Collection[Path] = ()) -> tuple[dict[str, Preset], list[str]]:
    """All presets that ship or lie in `folders`, by name, and a line for each that does not hold."""
    presets, faults = {}, []
    for name, path in preset_files(tuple(folders)).items():
        try:
            presets[name] = read_preset(path)
        except PresetError as error:
            faults.append(f"left out: {error}")
    return presets, faults


class Show:
    """The evening. Without a set list it is one song: the preset it began with, and a chart if there is one."""

    def __init__(
        self,
        preset: Preset,
        *,
        set_list: SetList | None = None,
        chart: Chart | None = None,
        presets: Mapping[str, Preset] | None = None,
        bindings: BindingTable | None = None,
    ) -> None:
        """With a set list the evening begins with its first song, and `preset` and `chart` play no role.

        `presets` can be stepped through, in their order; `bindings` is told the presets' own.
        """
        self.set_list = set_list
        self._presets = dict(presets or {})
        self._bindings = bindings
        self._number = 1 if set_list is not None else 0
        self._chart = chart if set_list is None else set_list.songs[0].chart
        self._preset = preset if set_list is None else set_list.songs[0].preset
        self._names = list(self._presets)
        self.time_source = "auto"
        """Whom the band follows where a preset leaves it open: as was asked for on the command line."""
        self._told_time_source = "auto"
        self._told_chords = Chords(source="auto")
        self.own_sounds: dict[str, PartSound] = {}
        """What parts sound with whatever a preset says: as was asked for on the command line."""

    @property
    def preset(self) -> Preset:
        """The one that is on."""
        return self._preset

    @property
    def sounds(self) -> tuple[PartSound, ...]:
        """What the parts sound with, as the preset or the command line says."""
        return with_sounds(self._preset.sound.in_order(PARTS), self.own_sounds)

    def later_sounds(self) -> list[tuple[str, PartSound, str]]:
        """Part, sound and style of what the songs of the evening and their sections will want."""
        found = {}
        evening = [(self._preset, self._chart), *((song.preset, song.chart) for song in self._songs)]
        for preset, chart in evening:
            sounds = with_sounds(preset.sound.in_order(PARTS), self.own_sounds)
            found.update(dict.fromkeys(zip(PARTS, sounds, [preset.style] * len(PARTS), strict=True)))
            of_sections = [*settings_by_name(preset.sections).values()]
            of_sections += [section.settings for section in chart.sections] if chart is not None else []
            for settings in of_sections:
                style = settings.style or preset.style
                wanted = with_sounds(sounds, dict(settings.sound or ()))
                found.update(dict.fromkeys(zip(PARTS, wanted, [style] * len(PARTS), strict=True)))
        return list(found)

    @property
    def leads_by_hand(self) -> bool:
        """Whether a preset or song of the evening takes its chords from MIDI."""
        return any(preset.chords.source == "midi" for preset in (self._preset, *(song.preset for song in self._songs)))

    @property
    def chart(self) -> Chart | None:
        """The one that is played by."""
        return self._chart

    @property
    def song(self) -> Song | None:
        """The one that is on; None without a set list."""
        return self._songs[self._number - 1] if self._number else None

    @property
    def _songs(self) -> tuple[Song, ...]:
        return () if self.set_list is None else self.set_list.songs

    @property
    def tempo_bpm(self) -> float:
        """At which it begins; 0: by ear."""
        if self.song is not None:
            return self.song.plays_at_bpm
        if self._chart is not None and self._chart.tempo_bpm:
            return self._chart.tempo_bpm
        return 0.0 if isinstance(self._preset.tempo_bpm, str) else self._preset.tempo_bpm

    def opening(self) -> list[Command]:
        """What the engine is to be told before the first sound. The tempo is the conductor's from the beginning."""
        commands = self._dress(self._preset)
        if self._chart is not None:
            commands.append(SetChart(self._chart))
        return [*commands, self._announce()]

    def resolve(self, command: Command) -> list[Command]:
        """What the engine is to be told, of one of OF_SHOW. Raises ConfigError: no such song, no such preset."""
        if isinstance(command, SelectSong):
            return self._go_to(command.number)
        if isinstance(command, StepSong):
            return self._go_to(self._number + command.by, step=True)
        if isinstance(command, MoveSong):
            return self._move(command.number, command.to)
        if isinstance(command, SelectPreset):
            return self._take(command.name)
        if isinstance(command, StepPreset):
            return self._take(self._stepped(command.by))
        raise ConfigError(f"{type(command).__name__} cannot be handled by a show")

    def put_right(self, written: Chart, now: Chart) -> None:
        """Play that chart where the other one was to be played."""
        if self._chart == written:
            self._chart = now
        if self.set_list is not None:
            songs = tuple(replace(song, chart=now) if song.chart == written else song for song in self._songs)
            self.set_list = replace(self.set_list, songs=songs)

    def describe(self) -> list[str]:
        """What is played, in lines for the musician."""
        lines = [f"preset {self._preset.name}: {self._preset.description}".rstrip(" :")]
        if self.set_list is not None and self.song is not None:
            lines.insert(0, f"{self.set_list.name}: song {self._number} of {len(self._songs)}, {self.song.title}")
            lines += [self.song.notes] if self.song.notes else []
        if not all(sound.neural for sound in self.sounds):
            told = zip(PARTS, self.sounds, strict=True)
            lines.append(", ".join(f"{part} {sound.name}" for part, sound in told))
        if self._chart is not None:
            sections = f" ({', '.join(self._chart.section_names)})" if self._chart.section_names else ""
            lines.append(f"by a chart of {self._chart.bars} bars{sections}")
        return lines

    def lists(self) -> dict[str, Any]:
        """What faces offer to choose from, as plain values: presets, songs, the sections of the chart that is on."""
        chart = self._chart
        return {
            "presets": [{"name": name, "title": preset.name} for name, preset in self._presets.items()],
            "songs": [
                {
                    "title": song.title,
                    "preset": song.preset.name,
                    "tempo_bpm": song.plays_at_bpm,
                    "key": song.key,
                    "notes": song.notes,
                }
                for song in self._songs
            ],
            "song": {} if self.song is None else {"notes": self.song.notes, "lyrics": self.song.lyrics},
            "sections": [] if chart is None else list(chart.section_names),
        }

    def untaught(self, styles: Iterable[str]) -> list[str]:
        """A line for each style of the evening that is not among those a band was taught; none where it says none."""
        taught = list(styles)
        wanted = dict.fromkeys(preset.style for preset in [self._preset, *(song.preset for song in self._songs)])
        return [
            f"this band was not taught {style}: it plays in no style of its own; taught are {', '.join(sorted(taught))}"
            for style in wanted
            if taught and style not in taught
        ]

    # -------------------------------------------------------------------------------------------- how it is done

    def _go_to(self, number: int, step: bool = False) -> list[Command]:
        songs = self._songs
        if not songs:
            raise ConfigError("there is no set list: give one with --set")
        if not 1 <= number <= len(songs):
            if step:
                raise ConfigError("that was the last song" if number > len(songs) else "this is the first song")
            raise ConfigError(f"there is no song {number}: the set list has 1 to {len(songs)}")
        self._number, song = number, songs[number - 1]
        self._preset, self._chart = song.preset, song.chart
        return [*self._dress(song.preset), SetTempo(song.plays_at_bpm), SetChart(song.chart), self._announce()]

    def _move(self, number: int, to: int) -> list[Command]:
        """A song to another place. The one that is on stays on."""
        songs = list(self._songs)
        if self.set_list is None:
            raise ConfigError("there is no set list: give one with --set")
        for place in (number, to):
            if not 1 <= place <= len(songs):
                raise ConfigError(f"there is no song {place}: the set list has 1 to {len(songs)}")
        order = list(range(1, len(songs) + 1))
        order.insert(to - 1, order.pop(number - 1))
        self.set_list = replace(self.set_list, songs=tuple(songs[place - 1] for place in order))
        self._number = order.index(self._number) + 1
        return [self._announce()]

    def _take(self, name: str) -> list[Command]:
        preset = self._presets.get(name)
        if preset is None:
            close = difflib.get_close_matches(name[:100], self._names, n=1, cutoff=0.5)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise ConfigError(f"there is no preset {name[:60]!r}{hint}: see `gigmate presets list`")
        self._preset = preset
        commands = self._dress(preset)
        if not self._number and not (self._chart is not None and self._chart.tempo_bpm):  # else it is the song's
            commands.append(SetTempo(0.0 if isinstance(preset.tempo_bpm, str) else preset.tempo_bpm))
        return [*commands, self._announce()]

    def _stepped(self, by: int) -> str:
        if not self._names:
            raise ConfigError("there are no presets to step through")
        here = next((place for place, name in enumerate(self._names) if self._presets[name] == self._preset), None)
        if here is None:
            here = -1 if by > 0 else 0
        return self._names[(here + by) % len(self._names)]

    def _dress(self, preset: Preset) -> list[Command]:
        if self._bindings is not None:
            self._bindings.set_preset(bindings_of(preset.pedal))
        commands = [*commands_of(preset), SetSounds(self.sounds)]
        wanted = self.time_source if preset.time_source == "auto" else preset.time_source
        if wanted != self._told_time_source:  # else what was chosen by hand stays
            self._told_time_source = wanted
            commands.append(SetTimeSource(wanted))
        if preset.chords != self._told_chords:
            self._told_chords = preset.chords
            commands += [SetOption(name, value) for name, value in preset.chords.options.items()]
        return commands

    def _announce(self) -> Announce:
        song = self.song
        title = song.title if song is not None else ("" if self._chart is None else self._chart.title)
        return Announce(self._preset.name, title, self._number, len(self._songs))
