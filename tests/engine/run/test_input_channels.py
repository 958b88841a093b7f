"""Which channels of a recording the band hears, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.errors import ConfigError
from gigmate.engine.fault_log import FaultLog
from gigmate.engine.run.input_channels import InputChannels, in_words, to_mono

RATE_HZ = 8_000
SOUND = np.random.default_rng(0).normal(0.0, 0.1, (8 * RATE_HZ, 3)).astype(np.float32)


def test_channels_are_picked_and_averaged() -> None:
    np.testing.assert_array_equal(InputChannels(RATE_HZ, None, FaultLog()).mono(SOUND), to_mono(SOUND))
    np.testing.assert_array_equal(InputChannels(RATE_HZ, (2,), FaultLog()).mono(SOUND), SOUND[:, 1])
    both = InputChannels(RATE_HZ, (3, 1), FaultLog()).mono(SOUND)
    np.testing.assert_allclose(both, (SOUND[:, 0] + SOUND[:, 2]) / 2, atol=1e-7)
    np.testing.assert_array_equal(InputChannels(RATE_HZ, (1,), FaultLog()).mono(SOUND[:, 0]), SOUND[:, 0])


@pytest.mark.parametrize(
    ("channels", "words"),
    [((0,), "counted from 1"), ((), "counted from 1"), ((1, 1), "given twice"), ((4,), "there is no channel 4")],
)
def test_channels_that_cannot_be_are_one_line(channels: tuple[int, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        InputChannels(RATE_HZ, channels, FaultLog()).mono(SOUND)


def test_channels_that_cancel_are_counted_and_said_once() -> None:
    faults = FaultLog()
    heard = InputChannels(RATE_HZ, None, faults)
    sound = np.stack([SOUND[:, 0], -SOUND[:, 0]], axis=1)
    for at in range(0, len(sound), 999):
        heard.mono(sound[at : at + 999])
    assert faults.warnings == ("inputs 1 and 2 cancel: take one (--input 1)",)
    assert faults.counts()["inputs_cancel"] == 2
    assert in_words((3, 4, 7)) == "3, 4 and 7"


def test_one_of_them_alone_is_heard_and_nothing_is_said() -> None:
    faults = FaultLog()
    heard = InputChannels(RATE_HZ, (2,), faults)
    np.testing.assert_array_equal(heard.mono(np.stack([SOUND[:, 0], -SOUND[:, 0]], axis=1)), -SOUND[:, 0])
    assert not faults.warnings
