"""What docs/sets.md shows of presets, charts and set lists is read as it stands there; README counts the styles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from gigmate.cli import boundary, main
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.presets.loader import preset_names
from gigmate.presets.schema import STYLES, Preset, parse_preset
from gigmate.presets.setlist import SongEntry, load_set

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETS = (ROOT / "docs" / "sets.md").read_text(encoding="utf-8")


def blocks(text: str, kind: str, word: str) -> list[str]:
    return [block for block in re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) if word in block]


def test_the_preset_of_the_docs() -> None:
    (text,) = blocks(SETS, "yaml", "density")
    preset = parse_preset(yaml.safe_load(text), "sets.md")
    assert preset.when_silent == "go_on"
    assert preset.levels_db.keys == -float("inf")


def test_the_hand_that_leads_in_the_docs() -> None:
    playing = (ROOT / "docs" / "playing.md").read_text(encoding="utf-8")
    (text,) = blocks(playing, "yaml", "chords:")
    chords = parse_preset(yaml.safe_load(text), "playing.md").chords
    assert (chords.source, chords.hold, chords.split, chords.side, chords.channel) == (
        "midi",
        "latched",
        59,
        "below",
        1,
    )


@pytest.mark.parametrize("title", ["Opening blues", "Harbour lights"])
def test_set_lists_play(title: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = blocks(SETS, "yaml", f"title: {title}")
    path = tmp_path / "evening.yaml"
    path.write_text(text, encoding="utf-8")
    first = load_set(path).songs[0]
    assert first.chart is not None
    assert boundary.run(main.app, "gigmate", ["presets", "check", str(path)]) == 0
    assert "a set list of 2 songs" in capsys.readouterr().out
    if title == "Harbour lights":
        assert first.chart.symbol_at(0) == "Bm7"  # moved from A minor to B minor
        assert first.chart.section_names == ("Verse", "Chorus")


def test_the_chart_of_the_docs() -> None:
    (text,) = blocks(SETS, "chart", "title")
    chart = parse_chart(text)
    assert [section.name for section in chart.sections] == ["Intro", "Verse", "Chorus", "Verse", "Outro"]
    assert not chart.loops


def test_the_chart_in_two_metres() -> None:
    (text,) = blocks(SETS, "chart", "[Waltz]")
    chart = parse_chart(text)
    assert [chart.beats_of_bar(bar) for bar in range(chart.bars)] == [4, 4, 4, 2, *[3] * 8, 4, 4, 4, 2]


def test_every_chord_of_the_docs_is_one() -> None:
    (text,) = re.findall(r"Chords are a note.*?\n\n", SETS, re.DOTALL)
    chords = re.findall(r"`(C[^`]*)`", text)
    assert len(chords) > 30
    for chord in chords:
        parse_chart(f"| {chord} |")


def test_every_key_stands_in_the_tables() -> None:
    for key in Preset.model_fields:
        assert re.search(rf"^\| .*`{key}`", SETS, re.MULTILINE), key
    (songs,) = blocks(SETS, "yaml", "title: Opening blues")
    assert set(SongEntry.model_fields) == set(yaml.safe_load(songs)["songs"][0])


def test_figures() -> None:
    assert f"{len(preset_names())} that ship, in {len(STYLES)} styles" in SETS
    assert f"There are {len(STYLES)} styles" in README
    assert f"one of the {len(STYLES)} styles" in SETS
