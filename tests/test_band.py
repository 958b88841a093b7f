"""`from gigmate import Band`: public names, a light import, arrays in and out, on tiny random weights."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import gigmate
import numpy as np
import pytest
from gigmate import Band
from gigmate.engine.errors import ConfigError
from gigmate.engine.mix import FLAT_MIX
from gigmate.engine.player import PARTS
from gigmate.presets.loader import load_preset

RATE_HZ = 44_100


@pytest.fixture
def tiny_band(tiny_weights: Path) -> Band:
    return Band.load(tiny_weights)


def lead(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    n = np.arange(round(seconds * rate_hz))
    stroke = np.exp(-(n % (rate_hz // 2)) / (0.05 * rate_hz))
    return (0.3 * stroke * np.sin(2 * np.pi * 220 * n / rate_hz)).astype(np.float32)


def test_public_names() -> None:
    assert set(gigmate.__all__) == {
        "Accompaniment", "Band", "Chart", "ChartError", "CheckpointError", "ConfigError", "EngineError",
        "FirstDownbeat", "Mix", "Moment", "Music", "NoteChange", "PlayedBeat", "PlayedChord", "PlayedNote",
        "PlayedSection", "Preset", "PresetError", "Score", "Stretch", "__version__", "load_preset",
    }  # fmt: skip
    for name in gigmate.__all__:
        assert name == "__version__" or getattr(gigmate, name).__name__ == name
    public = {name for name in vars(Band) if not name.startswith("_")}
    assert public == {"load", "new_player", "stream", "accompany", "first_downbeat", "first_downbeat_s"}
    fields = set(gigmate.Music.__dataclass_fields__)
    assert fields == {
        "rate_hz",
        "mix",
        "parts",
        "ahead_frames",
        "chart_start_s",
        "score",
        "style",
        "warnings",
        "programs",
    }
    assert {"notes", "beats", "chords", "midi", "mono"} <= set(dir(gigmate.Music))
    assert set(gigmate.__all__) <= set(dir(gigmate))
    with pytest.raises(AttributeError, match="Orchestra"):
        _ = gigmate.Orchestra  # type: ignore[attr-defined]


def test_the_package_alone_is_light() -> None:
    code = "import sys, gigmate; print([m for m in ('torch', 'numba', 'numpy', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_accompany(tiny_band: Band) -> None:
    audio = np.stack([lead(1.5), lead(1.5)], axis=1)
    music = tiny_band.accompany(audio, RATE_HZ, preset="funk", seed=3, sound="neural")
    assert music.rate_hz == RATE_HZ
    assert music.ahead_frames == 1
    assert music.mix.shape == music.parts["bass"].shape == (len(audio), 2)
    assert music.mix.dtype == np.float32
    assert not np.array_equal(music.mix[:, 0], music.mix[:, 1]), "the preset's mix is in stereo"
    flat = tiny_band.accompany(audio, RATE_HZ, preset="funk", seed=3, sound="neural", mix=FLAT_MIX)
    np.testing.assert_array_equal(flat.mono, flat.mix[:, 0], "all is in the middle")
    assert list(music.parts) == list(PARTS)
    assert 0 < np.abs(music.mix).max() <= 10 ** (-1 / 20)
    assert all(0 <= note.start_s < note.end_s <= len(audio) / RATE_HZ for note in music.notes)
    assert music.midi.startswith(b"MThd")
    again = tiny_band.accompany(audio, RATE_HZ, preset="funk", seed=3, sound="neural")
    np.testing.assert_array_equal(again.mix, music.mix)
    assert not np.array_equal(tiny_band.accompany(audio, RATE_HZ, preset="funk", seed=4, sound="neural").mix, music.mix)


def test_what_can_go_wrong_is_caught_by_its_public_name(tiny_band: Band, tmp_path: Path) -> None:
    for error in (gigmate.ConfigError, gigmate.PresetError, gigmate.ChartError):
        assert issubclass(error, gigmate.EngineError), "one name catches all that a caller can mend"
    with pytest.raises(gigmate.ConfigError):
        tiny_band.stream(RATE_HZ, tuning_hz=1.0)
    with pytest.raises(gigmate.PresetError):
        tiny_band.stream(RATE_HZ, preset="polka")
    with pytest.raises(gigmate.ChartError):
        tiny_band.stream(RATE_HZ, chart="| Amn |")
    with pytest.raises(gigmate.CheckpointError):
        Band.load(tmp_path)


def test_the_chords_and_what_a_stream_gives_have_public_types(tiny_band: Band) -> None:
    music = tiny_band.accompany(lead(1.0), RATE_HZ, chart="tempo: 120\n| C7 |", chart_start_s=0.0)
    (chord,) = music.chords
    assert isinstance(chord, gigmate.PlayedChord) and chord.text == "C7" and chord.time_s < 0.1
    stream = tiny_band.stream(RATE_HZ)
    assert isinstance(stream, gigmate.Accompaniment) and isinstance(stream.push(lead(0.5)), gigmate.Stretch)


def test_channels_of_the_input(tiny_band: Band) -> None:
    one = lead(4.0, 8_000)
    cancelling = np.stack([one, -one, np.zeros_like(one)], axis=1)
    assert not tiny_band.accompany(one, 8_000).warnings
    assert not tiny_band.accompany(cancelling, 8_000, input_channels=[1]).warnings
    said = tiny_band.accompany(cancelling, 8_000, input_channels=(1, 2)).warnings
    assert said == ("inputs 1 and 2 cancel: take one (--input 1)",)
    stream = tiny_band.stream(8_000, input_channels=[2])
    np.testing.assert_array_equal(stream.push(cancelling).mix, tiny_band.stream(8_000).push(-one).mix)
    with pytest.raises(ConfigError, match="there is no channel 4"):
        tiny_band.stream(8_000, input_channels=[4]).push(cancelling)
    with pytest.raises(ConfigError, match="counted from 1"):
        tiny_band.stream(8_000, input_channels=[0])


def test_parts_and_continuation(tiny_band: Band) -> None:
    audio = lead(0.7)
    music = tiny_band.accompany(audio, RATE_HZ, parts=("bass",), continue_s=2.0, play_along=False)
    assert list(music.parts) == ["bass"]
    assert len(music.mix) == audio.size + 2 * RATE_HZ
    assert np.abs(music.mix[: audio.size]).max() == 0.0
    assert np.abs(music.mix[audio.size :]).max() > 0.0


def test_streams_at_once_do_not_meet(tiny_band: Band) -> None:
    """Two threads over one set of weights give each what it gives alone."""
    audio = lead(1.0)
    alone = [tiny_band.accompany(audio, RATE_HZ, seed=seed).mix for seed in (1, 2)]
    together: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda s=seed: together.update({s: tiny_band.accompany(audio, RATE_HZ, seed=s).mix}))
        for seed in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for seed in (1, 2):
        np.testing.assert_array_equal(together[seed], alone[seed - 1])


def test_by_a_chart(tiny_band: Band, tmp_path: Path) -> None:
    audio = lead(1.5)
    (tmp_path / "song.chart").write_text("tempo: 120\n| C7 | F7 |")
    played = [
        tiny_band.accompany(audio, RATE_HZ, chart=chart, chart_start_s=0.0)
        for chart in ("tempo: 120\n| C7 | F7 |", str(tmp_path / "song.chart"), tmp_path / "song.chart")
    ]
    assert [music.chart_start_s for music in played] == [0.0, 0.0, 0.0]
    np.testing.assert_array_equal(played[0].mix, played[1].mix)
    np.testing.assert_array_equal(played[0].mix, played[2].mix)
    other = tiny_band.accompany(audio, RATE_HZ, chart="tempo: 120\n| F#m | B |", chart_start_s=0.0)
    assert not np.array_equal(other.mix, played[0].mix), "the chords make a difference"
    found = tiny_band.accompany(audio, RATE_HZ, chart="| C7 |")
    assert found.chart_start_s is not None
    assert tiny_band.accompany(audio, RATE_HZ).chart_start_s is None


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"chart": "| Amn |"}, "did you mean Am"),
        ({"chart": "nowhere.chart"}, "nowhere"),
        ({"chart": "| C |", "chart_start_s": -1.0}, "chart"),
        ({"parts": ("flute",)}, "flute"),
        ({"parts": ()}, "no part"),
        ({"preset": "polka"}, "polka"),
        ({"continue_s": float("nan")}, "continue"),
        ({"ahead_frames": 40}, "ahead"),
    ],
)
def test_what_cannot_be_is_said(tiny_band: Band, options: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        tiny_band.accompany(lead(0.1), RATE_HZ, **options)  # type: ignore[arg-type]


def test_live_is_the_same_band(tiny_weights: Path, tiny_band: Band, tmp_path: Path) -> None:
    """The compiled model on the worker's thread, against the stream here."""
    import soundfile
    from gigmate.engine.commands import SetControl, SetPresetMix
    from gigmate.engine.config import EngineConfig
    from gigmate.engine.ports import open_port
    from gigmate.engine.run.live_engine import Engine
    from gigmate.engine.timing.conductor import Conductor
    from gigmate.model.accompanist import load_player

    audio = lead(2.0)
    soundfile.write(tmp_path / "lead.wav", audio, RATE_HZ, "FLOAT")
    config = EngineConfig(
        backend="file", input_file=str(tmp_path / "lead.wav"), record_file=str(tmp_path / "record.wav"),
        realtime=False, start_playing=True, wait_for_musician=False, seed=3,
    )  # fmt: skip
    port = open_port(config)
    player = load_player(tiny_weights, seed=3)
    with Engine(config, player, Conductor(float(RATE_HZ), harmonist=player.harmonist), port) as engine:
        engine.post(SetControl("style", "rock"))  # as a session does for the default preset
        engine.post(SetPresetMix(load_preset("rock").mixed))
        engine.start()
        assert engine.wait(60)
    live, _ = soundfile.read(tmp_path / "record.wav", dtype="float32")
    music = tiny_band.accompany(audio, RATE_HZ, seed=3, ahead_frames=None, sound="neural")
    assert music.ahead_frames == engine.report()["ahead"]["frames"]
    ours = np.concatenate([music.parts[part] for part in PARTS], axis=1)
    np.testing.assert_allclose(live[:, 3:], ours[: len(live)], atol=2.0**-22)
