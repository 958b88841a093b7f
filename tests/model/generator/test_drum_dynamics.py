"""The drummer's touch: hits come up, what rings between them goes down, and nobody but the drums is touched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gigmate.model.generator.drum_dynamics import DrumDynamics
from gigmate.model.generator.score_tokens import (
    DRUM_VOICES,
    FIRST_NOTE,
    SLOTS,
    STATE,
)
from gigmate.model.generator.steering_tables import FULL_DB, RING_DB
from gigmate.model.generator.style_statistics import hit_gain_db

STYLES = ["funk", "country_train"]
FRAME, QUARTER = 1280, 320
KICK, SNARE, SIDE, HAT = (1 << DRUM_VOICES.index(name) for name in ("kick", "snare", "side", "closed_hat"))


class Drums:
    """Frames of a steady sound; which hit begins in which quarter (1 to 4; 0 none) is said by the test."""

    def __init__(self, style: str = "funk", drummer: int = 0, scripted: bool = False, level: float = 0.1) -> None:
        self.level = level
        touch = DrumDynamics(STYLES, drummer, 25.0, FRAME)
        self.touch = torch.jit.script(touch) if scripted else touch
        self.style = STYLES.index(style)
        self.state = touch.init_state(1)

    def frame(self, quarter: int = 0, voices: int = 0) -> torch.Tensor:
        slots = torch.zeros(3, SLOTS, dtype=torch.int64)
        slots[0, STATE], slots[0, FIRST_NOTE] = quarter, voices
        return self.touch(torch.full((3, FRAME), self.level), slots, self.style, self.state)

    def gain_db(self, quarter: int = 0, voices: int = 0) -> np.ndarray:
        return 20.0 * np.log10(self.frame(quarter, voices)[0].numpy() / self.level)


@pytest.mark.parametrize("quarter", [1, 2, 3, 4])
def test_a_hit_comes_up_where_the_decoder_sounds_it(quarter: int) -> None:
    drums = Drums()
    for _ in range(20):
        drums.gain_db()
    gain_db = np.concatenate([drums.gain_db(quarter, SNARE | HAT), drums.gain_db()])
    at = quarter * QUARTER  # a quarter late
    assert (gain_db[:at] < RING_DB + 0.5).all()
    assert gain_db[at + 100 : at + QUARTER] == pytest.approx(hit_gain_db("funk")[1], abs=0.01)
    assert (np.diff(gain_db[at + QUARTER :]) < 0).all(), "and falls again"


def test_between_hits_the_ring_goes_down_and_no_further() -> None:
    drums = Drums()
    drums.frame(1, KICK)
    gain_db = np.concatenate([drums.gain_db() for _ in range(30)])
    assert gain_db[-1] == pytest.approx(RING_DB, abs=0.05)
    assert np.abs(np.diff(gain_db)).max() < 0.02, "it glides"


@pytest.mark.parametrize(("peak_db", "gain_db"), [(-20.0, 8.0), (-6.0, 4.0), (-2.0, 0.0)])
def test_a_hit_that_is_loud_already_is_not_lifted_beyond_the_written_ones(peak_db: float, gain_db: float) -> None:
    drums = Drums(level=10 ** (peak_db / 20))
    assert drums.gain_db(1, KICK)[2 * QUARTER - 1] == pytest.approx(gain_db, abs=0.01)
    assert peak_db + drums.gain_db(1, SNARE).max() <= FULL_DB + 0.01


def test_nothing_goes_over_full_scale() -> None:
    drums = Drums(level=0.3)
    drums.frame(4, KICK)  # it sounds in the next frame
    drums.level = 3.0
    loud = drums.frame()[0]
    assert 0.9 < float(loud.max()) <= 1.0
    assert not bool((drums.frame()[1:] != 3.0).any()), "bass and keys are the limiter's"


def test_small_percussion_stays_under_kick_and_back_beat() -> None:
    tops = [Drums().gain_db(1, voices).max() for voices in (SIDE, HAT, SIDE | HAT, SNARE, KICK | HAT)]
    assert max(tops[:3]) < 0.01 < 6.0 < min(tops[3:])


def test_a_country_band_hears_its_kick_over_the_brushes() -> None:
    kick_db, brush_db = (Drums("country_train").gain_db(1, voices)[2 * QUARTER - 1] for voices in (KICK | SNARE, SNARE))
    assert kick_db - brush_db > 10.0


def test_bass_and_keys_and_a_band_without_drums_are_left_alone() -> None:
    drums = Drums()
    for quarter in (1, 4, 0, 2):
        assert bool((drums.frame(quarter, KICK)[1:] == 0.1).all())
    nobody = Drums(drummer=-1)
    assert bool((nobody.frame(1, KICK) == 0.1).all())


def test_compiled_it_is_the_same() -> None:
    eager, scripted = Drums(), Drums(scripted=True)
    for quarter, voices in ((0, 0), (2, KICK), (4, SNARE), (0, 0), (1, HAT)):
        torch.testing.assert_close(eager.frame(quarter, voices), scripted.frame(quarter, voices))
