"""A stream at another rate than the bridge's: in tune, in place to the sample, below the ceiling, however it is cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gigmate.engine.buses import BusLayout
from gigmate.engine.callback import portaudio_callback, state_table
from gigmate.engine.callback.bridge import Bridge
from hypothesis import given, settings
from hypothesis import strategies as st

BAND_HZ = 48_000
CEILING = 10 ** (-1 / 20)
RATES = [(44_100, 48_000), (48_000, 44_100), (96_000, 48_000), (22_050, 48_000), (192_000, 44_100), (32_000, 48_000)]


class Card:
    """A sound card that calls a bridge at its own rate: one input, two outputs, of which the second is the click's."""

    def __init__(self, card_hz: int, band_hz: int = BAND_HZ, clicks: int = 1) -> None:
        buses = BusLayout(tuple(range(1, 3 - clicks)), click=tuple(range(3 - clicks, 3)))
        self.bridge = Bridge(band_hz, in_capacity=4 * band_hz, out_capacity=4 * band_hz, buses=buses)
        self.bridge.new_lease()
        conversion = self.bridge.set_card_rate(card_hz)
        assert conversion is not None
        self.conversion = conversion
        self.bridge.set_word(state_table.PA_INPUTS, 1)
        self.bridge.set_word(state_table.PA_OUTPUTS, 2)
        self.bridge.set_word(state_table.PA_OUT_TOTAL, 2)
        self.bridge.set_table(state_table.PA_IN_INDEX, [0])
        self.bridge.set_table(state_table.PA_OUT_INDEX, [0, 1])

    def call(self, heard: np.ndarray) -> np.ndarray:
        """One callback: float32 [n] in, [2, n] out."""
        heard, played = np.ascontiguousarray(heard, np.float32), np.full((2, heard.size), 9.0, np.float32)
        tables = np.array([heard.ctypes.data, *(row.ctypes.data for row in played)], np.int64)
        place, lease = int(tables.ctypes.data), self.bridge.stream_address
        assert portaudio_callback.portaudio_process.ctypes(place, place + 8, heard.size, 0, 0, lease) == 0
        return played

    def run(self, heard: np.ndarray, block: int = 128) -> np.ndarray:
        pieces = [self.call(heard[at : at + block]) for at in range(0, heard.size, block)]
        return np.concatenate(pieces, axis=1)


def sine(rate_hz: int, seconds: float, delay_s: float = 0.0, tone_hz: float = 997.0) -> np.ndarray:
    times = np.arange(round(seconds * rate_hz)) / rate_hz - delay_s
    return 0.5 * np.sin(2 * np.pi * tone_hz * times)


@pytest.mark.parametrize(("card_hz", "band_hz"), RATES)
def test_both_ways_in_tune_and_as_late_as_declared(card_hz: int, band_hz: int) -> None:
    card = Card(card_hz, band_hz)
    card.bridge.out_ring.write_at(0, sine(band_hz, 1.5).astype(np.float32))
    card.bridge.set_playing(True)
    played = card.run(sine(card_hz, 1.0)[: card_hz // 100 * 100], 100)[0]
    assert card.bridge.position == math.ceil(played.size * band_hz / card_hz)
    heard = card.bridge.in_ring.read(band_hz)
    settled = slice(heard.size // 4, heard.size - 10)
    wanted = sine(band_hz, 1.0, card.conversion.capture_delay_samples / band_hz)[: heard.size]
    np.testing.assert_allclose(heard[settled], wanted[settled], atol=1e-3)
    settled = slice(played.size // 4, played.size - 10)
    wanted = sine(card_hz, 1.0, card.conversion.playback_delay_samples / band_hz)[: played.size]
    np.testing.assert_allclose(played[settled], wanted[settled], atol=1e-3)
    counters = card.bridge.counters()
    assert (counters.miss_samples, counters.in_dropped_samples, counters.nonfinite_samples) == (0, 0, 0)
    assert (counters.block_samples, counters.max_block_samples) == (100, 100)


@given(st.lists(st.integers(1, 900), min_size=1, max_size=20), st.sampled_from(RATES))
@settings(deadline=None, max_examples=25)
def test_blocks_may_be_cut_in_any_way(blocks: list[int], rates: tuple[int, int]) -> None:
    heard = np.random.default_rng(sum(blocks)).uniform(-0.5, 0.5, sum(blocks)).astype(np.float32)
    band = np.random.default_rng(1).uniform(-0.4, 0.4, 3 * rates[1]).astype(np.float32)
    found = []
    for cuts in (blocks, [sum(blocks)]):
        card = Card(*rates)
        card.bridge.set_playing(True)
        card.bridge.out_ring.write_at(0, band)
        at, played = 0, []
        for block in cuts:
            played.append(card.call(heard[at : at + block]))
            at += block
            assert card.bridge.position == math.ceil(at * rates[1] / rates[0])
        found.append((np.concatenate(played, axis=1), card.bridge.in_ring.read(card.bridge.position)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_a_block_larger_than_the_memory_is_done_in_pieces() -> None:
    card = Card(44_100)
    card.bridge.set_playing(True)
    card.bridge.out_ring.write_at(0, sine(BAND_HZ, 1.0).astype(np.float32))
    played = card.call(sine(44_100, 0.5))[0]
    assert card.bridge.position == 24_000
    wanted = sine(44_100, 0.5, card.conversion.playback_delay_samples / BAND_HZ)
    np.testing.assert_allclose(played[2000:], wanted[2000:], atol=1e-3)
    assert card.bridge.counters().callbacks == 1


def test_the_click_keeps_to_its_own_output_and_nothing_passes_the_ceiling() -> None:
    card = Card(44_100)
    square = np.sign(sine(BAND_HZ, 1.0, tone_hz=1500.0)).astype(np.float32)  # overshoots in any filter
    card.bridge.out_ring.write_at(0, square)
    card.bridge.click_ring.write_at(0, sine(BAND_HZ, 1.0).astype(np.float32))
    card.bridge.set_playing(True)
    band, click = card.run(np.zeros(22_050))
    assert 0.85 < np.abs(band).max() <= CEILING + 1e-6
    np.testing.assert_allclose(np.abs(click[4000:]).max(), 0.5, atol=2e-3)


def test_what_is_no_number_is_counted_and_does_not_stay_in_the_filter() -> None:
    card = Card(44_100)
    bad = np.zeros(4410, np.float32)
    bad[[100, 200, 300]] = np.nan, np.inf, 1e38
    played = card.run(bad)
    heard = card.bridge.in_ring.read(4800)
    assert np.isfinite(played).all()
    assert np.isfinite(heard).all()
    assert not heard[1000:].any()
    assert card.bridge.counters().nonfinite_in_samples == 2


def test_who_comes_again_at_that_rate_begins_anew_in_the_same_memory() -> None:
    card = Card(44_100)
    first = card.run(np.full(1000, 0.5))
    heard = card.bridge.in_ring.read(2000)
    card.bridge.new_lease()
    assert card.bridge.set_card_rate(44_100) is card.conversion
    again = card.run(np.full(1000, 0.5))
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(card.bridge.in_ring.read(2000), heard)


def test_rates_without_a_common_measure_are_refused() -> None:
    bridge = Bridge(BAND_HZ)
    with pytest.raises(ValueError, match="no resampling"):
        bridge.set_card_rate(47_999)
    assert bridge.set_card_rate(BAND_HZ) is None
