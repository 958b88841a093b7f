"""The ahead: the least that holds the deadline, exact to the sample, quick to grow and slow to shrink."""

from __future__ import annotations

import pytest
from gigmate.latency.budget import (
    MAX_AHEAD_FRAMES,
    SETTLE_RESERVE,
    Budget,
    Delays,
)
from hypothesis import given
from hypothesis import strategies as st

FRAME = 1920
samples = st.floats(0, 6 * FRAME)


@given(
    round_trip=samples, player=st.floats(0, 960), block=st.integers(16, 4096), step=samples, margin=st.floats(0, 500)
)
def test_it_is_the_least_that_holds_and_splits_exactly(
    round_trip: float, player: float, block: int, step: float, margin: float
) -> None:
    delays = Delays(round_trip, player, 52.0, block, margin)
    budget = Budget(FRAME, delays, step, max_ahead_frames=1000)
    left = (budget.ahead_frames - 1) * FRAME - round_trip - player - 52.0 - block - margin - step
    assert left == pytest.approx(budget.remainder_samples, abs=1e-6)
    assert left >= -1e-3
    assert left < FRAME or budget.ahead_frames == 2
    assert sum(budget.stages().values()) == pytest.approx(budget.ahead_samples)
    assert not budget.exceeds_maximum


def test_the_figures_of_a_laptop() -> None:
    """48 kHz, blocks of 128, the codec's 10 ms, no cable: 26 ms are left for the step and the margin."""
    delays = Delays(0, 480, 52, 128, 0, resample_in_samples=52, listen_samples=0)
    budget = Budget(FRAME, delays, 20 * 48)
    assert (budget.ahead_frames, budget.ahead_samples) == (2, 3840)
    assert budget.remainder_samples == 1260 - 960
    assert Budget(FRAME, delays, 27 * 48).ahead_frames == 3
    assert budget.hearing_samples == 52


def test_it_grows_at_once_and_shrinks_after_a_calm() -> None:
    budget = Budget(FRAME, Delays(margin_samples=240), 500, calm_frames=100)
    assert budget.ahead_frames == 2
    assert budget.update(1700)  # the step itself would still fit: the margin is touched
    assert (budget.ahead_frames, budget.grown) == (3, 1)
    for _ in range(99):
        assert not budget.update(500)
    assert not budget.update(1600)  # no calm: it would fit, but barely
    for _ in range(99):
        assert not budget.update(500)
    assert budget.ahead_frames == 3
    assert budget.update(500)
    assert (budget.ahead_frames, budget.shrunk) == (2, 1)
    for _ in range(300):
        assert not budget.update(500)


def test_it_shrinks_one_frame_at_a_time() -> None:
    budget = Budget(FRAME, Delays(), 5 * FRAME, calm_frames=10)
    assert budget.ahead_frames == 6
    aheads = []
    for _ in range(60):
        budget.update(100.0)
        aheads.append(budget.ahead_frames)
    assert aheads[9] == 5
    assert aheads[19] == 4
    assert aheads[-1] == 2


def test_other_delays_count_at_once() -> None:
    budget = Budget(FRAME, Delays(), 500)
    assert budget.declare(Delays(round_trip_samples=2880))
    assert budget.ahead_frames == 3
    assert not budget.declare(Delays())
    assert budget.ahead_frames == 3
    assert budget.delays == Delays()


def test_there_is_an_end_to_it() -> None:
    budget = Budget(FRAME, Delays(), 100 * FRAME)
    assert budget.ahead_frames == MAX_AHEAD_FRAMES
    assert budget.exceeds_maximum
    assert budget.remainder_samples < 0
    assert sum(budget.stages().values()) == pytest.approx(budget.ahead_samples)


