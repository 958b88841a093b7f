"""The band's notes into the rings: on their channels, early enough, in order; nothing where nobody sends."""

from __future__ import annotations

import numpy as np
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.callback.state_table import NOTE_EVENTS
from gigmate.engine.notes.groove_timing import TimedNote
from gigmate.engine.notes.note_out import NoteOut

RATE_HZ = 48_000
NOBODY, ROUND_TRIP = (0, 0, 0), 0


def streams(used: bool = True) -> Bridge:
    bridge = Bridge(RATE_HZ)
    bridge.notes.used = used
    bridge.set_playing(True)
    return bridge


def due(bridge: Bridge, part: int, count: int = 96_000) -> list[tuple[int, bytes]]:
    return bridge.notes.take_due(part, 0, count)


def test_each_part_has_its_channel_and_its_place() -> None:
    bridge = streams()
    out = NoteOut(bridge.notes, RATE_HZ, 0.0)
    out.send([TimedNote(part, 40, 90, 1000.4 + part) for part in range(3)], (100, 100, 200), 100)
    assert [due(bridge, part) for part in range(3)] == [
        [(900, bytes([0x99, 40, 90]))],
        [(901, bytes([0x90, 40, 90]))],
        [(802, bytes([0x91, 40, 90]))],
    ]


def test_a_latency_is_made_up_for_and_a_start_awaited_as_much_earlier() -> None:
    bridge = streams()
    bridge.set_playing(True, 10_000)
    out = NoteOut(bridge.notes, RATE_HZ, 50.0)
    assert out.before_samples >= 2400
    out.send([TimedNote(1, 40, 90, 9_999), TimedNote(1, 41, 90, 10_000)], NOBODY, ROUND_TRIP)
    assert due(bridge, 1) == [(10_000 - 2400, bytes([0x90, 41, 90]))]


def test_the_order_of_a_part_is_kept() -> None:
    bridge = streams()
    out = NoteOut(bridge.notes, RATE_HZ, 0.0)
    out.send([TimedNote(1, 40, 90, 1000), TimedNote(1, 40, 0, 900)], NOBODY, ROUND_TRIP)
    assert due(bridge, 1) == [(1000, bytes([0x90, 40, 90])), (1000, bytes([0x80, 40, 0]))]


def test_programs_are_sent_once_and_when_they_change() -> None:
    bridge = streams()
    out = NoteOut(bridge.notes, RATE_HZ, 0.0)
    for programs in ((0, 33, 4), (0, 33, 4), (0, 34, 4)):
        out.set_programs(programs, 500)
    assert due(bridge, 1) == [(500, bytes([0xC0, 33])), (500, bytes([0xC0, 34]))]


def test_where_nobody_sends_nothing_is_kept() -> None:
    bridge = streams(used=False)
    out = NoteOut(bridge.notes, RATE_HZ, 80.0)
    assert out.before_samples == 0
    out.set_programs((0, 33, 4), 0)
    out.send([TimedNote(1, 40, 90, 1000)], NOBODY, ROUND_TRIP)
    assert due(bridge, 1) == []


def test_a_ring_that_nobody_empties_loses_beginnings_and_ends_what_sounds() -> None:
    bridge = streams()
    out = NoteOut(bridge.notes, RATE_HZ, 0.0)
    for number in range(2 * NOTE_EVENTS):
        out.send([TimedNote(1, 40, 90 * (number % 2 == 0), 10.0 * number)], NOBODY, ROUND_TRIP)
    assert out.dropped > 0
    sounding = 0
    for _ in range(40):
        for _, message in bridge.notes.take_due(1, bridge.position, 1024):
            sounding += {0x90: 1, 0x80: -1}[message[0] & 0xF0]
        bridge.process_arrays(np.zeros((1, 1024), np.float32), np.zeros((1, 1024), np.float32))
    assert sounding == 0
