"""Blocks to frames with a tail: whatever the cuts, the chunks are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.dsp.framing import Framer
from hypothesis import given
from hypothesis import strategies as st


@given(
    frame=st.integers(1, 60),
    tail=st.integers(0, 200),
    cuts=st.lists(st.integers(0, 150), max_size=30),
)
def test_chunks_are_windows_of_the_stream(frame: int, tail: int, cuts: list[int]) -> None:
    x = np.arange(1, sum(cuts) + 1, dtype=np.float32)
    padded = np.concatenate([np.zeros(tail, np.float32), x])
    framer, start, found = Framer(frame, tail), 0, 0
    for cut in cuts:
        for chunk in framer.push(x[start : start + cut]):
            np.testing.assert_array_equal(chunk, padded[found * frame : found * frame + tail + frame])
            found += 1
        start += cut
    assert found == x.size // frame == framer.frames
    assert framer.waiting_samples == x.size % frame


def test_reset_is_new() -> None:
    framer = Framer(4, 3)
    assert len(list(framer.push(np.ones(6, np.float32)))) == 1
    framer.reset()
    (chunk,) = [chunk.copy() for chunk in framer.push(np.full(4, 2, np.float32))]
    np.testing.assert_array_equal(chunk, [0, 0, 0, 2, 2, 2, 2])


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="no chunks"):
        Framer(0)
    with pytest.raises(ValueError, match="no chunks"):
        Framer(10, -1)
    with pytest.raises(ValueError, match="one-dimensional"):
        list(Framer(4).push(np.zeros((2, 2), np.float32)))