@given(lead=samples, parts=st.integers(2, 16))
def test_an_offset_spares_what_whole_frames_round_up(lead: float, parts: int) -> None:
    budget = Budget(FRAME, Delays(round_trip_samples=lead), 0.0, max_ahead_frames=1000, offsets_per_frame=parts)
    reserve = SETTLE_RESERVE * FRAME
    assert reserve - 1e-3 <= budget.remainder_samples <= reserve + FRAME / parts + 1
    assert 0 <= budget.offset_samples < FRAME
    assert budget.ahead_samples == budget.ahead_frames * FRAME + budget.offset_samples
    assert budget.ahead_frames_up == -(-budget.ahead_samples // FRAME)
    assert sum(budget.stages().values()) == pytest.approx(budget.ahead_samples)
    assert not budget.exceeds_maximum


def test_it_grows_by_what_is_missing_in_steps_of_the_offset() -> None:
    budget = Budget(FRAME, Delays(), 960, calm_frames=10, offsets_per_frame=16)
    assert budget.ahead_samples == FRAME + 1080  # 960 and the reserve of 96, rounded up to steps of 120
    assert not budget.update(1080)  # the reserve is there to be used
    assert budget.update(1081)
    assert (budget.ahead_samples, budget.grown) == (FRAME + 1200, 1)
    assert budget.update(1330)
    assert (budget.ahead_samples, budget.grown) == (FRAME + 1440, 2)
    assert budget.update(FRAME + 10)  # beyond the frame
    assert (budget.ahead_frames, budget.offset_samples) == (2, 120)
    assert not budget.update(FRAME + 120)


def test_where_more_than_half_a_frame_is_missing_it_grows_by_a_whole_one() -> None:
    budget = Budget(FRAME, Delays(), 960, offsets_per_frame=16)
    before = budget.ahead_samples
    assert budget.update(1080 + FRAME // 2 + 1)
    assert budget.ahead_samples == before + FRAME
    assert budget.update(1080 + 3 * FRAME)
    assert budget.ahead_samples == before + 3 * FRAME


def test_it_shrinks_after_a_calm_by_what_is_spared() -> None:
    budget = Budget(FRAME, Delays(), 960, calm_frames=10, offsets_per_frame=16)
    small = budget.ahead_samples
    assert budget.update(1500)
    grown = budget.ahead_samples
    assert [budget.update(960) for _ in range(9)] == [False] * 9
    assert not budget.update(1400)  # no calm: it would spare next to nothing
    assert [budget.update(960) for _ in range(10)] == [False] * 9 + [True]
    assert (budget.ahead_samples, budget.shrunk) == (small, 1) and grown > small
    assert [budget.update(900) for _ in range(40)] == [False] * 40, "so little is not worth it"
    assert [budget.update(0) for _ in range(10)] == [False] * 9 + [True]
    assert budget.ahead_samples == small - FRAME // 2, "half a frame at once is the most"


def test_at_rest_it_is_chosen_anew_where_that_spares_anything() -> None:
    budget = Budget(FRAME, Delays(), 960, offsets_per_frame=16)
    budget.update(900)
    assert not budget.settle()
    budget.update(100)
    assert budget.settle()
    assert budget.ahead_samples == FRAME + 240


@given(steps=st.lists(st.floats(0, 3 * FRAME), min_size=1, max_size=60), parts=st.sampled_from([1, 8, 16]))
def test_whatever_steps_take_the_deadline_holds_and_the_grid_is_kept(steps: list[float], parts: int) -> None:
    budget = Budget(FRAME, Delays(margin_samples=192, block_samples=128), 300, calm_frames=3, offsets_per_frame=parts)
    for step in steps:
        before = budget.ahead_samples
        changed = budget.update(step)
        assert changed == (budget.ahead_samples != before)
        assert budget.remainder_samples >= -1e-6
        assert budget.ahead_samples % (FRAME // parts) == 0
        assert 0 <= budget.offset_samples < FRAME and budget.ahead_frames >= 1


def test_there_is_an_end_to_it_with_offsets_too() -> None:
    budget = Budget(FRAME, Delays(), 100 * FRAME, offsets_per_frame=8)
    assert (budget.ahead_frames, budget.offset_samples) == (MAX_AHEAD_FRAMES, 0)
    assert budget.exceeds_maximum
    assert budget.settle() is False


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="offsets"):
        Budget(FRAME, Delays(), 1, offsets_per_frame=0)
    with pytest.raises(ValueError, match="frame"):
        Budget(0, Delays(), 1)
    with pytest.raises(ValueError, match="step"):
        Budget(FRAME, Delays(), -1)
    with pytest.raises(ValueError, match="step"):
        Budget(FRAME, Delays(), 1).update(float("nan"))
    with pytest.raises(ValueError, match="block_samples"):
        Delays(block_samples=-1)
    with pytest.raises(ValueError, match="round_trip_samples"):
        Delays(round_trip_samples=float("inf"))
