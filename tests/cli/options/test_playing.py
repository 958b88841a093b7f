"""--tempo, --style, --density, --level, --mute: what they change, what they leave, and what cannot be asked."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import soundfile
from gigmate.cli import boundary, complete_job, main
from gigmate.cli.options.playing import AS_IT_IS, Wish, wish_of
from gigmate.cli.presets import open_show
from gigmate.engine.charts.chart_parser import parse_chart
from gigmate.engine.commands import SetControl, SetPresetLevels, StepPreset
from gigmate.engine.errors import ConfigError
from gigmate.presets.loader import load_preset
from gigmate.presets.schema import Preset

EVENING = Path(__file__).resolve().parents[3] / "docs" / "examples" / "evening.yaml"


def test_what_is_not_asked_for_stays() -> None:
    preset, chart = load_preset("funk"), parse_chart("tempo: 90\n| C |")
    assert wish_of(None, None, None, None, None) == AS_IT_IS
    assert AS_IT_IS.first(preset) == AS_IT_IS.every(preset) == preset
    assert AS_IT_IS.chart(chart) == chart and AS_IT_IS.chart(None) is None


def test_what_is_asked_for_wins_over_preset_and_chart() -> None:
    wish = wish_of("120", "swing", 0.2, ["bass=-3", "keys=off"], ["drums"])
    preset = wish.first(load_preset("drums_only"))
    assert (preset.tempo_bpm, preset.style, preset.density) == (120.0, "swing", 0.2)
    assert preset.levels_db.in_order(("drums", "bass", "keys")) == (0.0, -3.0, -math.inf)
    assert preset.muted == ("drums",)
    assert wish.chart(parse_chart("tempo: 90\n| C |")) == parse_chart("tempo: 120\n| C |")
    assert wish.chart(parse_chart("| C |")) == parse_chart("| C |"), "it says none: the preset's is taken"
    follow = Wish(tempo_bpm="follow")
    assert follow.first(preset).tempo_bpm == "follow"
    assert follow.chart(parse_chart("tempo: 90\n| C |")) == parse_chart("| C |")


def test_levels_and_mutes_go_with_the_musicians_through_the_evening() -> None:
    wish = wish_of(None, None, None, ["bass=-6"], ["drums"])
    show, _ = open_show("rock", EVENING, None, None, None, wish)
    assert show.set_list is not None
    for song in show.set_list.songs:
        assert "drums" in song.preset.muted and song.preset.levels_db.bass == -6.0
    for option in (("100", None, None), (None, "swing", None), (None, None, 0.3)):
        with pytest.raises(ConfigError, match="songs of a set list have their own"):
            open_show("rock", EVENING, None, None, None, wish_of(*option, None, None))


def test_a_preset_that_is_left_and_taken_again_is_as_it_was_asked_for() -> None:
    show, _ = open_show("rock", None, None, None, None, wish_of("100", "swing", None, None, ["keys"]))
    assert show.tempo_bpm == 100.0 and SetControl("style", "swing") in show.opening()
    commands = show.resolve(StepPreset(1))
    assert SetControl("style", "swing") not in commands, "another preset is another style"
    muted = next(command.muted for command in commands if isinstance(command, SetPresetLevels))
    assert muted == (False, False, True)
    assert SetControl("style", "swing") in show.resolve(StepPreset(-1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tempo", "10"], "30 to 300"),
        (["--tempo", "nan"], "30 to 300"),
        (["--tempo", "fast"], "or follow"),
        (["--style", "swin"], "did you mean swing?"),
        (["--density", "2"], "0 to 1"),
        (["--density", "nan"], "0 to 1"),
        (["--level", "bass"], "such as bass=-3"),
        (["--level", "tuba=1"], "drums, bass, keys"),
        (["--level", "bass=20"], "12 dB"),
        (["--level", "bass=1", "--level", "bass=2"], "twice"),
        (["--mute", "tuba"], "drums, bass, keys"),
    ],
)
@pytest.mark.parametrize("verb", [["live"], ["complete", __file__], ["play", "127.0.0.1:9"]], ids=lambda verb: verb[0])
def test_what_cannot_be_is_one_line(
    verb: list[str], arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert boundary.run(main.app, "gigmate", [*verb, *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_recording_is_completed_as_it_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[complete_job.Completion] = []
    made = complete_job.Completed((), 8000, 1, seconds=0.1, ahead_frames=1, ahead_ms=40.0, took_s=0.1)
    monkeypatch.setattr("gigmate.cli.complete._load", lambda weights: None)
    monkeypatch.setattr(complete_job, "complete", lambda band, wanted, told: asked.append(wanted) or made)
    soundfile.write(tmp_path / "take.wav", [0.0] * 800, 8000)
    options = ["--tempo", "96", "--style", "soul", "--density", "0.9", "--level", "bass=-2", "--mute", "keys"]
    assert boundary.run(main.app, "gigmate", ["complete", str(tmp_path / "take.wav"), *options]) == 0
    preset = asked[0].preset
    assert isinstance(preset, Preset)
    assert (preset.tempo_bpm, preset.style, preset.density) == (96.0, "soul", 0.9)
    assert preset.levels_db.bass == -2.0 and preset.muted == ("keys",)
