"""Offline and live are one band: the same samples, whatever the blocks; any rate; the music goes on after the end."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.player import Controls, HeardFrame, Moment
from gigmate.engine.ports import open_port
from gigmate.engine.run.accompaniment import (
    Accompaniment,
    AccompanimentSettings,
    Stretch,
    rate_that_fits,
)
from gigmate.engine.run.input_channels import to_mono
from gigmate.engine.run.live_engine import Engine
from gigmate.engine.timing.conductor import Conducting, Conductor, GridConductor

TOLERANCE = 2.0**-22  # a recording has 24 bits


class Improviser:
    """Noise from its seed, coloured by what it heard and by the moment that it is told."""

    sample_rate_hz, frame_samples, tail_samples, play_delay_samples = 32_000, 1280, 640, 320

    def reset(self, seed: int, ahead_frames: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.moments: list[Moment] = []
        self.ahead = ahead_frames
        self.heard = np.zeros(1280, np.float32)

    def set_ahead(self, ahead_frames: int) -> None:
        self.ahead = ahead_frames

    def listen(self, chunk: np.ndarray) -> HeardFrame:
        self.heard = chunk[640:].copy()
        beat = np.full(4, 0.02, np.float32)
        beat[np.argmax(np.abs(self.heard[:1280].reshape(4, 320)).max(axis=1))] = 0.9
        level_db = 20 * np.log10(np.abs(self.heard).max() + 1e-6)
        return HeardFrame(
            beat=beat if level_db > -30 else beat * 0 + 0.02,
            activity=float(level_db > -50),
            level_db=level_db,
            delay_samples=1280,
        )

    def play(self, moment: Moment, controls: Controls) -> np.ndarray:
        self.moments.append(moment)
        noise = self.rng.standard_normal((3, 1280)) * 0.05
        return (noise + 0.5 * self.heard * moment.beat_phase + 0.1 * moment.bar_phase).astype(np.float32)


class Patient(Improviser):
    """The same, which can also be asked for the sound of several frames at once."""

    def reset(self, seed: int, ahead_frames: int) -> None:
        super().reset(seed, ahead_frames)
        self.drawn: list[np.ndarray] = []
        self.batches: list[int] = []

    def draw(self, moment: Moment, controls: Controls) -> None:
        self.drawn.append(self.play(moment, controls))

    def sound(self) -> np.ndarray:
        self.batches.append(len(self.drawn))
        made, self.drawn = np.concatenate(self.drawn, axis=1), []
        return made


def lead(rate_hz: int, seconds: float) -> np.ndarray:
    """Strokes on beats of 100 bpm, with noise, float32 [n]."""
    n = np.arange(round(seconds * rate_hz))
    decay = np.exp(-(n % round(0.6 * rate_hz)) / (0.03 * rate_hz))
    noise = np.random.default_rng(3).standard_normal(n.size)
    return (0.3 * decay * np.sin(2 * np.pi * 220 * n / rate_hz) + 0.003 * noise).astype(np.float32)


class Played(NamedTuple):
    """The whole of it, on one loudspeaker and on two."""

    mix: np.ndarray
    parts: np.ndarray
    stereo: Stretch


def play_through(band: Accompaniment, sound: np.ndarray, block: int, more: int = 0) -> Played:
    pieces = [band.push(sound[at : at + block]) for at in range(0, len(sound), block)]
    pieces += band.finish(more)
    position = 0
    for piece in pieces:
        assert piece.position_samples == position
        position += piece.samples
    whole = Stretch(0, np.concatenate([p.mix for p in pieces]), np.concatenate([p.parts for p in pieces], axis=1))
    return Played(whole.mono, whole.mono_parts, whole)


def offline(sound: np.ndarray, rate_hz: int, block: int = 1000, more: int = 0, **options: object) -> Played:
    conductor = options.pop("conductor", None) or Conductor(float(rate_hz))
    band = Accompaniment(Improviser(), conductor, rate_hz, AccompanimentSettings(seed=5, **options))  # type: ignore[arg-type]
    return play_through(band, sound, block, more)


@pytest.mark.parametrize(
    ("rate_hz", "block", "seconds"), [(32_000, 64, 2.0), (44_100, 128, 2.03), (48_000, 256, 3.0), (96_000, 1024, 1.7)]
)
def test_live_and_offline_are_the_same_samples(rate_hz: int, block: int, seconds: float, tmp_path: Path) -> None:
    sound = lead(rate_hz, seconds)
    soundfile.write(tmp_path / "lead.wav", sound, rate_hz, "FLOAT")
    config = EngineConfig(
        backend="file", input_file=str(tmp_path / "lead.wav"), output_file=str(tmp_path / "band.wav"),
        record_file=str(tmp_path / "record.wav"), output_channels=(1,), realtime=False, block_samples=block,
        start_playing=True, wait_for_musician=False, seed=5,
    )  # fmt: skip
    port = open_port(config)
    with Engine(config, Improviser(), Conductor(float(rate_hz)), port) as engine:
        engine.start()
        assert engine.wait(60)
        ahead_frames = engine.report()["ahead"]["frames"]
    live, _ = soundfile.read(tmp_path / "band.wav", dtype="float32")
    record, _ = soundfile.read(tmp_path / "record.wav", dtype="float32")
    ours = offline(sound, rate_hz, ahead_frames=ahead_frames)
    assert np.abs(ours.mix).max() > 0.1
    assert ours.mix.size == len(sound)
    np.testing.assert_allclose(live, ours.mix[: live.size], atol=TOLERANCE)
    stems = record[:, 3:].reshape(len(record), 3, 2).swapaxes(0, 1)
    np.testing.assert_allclose(stems, ours.stereo.parts[:, : len(record)], atol=TOLERANCE)
    np.testing.assert_allclose(record[:, 1:3], ours.stereo.mix[: len(record)], atol=TOLERANCE)
    # nobody named the ahead: it is that of a live run
    unnamed = Accompaniment(Improviser(), Conductor(float(rate_hz)), rate_hz)
    assert abs(unnamed.ahead_frames - ahead_frames) <= (block > 256)


@pytest.mark.parametrize(("more", "options"), [(0, {}), (24_000, {"play_along": False}), (9_000, {"wait": True})])
def test_frames_that_are_turned_into_sound_at_once_are_the_same_music(more: int, options: dict[str, bool]) -> None:
    rate_hz, sound = 32_000, lead(32_000, 6.3)
    one_by_one = offline(sound, rate_hz, more=more, ahead_frames=1, **options)
    player = Patient()
    band = Accompaniment(
        player,
        Conductor(float(rate_hz)),
        rate_hz,
        AccompanimentSettings(seed=5, ahead_frames=1, batch_frames=8, **options),
    )
    at_once = play_through(band, sound, 1000, more)
    assert np.abs(one_by_one.mix).max() > 0.1
    np.testing.assert_array_equal(at_once.mix, one_by_one.mix)
    np.testing.assert_array_equal(at_once.parts, one_by_one.parts)
    assert set(player.batches) == {8}


def test_a_player_that_fails_to_draw_or_to_sound_says_so() -> None:
    class Faulty(Patient):
        def sound(self) -> np.ndarray:
            raise RuntimeError("no memory")

    class Wrong(Patient):
        def sound(self) -> np.ndarray:
            return super().sound()[:, :-1]

    class Lost(Patient):
        def draw(self, moment: Moment, controls: Controls) -> None:
            raise RuntimeError("no tokens")

    for player, words in ((Faulty(), "no memory"), (Wrong(), "of shape"), (Lost(), "no tokens")):
        band = Accompaniment(player, Conductor(32_000.0), 32_000, AccompanimentSettings(batch_frames=8))
        with pytest.raises(EngineError, match=words):
            band.push(lead(32_000, 1.0))


def test_live_and_offline_come_in_and_stop_at_the_same_samples(tmp_path: Path) -> None:
    """The band waits for the musician in both, falls silent with them, and comes in again."""
    rate_hz = 32_000
    still = np.zeros(2 * rate_hz, np.float32)
    sound = np.concatenate([still, lead(rate_hz, 10.0), still, still, still, lead(rate_hz, 7.0)])
    soundfile.write(tmp_path / "lead.wav", sound, rate_hz, "FLOAT")
    config = EngineConfig(
        backend="file", input_file=str(tmp_path / "lead.wav"), output_file=str(tmp_path / "band.wav"),
        output_channels=(1,), realtime=False, block_samples=256, start_playing=True, seed=5,
    )  # fmt: skip
    with Engine(config, Improviser(), Conductor(float(rate_hz)), open_port(config)) as engine:
        engine.start()
        assert engine.wait(120)
        ahead_frames = engine.report()["ahead"]["frames"]
    live, _ = soundfile.read(tmp_path / "band.wav", dtype="float32")
    band = Accompaniment(
        Improviser(),
        Conductor(float(rate_hz)),
        rate_hz,
        AccompanimentSettings(seed=5, ahead_frames=ahead_frames, wait=True),
    )
    ours = play_through(band, sound, 1000)
    sounds = np.abs(ours.mix).reshape(-1, rate_hz // 2).max(axis=1) > 0.0
    assert not sounds[:5].any(), "nobody plays yet"
    assert sounds[16:24].all()
    assert not sounds[32:36].all(), "nobody plays any more"
    assert sounds[-4:].all(), "and again"
    assert band.came_in_s is not None
    assert 2.5 < band.came_in_s < 8.0
    np.testing.assert_allclose(live, ours.mix[: live.size], atol=TOLERANCE)


def test_nobody_plays_and_the_band_goes_on_after_the_end() -> None:
    rate_hz = 48_000
    sound = np.zeros(2 * rate_hz, np.float32)
    out = offline(sound, rate_hz, more=rate_hz, wait=True)
    assert np.abs(out.mix[: sound.size]).max() == 0.0
    assert np.abs(out.mix[sound.size + rate_hz // 5 : -2000]).max() > 0.05
    alone = offline(sound, rate_hz, wait=True)
    assert np.abs(alone.mix).max() == 0.0


def test_blocks_do_not_matter() -> None:
    sound = lead(48_000, 1.5)
    whole = offline(sound, 48_000, block=len(sound))
    for block in (1, 1920, 4001):
        if block == 1:
            sound_part = sound[:6000]
            ours = offline(sound_part, 48_000, block=1)
            np.testing.assert_array_equal(ours.mix[:4000], whole.mix[:4000])
        else:
            np.testing.assert_array_equal(offline(sound, 48_000, block=block).mix, whole.mix)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 37_800, 48_000, 192_000])
def test_any_rate_in_place(rate_hz: int) -> None:
    """A click on each beat of the grid comes out on it, at rates whose frames are whole and at those where not."""

    class Clicker(Improviser):
        def play(self, moment: Moment, controls: Controls) -> np.ndarray:
            out = np.zeros((3, 1280), np.float32)
            beat = 32_000 * 60 / moment.tempo_bpm
            k = np.arange(1280) - 320
            at = (1.0 - moment.beat_phase) * beat if moment.beat_phase > 0.5 else -moment.beat_phase * beat
            out[0] = 0.5 * np.exp(-0.5 * ((k - at) / 12.0) ** 2)
            return out

    player = Clicker()
    band_rate_hz = rate_that_fits(rate_hz, player)
    grid = GridConductor(120.0, 4, float(band_rate_hz))
    band = Accompaniment(player, grid, rate_hz, AccompanimentSettings(ahead_frames=2))
    assert band.band_rate_hz == band_rate_hz
    out = play_through(band, lead(rate_hz, 2.0), 777)
    assert out.mix.size == 2 * rate_hz
    for beat_s in (0.5, 1.0, 1.5):
        around = out.mix[round((beat_s - 0.1) * rate_hz) : round((beat_s + 0.1) * rate_hz)]
        assert np.argmax(around) / rate_hz - 0.1 == pytest.approx(0.0, abs=1.1 / rate_hz + 1e-4)


@pytest.mark.parametrize("ahead_frames", [0, 1, 5])
def test_every_ahead(ahead_frames: int) -> None:
    sound = lead(48_000, 1.0)
    out = offline(sound, 48_000, ahead_frames=ahead_frames)
    assert out.mix.size == sound.size
    first = np.flatnonzero(out.mix)[0]
    assert first <= ahead_frames * 1920  # it comes in with the first frame that can be made


class Forgetful(GridConductor):
    """A grid that says that nobody plays, and is never told of what comes after the end."""

    def __init__(self, rate_hz: float) -> None:
        super().__init__(100.0, 4, rate_hz)
        self.heard_until = 0.0

    def hear(self, heard: object, end_position_samples: float, frame_samples: float) -> None:
        self.heard_until = end_position_samples

    def moment(self, position_samples: float) -> Moment:
        import dataclasses

        return dataclasses.replace(super().moment(position_samples), playing=False, confidence=0.1)


def test_the_music_goes_on_after_the_end() -> None:
    rate_hz = 48_000
    sound = lead(rate_hz, 1.03)
    player, conductor = Improviser(), Forgetful(float(rate_hz))
    band = Accompaniment(player, conductor, rate_hz, AccompanimentSettings(seed=5))
    out = play_through(band, sound, 500, more=rate_hz)
    assert out.mix.size == sound.size + rate_hz
    assert np.abs(out.mix[sound.size + 1000 : -2000]).max() > 0.05
    assert abs(out.mix[-1]) < 0.01, "it ends with a ramp"
    assert conductor.heard_until <= len(sound) + 1920
    ahead = band.ahead_frames
    after = player.moments[int(np.ceil(sound.size / 1920)) - ahead + 2 * ahead :]
    assert len(after) > 20
    assert all(moment.playing and moment.confidence >= 0.5 for moment in after)
    plain = offline(sound, rate_hz, conductor=Forgetful(float(rate_hz)))
    np.testing.assert_array_equal(out.mix[: sound.size - 2000], plain.mix[: sound.size - 2000])


def test_only_after_the_end() -> None:
    rate_hz = 44_100
    sound = lead(rate_hz, 0.9)
    out = offline(sound, rate_hz, more=rate_hz // 2, play_along=False)
    assert np.abs(out.mix[: sound.size]).max() == 0.0
    assert np.abs(out.mix[sound.size :]).max() > 0.05
    assert out.mix.size == sound.size + rate_hz // 2


def test_a_long_piece_holds_no_memory() -> None:
    import tracemalloc

    band = Accompaniment(Improviser(), GridConductor(120, 4, 48_000.0), 48_000)
    block = np.zeros(48_000, np.float32)

    def held() -> int:
        return tracemalloc.get_traced_memory()[0]

    for _ in range(3):
        band.push(block)
    tracemalloc.start()
    band.push(block)
    before = held()
    for _ in range(40):
        band.push(block)
    grown = held() - before
    tracemalloc.stop()
    assert grown < 400_000  # the test's own list of moments


def test_a_model_that_fails_is_an_error_in_one_line() -> None:
    class Broken(Improviser):
        def play(self, moment: Moment, controls: Controls) -> np.ndarray:
            return np.full((3, 1280), np.nan, np.float32)

    band = Accompaniment(Broken(), GridConductor(120, 4, 48_000.0), 48_000)
    with pytest.raises(EngineError, match="not finite") as caught:
        band.push(np.zeros(48_000, np.float32))
    assert "\n" not in str(caught.value)


def test_what_is_no_sound_is_refused() -> None:
    for bad in (np.zeros((2, 3, 4)), np.zeros((3, 100)), np.zeros(5, np.int16), np.zeros((3, 0))):
        with pytest.raises(ConfigError):
            to_mono(bad)
    np.testing.assert_array_equal(to_mono(np.array([[1.0, 0.0], [np.nan, 0.5]])), [0.5, 0.25])
    for empty in (np.zeros(0), np.zeros((0, 2))):  # as the last block of a file may be
        assert to_mono(empty).shape == (0,)
    grid: Conducting = GridConductor(120, 4, 48_000.0)
    for rate_hz in (0, 4_000, 10_000_000):
        with pytest.raises(ConfigError, match="sample rate"):
            Accompaniment(Improviser(), grid, rate_hz)
    with pytest.raises(ConfigError, match="ahead"):
        Accompaniment(Improviser(), grid, 48_000, AccompanimentSettings(ahead_frames=99))


def test_after_the_end_nothing_can_be_pushed() -> None:
    band = Accompaniment(Improviser(), GridConductor(120, 4, 48_000.0), 48_000)
    assert sum(piece.samples for piece in band.finish()) == 0
    with pytest.raises(RuntimeError, match="ended"):
        band.push(np.zeros(10, np.float32))
