"""Instruments for programs: the same samples as on stage, again and again, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate import Band
from gigmate.engine.errors import ConfigError
from gigmate.engine.player import PARTS
from gigmate.sound import banks
from gigmate.sound.fluid_library import InstrumentError, fluid_library

from .sound.tiny_bank import write_bank

RATE_HZ = 44_100

try:
    fluid_library()
except InstrumentError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(autouse=True)
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(banks, "FOLDERS", ())
    monkeypatch.setenv("GIGMATE_CONFIG_DIR", str(tmp_path))
    path = write_bank(tmp_path / "all.sf2", tuple(range(128)), (0,))
    monkeypatch.setenv(banks.VARIABLE, str(path))
    return path


@pytest.fixture
def tiny_band(tiny_weights: Path) -> Band:
    return Band.load(tiny_weights)


def lead(seconds: float) -> np.ndarray:
    n = np.arange(round(seconds * RATE_HZ))
    stroke = np.exp(-(n % (RATE_HZ // 2)) / (0.05 * RATE_HZ))
    return (0.3 * stroke * np.sin(2 * np.pi * 220 * n / RATE_HZ)).astype(np.float32)


def test_instruments_play_the_same_samples_again_and_on_stage(
    tiny_weights: Path, tiny_band: Band, tmp_path: Path
) -> None:
    from gigmate.engine.commands import SetControl, SetPresetMix, SetSounds
    from gigmate.engine.config import EngineConfig
    from gigmate.engine.part_sounds import in_order, sounds_of
    from gigmate.engine.ports import open_port
    from gigmate.engine.run.live_engine import Engine
    from gigmate.engine.timing.conductor import Conductor
    from gigmate.model.accompanist import load_player
    from gigmate.presets.loader import load_preset
    from gigmate.sound.rack import Rack

    audio, sound = lead(3.0), "instruments,bass=neural"
    music = tiny_band.accompany(audio, RATE_HZ, seed=3, ahead_frames=None, sound=sound)
    again = tiny_band.accompany(audio, RATE_HZ, seed=3, ahead_frames=None, sound=sound)
    neural = tiny_band.accompany(audio, RATE_HZ, seed=3, ahead_frames=None, sound="neural")
    for part in PARTS:
        np.testing.assert_array_equal(music.parts[part], again.parts[part])
    assert music.notes == neural.notes, "what sounds changes nothing of what is played"
    np.testing.assert_array_equal(music.parts["bass"], neural.parts["bass"])
    assert any(note.part == "drums" for note in music.notes)
    assert np.abs(music.parts["drums"]).max() > 0.001

    soundfile.write(tmp_path / "lead.wav", audio, RATE_HZ, "FLOAT")
    config = EngineConfig(
        backend="file", input_file=str(tmp_path / "lead.wav"), record_file=str(tmp_path / "record.wav"),
        realtime=False, start_playing=True, wait_for_musician=False, seed=3,
    )  # fmt: skip
    player, port = load_player(tiny_weights, seed=3), open_port(config)
    with Engine(config, player, Conductor(float(RATE_HZ), harmonist=player.harmonist), port) as engine:
        assert engine.play_instruments(Rack(RATE_HZ, patient=True))
        engine.post(SetControl("style", "rock"))
        engine.post(SetPresetMix(load_preset("rock").mixed))
        engine.post(SetSounds(in_order(sounds_of(sound))))
        engine.start()
        assert engine.wait(60)
        assert engine.status.sounds == ("standard kit", "neural", "rock organ")
    live, _ = soundfile.read(tmp_path / "record.wav", dtype="float32")
    ours = np.concatenate([music.parts[part] for part in PARTS], axis=1)
    np.testing.assert_allclose(live[:, 3:], ours[: len(live)], atol=2.0**-22)


def test_without_a_bank_the_neural_voice_plays_and_it_is_said(tiny_band: Band, bank: Path) -> None:
    bank.unlink()
    music = tiny_band.accompany(lead(1.0), RATE_HZ, seed=3, sound="instruments")
    neural = tiny_band.accompany(lead(1.0), RATE_HZ, seed=3, sound="neural")
    for part in PARTS:
        np.testing.assert_array_equal(music.parts[part], neural.parts[part])
    assert any("no bank of instruments was found" in line for line in music.warnings)


@pytest.mark.parametrize("sound", ["rhodes", "keys=kazoo", "choir=neural", ""])
def test_a_sound_that_does_not_exist_is_said(tiny_band: Band, sound: str) -> None:
    with pytest.raises(ConfigError):
        tiny_band.accompany(lead(0.1), RATE_HZ, sound=sound)
