"""The show: songs and presets become commands, in order, once each; what cannot be changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gigmate.engine.charts.chart import Chart
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import (
    HAND_OPTIONS,
    Announce,
    Command,
    MoveSong,
    SelectPreset,
    SelectSong,
    SetBandLevel,
    SetChart,
    SetControl,
    SetLevel,
    SetMute,
    SetOption,
    SetPresetLevels,
    SetSounds,
    SetTempo,
    SetTimeSource,
    Start,
    StepPreset,
    StepSong,
)
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.engine.gestures import BindingTable
from gigmate.engine.part_sounds import DEFAULT_SOUND, sounds_of
from gigmate.engine.player import PARTS, Controls
from gigmate.presets.loader import load_preset, preset_names
from gigmate.presets.schema import OFF_DB, parse_preset
from gigmate.presets.setlist import SetList, load_set
from gigmate.session import config_with, controls_of
from gigmate.show import Show, known_presets

EVENING = load_set(Path(__file__).resolve().parents[1] / "docs" / "examples" / "evening.yaml")
PRESETS, FAULTS = known_presets()


def one(commands: list[Command], kind: type) -> object:
    found = [command for command in commands if isinstance(command, kind)]
    assert len(found) == 1, found
    return found[0]


def control(commands: list[Command], name: str) -> object:
    return next(command.value for command in commands if isinstance(command, SetControl) and command.name == name)


def evening(set_list: SetList | None = EVENING) -> Show:
    return Show(PRESETS["rock"], set_list=set_list, presets=PRESETS)


def test_all_presets_are_known() -> None:
    assert list(PRESETS) == preset_names()
    assert not FAULTS


def test_an_evening_begins_with_its_first_song() -> None:
    show = evening()
    commands = show.opening()
    assert control(commands, "style") == "blues_shuffle"
    assert one(commands, SetChart) == SetChart(EVENING.songs[0].chart)
    assert commands[-1] == Announce("Blues shuffle", "Opening blues", 1, 4)
    assert show.tempo_bpm == 112


def test_songs_are_stepped_through_and_chosen() -> None:
    show = evening()
    commands = show.resolve(StepSong(1))
    assert one(commands, SetTempo) == SetTempo(84.0)
    chart = one(commands, SetChart)
    assert isinstance(chart, SetChart)
    assert isinstance(chart.chart, Chart)
    assert chart.chart.symbol_at(0) == "Gm9"
    assert control(commands, "style") == "swing"
    assert SetOption("when_silent", "go_on") in commands
    assert one(commands, Announce) == Announce("Late night", "Harbour lights", 2, 4)
    commands = show.resolve(SelectSong(4))
    assert one(commands, SetTempo) == SetTempo(0.0)
    assert one(commands, SetChart) == SetChart(None)
    assert SetOption("when_silent", "stop") in commands  # what the last song asked for is taken back
    with pytest.raises(ConfigError, match="last song"):
        show.resolve(StepSong(1))
    with pytest.raises(ConfigError, match="1 to 4"):
        show.resolve(SelectSong(5))
    assert show.song is EVENING.songs[3]
    assert one(show.resolve(StepSong(-3)), Announce) == Announce("Blues shuffle", "Opening blues", 1, 4)
    with pytest.raises(ConfigError, match="first song"):
        show.resolve(StepSong(-1))


def test_a_song_is_moved_for_tonight_and_the_one_that_is_on_stays_on() -> None:
    show = evening()
    titles = [song.title for song in EVENING.songs]
    show.resolve(SelectSong(2))
    (told,) = show.resolve(MoveSong(2, 1))
    assert isinstance(told, Announce)
    assert (told.song, told.song_number, told.songs) == (titles[1], 1, len(titles))
    assert [song["title"] for song in show.lists()["songs"]] == [titles[1], titles[0], *titles[2:]]
    show.resolve(MoveSong(2, 1))
    assert show.song is not None and (show.song.title, show._number) == (titles[1], 2)
    show.resolve(MoveSong(1, len(titles)))
    assert show._number == 1
    for number, to in ((0, 1), (1, len(titles) + 1)):
        with pytest.raises(ConfigError, match="there is no song"):
            show.resolve(MoveSong(number, to))
    with pytest.raises(ConfigError, match="no set list"):
        evening(None).resolve(MoveSong(1, 2))
    assert [song.title for song in EVENING.songs] == titles, "the file's own order stays"


def test_a_preset_in_a_song_leaves_its_tempo_and_chart() -> None:
    show = evening()
    commands = show.resolve(SelectPreset("stage_rock"))
    assert not [command for command in commands if isinstance(command, (SetTempo, SetChart))]
    assert one(commands, Announce) == Announce("Stage rock", "Opening blues", 1, 4)


def test_presets_without_a_set_list() -> None:
    show = evening(None)
    with pytest.raises(ConfigError, match="--set"):
        show.resolve(StepSong(1))
    commands = show.resolve(SelectPreset("stage_rock"))
    assert one(commands, SetTempo) == SetTempo(120.0)
    assert SetOption("count_in", 1) in commands
    commands = show.resolve(SelectPreset("drums_only"))
    assert one(commands, SetTempo) == SetTempo(0.0)
    assert one(commands, SetPresetLevels).levels_db[PARTS.index("bass")] == OFF_DB  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="did you mean drums_only"):
        show.resolve(SelectPreset("drum_only"))
    assert show.preset == PRESETS["drums_only"]
    assert one(show.resolve(StepPreset(1)), Announce).preset == PRESETS["folk_strum"].name  # type: ignore[attr-defined]
    seen = [one(show.resolve(StepPreset(1)), Announce) for _ in PRESETS]
    assert len(set(seen)) == len(PRESETS)


def test_a_preset_of_ones_own_is_left_for_its_neighbours() -> None:
    show = Show(parse_preset({"name": "Mine"}, ""), presets=PRESETS)
    assert one(show.resolve(StepPreset(1)), Announce).preset == next(iter(PRESETS.values())).name  # type: ignore[attr-defined]


def test_a_chart_without_a_set_list() -> None:
    chart = parse_chart("title: Mine\ntempo: 90\n[A] | C |\n[B] | D |")
    show = Show(PRESETS["rock"], chart=chart, presets=PRESETS)
    assert show.tempo_bpm == 90
    assert one(show.opening(), SetChart) == SetChart(chart)
    assert one(show.opening(), Announce).song == "Mine"  # type: ignore[attr-defined]
    assert show.lists()["sections"] == ["A", "B"]
    assert not [command for command in show.resolve(StepPreset(1)) if isinstance(command, SetTempo)]


def test_mutes_and_pedals_come_and_go_with_the_preset() -> None:
    values = {"name": "Mine", "muted": ["keys"], "pedal": [{"cc": 70, "does": "fill"}]}
    table = BindingTable()
    show = Show(parse_preset(values, ""), presets=PRESETS, bindings=table)
    assert one(show.opening(), SetPresetLevels).muted == (False, False, True)  # type: ignore[attr-defined]
    assert [binding.action.name for binding in table.bindings] == ["fill"]
    commands = show.resolve(SelectPreset("rock"))
    assert one(commands, SetPresetLevels).muted == (False, False, False)  # type: ignore[attr-defined]
    by_hand = (SetLevel, SetMute, SetBandLevel)  # what the musician has changed is not changed back
    assert not [command for command in commands if isinstance(command, by_hand)]
    assert not table.bindings


def test_sounds_come_with_the_preset_unless_the_command_line_says_them() -> None:
    values = {"name": "Mine", "sound": {"keys": "rhodes", "drums": "kit 1"}}
    show = Show(parse_preset(values, ""), presets=PRESETS)
    names = ["standard kit", DEFAULT_SOUND, "electric piano 1"]
    assert [sound.name for sound in one(show.opening(), SetSounds).sounds] == names  # type: ignore[attr-defined]
    commands = show.resolve(SelectPreset("rock"))
    assert [sound.name for sound in one(commands, SetSounds).sounds] == [DEFAULT_SOUND] * 3  # type: ignore[attr-defined]
    show.own_sounds = sounds_of("keys=organ")
    assert [sound.name for sound in show.sounds] == [DEFAULT_SOUND, DEFAULT_SOUND, "drawbar organ"]


def test_faces_are_told_what_there_is() -> None:
    lists = evening().lists()
    assert {"name": "blues_shuffle", "title": "Blues shuffle"} in lists["presets"]
    assert {"name": "cumbia", "title": "Cumbia"} in lists["presets"]
    assert lists["songs"][0]["title"] == "Opening blues"
    assert lists["songs"][0]["key"] == "A"
    assert lists["sections"] == []
    assert Show(PRESETS["rock"]).lists()["songs"] == []


def test_styles_that_a_band_was_not_taught_are_said() -> None:
    assert evening().untaught(()) == []
    taught = ["rock", "blues_shuffle", "swing", "funk"]
    assert evening().untaught(taught) == [line for line in evening().untaught(taught) if "odd_five" in line]
    assert len(evening().untaught(taught)) == 1


def test_what_is_not_its_business_is_refused() -> None:
    with pytest.raises(ConfigError):
        evening().resolve(Start())


def test_a_preset_shapes_config_and_offline_controls() -> None:
    preset = load_preset("stage_rock")
    config = config_with(EngineConfig(), preset)
    assert (config.count_in, config.start_at, config.when_silent) == (1, "bar", "go_on")
    asked = EngineConfig(when_silent="go_on", count_in=2)
    config = config_with(asked, load_preset("rock"))
    assert (config.count_in, config.when_silent) == (2, "go_on")  # what was asked for stays
    muted = preset.model_copy(update={"muted": ("bass",)})
    assert controls_of(muted).levels_db == (1.0, OFF_DB, 1.0)
    assert replace(controls_of(muted), levels_db=(0.0, 0.0, 0.0)) == Controls(
        style="rock", density=0.85, temperature=1.05, top_k=200, top_p=0.97, listening=1.0
    )


def test_a_preset_may_choose_whom_the_band_follows_and_else_the_command_line_does() -> None:
    presets = {
        "plain": parse_preset({"name": "Plain"}, "plain"),
        "led": parse_preset({"name": "Led", "time_source": "midi_clock"}, "led"),
    }
    show = Show(presets["plain"], presets=presets)
    show.time_source = "listener"
    told = [show.opening(), *(show.resolve(SelectPreset(name)) for name in ("led", "plain", "plain"))]
    sources = [[command.name for command in commands if isinstance(command, SetTimeSource)] for commands in told]
    assert sources == [["listener"], ["midi_clock"], ["listener"], []], "what was chosen by hand stays"
    with pytest.raises(ConfigError, match="--time-source sundial"):
        EngineConfig(time_source="sundial")


def test_chords_by_hand_are_told_where_they_differ_and_else_stay_as_they_were_changed() -> None:
    presets = {
        "plain": parse_preset({"name": "Plain"}, "plain"),
        "hand": parse_preset({"name": "Hand", "chords": {"split": "C4"}}, "hand"),
        "other": parse_preset({"name": "Other", "chords": {"split": "C4"}}, "other"),
    }
    show = Show(presets["plain"], presets=presets)

    def of_chords(commands: list[Command]) -> dict[str, object]:
        return {c.name: c.value for c in commands if isinstance(c, SetOption) and c.name in HAND_OPTIONS}

    assert of_chords(show.opening()) == {}
    assert not show.leads_by_hand
    assert of_chords(show.resolve(SelectPreset("hand"))) == {
        "chords": "midi", "chords_hold": "latched", "chords_split": 60, "chords_side": "below", "chords_channel": 0
    }  # fmt: skip
    assert show.leads_by_hand
    assert of_chords(show.resolve(SelectPreset("other"))) == {}
    back = of_chords(show.resolve(SelectPreset("plain")))
    assert (back["chords"], "chords_split" in back) == ("auto", False)
