"""Set lists: songs with what belongs to them; what is wrong is named by song, and by line and bar of its chart."""

from __future__ import annotations

from pathlib import Path

import pytest
from gigmate.engine.errors import ConfigError
from gigmate.presets.schema import json_schema
from gigmate.presets.setlist import (
    SetListEntry,
    SetListError,
    SongEntry,
    load_set,
)
from hypothesis import given
from hypothesis import strategies as st

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "evening.yaml"


def write(folder: Path, text: str) -> Path:
    path = folder / "gig.yaml"
    path.write_text(text)
    return path


def test_the_example() -> None:
    evening = load_set(EXAMPLE)
    assert evening.name == "An evening at the harbour"
    assert [song.title for song in evening.songs] == [
        "Opening blues",
        "Harbour lights",
        "Sunday in five",
        "Whatever comes",
    ]
    blues, lights, five, free = evening.songs
    assert blues.plays_at_bpm == 112
    assert blues.chart is not None
    assert blues.chart.bars == 12
    assert blues.chart.symbol_at(7 * 4) == "F#7"
    assert lights.chart is not None
    assert lights.plays_at_bpm == 84  # the chart's own
    assert lights.key == lights.chart.key == "Gm"
    assert lights.chart.symbol_at(0) == "Gm9"
    assert not lights.chart.loops
    assert five.chart is not None
    assert five.chart.beats_per_bar == 5
    assert five.chart.section_names == ("A", "B")
    assert free.chart is None
    assert free.plays_at_bpm == 0
    assert free.preset.style == "funk"


def test_defaults_and_files_beside_the_list(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: Mine\nstyle: ska\ntempo_bpm: 150\n")
    (tmp_path / "a.chart").write_text("key: C\n| C | G |")
    path = write(
        tmp_path,
        "songs:\n- title: One\n- {title: Two, preset: mine.yaml, chart: a.chart, key: Eb}\n"
        "- {title: Three, preset: mine.yaml, tempo_bpm: follow}\n",
    )
    one, two, three = load_set(path).songs
    assert load_set(path).name == "gig"
    assert one.preset.style == "rock"
    assert two.preset.name == "Mine"
    assert two.plays_at_bpm == 150
    assert two.chart is not None
    assert two.chart.symbol_at(0) == "Eb"
    assert three.plays_at_bpm == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sogns: []\n", ["sogns", "did you mean songs?"]),
        ("songs: []\n", ["songs", "at least 1"]),
        ("- a\n", ["songs:"]),
        ("songs:\n- {titel: A}\n", ["songs 1.titel", "did you mean title?"]),
        ("songs:\n- {title: A}\n- {preset: rock}\n", ["songs 2.title", "missing"]),
        ("songs:\n- {title: A, preset: rokc}\n", ["song 1 (A)", "did you mean rock?"]),
        ("songs:\n- {title: A, tempo_bpm: 3}\n", ["songs 1.tempo_bpm", "30 to 300"]),
        ("songs:\n- {title: A, key: I}\n", ["songs 1.key", "no key"]),
        ("songs:\n- {title: A, chart: '| C | Xm |'}\n", ["song 1 (A)", "chart line 1, bar 2", "A to G"]),
        (
            "songs:\n- title: B\n- title: A\n  chart: |\n    | C |\n    | Amn |\n",
            ["song 2 (A)", "line 2, bar 1", "Am?"],
        ),
        ("songs:\n- {title: A, chart: none.chart}\n", ["song 1 (A)", "none.chart"]),
        ("songs:\n- {title: A, preset: none.yaml}\n", ["song 1 (A)", "none.yaml"]),
        ("songs:\n- {title: A, chart: c.chart, key: D}\n", ["song 1 (A)", "does not say its key"]),
        ("songs: {a: 1}\n", ["songs"]),
    ],
)
def test_a_fault_is_answered_with_what_to_write(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "c.chart").write_text("| C |")
    with pytest.raises(SetListError) as caught:
        load_set(write(tmp_path, text))
    for word in (*words, "gig.yaml"):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ConfigError)


def test_the_json_schema_says_the_same() -> None:
    schema = json_schema(SetListEntry)
    assert set(schema["properties"]) == set(SetListEntry.model_fields)
    assert set(schema["$defs"]["SongEntry"]["properties"]) == set(SongEntry.model_fields)


@given(st.text(alphabet="songs: titlechar\n-{}[]|&*'\"0é", max_size=80))
def test_any_text_is_a_set_list_or_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        load_set(write(tmp_path_factory.getbasetemp(), "songs:\n" + text))
    except SetListError as error:
        assert "\n" not in str(error)


def test_titles_that_yaml_takes_for_something_else_are_titles(tmp_path: Path) -> None:
    path = tmp_path / "evening.yaml"
    for title in ("1979", "No", "22:22", "2024-05-01", "4e3", "~", "0x10", "1_000", "null"):
        path.write_text(f"name: 31.12\nsongs:\n  - title: {title}\n    preset: rock\n    notes: 12:00\n")
        found = load_set(path)
        assert (found.name, found.songs[0].title, found.songs[0].notes) == ("31.12", title, "12:00")
    path.write_text("songs:\n  - title: #1 Crush\n    preset: rock\n")
    with pytest.raises(SetListError, match=r"title is empty.*# stands in quotes"):
        load_set(path)


def test_keys_are_read_as_others_write_them(tmp_path: Path) -> None:
    path = tmp_path / "evening.yaml"
    path.write_text("songs:\n  - {title: A, key: a, chart: '| Am |'}\n  - {title: B, key: fis-moll}\n")
    assert [song.key for song in load_set(path).songs] == ["Am", "F#m"]
