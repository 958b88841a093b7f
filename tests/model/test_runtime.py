"""The band under torch: compiled against eager, its cache, its state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gigmate.engine.player import Controls
from gigmate.model import runtime
from gigmate.model.accompanist import Accompanist
from gigmate.model.band_stream import LoadedBand
from gigmate.model.loading import load_band, weights_id
from gigmate.model.runtime import TorchStream, cache_path

from .small_band import MOMENT, play, write_small_band


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_band(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module", autouse=True)
def _cache_of_this_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What one test has compiled serves the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIGMATE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def torch_band(weights: Path, int8: bool = True) -> LoadedBand:
    return load_band(weights, int8, runtime="torchscript")


def program(band: LoadedBand) -> Any:
    stream = band.new_stream()
    assert isinstance(stream, TorchStream)
    return stream.program


def tokens(player: Accompanist) -> torch.Tensor:
    assert isinstance(player.stream, TorchStream)
    return player.stream.play_state["tokens"]


def test_compiled_float_is_the_eager_band(weights: Path) -> None:
    """To rounding; a draw that lies within rounding of a boundary may fall the other way, and only such a one."""
    eager = Accompanist(load_band(weights, compiled=False))
    compiled = Accompanist(torch_band(weights, int8=False))
    rng = np.random.default_rng(1)
    same, drawn = 0, 0
    for seed in range(20):
        chunk = rng.normal(0, 0.1, eager.tail_samples + eager.frame_samples).astype(np.float32)
        heard, sound = [], []
        for player in (eager, compiled):
            player.reset(seed, 2)
            heard.append(player.listen(chunk))
            sound.append(player.play(MOMENT, Controls()))
        for name in ("beat", "chord_root", "tempo"):
            np.testing.assert_allclose(getattr(heard[1], name), getattr(heard[0], name), atol=1e-5)
        agree = tokens(eager) == tokens(compiled)
        same, drawn = same + int(agree.sum()), drawn + agree.numel()
        if bool(agree.all()):
            np.testing.assert_allclose(sound[1], sound[0], atol=1e-4)
    assert same / drawn > 0.97


def test_compiled_stream_is_the_eager_whole_for_every_stream(weights: Path) -> None:
    """Long after the first frame, for a second stream as for the first, and while another one runs."""
    size = torch_band(weights).heard_size
    band, eager = program(torch_band(weights, int8=False)), program(load_band(weights, compiled=False))
    features = torch.randn(40, size)
    with torch.inference_mode():
        wanted = eager.listener.whole(features[None])[0]
        for _ in range(2):
            first, other = band.init_listen(1), band.init_listen(1)
            heard = []
            for row in features:
                heard.append(band.listen(row.clone(), first))
                band.listen(torch.randn(size), other)
            torch.testing.assert_close(torch.stack(heard), wanted, atol=1e-4, rtol=0)


def test_no_two_entries_of_a_state_share_memory(weights: Path) -> None:
    """A compiler that folds fresh zeros into one constant would make every layer write into the same place."""
    loaded = program(torch_band(weights))
    states = [loaded.init_listen(1), loaded.init_listen(1), loaded.init_play(1), loaded.init_play(1)]
    places = [value.data_ptr() for state in states for value in state.values() if value.numel() > 0]
    assert len(set(places)) == len(places)


def test_int8_listener_stays_near_the_eager_one(weights: Path) -> None:
    chunk = np.random.default_rng(0).normal(0, 0.1, 8192).astype(np.float32)
    eager = Accompanist(load_band(weights, compiled=False)).listen(chunk)
    small = Accompanist(torch_band(weights)).listen(chunk)
    np.testing.assert_allclose(small.chord_root, eager.chord_root, atol=0.03)


def test_cache_serves_the_second_load_and_survives_damage(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGMATE_CACHE_DIR", str(tmp_path / "cache"))
    first = play(Accompanist(torch_band(weights), seed=1))
    path = cache_path(weights_id(weights), True)
    assert path.exists()
    np.testing.assert_array_equal(play(Accompanist(torch_band(weights), seed=1)), first)
    path.write_bytes(b"not a program")
    np.testing.assert_array_equal(play(Accompanist(torch_band(weights), seed=1)), first)


def test_the_cache_knows_the_sources(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program compiled from other code is none of ours, whatever its weights."""
    before = cache_path(weights_id(weights), True)
    monkeypatch.setattr(runtime, "_sources_id", lambda: "other")
    assert cache_path(weights_id(weights), True) != before
