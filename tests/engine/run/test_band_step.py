"""The step that live and offline share: what fails leaves no trace, batches give what single frames give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.engine.config import EngineConfig
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.mix import FLAT_MIX
from gigmate.engine.player import Controls, Moment
from gigmate.engine.run.band_step import BandStep
from gigmate.engine.timing.fixed_grid import GridConductor

from ..fakes import FRAME, FakePlayer, Singer

RATE_HZ = 48_000
LEVELS_DB = (0.0, 0.0, 0.0)


class Patient(Singer):
    """The same sine, several frames at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[np.ndarray] = []

    def draw(self, moment: Moment, controls: Controls) -> None:
        self.waiting.append(Singer.sound(self, moment))

    def sound(self, moment: Moment | None = None) -> np.ndarray:
        if moment is not None:
            return Singer.sound(self, moment)
        made, self.waiting = np.concatenate(self.waiting, axis=1), []
        return made


def _step(player: FakePlayer, batch_frames: int = 1) -> BandStep:
    band = BandStep(
        EngineConfig(start_playing=True),
        RATE_HZ,
        player,
        GridConductor(120, 4, RATE_HZ),
        FaultLog(),
        batch_frames=batch_frames,
    )
    band.stage.start()
    return band


def _made(band: BandStep, frames: int) -> tuple[np.ndarray, list[int]]:
    """The mix of so many frames, and how many came of each call."""
    rows, counts = [], []
    for frame in range(frames):
        made = band.make(frame, band.direct(frame, fresh=frame == 0), Controls(), LEVELS_DB)
        assert made is not None
        new = [one.rows[0].copy() for one in made]
        counts.append(len(new))
        rows += new
    return np.concatenate(rows), counts


def test_a_batch_gives_what_single_frames_give() -> None:
    one_by_one, counts = _made(_step(Singer()), 12)
    assert counts == [1] * 12
    batched, counts = _made(_step(Patient(), batch_frames=4), 12)
    assert counts == [0, 0, 0, 4] * 3
    assert np.array_equal(batched, one_by_one)


def test_a_frame_that_fails_is_none_and_the_next_one_starts_anew() -> None:
    player = Singer()
    band = _step(player)
    _made(band, 3)
    assert not band.broken
    player.always = lambda: np.full((3, FRAME), np.nan, np.float32)
    assert band.make(3, band.direct(3, fresh=False), Controls(), LEVELS_DB) is None
    assert band.broken
    player.always = None
    made = band.make(4, band.direct(4, fresh=False), Controls(), LEVELS_DB)
    assert made is not None
    (frame,) = made
    fresh = BandStep(EngineConfig(), RATE_HZ, Singer(), GridConductor(120, 4, RATE_HZ), FaultLog())
    again = Singer()
    again.phase_samples = player.phase_samples - FRAME
    expected = fresh.playout.resample(again.sound(Moment(0.0, 0.0, 120.0, 4, 1.0)))[0]
    for row in frame.rows:
        np.testing.assert_allclose(row, expected, atol=1e-12, err_msg="the resampler remembers nothing of before")


class Gong:
    """A source that plays the bass, on the left alone."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.anew = 0

    def fill(self, start_samples: int, parts: np.ndarray) -> None:
        assert parts.dtype == np.float32
        self.starts.append(start_samples)
        parts[1, 0], parts[1, 1] = 0.25, 0.0

    def start_anew(self) -> None:
        self.anew += 1


def test_a_source_comes_before_the_levels() -> None:
    band = _step(Singer())
    band.source = gong = Gong()
    frames = []
    for frame in range(4):
        made = band.make(frame, band.direct(frame, fresh=frame == 0), Controls(), (-math.inf, -6.0, 0.0))
        assert made is not None
        frames += [(one.start_samples, one.rows.copy(), one.mix.copy(), one.parts.copy()) for one in made]
    starts, rows, mix, parts = zip(*frames, strict=True)
    assert list(starts) == gong.starts
    assert np.diff(gong.starts).tolist() == [band.host_frame] * 3
    for part in parts:
        assert part.shape == (3, 2, band.host_frame)
        assert not part[0].any(), "muted"
        np.testing.assert_allclose(part[1, 0], 0.25 * 10 ** (-6.0 / 20), rtol=1e-5)
        assert not part[1, 1].any()
    np.testing.assert_array_equal(rows, mix)
    assert gong.anew == 1
    band.broken = True
    list(band.make(4, band.direct(4, fresh=False), Controls(), LEVELS_DB) or ())
    assert gong.anew == 2


def test_parts_go_to_their_buses_and_stand_where_they_are_put() -> None:
    config = EngineConfig(start_playing=True, output_channels=(1, 2), part_outputs=(("drums", (3, 4)), ("keys", (5,))))
    band = BandStep(config, RATE_HZ, Singer(), GridConductor(120, 4, RATE_HZ), FaultLog())
    band.stage.start()
    band.mix = FLAT_MIX.with_part(0, pan=-1.0)
    made = band.make(0, band.direct(0, fresh=True), Controls(), LEVELS_DB)
    assert made is not None
    (frame,) = made
    assert frame.rows.shape == (5, band.host_frame)
    assert not frame.rows[[0, 1, 3, 4]].any(), "the drums are alone on theirs, and on the left of it"
    np.testing.assert_array_equal(frame.rows[2], frame.mix[0])
    assert np.abs(frame.mix[0]).max() > 0.5


def test_what_is_not_conducted_is_heard_all_the_same() -> None:
    player = FakePlayer()
    band = _step(player)
    heard: list[float] = []
    band.conductor.hear = lambda _heard, end, _frame: heard.append(end)  # type: ignore[method-assign,assignment]
    block = np.zeros(band.host_frame, np.float32)
    assert band.hear(0, block)
    assert band.hear(1, block, conduct=False)
    assert len(player.heard) == 2
    assert heard == pytest.approx([band.host_frame - band.resample_in_samples])
