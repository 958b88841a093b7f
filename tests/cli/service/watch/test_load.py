"""Who is let in: by what streams cost, measured at the start and while they play; and when nobody is."""

from __future__ import annotations

import time

import pytest
from gigmate.band import Band
from gigmate.cli.service.watch import load as module
from gigmate.cli.service.watch.load import Load, Refusal, Seat, measured_cost

from ..service_fakes import Echoist


class Slow(Echoist):
    """A fifth of real time goes into each frame."""

    pause_s = 0.008


def seats(load: Load, count: int, counted: bool = True) -> list[Seat]:
    taken = [load.take(counted) for _ in range(count)]
    assert all(isinstance(seat, Seat) for seat in taken)
    return [seat for seat in taken if isinstance(seat, Seat)]


def test_as_many_as_can_be_held_in_real_time() -> None:
    load = Load(cost=0.2, share=0.85)
    assert load.room == 4
    taken = seats(load, 4)
    refused = load.take()
    assert isinstance(refused, Refusal) and "4 clients play already" in refused.line and not refused.for_all
    load.leave(taken[0])
    assert load.room == 1


def test_a_machine_that_is_too_slow_for_one_says_so() -> None:
    refused = Load(cost=1.25).take()
    assert isinstance(refused, Refusal) and "0.8 times real time" in refused.line


def test_it_is_measured_again_where_nobody_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    load, band = Load(cost=1.25, share=0.85), Band(Echoist)
    load.measure_again(band)
    assert load.cost == 1.25, "not twice in a moment"
    monkeypatch.setattr(module, "_MEASURE_EVERY_S", 0.0)
    monkeypatch.setattr(module, "measured_cost", lambda band: 0.2)
    load.measure_again(band)
    assert load.room == 4
    seats(load, 1)
    monkeypatch.setattr(module, "measured_cost", lambda band: 0.5)
    load.measure_again(band)
    assert load.cost == 0.2, "not while somebody plays"


def test_without_a_measurement_the_number_decides() -> None:
    load = Load(most=2)
    seats(load, 2)
    refused = load.take()
    assert isinstance(refused, Refusal) and refused.for_all


def test_streams_that_cost_more_than_was_measured_leave_less_room() -> None:
    load = Load(cost=0.1, share=0.85)
    (seat,) = seats(load, 1)
    assert load.room == 7
    for _ in range(200):
        load.played(seat, 0.2, 0.08, 0.09)
    assert load.room == 1


def test_nobody_is_let_in_while_one_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late: blocks take longer than they last, whatever the processor says: another program has it."""
    load = Load(cost=0.1, share=0.85)
    (seat,) = seats(load, 1)
    for _ in range(200):
        load.played(seat, 0.2, 0.02, 0.3)
    refused = load.take()
    assert isinstance(refused, Refusal) and "late" in refused.line
    assert load.counters.values()["pieces_late"] == 200
    monkeypatch.setattr(module, "_RECENT_S", 0.0)
    assert load.room > 0


def test_who_need_not_be_in_time_takes_no_place_of_those_who_must() -> None:
    load = Load(cost=0.4, share=0.85, most=3)
    (patient,) = seats(load, 1, counted=False)
    for _ in range(200):
        load.played(patient, 0.2, 0.2, 5.0)
    assert load.room == 2
    assert not load.has_counted
    seats(load, 2)
    assert isinstance(load.take(counted=False), Refusal)
    began_s = time.monotonic()
    load.give_way(0.05)
    assert time.monotonic() - began_s >= 0.05


def test_small_blocks_are_counted_in_pieces() -> None:
    load = Load(cost=0.1, share=0.85)
    (seat,) = seats(load, 1)
    for index in range(160):  # of 64 samples at 48 kHz; each thirtieth makes a frame
        load.played(seat, 64 / 48_000, 0.004 * (index % 30 == 0), 0.004 * (index % 30 == 0))
    values = load.counters.values()
    assert values["pieces"] == 1 and values["pieces_late"] == 0
    assert 0.15 < load.busy < 0.9 or load.busy == pytest.approx(0.024)


def test_what_is_measured_is_what_a_stream_costs() -> None:
    """Three at once, each of which sleeps a fifth of the time: they sleep at once, so a third of that each, or more."""
    assert 0.2 / 3 <= measured_cost(Band(Slow)) < 1.0
