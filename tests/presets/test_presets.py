"""Presets: all that ship load; a wrong file is answered with one line that says where and what to write."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from gigmate.engine.errors import ConfigError
from gigmate.engine.mix import HOUSE_MIX, Mix
from gigmate.engine.part_sounds import DEFAULT_SOUND
from gigmate.engine.player import PARTS
from gigmate.presets.loader import DEFAULT_PRESET, load_preset, preset_names
from gigmate.presets.schema import (
    STYLES,
    Levels,
    Preset,
    PresetError,
    as_text,
    json_schema,
    parse_preset,
)
from gigmate.presets.sections import settings_by_name
from gigmate.show import midi_programs_of
from gigmate.training.band.styles import STYLE_NAMES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def error_of(path: Path) -> str:
    with pytest.raises(PresetError) as caught:
        load_preset(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_that_ships_loads(name: str) -> None:
    preset = load_preset(name)
    assert preset.style in STYLES
    assert len(preset.levels_db.in_order(PARTS)) == len(PARTS)


def test_presets_that_ship_sound_different_and_cover_the_styles() -> None:
    presets = [load_preset(name) for name in preset_names()]
    assert DEFAULT_PRESET in preset_names()
    assert {preset.style for preset in presets} == set(STYLES)
    assert len({(p.style, p.density, p.levels_db, p.temperature) for p in presets}) == len(presets)
    assert len({preset.name for preset in presets}) == len(presets)


def test_the_styles_are_those_that_the_band_is_taught() -> None:
    assert STYLES == STYLE_NAMES


def test_levels_have_one_entry_for_each_part() -> None:
    assert tuple(Levels.model_fields) == PARTS


def test_unknown_name_lists_the_names_and_the_nearest() -> None:
    with pytest.raises(PresetError, match=r"did you mean funk\?.*blues_shuffle.*swing"):
        load_preset("fnuk")


def test_preset_error_is_a_usage_error() -> None:
    assert issubclass(PresetError, ConfigError)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: A\ndensty: 0.5\n", ["densty", "did you mean density?"]),
        ("name: A\nlevels_db: {drum: 1.0}\n", ["levels_db.drum", "did you mean drums?", "keys"]),
        ("name: A\nstyle: rokc\n", ["rokc", "did you mean rock?"]),
        ("name: A\ndensity: 1.5\n", ["density", "1.5", "less than or equal to 1"]),
        ("name: A\ndensity: .nan\n", ["density"]),
        ("name: A\ndensity: half\n", ["density", "half", "number"]),
        ("name: A\ntop_k: 1.5\n", ["top_k", "1.5"]),
        ("name: A\ntop_k: true\n", ["top_k"]),
        ("name: A\nlevels_db: {bass: 40}\n", ["levels_db.bass", "-60 to 12"]),
        ("name: A\nlevels_db: loud\n", ["levels_db", "loud"]),
        ("name: A\ntempo_bpm: 10\n", ["tempo_bpm", "30 to 300", "follow"]),
        ("name: A\ntempo_bpm: fast\n", ["tempo_bpm", "fast", "follow"]),
        ("name: A\nstart: soon\n", ["start", "soon", "cold"]),
        ("name: A\ncount_in: 3\n", ["count_in", "3", "2"]),
        ("name: A\nclick_db: 9\n", ["click_db", "-60 to 6"]),
        ("name: A\nclick_db: loud\n", ["click_db", "loud"]),
        ("name: A\ncuont_in: 1\n", ["cuont_in", "did you mean count_in?"]),
        ("name: A\nmuted: [drum]\n", ["muted 1", "drum", "drums"]),
        ("name: A\nmuted: drums\n", ["muted", "drums"]),
        ("name: A\nwhen_silent: play\n", ["when_silent", "play", "go_on"]),
        ("name: A\nstart_at: beat\n", ["start_at", "beat", "bar"]),
        ("name: A\npedal:\n  - {cc: 64, dose: toggle}\n", ["pedal 1.dose", "did you mean does?"]),
        ("name: A\npedal:\n  - {cc: 64, does: togle}\n", ["pedal 1", "did you mean toggle?"]),
        ("name: A\npedal:\n  - {cc: 640, does: toggle}\n", ["pedal 1.cc", "640", "127"]),
        ("name: A\ndescription: Loud: very\n", ["line 2", "in quotes"]),
        ("style: rock\n", ["name", "missing"]),
        ("name: A\nname: B\n", ["line 2", "twice"]),
        ("- a\n- b\n", ["key: value"]),
        ("", ["key: value"]),
        ("name: [\n", ["line", "not YAML"]),
        ("name: !!python/object/apply:os.system ['true']\n", ["not YAML"]),
        ("name: \x00\n", ["not YAML"]),
    ],
)
def test_a_wrong_file_is_answered_with_what_to_write(tmp_path: Path, text: str, words: list[str]) -> None:
    message = error_of(write(tmp_path, text))
    assert "mine.yaml" in message
    for word in words:
        assert word in message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "no preset file" in error_of(tmp_path / "gone.yaml")
    assert "cannot read" in error_of(tmp_path)
    big = tmp_path / "big.yaml"
    big.write_bytes(b"#" * 200_000)
    assert "larger" in error_of(big)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\x89PNG\xff\x80" * 10)
    assert "not YAML" in error_of(binary)


def test_a_path_may_be_given_as_text(tmp_path: Path) -> None:
    path = write(tmp_path, "name: Mine\ndensity: 1\nlevels_db: {drums: off, bass: -3}\ntempo_bpm: 120\n")
    preset = load_preset(str(path))
    assert preset.name == "Mine"
    assert preset.tempo_bpm == 120.0
    levels = preset.levels_db.in_order(PARTS)
    assert math.isinf(levels[0])
    assert levels[1:] == (-3.0, 0.0)


def test_a_part_without_level_is_an_error() -> None:
    with pytest.raises(PresetError, match="no level for part strings"):
        Levels().in_order(("drums", "strings"))


def test_presets_do_not_change() -> None:
    preset = parse_preset({"name": "A"}, "here")
    assert preset == Preset(name="A")
    with pytest.raises(ValueError, match="frozen"):
        preset.density = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("sound", "names"),
    [
        ("instruments", ["instruments"] * 3),
        ("neural", ["neural"] * 3),
        ("{keys: 5}", [DEFAULT_SOUND, DEFAULT_SOUND, "electric piano 1"]),
    ],
)
def test_sounds_for_all_or_part_by_part(tmp_path: Path, sound: str, names: list[str]) -> None:
    preset = load_preset(write(tmp_path, f"name: x\nsound: {sound}\n"))
    assert [one.name for one in preset.sound.in_order(PARTS)] == names
    assert parse_preset(yaml.safe_load(as_text(preset)), "again") == preset


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        ("{keys: pianno}", ["sound.keys", "did you mean piano?"]),
        ("{choir: neural}", ["sound.choir"]),
        ("{drums: 200}", ["counted from 1 to 128"]),
        ("organ", ["sound"]),
    ],
)
def test_a_sound_that_does_not_exist_is_one_line(tmp_path: Path, sound: str, words: list[str]) -> None:
    with pytest.raises(PresetError) as caught:
        load_preset(write(tmp_path, f"name: x\nsound: {sound}\n"))
    assert all(word in str(caught.value) for word in words) and "\n" not in str(caught.value)


def test_programs_of_notes_are_the_presets_or_those_of_its_sound_or_of_the_style(tmp_path: Path) -> None:
    def programs(text: str) -> dict[str, int]:
        return midi_programs_of(load_preset(write(tmp_path, f"name: x\nstyle: swing\n{text}")))

    assert programs("") == {"drums": 0, "bass": 32, "keys": 0}
    assert programs("sound: {bass: 34, keys: rhodes}\nmidi_programs: {keys: 19}\n")["bass"] == 33
    assert programs("sound: {bass: 34, keys: rhodes}\nmidi_programs: {keys: 19}\n")["keys"] == 18
    for wrong in ("midi_programs: {bass: 0}\n", "midi_programs: {bass: 129}\n", "midi_programs: {guitar: 3}\n"):
        with pytest.raises(PresetError):
            programs(wrong)


def test_every_key_has_its_value(tmp_path: Path) -> None:
    text = """\
