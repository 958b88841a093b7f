"""`--midi-out` and `--midi-latency`: what does not fit is said before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from gigmate.cli.live.midi_options import open_midi_out
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError


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
