"""MIDI clock out where a beat is no quarter note, and where time leaps."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.position import Point
from gigmate.engine.timing.clocks.midi_clock_out import MidiClockOut
from gigmate.engine.timing.fixed_grid import GridConductor

RATE_HZ, FRAME = 48_000, 1920


class Machine:
    """What comes to a drum machine that follows."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, bytes]] = []

    def push(self, position: int, message: bytes) -> bool:
        self.messages.append((position, message))
        return True

    def at(self, status: int) -> list[int]:
        return [position for position, message in self.messages if message[0] == status]


@pytest.mark.parametrize(("quarters", "ticks"), [(1.0, 24), (1.5, 36), (0.5, 12), (2.0, 48)])
def test_a_beat_has_the_ticks_of_its_quarters(quarters: float, ticks: int) -> None:
    """In 6/8 at 80 dotted quarters the machine is told 120 quarters."""
    machine, grid = Machine(), GridConductor(80, 2, RATE_HZ)
    clock = MidiClockOut(machine.push, RATE_HZ)
    for frame in range(150):
        clock.frame(
            frame * FRAME, FRAME, lambda at: grid.peek(at)._replace(beat_quarters=quarters), 0,
            known=True, sounds=True, off=False,
        )  # fmt: skip
    np.testing.assert_allclose(np.diff(machine.at(0xF8)), 36_000 / ticks, atol=1.0)
    assert len(machine.at(0xF8)) == 150 * FRAME * ticks // 36_000


def test_a_place_within_the_bar_is_told_in_quarters() -> None:
    machine, grid = Machine(), GridConductor(80, 2, RATE_HZ, first_beat_position=-36_000.0)
    clock = MidiClockOut(machine.push, RATE_HZ)
    for frame in range(10):
        clock.frame(
            frame * FRAME, FRAME, lambda at: grid.peek(at)._replace(beat_quarters=1.5), 0,
            known=True, sounds=True, off=False,
        )  # fmt: skip
    places = [message[1] for _, message in machine.messages if message[0] == 0xF2]
    assert places == [6], "the second beat of 6/8 is six sixteenths into its bar"


def test_a_machine_is_begun_anew_where_time_leaps() -> None:
    machine, grid = Machine(), GridConductor(120, 4, RATE_HZ)
    clock = MidiClockOut(machine.push, RATE_HZ)

    leapt = False

    def peek(position: float) -> Point:
        point = grid.peek(position)
        beat = point.beat + 0.37 * leapt
        return point._replace(beat=beat, bar_beat=beat // 4 * 4.0, bar=int(beat // 4))

    for frame in range(160):
        leapt = frame >= 100  # between two frames: what was sent is sent
        clock.frame(frame * FRAME, FRAME, peek, 0, known=True, sounds=True, off=False)
    (stop,) = machine.at(0xFC)
    assert abs(stop - 100 * FRAME) <= 2 * FRAME
    began = [position for position in machine.at(0xFB) + machine.at(0xFA) if position > stop]
    assert len(began) == 1
    assert (peek(began[0] + 96).beat + 0.5) % 1.0 == pytest.approx(0.5, abs=0.01), "on a beat"
