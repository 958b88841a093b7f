"""`gigmate listen`: beats of a recording as lines, JSON and clicks; what cannot be is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from gigmate.cli import boundary, main
from gigmate.cli.listen import read_mono, write_clicks
from gigmate.cli.listen_stream import RATE_HZ
from gigmate.dsp.limiter import LOUDEST

from ..engine.performance import Noise, perform, steady


def run(*arguments: object) -> int:
    return boundary.run(main.app, "gigmate", ["listen", *map(str, arguments)])


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    import torch
    from gigmate.model import checkpoint
    from gigmate.model.configs import HarmonyConfig
    from gigmate.model.harmony.chord_network import Harmony
    from gigmate.model.listener import Listener, ListenerConfig

    torch.manual_seed(0)
    config = ListenerConfig(channels=16, dilations=(1, 2))
    checkpoint.save(tmp_path / "listener.safetensors", "listener", Listener(config), config.to_dict())
    harmony = HarmonyConfig(("rock",), units=8, style_size=2, look_bars=(1,))
    checkpoint.save(tmp_path / "harmony.safetensors", "harmony", Harmony(harmony), harmony.to_dict())
    return tmp_path


@pytest.fixture
def entrance_s(monkeypatch: pytest.MonkeyPatch) -> float:
    """Whatever sounds, the listener hears nobody before that, and beats at 100 bpm from then on."""
    from gigmate.cli.listen_stream import FRAME_S, ListeningPlayer
    from gigmate.engine.player import HeardFrame

    begins_s = 3.0
    played = perform(steady(100.0, 20.0), noise=Noise(miss=0.0, false_per_beat=0.0, offbeat=0.0))
    frames = iter(range(10**6))

    def listen(self: object, chunk: np.ndarray) -> HeardFrame:
        frame = next(frames) - round(begins_s / FRAME_S)
        return HeardFrame() if frame < 0 else played.heard(frame)

    monkeypatch.setattr(ListeningPlayer, "listen", listen)
    return begins_s


def test_every_beat_is_a_line_and_a_click(
    weights: Path, entrance_s: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, clicked, midi = tmp_path / "in.wav", tmp_path / "out.wav", tmp_path / "heard.mid"
    soundfile.write(source, np.zeros((12 * 44100, 2)), 44100)
    assert run(source, "--json", "--click", clicked, "--midi", midi, "--weights", weights) == 0
    beats = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(beats) >= 8 and all(1 <= b["beat"] <= b["beats_per_bar"] for b in beats)
    times = [b["seconds"] for b in beats]
    assert times == sorted(times)
    assert entrance_s < times[0] < entrance_s + 4.0, "none is told before somebody plays one"
    assert np.diff(times[2:]) == pytest.approx(0.6, abs=0.05)
    sound, rate_hz = soundfile.read(clicked)
    assert rate_hz == 32000 and abs(len(sound) - 12 * 32000) < 10
    assert np.flatnonzero(sound)[0] / rate_hz == pytest.approx(times[0], abs=0.01)
    assert mido.MidiFile(midi).length == pytest.approx(max(times), abs=1.0)
    assert run(source, "--weights", weights, "--midi", tmp_path / "heard.wav") == 2


def test_beats_are_lines_to_read(
    weights: Path, entrance_s: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(10 * 32000), 32000)
    assert run(tmp_path / "in.wav", "--weights", weights) == 0
    assert " bpm" in capsys.readouterr().out


def test_who_never_hears_a_beat_says_so(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(4 * 32000), 32000)
    assert run(tmp_path / "quiet.wav", "--weights", weights, "--midi", tmp_path / "heard.mid") == 0
    told = capsys.readouterr()
    assert told.out == "" and "no beat was found" in told.err
    assert not [note for note in mido.MidiFile(tmp_path / "heard.mid") if note.type == "note_on"]


def test_playing_is_said_in_json_also_where_the_conductor_computes_it(
    weights: Path, entrance_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from dataclasses import replace

    from gigmate.engine.timing.conductor import Conductor

    said = Conductor.moment
    monkeypatch.setattr(Conductor, "moment", lambda self, now: replace(said(self, now), playing=np.bool_(True)))
    soundfile.write(tmp_path / "in.wav", np.zeros(10 * 32000), 32000)
    assert run(tmp_path / "in.wav", "--json", "--weights", weights) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(json.loads(line)["playing"] is True for line in lines)


def test_clicks_stand_where_the_beats_are(tmp_path: Path) -> None:
    write_clicks(tmp_path / "c.wav", np.zeros(32000, np.float32), [{"seconds": 0.5, "beat": 1}])
    sound, _ = soundfile.read(tmp_path / "c.wav")
    assert np.abs(sound[:16000]).max() == 0 and np.abs(sound[16000:16100]).max() > 0.1


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["none.wav"], 1, "no such file"),
        (["live", "--click", "c.wav"], 2, "--click"),
        (["live", "--backend", "alsa"], 2, "--backend"),
        (["none.wav", "--click", "c.mp3"], 2, ".wav"),
        (["none.wav", "--backend", "alsa"], 2, "--backend"),
        (["."], 1, "is a folder"),
        (["empty.wav"], 1, "contains no sound"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], code: int, word: str, weights: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    soundfile.write("empty.wav", np.zeros(0), 44100)
    assert run(*arguments, "--weights", weights) == code
    error = capsys.readouterr().err
    assert word in error and len(error.splitlines()) == 1


def test_samples_beyond_all_sound_are_taken_as_on_stage(tmp_path: Path) -> None:
    loud = np.array([[np.nan, 0.0], [np.inf, 0.5], [3e38, 3e38], [-3e38, -3e38]], np.float32)
    soundfile.write(tmp_path / "loud.wav", loud, RATE_HZ, "FLOAT")
    np.testing.assert_allclose(read_mono(tmp_path / "loud.wav"), [0.0, 0.25, LOUDEST, -LOUDEST])


def test_channels_are_chosen_and_what_is_wrong_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = np.random.default_rng(0).normal(0.0, 0.1, 4 * 32_000)
    path = tmp_path / "balanced.wav"
    soundfile.write(path, np.stack([sound, -sound], axis=1), 32_000)
    assert np.abs(read_mono(path)).max() < 1e-4
    assert "balanced.wav: inputs 1 and 2 cancel: take one (--input 1)" in capsys.readouterr().err
    np.testing.assert_allclose(read_mono(path, (2,)), -sound, atol=1e-4)
    assert not capsys.readouterr().err
    assert run(path, "--input", "3") == 2
    assert "there is no channel 3" in capsys.readouterr().err
