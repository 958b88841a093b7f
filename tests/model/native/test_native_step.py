"""The step in C against the eager modules: the shipped band and a small one, number by number."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.engine.player import Controls, Moment
from gigmate.model.accompanist import Accompanist
from gigmate.model.loading import load_band
from gigmate.model.native.stream import NativeBand, NativeStream
from gigmate.model.runtime import TorchStream
from gigmate.model.weights_file import SHIPPED

from ..asked_frames import wanted
from ..small_band import MOMENT, play, write_small_band

FRAMES = 40


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_band(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module", params=["small", "odd", "shipped"])
def weights(request: pytest.FixtureRequest, small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "odd":
        return write_small_band(tmp_path_factory.mktemp("odd"), odd=True)
    return small if request.param == "small" else SHIPPED


def streams(weights: Path) -> tuple[NativeStream, TorchStream]:
    native, eager = load_band(weights, runtime="native").new_stream(), load_band(weights, compiled=False).new_stream()
    assert isinstance(native, NativeStream) and isinstance(eager, TorchStream)
    native.reset()
    eager.reset()
    return native, eager


def features(frames: int, size: int = 328) -> np.ndarray:
    rng = np.random.default_rng(2)
    slow = np.cumsum(rng.normal(0, 0.05, (frames, size)), axis=0)
    return np.clip(slow + rng.normal(0, 0.2, (frames, size)) - 0.4, -1.0, 1.0).astype(np.float32)


def test_it_hears_what_the_modules_hear(weights: Path) -> None:
    """The maps are rounded to int8: errors are held against how far the answers spread."""
    native, eager = streams(weights)
    said, expected, heard, expected_heard = [], [], [], []
    for row in features(FRAMES):
        said.append(native.listen(row))
        expected.append(eager.listen(row))
        native.hear(row)
        eager.hear(row)
        heard.append(native.encoded())
        assert eager._heard is not None
        expected_heard.append(eager._heard.numpy().ravel().copy())
    for ours, theirs in ((said, expected), (heard, expected_heard)):
        error = np.sqrt(np.mean(np.square(np.array(ours) - np.array(theirs))))
        assert error < 0.03 * np.std(theirs)


def test_it_plays_what_the_modules_play(weights: Path) -> None:
    """The same past for all. Notes are drawn as the float modules draw them at least as often as TorchScript's int8
    draws them so (networks of few random weights are rounded more coarsely than trained ones); the sound of the same
    tokens is the same to 25 dB below it, which is where int8 lies."""
    native, eager = streams(weights)
    other = load_band(weights, runtime="torchscript").new_stream()
    other.reset()
    rng, same, sound, expected, loud = np.random.default_rng(3), [], [], [], []
    for frame, row in enumerate(features(FRAMES)):
        asked = wanted(frame, native._tokens.shape[1], rng)
        for stream in (native, eager, other):
            stream.hear(row)
            stream.draw(asked)
        theirs = (eager.play_state["tokens"].numpy() - 1).astype(np.int32)
        same.append([stream.slots() == eager.slots() for stream in (native, other)])
        (_, ours_db), (_, theirs_db) = native._drawn[-1], eager._drawn[-1]
        loud.append((ours_db, float(theirs_db)))
        for stream in (native, other):
            stream.recall(theirs)
        native._drawn[-1] = (theirs, ours_db)
        other.pass_over()
        sound.append(native.sound())
        expected.append(eager.sound())
    ours, torchs = np.mean(same, axis=(0, 2, 3))
    assert ours > 0.9 and ours >= torchs - 0.005, (ours, torchs)
    np.testing.assert_allclose(*zip(*loud, strict=True), atol=1e-3)
    error = np.concatenate(sound, axis=1) - np.concatenate(expected, axis=1)
    power = np.mean(np.square(np.concatenate(expected, axis=1)), axis=1)
    assert (np.mean(np.square(error), axis=1) < power * 10 ** (-25 / 10)).all()


def test_the_likeliest_is_taken_without_heat_and_limits_hold(small: Path) -> None:
    """The draw alone: with float logits of the same order, argmax, top-k and top-p choose as torch's do."""
    from gigmate.model.generator.sampling import sample_token

    band = NativeBand(small)
    rng = np.random.default_rng(4)
    asked = [(128, 0.9, 100, 0.95), (1024, 0.9, 100, 0.95), (1024, 0.5, 0, 0.9), (33, 0.0, 5, 1.0)]
    asked += [(64, 1.5, 1, 0.95), (64, 1.5, 3, 1.0), (1024, 2.0, 0, 1.0)]
    for count, heat, top_k, top_p in asked:
        for _ in range(40):
            logits = rng.normal(0, 3, count).astype(np.float32)
            noise = float(rng.random())
            expected = sample_token(torch.from_numpy(logits)[None], torch.tensor([noise]), heat, top_k, top_p)
            assert band.sample(logits, noise, heat, top_k, top_p) == int(expected)


def test_a_long_past_goes_round_the_ring(small: Path) -> None:
    """Longer than the window, so that keys are overwritten: twelve frames there."""
    native, eager = streams(small)
    rng = np.random.default_rng(5)
    same = []
    for frame, row in enumerate(features(60)):
        asked = wanted(frame, native._tokens.shape[1], rng, temperature=0.2)
        for stream in (native, eager):
            stream.hear(row)
            stream.draw(asked)
        same.append(native.slots() == eager.slots())
        native.recall((eager.play_state["tokens"].numpy() - 1).astype(np.int32))
    assert np.mean(same[30:]) > 0.97


def test_streams_know_nothing_of_each_other(small: Path) -> None:
    """Four threads at once give what each gives alone."""
    band = load_band(small, runtime="native")
    alone = [play(Accompanist(band, seed), 8) for seed in range(4)]
    together: dict[int, np.ndarray] = {}

    def run(seed: int) -> None:
        together[seed] = play(Accompanist(band, seed), 8)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        np.testing.assert_array_equal(together[seed], alone[seed])


def test_what_is_not_a_number_stays_inside_the_frame_or_is_one(small: Path) -> None:
    """Sound that is broken breaks nothing for good: after a reset all is as before."""
    player = Accompanist(load_band(small, runtime="native"), 1)
    before = play(player, 4)
    chunk = np.full(player.tail_samples + player.frame_samples, np.nan, np.float32)
    player.listen(chunk)
    player.play(MOMENT, Controls())
    player.reset(1, 2)
    np.testing.assert_array_equal(play(player, 4), before)


def test_odd_moments_are_played(small: Path) -> None:
    player = Accompanist(load_band(small, runtime="native"), 1)
    for moment in (
        Moment(0.999, 0.9999, 300.0, 12, 1.0, 11),
        Moment(0.0, 0.0, 20.0, 2, 0.0),
        Moment(0.5, 0.1, 0.0, 5, 1.0),
    ):
        for density, fill in ((0.0, 1.0), (1.0, 1.0), (0.5, 0.0)):
            sound = player.play(moment, Controls(density=density, fill=fill))
            assert np.isfinite(sound).all() and np.abs(sound).max() < 8.0
