"""Drums of the shipped band stand within 4 ms of its groove, by standard deviation."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate import Band

from .groove_spread import measured


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_shipped_bands_drums_are_within_4_ms_of_where_the_groove_wants_them() -> None:
    band = Band.load()
    for style in ("rock", "swing"):
        found = measured(band, style, 24.0)
        drawn, placed = (np.array(found["drums", kind]) for kind in ("drawn", "placed"))
        assert len(placed) > 30
        assert np.mean(np.abs(placed) <= 25.0) > 0.9
        assert placed[np.abs(placed) <= 25.0].std() < 4.0 < drawn[np.abs(drawn) <= 25.0].std()
