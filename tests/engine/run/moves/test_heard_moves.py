"""Moves as they are heard with the shipped band and its own voice: a hit on its beat, a break that is silent."""

from __future__ import annotations

import numpy as np
import pytest

from .heard import HZ, Take

pytestmark = pytest.mark.slow


def test_the_shipped_band_hits_and_is_silent_and_comes_back() -> None:
    take = Take("rock", "neural", 14.0, [(4.1, lambda moves: moves.hit()), (8.1, lambda moves: moves.rest())])
    hit, back = take.struck
    (cut,) = take.cuts
    for place in (hit, back):
        assert {n.part for n in take.notes if n.velocity and n.position_samples == place} == {0, 1, 2}
        assert abs(take.onset_ms(place)) <= 10.0
    assert (cut, back) == (8.5 * HZ, 10 * HZ)
    usual_db = take.db(HZ, 4 * HZ)
    assert take.db(cut + 0.3 * HZ, back - 0.02 * HZ) < usual_db - 45.0, "nothing but the last of the room"
    for part in range(3):
        assert take.db(back, back + 0.3 * HZ, part) > take.db(HZ, 4 * HZ, part) - 8.0, "all are back"
    assert np.isfinite(take.parts).all()
