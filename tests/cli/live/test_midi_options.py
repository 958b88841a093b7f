"""`--midi-out` and `--midi-latency`: what does not fit is said before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from gigmate.cli import boundary, main
from gigmate.cli.live.midi_options import open_midi_out
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.presets.loader import PERFORMANCE_FILE


@pytest.mark.parametrize(
    "fields",
    [
        {"backend": "jack"},
        {"backend": "portaudio"},
        {"backend": "jack", "midi_out": "jack", "midi_latency_ms": 80.0},
        {"backend": "jack", "midi_latency_ms": 80.0},
        {"backend": "jack", "midi_out": "off"},
    ],
)
def test_jack_and_nowhere_open_nothing(fields: dict[str, Any]) -> None:
    assert open_midi_out(EngineConfig(**fields)) is None


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"backend": "portaudio", "midi_out": "jack"}, "the sound system is portaudio"),
        ({"backend": "portaudio", "midi_latency_ms": 50.0}, "give --midi-out as well"),
        ({"backend": "jack", "midi_out": "off", "midi_latency_ms": 50.0}, "give --midi-out as well"),
        ({"backend": "file", "input_file": "a.wav", "realtime": False, "midi_out": "virtual"}, "leave out --fast"),
    ],
)
def test_what_does_not_fit_is_said(fields: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        open_midi_out(EngineConfig(**fields))


@pytest.mark.parametrize("fields", [{"midi_latency_ms": 201.0}, {"midi_latency_ms": -1.0}, {"midi_out": " "}])
def test_values_that_cannot_be(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="--midi-"):
        EngineConfig(**fields)


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (["--midi-out", "jack"], 2, "--midi-out jack: the sound system is file"),
        (["--midi-latency", "12"], 2, "no notes go out"),
        (["--midi-out", "virtual", "--fast"], 2, "leave out --fast"),
        (["--midi-out", "virtual", "--midi-latency", "500"], 2, "from 0 to 200"),
    ],
)
def test_the_verb_says_it_in_one_line(
    options: list[str], code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--input-file", str(PERFORMANCE_FILE), *options]
    assert boundary.run(main.live_app, "gigmate-live", arguments) == code
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1
