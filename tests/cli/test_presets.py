"""`gigmate presets` and the options that choose what is played: one line for each fault, all that ships holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from gigmate.cli import boundary, main
from gigmate.cli.presets import open_show
from gigmate.engine.errors import ConfigError
from gigmate.engine.gestures import BindingTable
from gigmate.presets.loader import PRESETS_DIR, load_preset, preset_names
from gigmate.presets.schema import Preset, as_text, parse_preset

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path / "config"))
    folder = tmp_path / "config" / "presets"
    folder.mkdir(parents=True)
    return folder


def run(*arguments: object) -> int:
    return boundary.run(main.app, "gigmate", ["presets", *map(str, arguments)])


def test_list_shows_all_and_ones_own(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "mine.yaml").write_text("name: Mine\ndescription: My own.\n")
    (own / "broken.yaml").write_text("name: Broken\ndensty: 1\n")
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(preset_names()) + 2]] == preset_names([own])
    assert any(line.startswith("mine ") and "My own." in line and str(own) in line for line in lines)
    assert any(line.startswith("broken") and "did you mean density?" in line for line in lines)
    assert str(own) in lines[-1]


@pytest.mark.parametrize("name", ["rock", "drums_only", "stage_rock"])
def test_show_prints_a_file_that_says_the_same(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", name) == 0
    values = yaml.safe_load(capsys.readouterr().out)
    assert set(values) == set(Preset.model_fields)
    assert parse_preset(values, "printed") == load_preset(name)


def test_what_is_shown_of_pedals_and_mutes_holds() -> None:
    values = {"name": "A: b", "muted": ["keys"], "pedal": [{"cc": 64, "does": "mute", "part": "bass"}]}
    preset = parse_preset(values, "")
    assert parse_preset(yaml.safe_load(as_text(preset)), "") == preset


def test_check_takes_all_kinds_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bindings = tmp_path / "pedals.yaml"
    bindings.write_text("bindings:\n  - {cc: 64, does: toggle}\n")
    files = [PRESETS_DIR / "funk.yaml", EXAMPLES / "evening.yaml", EXAMPLES / "harbour_lights.chart", bindings]
    assert run("check", *files) == 0
    out = capsys.readouterr().out
    assert "the preset Funk" in out
    assert "a set list of 4 songs" in out
    assert "2. Harbour lights: Late night, 84 bpm, Gm, 35 bars" in out
    assert "[Verse] | Am7 | Dm7/A | Fmaj7 | E7sus4 E7 | Am7 | Dm7/A | Fmaj7 | E7b9 |" in out
    assert "and the band ends" in out
    assert "1 bindings" in out


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", "nmae: A\n", ["nmae", "did you mean name?"]),
        ("a.yaml", "songs:\n- {title: A, chart: '| Cx |'}\n", ["song 1 (A)", "bar 1"]),
        ("a.yaml", "bindings:\n- {cc: 64, does: togle}\n", ["did you mean toggle?"]),
        ("a.chart", "| C | Amn |\n", ["a.chart line 1, bar 2", "did you mean Am?"]),
        ("a.yaml", "name: [\n", ["not YAML"]),
    ],
)
def test_check_answers_a_fault_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, words: list[str]
) -> None:
    (tmp_path / name).write_text(text)
    assert run("check", tmp_path / name) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    for word in words:
        assert word in captured.err


@pytest.mark.parametrize("options", [[], ["--set"]])
def test_schema_is_json(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", *options) == 0
    assert "properties" in json.loads(capsys.readouterr().out)


def test_the_show_of_a_live_run(own: Path, tmp_path: Path) -> None:
    (own / "mine.yaml").write_text("name: Mine\nstyle: ska\n")
    (own / "broken.yaml").write_text("name: B\nstyle: nowhere\n")
    chart = tmp_path / "a.chart"
    chart.write_text("| C |")
    show, faults = open_show("mine", None, chart, BindingTable())
    assert show.preset.name == "Mine"
    assert show.chart is not None
    assert len(faults) == 1
    assert "broken.yaml" in faults[0]
    songs = tmp_path / "set.yaml"
    songs.write_text("songs:\n- title: One\n- {title: Two, preset: funk}\n")
    show, _ = open_show("mine", songs, None, None)
    assert show.preset.name == "Mine"  # songs that name no preset have the one asked for
    with pytest.raises(ConfigError, match="leave one of them out"):
        open_show("rock", songs, chart, None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "none.yaml"], ["no set list file none.yaml"]),
        (["--chart", "none.chart"], ["none.chart"]),
        (["--click-output", "x"], ["--click-output x"]),
        (["--click-output", "1"], ["--click-output 1", "another channel"]),
    ],
)
def test_live_says_what_is_wrong_before_anything_loads(
    options: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert boundary.run(main.live_app, "gigmate-live", options) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    for word in words:
        assert word in captured.err


def test_a_chart_is_shown_as_it_is_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chart = tmp_path / "a.chart"
    chart.write_text("metre: 4/4\n| Am . . . . . . G | C D E F G A B C |\nmetre: 6/8\n| Am . G F . E |\n| C |\n")
    assert boundary.run(main.app, "gigmate", ["presets", "check", str(chart)]) == 0
    shown = capsys.readouterr().out
    assert "| Am . . . . . . G | C D E F G A B C | (2) Am . G F . E | C |" in shown
    again = tmp_path / "again.chart"
    again.write_text("| Am . . . . . . G | C D E F G A B C |")
    assert boundary.run(main.app, "gigmate", ["presets", "check", str(again)]) == 0
