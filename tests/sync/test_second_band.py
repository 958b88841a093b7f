"""A second band in a process of its own follows the first: by MIDI clock to the sample, by Link within 3 ms."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from .second_band import RATE, measure

pytestmark = [pytest.mark.slow, pytest.mark.jack, pytest.mark.timeout(300)]


@pytest.mark.parametrize("by", ["midi", "link"])
def test_the_second_band_is_on_the_firsts_beat(by: str) -> None:
    if shutil.which("jackd") is None:
        pytest.skip("no jackd here: apt install jackd2")
    if by == "link":
        pytest.importorskip("aalink")
    beside = measure(by, 6.0)
    assert len(beside.samples) >= 12
    if by == "midi":  # a server that is held up on a busy machine loses ticks: most clicks tell
        assert np.median(beside.samples) == 0
    else:
        assert beside.worst <= 0.003 * RATE
