"""What no cable should carry: numbers that are none, direct current, full scale, the band itself. Simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engine.fakes import FRAME, Driven, FakePlayer, Singer

CEILING = 10 ** (-1 / 20)
RNG = np.random.default_rng(3)
BAD: dict[str, Callable[[int], np.ndarray]] = {
    "nan": lambda n: np.full(n, np.nan, np.float32),
    "infinite": lambda n: np.where(np.arange(n) % 2, np.inf, -np.inf).astype(np.float32),
    "direct current": lambda n: np.ones(n, np.float32),
    "full scale": lambda n: np.where(np.arange(n) // 50 % 2, 1.0, -1.0).astype(np.float32),
    "beyond full scale": lambda n: (1e6 * RNG.standard_normal(n)).astype(np.float32),
    "largest": lambda n: np.full(n, np.finfo(np.float32).max, np.float32),
    "denormal": lambda n: np.full(n, 1e-40, np.float32),
    "random bits": lambda n: RNG.integers(0, 2**32, n, dtype=np.uint32).view(np.float32),
}


class Careful(Singer):
    """Believes that what it hears is sound."""

    def listen(self, chunk: np.ndarray) -> object:
        assert np.isfinite(chunk).all()
        return super().listen(chunk)


@pytest.mark.parametrize("what", BAD)
def test_bad_input_reaches_nobody_and_is_counted(what: str) -> None:
    run = Driven(Careful())
    frame = run.worker.host_frame
    for index in range(60):
        heard = BAD[what](frame) if 20 <= index < 40 else np.zeros(frame, np.float32)
        run.callback(heard=heard)
        run.step()
    assert np.isfinite(run.played).all()
    assert np.abs(run.played).max() <= CEILING
    assert np.abs(run.played[-5 * frame :]).max() > 0.4, "the band plays on"
    counters = run.bridge.counters()
    if what in ("nan", "infinite"):
        assert counters.nonfinite_in_samples == 20 * frame
        assert "player_listen" not in run.fault_log.counts()
        assert len([w for w in run.fault_log.warnings if "values that are not numbers" in w]) == 1
    if what in ("full scale", "direct current", "beyond full scale"):
        assert len([w for w in run.fault_log.warnings if "turn it down" in w]) == 1


@pytest.fixture
def own_float_mode() -> Iterator[None]:
    """The model lets its thread flush denormals: here that is everybody's."""
    import torch

    yield
    torch.set_flush_denormal(False)


@pytest.mark.parametrize("what", ["nan", "direct current", "full scale", "largest", "random bits"])
def test_the_models_own_code_stays_finite(what: str, tiny_weights: Path, own_float_mode: None) -> None:
    from gigmate.model.accompanist import load_player

    player = load_player(tiny_weights, seed=1)
    run = Driven(player)  # type: ignore[arg-type]
    frame = run.worker.host_frame
    for index in range(30):
        run.callback(heard=BAD[what](frame) if 5 <= index < 15 else np.zeros(frame, np.float32))
        run.step()
    assert np.isfinite(run.played).all()
    assert np.abs(run.played).max() <= CEILING
    assert run.worker.failed_frames == 0
    assert "player_listen" not in run.fault_log.counts()


class Noisy(FakePlayer):
    """A band of noise without its highest, loud."""

    def sound(self, moment: object) -> np.ndarray:
        noise = RNG.standard_normal((3, FRAME + 47)).cumsum(axis=1)
        return (0.04 * (noise[:, 47:] - noise[:, :-47])).astype(np.float32)


@pytest.mark.parametrize("delay", [256, 4000])
def test_the_band_in_its_own_ear_forty_decibels_up_gives_way(delay: int) -> None:
    """Microphone before the loudspeaker: what goes out comes in, a hundred times as loud, cut at full scale."""
    run = Driven(Noisy(), round_trip=0)
    frame = run.worker.host_frame
    loop = np.zeros(delay, np.float32)
    levels = []
    for _ in range(250):
        heard, loop = loop[:frame], loop[frame:]
        if heard.size < frame:  # a loop shorter than a frame: what is not out yet is silence
            heard = np.concatenate([heard, np.zeros(frame - heard.size, np.float32)])
        run.callback(heard=np.clip(100 * heard, -1, 1))
        loop = np.concatenate([loop, run.out[-1]])
        levels.append(float(np.sqrt(np.mean(run.out[-1] ** 2))))
        run.step()
    assert np.abs(run.played).max() <= CEILING
    before, after = max(levels[:60]), np.mean(levels[-50:])
    assert after < 0.45 * before
    assert run.fault_log.counts()["howl"] == 1
    assert len([w for w in run.fault_log.warnings if "hears itself" in w]) == 1
