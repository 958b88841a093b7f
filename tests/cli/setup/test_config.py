"""config.yaml: what is in it is taken where no option is given; what cannot be in it is one line; setup writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from gigmate.cli import boundary, main
from gigmate.cli.setup import config_file
from gigmate.cli.setup.config_file import KEYS, VERBS, defaults_of, parameter_of
from gigmate.engine.errors import ConfigError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    return tmp_path


def gigmate(*words: str) -> int:
    return boundary.run(main.app, "gigmate", list(words))


def test_every_key_is_an_option_of_live_and_each_verb_has_those_that_it_is_given() -> None:
    commands = typer.main.get_command(main.app).commands  # type: ignore[attr-defined]
    for verb, keys in VERBS.items():
        names = {option.name for option in commands[verb].params}
        missing = [key for key in keys if parameter_of(key) not in names]
        assert not missing or verb == "play", missing  # play leaves out what it does not have
    assert set(VERBS["complete"]) <= set(KEYS)


def test_options_win_and_the_file_comes_before_the_defaults(folder: Path) -> None:
    (folder / "config.yaml").write_text("input: [1, 2]\nblock: 64\noutput: 3\nset: evening.yaml\ndevice: Box\n")
    assert defaults_of("live", []) == {
        "input_": "1,2", "block": "64", "output": ["3"], "set_": "evening.yaml", "device": "Box",
    }  # fmt: skip
    seen: dict[str, Any] = {}
    app = typer.Typer()

    @app.command()
    def live(block: int = 128, input_: Annotated[str, typer.Option("--input")] = "1", preset: str = "rock") -> None:
        seen.update(block=block, input=input_, preset=preset)

    assert boundary.run(app, "x", ["--block", "256"], lambda words: defaults_of("live", words)) == 0
    assert seen == {"block": 256, "input": "1,2", "preset": "rock"}
    assert "set_" not in defaults_of("live", ["--preset", "funk"])
    assert not {"device", "input_", "output"} & set(defaults_of("live", ["--input-file=take.wav"]))
    assert defaults_of("complete", []) == {}
    assert defaults_of("devices", []) == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("presets: funk", "did you mean preset?"),
        ("input: {a: 1}", "input"),
        ("block: true", "block"),
        ("no-connect: 1", "true or false"),
        ("output: []", "output"),
        ("- a list", "such as"),
        ("input: 1\ninput: 2", "twice"),
        ("input: [", "not YAML"),
        ("x" * 200_000, "larger"),
    ],
)
def test_what_cannot_be_in_it_is_one_line(
    folder: Path, text: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=word):
        defaults_of("live", [])
    assert boundary.run(main.app, "gigmate", ["live"], main._of_verb) == 2
    said = capsys.readouterr().err
    assert word in said and said.count("\n") == 1
    assert boundary.run(main.app, "gigmate", ["version"], main._of_verb) == 0


def test_setting_showing_and_forgetting(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gigmate("config", "set", "input", "2") == 0
    assert gigmate("config", "set", "level", "bass=-3", "keys=-6") == 0
    assert gigmate("config", "set", "block", "sixty") == 2
    assert gigmate("config", "set", "block", "64", "128") == 2
    assert gigmate("config", "set", "blok", "64") == 2
    capsys.readouterr()
    assert gigmate("config", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["values"]
    assert rows == [
        {"key": "input", "value": "2", "from": "config.yaml"},
        {"key": "level", "value": ["bass=-3", "keys=-6"], "from": "config.yaml"},
    ]
    assert gigmate("config", "--keys") == 0
    assert "preset         rock                         default" in capsys.readouterr().out
    assert gigmate("config", "unset", "input") == 0
    assert gigmate("config", "unset", "input") == 2
    assert config_file.read_config() == {"level": ["bass=-3", "keys=-6"]}


def test_setup_by_a_script(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gigmate("setup", "--yes", "--input", "2", "--output", "3,4", "--pedal", "CC64", "--preset", "funk") == 0
    assert config_file.read_config() == {"input": "2", "output": ["3,4"], "pedal": "CC64", "preset": "funk"}
    assert gigmate("setup", "--yes", "--preset", "swing") == 0
    assert config_file.read_config()["input"] == "2", "what is not given stays"
    capsys.readouterr()
    assert gigmate("setup") == 1
    assert "--yes" in capsys.readouterr().err
    assert gigmate("setup", "--yes", "--pedal", "FS-1") == 2, "no such pedal could be played with"
    assert "such as CC64" in capsys.readouterr().err and gigmate("config", "set", "pedal", "FS-1") == 2


def test_setup_by_questions(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import io
    import sys

    from gigmate.cli.live import midi_learn
    from gigmate.cli.setup import setup_command
    from gigmate.engine.errors import EngineError
    from gigmate.engine.ports import input_levels
    from gigmate.engine.ports.port import Device

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def no_midi(*what: object) -> None:
        raise EngineError("no MIDI to learn from")

    def devices(backend: str) -> list[Device]:
        if backend == "jack":
            raise EngineError("no JACK server runs")
        return [Device("portaudio", "Built-in", 2, 2, 44_100, default=True), Device("portaudio", "Box", 4, 4, 48_000)]

    monkeypatch.setattr(setup_command, "_list", devices)
    monkeypatch.setattr(input_levels, "input_peaks", lambda config: [(1, -80.0), (2, -12.0)])
    stepped: list[tuple[str, float, str | None]] = []
    monkeypatch.setattr(midi_learn, "bind_by_stepping", lambda *what: stepped.append(what))
    monkeypatch.setattr(sys, "stdin", Terminal("9\n2\n\n\n\n3,4\nfunk\n"))
    assert gigmate("setup") == 0
    assert stepped == [("toggle", 15.0, None)]
    assert config_file.read_config() == {
        "backend": "portaudio", "device": "Box", "input": "2", "output": ["3,4"], "preset": "funk",
    }  # fmt: skip
    said = capsys.readouterr().out
    assert "no JACK server runs" in said and "give a number from 1 to 2" in said
    assert "input 2 moves (-12 dB)" in said

    monkeypatch.setattr(input_levels, "input_peaks", lambda config: [(1, -80.0), (2, -90.0)])
    monkeypatch.setattr(midi_learn, "bind_by_stepping", no_midi)
    monkeypatch.setattr(sys, "stdin", Terminal("\n\n\n1\n\n\n"))
    assert gigmate("setup") == 0, "what cannot be found is asked"
    assert config_file.read_config()["input"] == "1"
    said = capsys.readouterr().out
    assert "nothing moves at inputs 1 to 2" in said and "midi-learn toggle" in said

    monkeypatch.setattr(sys, "stdin", Terminal("\nn\nn\n\n\n\n"))
    assert gigmate("setup") == 0, "and both can be left out"
    assert config_file.read_config()["input"] == "1"
