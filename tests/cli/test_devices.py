"""`gigmate devices` and the faults of a real (dummy) JACK server, as `gigmate-live` tells of them."""

from __future__ import annotations

import json

import pytest
from gigmate.cli import boundary, devices, main
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import EngineError
from gigmate.engine.ports.port import Device


def test_devices_by_name_and_why_there_are_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed(backend: str, config: EngineConfig) -> list[Device]:
        if backend == "jack":
            raise EngineError("no JACK server answers: start one")
        return [
            Device("portaudio", "Scarlett 2i2", 2, 4, 48_000, "ALSA", default=True),
            Device("portaudio", "HDMI", 0, 8, 44_100, "ALSA"),
        ]

    monkeypatch.setattr(devices, "_list", listed)
    monkeypatch.setattr(devices, "_midi_inputs", lambda: (["FS-6"], ""))
    monkeypatch.setattr(devices, "_midi_outputs", lambda: ["MicroBrute"])
    monkeypatch.setattr(devices, "_jack_midi", lambda server: ["board:out"])
    assert boundary.run(main.app, "gigmate", ["devices"]) == 0
    out = capsys.readouterr().out
    assert "* Scarlett 2i2: 2 in, 4 out, 48000 Hz  (ALSA)" in out
    assert "start one" in out
    assert "midi:\n   FS-6\njack midi:\n   board:out\n" in out
    assert "midi outputs:\n   MicroBrute\n" in out
    assert boundary.run(main.app, "gigmate", ["devices", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert [device["name"] for device in values["devices"]] == ["Scarlett 2i2", "HDMI"]
    assert values["midi_inputs"] == ["FS-6"]
    assert values["midi_outputs"] == ["MicroBrute"]
    assert values["jack_midi_sources"] == ["board:out"]
    assert set(values["unavailable"]) == {"jack"}


@pytest.mark.jack
def test_a_real_server(jack_server, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    name = jack_server.name
    assert boundary.run(main.app, "gigmate", ["devices", "--server", name]) == 0
    assert "system: 4 in, 4 out, 48000 Hz" in capsys.readouterr().out
    for arguments, code, words in (
        (["--input", "9"], 1, ["no input 9", "system:capture_4"]),
        (["--output", "3,9"], 1, ["no output 9", "system:playback_4"]),
        (["--rate", "44100"], 2, ["48000", "--rate"]),
        (["--block", "64"], 2, ["128", "--block"]),
        (["--device", "theremin"], 1, ["theremin"]),
    ):
        assert boundary.run(main.live_app, "gigmate-live", ["--server", name, *arguments]) == code
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        for word in words:
            assert word in error