name: All of it
description: "Loud: very"
style: samba
density: 0.7
levels_db: {drums: -2, bass: off, keys: 1.5}
sound: {drums: kit 1, bass: neural, keys: rhodes, bank: fluid}
mix: {drums: {pan: -0.1, width: 0.4}, keys: {room: 0.3, compression: 0.2}}
room: {decay_s: 0.6, level: 0.8}
muted: [keys]
midi_programs: {bass: 34, keys: 5}
temperature: 1.1
top_k: 50
top_p: 0.9
groove: 0.8
listening: 0.4
tempo_bpm: 96
count_in: 2
click_db: -6
start: now
start_at: bar
when_silent: go_on
when_clock_stops: go_on
chart_place: entrance
fills: ask
sections:
  Chorus: {density: 0.9, level: {keys: 2}, mute: [drums], sound: keys=rhodes, style: funk, feel: half}
chords: {hold: held, split: Bb3, side: above, channel: 3}
time_source: midi_clock
ceiling_dbfs: -3
pedal:
  - {cc: 64, does: ending}
  - {note: 36, does: mute, part: bass}
"""
    preset = load_preset(write(tmp_path, text))
    assert preset.muted == ("keys",)
    assert midi_programs_of(preset) == {"drums": 0, "bass": 33, "keys": 4}
    assert [sound.name for sound in preset.sound.in_order(PARTS)] == ["standard kit", "neural", "electric piano 1"]
    assert preset.sound.in_order(PARTS)[2].bank == "fluid"
    house = HOUSE_MIX.parts
    assert preset.mixed == Mix(
        (
            replace(house[0], pan=-0.1, width=0.4),
            house[1],
            replace(house[2], room=0.3, compression=0.2),
        ),
        decay_s=0.6,
        room_level=0.8,
    )
    assert (preset.count_in, preset.start_at, preset.when_silent) == (2, "bar", "go_on")
    assert (preset.when_clock_stops, preset.chart_place, preset.time_source) == ("go_on", "entrance", "midi_clock")
    assert preset.chords.options == {
        "chords": "midi", "chords_hold": "held", "chords_split": 58, "chords_side": "above", "chords_channel": 3
    }  # fmt: skip
    assert preset.fills == "ask"
    assert settings_by_name(preset.sections)["Chorus"].lines() == [
        "density: 0.9", "level: keys=+2", "mute: drums", "sound: keys=electric piano 1", "style: funk", "feel: half"
    ]  # fmt: skip
    assert [row.does for row in preset.pedal] == ["ending", "mute"]
    assert set(Preset.model_fields) == {line.split(":")[0] for line in text.splitlines() if not line.startswith(" ")}


def test_own_folders_add_presets_and_may_replace_them(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: Mine\n")
    (tmp_path / "rock.yml").write_text("name: My rock\n")
    names = preset_names([tmp_path, tmp_path / "not there"])
    assert "mine" in names
    assert "swing" in names
    assert load_preset("mine", [tmp_path]).name == "Mine"
    assert load_preset("rock", [tmp_path]).name == "My rock"
    with pytest.raises(PresetError, match="did you mean mine"):
        load_preset("mien", [tmp_path])


def test_the_json_schema_says_the_same() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == set(Preset.model_fields)
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["name"]
    assert schema["properties"]["style"]["enum"] == list(STYLES)
    assert all(
        entry.get("description") for name, entry in schema["properties"].items() if name not in ("name", "description")
    )


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.floats(allow_subnormal=False)
    | st.text(max_size=8)
    | st.sampled_from(["off", "follow"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*Preset.model_fields, "nmae", "levels"])


@given(st.dictionaries(KEYS, VALUES, max_size=6) | VALUES)
def test_any_values_are_a_preset_or_one_line(values: object) -> None:
    try:
        preset = parse_preset(values, "here")
    except PresetError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("here: ")
        return
    assert 0 <= preset.density <= 1
    assert all(-60 <= level <= 12 or level == -math.inf for level in preset.levels_db.in_order(PARTS))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text(alphabet="name: rock\n-[]{}!&*#'\"\t01é", max_size=60).map(str.encode))
def test_any_bytes_are_a_preset_or_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(data)
    try:
        load_preset(path)
    except PresetError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("auto", {"chords": "auto"}), ("midi", {"chords": "midi", "chords_hold": "latched"}),
        ("{split: C4}", {"chords": "midi", "chords_split": 60}), ("{split: 0}", {"chords_split": 0}),
        ("{split: C-1}", {"chords_split": 0}), ("{split: G9}", {"chords_split": 127}),
        ("{split: all}", {"chords_split": "all"}),
        ("{split: F#2, source: auto}", {"chords": "auto", "chords_split": 42}),
    ],
)  # fmt: skip
def test_chords_by_hand(tmp_path: Path, written: str, options: dict[str, object]) -> None:
    preset = load_preset(write(tmp_path, f"name: A\nchords: {written}\n"))
    assert options.items() <= preset.chords.options.items()
    assert ("chords_split" in preset.chords.options) == ("split" in written), "else it stays as it was learnt"
    assert load_preset(write(tmp_path, as_text(preset))) == preset


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("ear", ["chords", "midi"]), ("{split: H4}", ["split", "C4"]), ("{split: 128}", ["split", "0 to 127"]),
        ("{split: A9}", ["split"]), ("{split: true}", ["split"]), ("{channel: 17}", ["channel"]),
        ("{hold: latch}", ["hold", "latched"]), ("{zone: 3}", ["zone"]),
    ],
)  # fmt: skip
def test_chords_by_hand_that_cannot_be(tmp_path: Path, written: str, words: list[str]) -> None:
    with pytest.raises(PresetError) as raised:
        load_preset(write(tmp_path, f"name: A\nchords: {written}\n"))
    assert all(word in str(raised.value) for word in words), str(raised.value)
