"""Training of harmony: half-beats of a store as a listener hears them, and a network that learns from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gigmate.engine.harmony import song_memory
from gigmate.engine.harmony.chord_settings import ChordSettings
from gigmate.model.configs import HEARD, ROOTS, HarmonyConfig
from gigmate.model.harmony.chord_network import Harmony
from gigmate.model.listener import Listener, ListenerConfig
from gigmate.training.errors import TrainingError
from gigmate.training.loop import LoopConfig
from gigmate.training.store import songs_in
from gigmate.training.trainers import chord_network_trainer
from gigmate.training.trainers.chord_network_trainer import (
    HalfBeats,
    HarmonyData,
    beats_at,
    half_beats,
    losses,
    misplaced,
    off_time,
    train_harmony,
)

from ..stores import tiny_store

SHAPE = HarmonyConfig(("funk", "rock"), units=16, style_size=2, look_bars=(1, 2))
PER_BAR = 8


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_store(tmp_path_factory.mktemp("store"), songs=4, seconds=24.0)


@pytest.fixture(scope="module")
def listener() -> Listener:
    torch.manual_seed(0)
    return Listener(ListenerConfig(channels=16, dilations=(1, 2))).eval()


@pytest.fixture
def song(store: Path, listener: Listener) -> HalfBeats:
    return half_beats(songs_in(store)[0], listener, SHAPE.look_bars)


def test_it_takes_the_listener_to_be_as_late_as_the_conductor_does() -> None:
    assert ChordSettings().chord_lag_s == chord_network_trainer.CHORD_LAG_S
    assert song_memory.SLOTS_PER_BEAT == chord_network_trainer.SLOTS_PER_BEAT


def test_half_beats_lie_on_the_true_grid(song: HalfBeats, store: Path) -> None:
    labels = songs_in(store)[0].labels()
    before = int(np.flatnonzero(song.place == 0)[0])  # what was heard before the first downbeat
    assert before <= 1
    np.testing.assert_array_equal(song.place[before:], np.arange(len(song) - before) % PER_BAR)
    assert song.length_s[before : before + 40].sum() == pytest.approx(40 * 0.25, abs=0.05)
    middle = np.round((np.arange(len(song) - before) * 0.25 + 0.125) / 0.04).astype(int)
    true = labels["chord_root"][np.minimum(middle, len(labels["chord_root"]) - 1)]
    assert np.mean(song.chord[before:] % 12 == true) > 0.97
    assert song.pitched.shape == (len(song), SHAPE.channels, ROOTS)
    assert song.style == "rock"


def test_it_is_shown_the_bars_before(song: HalfBeats) -> None:
    roots = song.pitched[:, 0]
    for number, bars in enumerate(SHAPE.look_bars):
        back = bars * PER_BAR
        np.testing.assert_array_equal(song.pitched[back:, HEARD + number], roots[:-back])
        np.testing.assert_array_equal(song.pitched[back:, HEARD + 2 + number], roots[1 : len(roots) - back + 1])
        assert not song.pitched[: back - 1, [HEARD + number, HEARD + 2 + number]].any()


def test_sequences_are_in_all_keys_and_say_so(song: HalfBeats) -> None:
    data = HarmonyData([song], SHAPE)
    rng = np.random.default_rng(0)
    x, chord, key = data.batch(rng, 64, 60)
    assert x.shape == (64, 60, SHAPE.size)
    assert len(set(key[:, 0].tolist()) - {-1}) == 12
    told = x[:, :, -len(SHAPE.styles) - 1 :]
    assert bool((told.sum(-1)[key >= 0] == 1.0).all())
    assert set(told[:, 0].argmax(-1).tolist()) == {0, 2}
    plain = torch.from_numpy(data.inputs(song, False, song.place, np.ones(len(song), np.float32), up=3))
    pitched = plain[:, : SHAPE.channels * ROOTS].view(len(song), -1, ROOTS)
    np.testing.assert_array_equal(pitched.numpy(), np.roll(song.pitched, 3, axis=2))
    assert bool(((chord >= -1) & (chord < 24)).all())


def test_bars_are_sometimes_counted_wrong(song: HalfBeats) -> None:
    rng = np.random.default_rng(3)
    drawn = [misplaced(rng, song) for _ in range(300)]
    shifts = np.array([int((place - song.place)[0] % PER_BAR) for place, _ in drawn])
    assert 0.55 < np.mean(shifts == 0) < 0.85
    assert set(shifts) >= {0, 1, 2, 4, 6}
    sure = np.array([float(one[0]) for _, one in drawn])
    assert sure[shifts == 0].mean() > sure[shifts > 1].mean()


def test_half_beats_off_the_grid_hold_some_of_their_neighbours(song: HalfBeats) -> None:
    rng = np.random.default_rng(0)
    drawn = [off_time(rng, song) for _ in range(200)]
    assert 0.3 < np.mean([one is song for one in drawn]) < 0.5
    earlier = later = 0
    for one in drawn:
        if one is song:
            continue
        # the share of the neighbour, found where the two differ most
        moved, here = one.trust[1:-1] - song.trust[1:-1], song.trust[1:-1]
        shares = []
        for other in (song.trust[:-2], song.trust[2:]):
            differ = other - here
            shares.append(float(moved @ differ / (differ @ differ)))
        found = int(np.argmax(shares))
        assert 0.0 < shares[found] <= 0.4 + 1e-4
        earlier, later = earlier + (found == 0), later + (found == 1)
        np.testing.assert_array_equal(one.chord, song.chord)
        np.testing.assert_array_equal(one.place, song.place)
    assert min(earlier, later) > 30


def test_what_is_forgotten_in_training_is_there_on_stage() -> None:
    model = Harmony(SHAPE)
    x = torch.randn(2, 12, SHAPE.size)
    assert not torch.equal(model.train().whole(x), model.whole(x))
    assert torch.equal(model.eval().whole(x), model.whole(x))


def test_beats_go_on_beyond_what_was_written() -> None:
    beats = np.array([1.0, 1.5, 2.0, 2.6])
    np.testing.assert_allclose(beats_at(beats, np.array([0.0, 1.25, 2.3, 3.2])), [-2.0, 0.5, 2.5, 4.0])


def test_each_answer_is_asked_about_its_own_half_beat() -> None:
    chord, key = torch.tensor([[3, 3, 5, 7, 7, 9]]), torch.tensor([[2] * 6])
    odds = torch.full((1, 6, 4, 24), -20.0)
    for t in range(6):
        for number, ahead in ((0, 0), (2, 1), (3, 2)):
            odds[0, t, number, chord[0, min(t + ahead, 5)]] = 20.0
        odds[0, t, 1, 2] = 20.0
    assert all(float(value) < 1e-6 for value in losses(odds, chord, key).values())
    chord[0, 5] = 1
    worse = {name for name, value in losses(odds, chord, key).items() if float(value) > 1.0}
    assert worse == {"chord", "next", "after"}


def test_it_learns_and_goes_on(store: Path, listener: Listener, tmp_path: Path) -> None:
    def run(steps: int) -> dict:
        config = LoopConfig(tmp_path, steps=steps, learning_rate=1e-2, warmup_steps=5, log_steps=5)
        train_harmony(store, listener, config, SHAPE, batch=4)
        return torch.load(tmp_path / "last.pt", weights_only=True)

    assert run(30)["step"] == 30
    found = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert found[-1] < 0.8 * found[0]
    assert run(32)["step"] == 32
    with pytest.raises(TrainingError, match="another harmony"):
        train_harmony(store, listener, LoopConfig(tmp_path, steps=1), HarmonyConfig(("rock",), units=4), batch=2)
