"""Rows and buses in the callback: taken and covered together, limited with one gain a bus, each to its outputs."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.buses import BusLayout
from gigmate.engine.callback import portaudio_callback, state_table
from gigmate.engine.callback.bridge import Bridge
from hypothesis import given, settings
from hypothesis import strategies as st

RATE_HZ = 48_000
RAMP = 960
PARTED = BusLayout((1, 2), (("drums", (3, 4)), ("bass", (5,))), click=(6,))
"""Rows: main 0 and 1, drums 2 and 3, bass 4; the click apart."""


def _run(bridge: Bridge, count: int, outputs: int) -> np.ndarray:
    played = np.full((outputs, count), np.nan, np.float32)
    bridge.process_arrays(np.zeros((1, count), np.float32), played)
    return played


def _playing(layout: BusLayout, **options: float) -> Bridge:
    bridge = Bridge(RATE_HZ, buses=layout, **options)  # type: ignore[arg-type]
    bridge.set_playing(True)
    bridge.out_ring.write_at(0, np.zeros(RAMP))
    _run(bridge, RAMP, len(layout.channels))
    return bridge


def _noise(rows: int, count: int, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(rows).standard_normal((rows, count)) * level).astype(np.float32)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=20))
@settings(deadline=None, max_examples=40)
def test_every_output_plays_its_row_however_blocks_are_cut(blocks: list[int]) -> None:
    bridge = Bridge(RATE_HZ, max_block_samples=256, buses=PARTED)
    total = sum(blocks)
    band, click = _noise(5, total), _noise(1, total)[0]
    bridge.set_playing(True)
    bridge.out_ring.write_at(0, band)
    bridge.click_ring.write_at(0, click)
    played = np.concatenate([_run(bridge, block, 6) for block in blocks], axis=1)
    ramp = np.sin(np.minimum(np.arange(1, total + 1), RAMP) * (np.pi / 2 / RAMP))
    np.testing.assert_allclose(played[:5], band * ramp, atol=1e-6)
    np.testing.assert_array_equal(played[5], click)
    assert bridge.counters().miss_samples == 0


def test_the_click_is_in_the_middle_of_main_alone_where_it_has_no_output() -> None:
    layout = BusLayout((1, 2), (("drums", (3,)),))
    bridge = _playing(layout)
    band, click = _noise(3, 500), _noise(1, 500)[0]
    bridge.out_ring.write_at(RAMP, band)
    bridge.click_ring.write_at(RAMP, click)
    played = _run(bridge, 500, 3)
    np.testing.assert_allclose(played[:2], band[:2] + click, atol=1e-7)
    np.testing.assert_array_equal(played[2], band[2])


def test_more_outputs_of_main_are_left_and_right_by_turns() -> None:
    bridge = _playing(BusLayout((1, 2, 3, 4)))
    band = _noise(2, 300)
    bridge.out_ring.write_at(RAMP, band)
    np.testing.assert_array_equal(_run(bridge, 300, 4), band[[0, 1, 0, 1]])


def test_a_miss_is_covered_in_all_rows_alike_and_counted_once() -> None:
    bridge = _playing(PARTED)
    bar, late = 12_000, 500
    band = _noise(5, bar)
    bridge.set_fallback_period(bar)
    bridge.out_ring.write_at(RAMP, np.tile(band, 2))
    _run(bridge, 2 * bar, 6)
    bridge.out_ring.write_at(RAMP + 2 * bar + late, np.zeros((5, 4 * bar), np.float32))
    covered = _run(bridge, bar, 6)[:5]
    counters = bridge.counters()
    assert (counters.miss_samples, counters.miss_episodes, counters.miss_blocks) == (late, 1, 1)
    fade = round(0.012 * RATE_HZ)
    assert np.abs(covered[:, :late]).max() > 0.1
    assert not covered[:, late + fade :].any()
    # What one row has, all have: each is what a bridge of that row alone plays.
    for row in range(5):
        alone = _playing(BusLayout((1,)))
        alone.set_fallback_period(bar)
        alone.out_ring.write_at(RAMP, np.tile(band[row], 2))
        _run(alone, 2 * bar, 1)
        alone.out_ring.write_at(RAMP + 2 * bar + late, np.zeros(4 * bar, np.float32))
        np.testing.assert_array_equal(covered[row], _run(alone, bar, 1)[0])


def test_left_and_right_that_are_alike_stay_alike_through_a_miss() -> None:
    bridge = _playing(BusLayout())
    bridge.set_fallback_period(6_000)
    mono = _noise(1, 12_000)[0]
    bridge.out_ring.write_at(RAMP, np.stack([mono, mono]))
    _run(bridge, 12_000, 2)
    for gap in (100, 3_000, 50):
        left, right = _run(bridge, gap, 2)
        np.testing.assert_array_equal(left, right)
        assert np.abs(left).max() > 0.0
        bridge.out_ring.write_at(bridge.position, np.stack([mono[:2_000]] * 2))
        left, right = _run(bridge, 2_000, 2)
        np.testing.assert_array_equal(left, right)
    assert bridge.counters().miss_episodes == 3


def test_a_limiter_holds_left_and_right_with_one_gain_and_other_buses_with_none() -> None:
    layout = BusLayout((1, 2), (("drums", (3, 4)),))
    bridge = _playing(layout, ceiling_dbfs=-3.0)
    count = 4_000
    band = np.stack([np.full(count, 2.0), np.full(count, 0.5), np.full(count, 0.25), np.full(count, -0.1)])
    bridge.out_ring.write_at(RAMP, band.astype(np.float32))
    played = _run(bridge, count, 4)
    assert np.abs(played).max() <= 10 ** (-3 / 20)
    np.testing.assert_allclose(played[0] / played[1], 4.0, rtol=1e-5, err_msg="the image stays where it was")
    np.testing.assert_array_equal(played[2:], band[2:].astype(np.float32), "drums are not pushed down by main")
    assert bridge.counters().limited_samples == count
    bridge.set_ceiling(-20.0)
    bridge.out_ring.write_at(bridge.position, band.astype(np.float32))
    assert np.abs(_run(bridge, count, 4)).max() <= 10 ** (-20 / 20), "all limiters have the new ceiling"


def test_what_is_no_number_is_silence_in_its_row_alone() -> None:
    bridge = _playing(BusLayout())
    band = np.full((2, 64), 0.25, np.float32)
    band[1, 10:12] = np.nan, np.inf
    bridge.out_ring.write_at(RAMP, band)
    left, right = _run(bridge, 64, 2)
    assert (left == 0.25).all()
    np.testing.assert_array_equal(right[[9, 10, 11, 12]], np.float32([0.25, 0, 0, 0.25]))
    counters = bridge.counters()
    assert (counters.nonfinite_out_samples, counters.miss_samples) == (2, 0)


def test_the_ramp_turns_all_rows_at_once() -> None:
    bridge = _playing(PARTED)
    ones = np.full((5, 4 * RAMP), 0.2, np.float32)
    bridge.out_ring.write_at(RAMP, ones)
    bridge.stop_at(RAMP + 100)
    played = _run(bridge, 2 * RAMP, 6)[:5]
    assert (played[:, :100] == np.float32(0.2)).all()
    assert not played[:, 100 + RAMP :].any()
    np.testing.assert_array_equal(played, np.tile(played[0], (5, 1)))


@pytest.mark.parametrize("card_hz", [44_100, 96_000])
def test_a_card_at_another_rate_gets_every_row(card_hz: int) -> None:
    bridge = Bridge(RATE_HZ, in_capacity=2 * RATE_HZ, out_capacity=2 * RATE_HZ, buses=PARTED)
    bridge.new_lease()
    conversion = bridge.set_card_rate(card_hz)
    assert conversion is not None
    channels = len(PARTED.channels)
    for word in (state_table.PA_OUTPUTS, state_table.PA_OUT_TOTAL):
        bridge.set_word(word, channels)
    bridge.set_table(state_table.PA_OUT_INDEX, list(range(channels)))
    bridge.set_playing(True)
    tones_hz = [300.0, 400.0, 500.0, 600.0, 700.0, 800.0]
    times = np.arange(2 * RATE_HZ) / RATE_HZ
    tones = np.stack([0.3 * np.sin(2 * np.pi * hz * times) for hz in tones_hz]).astype(np.float32)
    bridge.out_ring.write_at(0, tones[:5])
    bridge.click_ring.write_at(0, tones[5])
    played = []
    for _ in range(card_hz // 300):
        block = np.zeros((channels, 300), np.float32)
        rows = np.array([block.ctypes.data + 1200 * row for row in range(channels)], np.int64)
        portaudio_callback.portaudio_process.ctypes(0, rows.ctypes.data, 300, 0, 0, bridge.stream_address)
        played.append(block)
    sound = np.concatenate(played, axis=1)
    delay_s = conversion.playback_delay_samples / RATE_HZ
    at_s = np.arange(sound.shape[1]) / card_hz - delay_s
    for row, hz in enumerate(tones_hz):
        wanted = 0.3 * np.sin(2 * np.pi * hz * at_s)
        np.testing.assert_allclose(sound[row, card_hz // 4 :], wanted[card_hz // 4 :], atol=1e-3)


def test_more_outputs_than_there_can_be_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 256"):
        Bridge(RATE_HZ, buses=BusLayout(tuple(range(1, 258))))
