"""The compiled sums of what is heard on beats: numpy's own, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.timing.beats.evidence_arithmetic import MOST_BEATS, sums_at


@pytest.mark.parametrize("beats", [1, 7, 8, 9, 40, 107, MOST_BEATS])
def test_sums_on_beats_are_numpys_to_the_bit(beats: int) -> None:
    random = np.random.default_rng(beats)
    heard = random.standard_normal(1000).astype(np.float32)
    at = random.integers(0, len(heard), (5, 64, beats)).astype(np.int32)
    sums = np.zeros((9, 64))
    sums_at(heard, at, sums[2:7])
    assert (sums[2:7] == heard[at].sum(axis=-1)).all()
    assert not sums[:2].any() and not sums[7:].any()
