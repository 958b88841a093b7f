"""The whole engine on the file port: in place to the sample, repeatable, and alive whatever the player does."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gigmate.engine.commands import (
    Panic,
    Quit,
    SetControl,
    SetLevel,
    Start,
    Stop,
    Tap,
    Toggle,
)
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.output.recorder import CHANNELS
from gigmate.engine.player import Controls, Moment, Player
from gigmate.engine.ports import open_port
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import GridConductor

from ..fakes import Clicker, DeadPort, FakePlayer, Improviser, Singer, wait_until, write_noise


def run(config: EngineConfig, player: Player, bpm: float = 200.0, first_beat: float = 0.0) -> Engine:
    port = open_port(config)
    with Engine(config, player, GridConductor(bpm, 4, port.rate_hz, first_beat), port) as engine:
        engine.start()
        assert engine.wait(60)
    return engine


def config_for(folder: Path, rate_hz: int = 48_000, seconds: float = 1.2, **more: object) -> EngineConfig:
    settings: dict[str, object] = {
        "input_file": str(write_noise(folder / "lead.wav", rate_hz, seconds)),
        "output_file": str(folder / "band.wav"),
        "output_channels": (1,),
        "backend": "file",
        "realtime": False,
        "start_playing": True,
    }
    return EngineConfig(**{**settings, **more})  # type: ignore[arg-type]


def band(config: EngineConfig) -> np.ndarray:
    assert config.output_file is not None
    return soundfile.read(config.output_file, dtype="float32")[0]


def peak_near(sound: np.ndarray, place: float, reach: int) -> float:
    """Position of the highest sample near a place, between samples by a parabola."""
    start = max(1, round(place) - reach)
    i = start + int(np.argmax(np.abs(sound[start : round(place) + reach])))
    before, here, after = np.abs(sound[i - 1 : i + 2]).astype(float)
    return i + 0.5 * (before - after) / (before - 2 * here + after)


# The key promise: what is played on the beat is heard on the beat. Every rate, block and loop delay appears.
IN_PLACE = [
    # rate, block, round trip in ms, play delay and listening delay of the player in its samples
    (44_100, 16, 0.0, 320, 0),
    (44_100, 128, 60.0, 320, 1280),
    (44_100, 2048, 13.7, 0, 0),
    (48_000, 64, 0.0, 320, 2560),
    (48_000, 256, 25.3, 0, 0),
    (48_000, 1024, 41.1, 320, 0),
    (48_000, 2048, 60.0, 321, 0),
    (96_000, 16, 5.1, 320, 0),
    (96_000, 512, 37.0, 960, 0),
    (96_000, 2048, 60.0, 320, 1280),
]


@pytest.mark.parametrize(("rate_hz", "block", "round_trip_ms", "play_delay", "listen_delay"), IN_PLACE)
def test_an_impulse_on_the_beat_is_heard_on_the_beat(
    rate_hz: int, block: int, round_trip_ms: float, play_delay: int, listen_delay: int, tmp_path: Path
) -> None:
    round_trip = round(round_trip_ms * rate_hz / 1000)
    config = config_for(tmp_path, rate_hz, block_samples=block, round_trip_samples=round_trip)
    first_beat = 0.0371 * rate_hz
    engine = run(config, Clicker(play_delay, listen_delay), 200.0, first_beat)
    sound = band(config)
    assert abs(sound.size - 1.2 * rate_hz) <= 1
    checked = 0
    for beat in range(1, 20):
        heard_at = first_beat + beat * 0.3 * rate_hz  # position in the input
        out_at = heard_at - round_trip  # what is played at n is heard with the input at n + round trip
        if 0.35 * rate_hz < heard_at and out_at < sound.size - 200:
            assert abs(peak_near(sound, out_at, round(0.1 * rate_hz)) - out_at) < 1.0
            checked += 1
    assert checked >= 2
    report = engine.report()
    assert report["misses"] == {"frames": 0, "episodes": 0, "blocks": 0, "samples": 0}
    assert sum(report["ahead"]["by_stage_samples"].values()) == pytest.approx(report["ahead"]["samples"])
    assert report["ahead"]["hearing_samples"] > listen_delay * rate_hz / 32_000
    assert report["round_trip"] == {"samples": round_trip, "source": "measured"}


def test_the_same_input_and_seed_give_the_same_samples(tmp_path: Path) -> None:
    sounds = []
    for seed, block in ((5, 128), (5, 128), (5, 1000), (6, 128)):
        config = config_for(tmp_path, block_samples=block, seed=seed, seconds=0.8)
        run(config, Improviser())
        sounds.append(band(config))
    assert np.abs(sounds[0]).max() > 0.1
    np.testing.assert_array_equal(sounds[0], sounds[1])
    np.testing.assert_array_equal(sounds[0], sounds[2])
    assert not np.array_equal(sounds[0], sounds[3])


def test_commands_act_between_steps(tmp_path: Path) -> None:
    config = config_for(tmp_path, seconds=2.0, start_playing=False)
    player = Singer()
    port = open_port(config)
    with Engine(config, player, GridConductor(120, 4, port.rate_hz), port) as engine:

        def at(frame: int, *commands: object) -> None:
            player.at[frame] = lambda: [engine.post(command) for command in commands] and None  # type: ignore[arg-type]

        at(4, SetLevel("drums", -6.0), SetControl("density", 0.9), SetControl("style", "funk"))
        at(8, SetLevel("flute", 0.0), SetControl("volume", 1), SetControl("top_p", 7.0), Tap(-1))
        at(12, Toggle(), Toggle())
        at(16, Stop())
        engine.post(Start())
        engine.start()
        assert engine.wait(60)
        status = engine.status
    sound = band(config)
    frame = 1920
    assert np.abs(sound[3 * frame : 5 * frame]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(sound[8 * frame : 12 * frame]).max() == pytest.approx(0.25, abs=0.01)
    assert np.abs(sound[24 * frame :]).max() == 0.0
    assert (player.controls.density, player.controls.style) == (0.9, "funk")
    assert len(player.moments) < 22, "nothing is made while the band rests"
    assert len(player.heard) == 50, "it listens all the time"
    assert engine.report()["faults"]["command"] == 3
    assert any("flute" in warning for warning in status.warnings)
    assert status.state == "ended"
    assert np.abs(np.diff(sound)).max() < 0.03, "no click at any of it"


def test_panic_and_quit(tmp_path: Path) -> None:
    config = config_for(tmp_path, seconds=3.0)
    player = Singer()
    port = open_port(config)
    with Engine(config, player, GridConductor(120, 4, port.rate_hz), port) as engine:
        player.at[5] = lambda: engine.post(Panic())  # type: ignore[func-returns-value]
        player.at[0] = lambda: threading.Timer(0.4, engine.post, (Quit(),)).start()  # type: ignore[func-returns-value]
        engine.start()
        assert engine.wait(60)
        assert len(player.resets) == 2
    sound = band(config)
    assert np.abs(sound[2 * 1920 : 4 * 1920]).max() > 0.4
    assert np.abs(sound[9 * 1920 :]).max() == 0.0


def raising() -> np.ndarray:
    raise RuntimeError("no idea")


FAULTY = {
    "raising": raising,
    "nan": lambda: np.full((3, 1280), np.nan, np.float32),
    "infinite": lambda: np.full((3, 1280), np.inf, np.float32),
    "wrong shape": lambda: np.zeros((3, 1279), np.float32),
    "no parts": lambda: np.zeros(1280, np.float32),
    "nonsense": lambda: "la la la",
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_frame_is_covered_and_counted(fault: str, tmp_path: Path) -> None:
    config = config_for(tmp_path, seconds=1.6)
    player = Singer()
    for frame in (25, 26):
        player.at[frame] = FAULTY[fault]  # type: ignore[assignment]
    engine = run(config, player, bpm=240)  # a bar is a second
    sound, report = band(config), engine.report()
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 10 ** (-1 / 20)
    assert report["frames"] == {"made": 38, "late": 0, "skipped": 0, "failed": 2}
    assert report["misses"]["episodes"] == 1
    assert report["misses"]["samples"] == 2 * 1920
    assert report["faults"]["player_play"] == 2
    assert len([w for w in report["warnings"] if "model failed" in w]) == 1
    covered = sound[27 * 1920 : 29 * 1920]
    assert covered.std() > 0.2, "the last bar sounds in its place"
    assert np.abs(np.diff(sound)).max() < 0.05


def test_a_player_that_goes_on_failing_starts_anew(tmp_path: Path) -> None:
    player = Singer()
    for frame in range(5, 10):
        player.at[frame] = raising
    engine = run(config_for(tmp_path), player)
    assert engine.report()["frames"]["failed"] == 10, "five, and five again after it has begun anew"
    assert len(player.resets) == 2, "at the beginning, and after five failures in a row"


def test_a_player_that_cannot_listen_still_plays(tmp_path: Path) -> None:
    player = Singer()
    player.listen = lambda chunk: raising()  # type: ignore[method-assign]
    config = config_for(tmp_path, seconds=0.6)
    engine = run(config, player)
    assert np.abs(band(config)).max() > 0.4
    assert engine.report()["faults"]["player_listen"] >= 10


def test_a_hanging_player_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gigmate.engine.run.live_engine._STOP_TIMEOUT_S", 0.3)
    monkeypatch.setattr("gigmate.engine.run.live_engine._STALE_S", 0.2)
    config = config_for(tmp_path, realtime=True, seconds=5.0)
    player, release = Singer(), threading.Event()
    player.at[5] = lambda: release.wait(30) and None  # type: ignore[assignment]
    port = open_port(config)
    engine = Engine(config, player, GridConductor(120, 4, port.rate_hz), port)
    engine.start()
    assert wait_until(lambda: "model_hangs" in engine.report()["faults"] or engine.status.state == "fallback")
    begin = time.monotonic()
    engine.close()
    engine.close()
    assert time.monotonic() - begin < 5
    assert any("does not answer" in warning for warning in engine.report()["warnings"])
    release.set()


def test_too_slow_a_player_is_covered_while_it_still_listens(tmp_path: Path) -> None:
    config = config_for(tmp_path, realtime=True, seconds=2.0)
    player = Singer()
    player.always = lambda: time.sleep(0.07)  # type: ignore[assignment,func-returns-value]
    engine = run(config, player)
    report = engine.report()
    assert report["misses"]["episodes"] >= 1
    assert report["frames"]["skipped"] >= 1
    assert report["ahead"]["grown"] >= 1 or report["ahead"]["frames"] > 2
    assert len(player.heard) == 50
    assert report["input"]["dropped_samples"] == 0
    assert report["callbacks"]["served"] == 375
    assert report["step_ms"]["p50"] >= 70


def test_a_lost_server_ends_the_run_with_a_word() -> None:
    port = DeadPort()
    with Engine(EngineConfig(start_playing=True), FakePlayer(), GridConductor(120, 4, 48_000), port) as engine:
        engine.start()
        assert not engine.wait(0.1)
        port.lose()
        assert engine.wait(20)
        assert engine.status.state == "ended"
        assert any("went away" in warning for warning in engine.status.warnings)
    assert engine.report()["faults"]["port_lost"] == 1


def test_a_port_that_will_not_start_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: DeadPort, bridge: object) -> None:
        raise EngineError("the device is busy: close the other program")

    monkeypatch.setattr(DeadPort, "_start", refuse)
    monkeypatch.setattr("gigmate.engine.run.live_engine._STOP_TIMEOUT_S", 30.0)
    engine = Engine(EngineConfig(), FakePlayer(), GridConductor(120, 4, 48_000), DeadPort())
    begin = time.monotonic()
    with pytest.raises(EngineError, match="busy"), engine:
        engine.start()
    assert engine.wait(0)
    assert time.monotonic() - begin < 20


def test_stop_without_a_sound_returns() -> None:
    engine = Engine(EngineConfig(), FakePlayer(), GridConductor(120, 4, 48_000), DeadPort())
    engine.start()
    engine.stop()
    assert engine.wait(5)
    engine.close()
    Engine(EngineConfig(), FakePlayer(), GridConductor(120, 4, 48_000), DeadPort()).close()


def test_a_rate_that_does_not_fit_is_refused() -> None:
    port = DeadPort(44_056)
    with pytest.raises(ConfigError, match="44056 Hz"):
        Engine(EngineConfig(), FakePlayer(), GridConductor(120, 4, 44_056), port)


def test_a_recording_that_cannot_be_is_refused(tmp_path: Path) -> None:
    config = EngineConfig(record_file=str(tmp_path / "no" / "r.wav"))
    with pytest.raises(EngineError, match="cannot be written"):
        Engine(config, FakePlayer(), GridConductor(120, 4, 48_000), DeadPort())


def test_the_recording_is_aligned_as_the_musician_hears_it(tmp_path: Path) -> None:
    round_trip = 1_234
    record = tmp_path / "take.wav"
    config = config_for(tmp_path, seconds=1.6, round_trip_samples=round_trip, record_file=str(record))
    engine = run(config, Clicker(320))
    channels, rate_hz = soundfile.read(record, dtype="float32")
    lead, _ = soundfile.read(tmp_path / "lead.wav", dtype="float32")
    assert rate_hz == 48_000
    assert channels.shape == (40 * 1920, 9)
    np.testing.assert_allclose(channels[:, 0], lead[: 40 * 1920], atol=2e-7)
    for beat in (2, 3, 4):
        at = beat * 0.3 * rate_hz
        for channel in (1, 2, 3, 4):  # mix and drums
            assert abs(peak_near(channels[:, channel], at, 4_000) - at) < 1.0
    assert np.abs(channels[:, 5:]).max() < 1e-6
    np.testing.assert_allclose(
        channels[round_trip + 9_600 :, 1], band(config)[9_600 : channels.shape[0] - round_trip], atol=1e-6
    )
    recording = engine.report()["recording"]
    assert recording["seconds"] == pytest.approx(1.6)
    assert recording["channels"] == list(CHANNELS)


class Loud(Singer):
    """Parts that are together far over full scale."""

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        return 4.0 * super().play(moment, controls)


def test_a_recorded_mix_is_what_was_heard_and_its_parts_are_whole(tmp_path: Path) -> None:
    record = tmp_path / "take.wav"
    config = config_for(tmp_path, round_trip_samples=0, record_file=str(record), ceiling_dbfs=-3.0)
    run(config, Loud())
    channels, _ = soundfile.read(record, dtype="float32")
    heard = band(config)[: len(channels)]
    assert np.abs(channels[:, 1:3]).max() <= 10 ** (-3.0 / 20)
    np.testing.assert_allclose(channels[4_800:, 1], heard[4_800:], atol=1e-6)  # after the ramp of the start
    np.testing.assert_array_equal(channels[:, 2], channels[:, 1])
    assert np.abs(channels[:, 3:]).max() > 1.5, "the parts are not limited, nor clipped"


def test_the_report_is_plain(tmp_path: Path) -> None:
    import json

    engine = run(config_for(tmp_path, seconds=0.5), Singer())
    report = engine.report()
    assert json.loads(json.dumps(report)) == report
    assert report["rate_hz"] == 48_000
    assert report["sounds"] == {"drums": "neural", "bass": "neural", "keys": "neural"}
    assert report["callbacks"]["served"] == report["callbacks"]["expected"] > 0
    assert report["seconds"] == pytest.approx(0.5)
    assert 0.0 < report["ready_seconds"] <= report["first_sound_seconds"] + 0.05
    assert 0.3 < report["seconds_played"] <= 0.5
    assert report["step_ms"]["steps"] == report["frames"]["made"]
    assert report["step_ms"]["p50"] <= report["step_ms"]["p99"] <= report["step_ms"]["p99.9"]
    assert report["versions"]["numpy"] == np.__version__


def test_the_status_says_where_each_part_is_heard(tmp_path: Path) -> None:
    config = config_for(tmp_path, seconds=0.3, output_channels=(3, 4), part_outputs=(("bass", (6,)),))
    assert run(config, Singer()).status.outputs == ("3,4", "6", "3,4")


@pytest.mark.parametrize(("channels", "cancels"), [((1, 2), True), ((1,), False), ((2, 3), False)])
def test_inputs_that_cancel_are_said_and_each_has_its_meter(
    channels: tuple[int, ...], cancels: bool, tmp_path: Path
) -> None:
    sound = np.random.default_rng(0).normal(0.0, 0.1, 4 * 48_000)
    lead = tmp_path / "three.wav"
    soundfile.write(lead, np.stack([sound, -sound, 0.1 * sound[::-1]], axis=1), 48_000, "FLOAT")
    engine = run(config_for(tmp_path, input_file=str(lead), input_channels=channels), Singer())
    assert ("inputs 1 and 2 cancel: take one (--input 1)" in engine.status.warnings) == cancels
    assert ("inputs_cancel" in engine.report()["faults"]) == cancels
    assert engine.status.input_channels == channels
    assert len(engine.status.channel_db) == len(channels)
