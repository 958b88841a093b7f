"""The band as a Player, under each runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gigmate.engine.player import Controls, Moment
from gigmate.model.accompanist import Accompanist
from gigmate.model.loading import RUNTIMES, load_band

from .small_band import MOMENT, play, write_small_band


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_band(tmp_path_factory.mktemp("weights"))


@pytest.fixture(params=RUNTIMES)
def player(weights: Path, request: pytest.FixtureRequest) -> Accompanist:
    return Accompanist(load_band(weights, compiled=request.param != "eager", runtime=request.param), seed=5)


def test_same_seed_same_band_and_reset_forgets(player: Accompanist) -> None:
    first = play(player)
    player.reset(5, 2)
    np.testing.assert_array_equal(play(player), first)
    player.reset(6, 2)
    assert not np.array_equal(play(player), first)


def test_a_long_stop_makes_a_fresh_start(player: Accompanist) -> None:
    play(player)
    chunk = np.zeros(player.tail_samples + player.frame_samples, np.float32)
    for _ in range(60):
        player.listen(chunk)
    assert (player.slots() == -1).all()


def test_silence_is_no_activity(player: Accompanist) -> None:
    heard = player.listen(np.zeros(player.tail_samples + player.frame_samples, np.float32))
    assert heard.activity == 0.0 and heard.level_db < -100
    assert heard.beat.shape == (4,) and heard.delay_samples == player.frame_samples


def test_player_shapes(player: Accompanist) -> None:
    assert (player.sample_rate_hz, player.frame_samples, player.play_delay_samples) == (32_000, 1280, 320)
    assert play(player, 2).shape == (3, 2560)
    unknown = Moment(0.0, 0.0, 0.0, 4, 0.0)
    assert np.isfinite(player.play(unknown, Controls(style="polka"))).all()


def test_drawn_now_and_heard_later_is_what_is_played(player: Accompanist) -> None:
    """With int8 maps too, which take their scale from all that they are given."""
    player.reset(0, 2)
    at_once = play(player, 9)
    player.reset(0, 2)
    rng = np.random.default_rng(1)
    pieces = []
    for count in (1, 5, 3):
        for _ in range(count):
            player.listen(rng.normal(0, 0.1, player.tail_samples + player.frame_samples).astype(np.float32))
            player.draw(MOMENT, Controls())
        pieces.append(player.sound())
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), at_once)
