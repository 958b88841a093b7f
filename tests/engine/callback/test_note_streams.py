"""Notes on their way out: each at its sample, none where the band is off, and every one that begins also ends."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from gigmate.engine.callback import state_table
from gigmate.engine.callback.bridge import Bridge
from gigmate.engine.callback.note_streams import CHANNELS, LATEST_MS
from gigmate.engine.player import PARTS
from gigmate.sound.general_midi import CHANNELS as GENERAL_MIDI_CHANNELS
from hypothesis import given, settings
from hypothesis import strategies as st

RATE_HZ, BLOCK = 48_000, 128
BASS = PARTS.index("bass")


class Sent:
    """A stream whose blocks are carried by hand, and what a synth would have sounding."""

    def __init__(self, lead: int = 0) -> None:
        self.bridge = Bridge(RATE_HZ)
        self.notes = self.bridge.notes
        for part in range(len(PARTS)):
            self.notes.set_lead(part, lead)
        self.events: list[tuple[int, bytes]] = []
        self.sounding: Counter[tuple[int, int]] = Counter()
        self._silence = np.zeros((1, BLOCK), np.float32)

    @property
    def position(self) -> int:
        return self.bridge.position

    def block(self) -> list[tuple[int, bytes]]:
        position, fresh = self.position, []
        for part in range(len(PARTS)):
            due = self.notes.take_due(part, position, BLOCK)
            assert [offset for offset, _ in due] == sorted(offset for offset, _ in due)
            assert all(0 <= offset < BLOCK for offset, _ in due)
            for offset, message in due:
                self._sound(message)
                fresh.append((position + offset, message))
        self.bridge.process_arrays(self._silence, np.zeros((1, BLOCK), np.float32))
        self.events += fresh
        return fresh

    def blocks(self, many: int) -> list[tuple[int, bytes]]:
        return [event for _ in range(many) for event in self.block()]

    def _sound(self, message: bytes) -> None:
        kind, key = message[0] & 0xF0, (message[0] & 0x0F, message[1])
        if kind == 0x90:
            assert self.sounding[key] == 0, "begun twice"
            self.sounding[key] += 1
        elif kind == 0x80:
            assert self.sounding[key] == 1, "ended without a beginning"
            self.sounding[key] -= 1


def on(pitch: int, part: int = BASS) -> bytes:
    return bytes([0x90 | CHANNELS[PARTS[part]], pitch, 100])


def off(pitch: int, part: int = BASS) -> bytes:
    return bytes([0x80 | CHANNELS[PARTS[part]], pitch, 0])


def test_channels_are_those_of_general_midi() -> None:
    assert CHANNELS == GENERAL_MIDI_CHANNELS


def test_each_message_goes_out_at_its_sample() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    for position, message in ((5, on(40)), (127, off(40)), (128, on(41)), (1000, off(41))):
        assert sent.notes.push(BASS, position, message)
    assert sent.blocks(10) == [(5, on(40)), (127, off(40)), (128, on(41)), (1000, off(41))]


def test_a_stop_ends_what_sounds_and_leaves_out_what_was_to_come() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    sent.notes.push(BASS, 5, on(40))
    sent.notes.push(BASS, 1000, on(41))
    sent.notes.push(BASS, 1500, off(40))
    sent.block()
    sent.bridge.set_playing(False)
    assert sent.blocks(20) == [(BLOCK, off(40))]


def test_a_stop_at_a_sample_ends_it_there() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    sent.notes.push(BASS, 5, on(40))
    sent.notes.push(BASS, 700, on(41))
    sent.bridge.stop_at(600)
    assert sent.blocks(10) == [(5, on(40)), (600, off(40))]


def test_what_is_begun_anew_in_the_same_block_sounds() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    sent.notes.push(BASS, 5, on(40))
    sent.block()
    sent.bridge.stop_at(200)
    sent.bridge.set_playing(True, 220)
    sent.notes.push(BASS, 210, on(42))
    sent.notes.push(BASS, 230, on(43))
    assert sent.block() == [(200, off(40)), (230, on(43))]


def test_a_start_is_awaited() -> None:
    sent = Sent()
    sent.bridge.set_playing(True, 300)
    sent.notes.push(BASS, 200, on(40))
    sent.notes.push(BASS, 310, on(41))
    assert sent.blocks(4) == [(310, on(41))]


def test_what_is_sent_early_starts_and_stops_early() -> None:
    sent = Sent(lead=200)
    sent.bridge.set_playing(True, 300)
    sent.notes.push(BASS, 90, on(40))  # its sound belongs to 290
    sent.notes.push(BASS, 101, on(41))
    sent.bridge.stop_at(900)
    assert sent.blocks(10) == [(101, on(41)), (700, off(41))]


def test_a_pitch_that_sounds_ends_before_it_is_struck_again() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    sent.notes.push(BASS, 5, on(40))
    sent.notes.push(BASS, 300, on(40))
    assert sent.blocks(4) == [(5, on(40)), (300, off(40)), (300, on(40))]


def test_a_panic_ends_notes_and_silences_each_channel() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    sent.notes.push(BASS, 5, on(40))
    sent.block()
    sent.notes.panic()
    assert sent.notes.asked
    messages = [message for _, message in sent.block()]
    assert not sent.notes.asked
    assert messages[:1] == [bytes([0xB9, 123, 0])]
    assert [m for m in messages if m[0] & 0x0F == 0] == [off(40), bytes([0xB0, 123, 0]), bytes([0xB0, 120, 0])]


def test_late_beginnings_are_left_out_and_late_ends_are_not() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    sent.notes.push(BASS, 5, on(40))
    sent.blocks(60)
    sent.notes.push(BASS, 1000, off(40))
    sent.notes.push(BASS, 1000, on(41))
    sent.notes.push(BASS, sent.position - round(0.5 * LATEST_MS * 48), on(42))
    assert [message for _, message in sent.block()] == [off(40), on(42)]
    counters = sent.notes.counters()
    assert (counters.sent, counters.late, counters.dropped, counters.sounding) == (2, 1, 1, 1)


def test_the_program_is_told_again_to_who_is_connected() -> None:
    sent = Sent()
    sent.notes.push(BASS, 5, bytes([0xC0, 33]))
    assert sent.blocks(2) == [(5, bytes([0xC0, 33]))]
    sent.notes.tell_programs()
    assert sent.blocks(2) == [(2 * BLOCK, bytes([0xC0, 33]))]


def test_a_full_ring_keeps_room_for_ends() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    while sent.notes.push(BASS, 5, on(40)):
        pass
    assert sent.notes.push(BASS, 5, off(40))


def test_more_than_a_block_can_send_waits_for_the_next() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    pushed = 0
    while sent.notes.push(BASS, 5, on(40)):
        pushed += 1
    first, second = sent.block(), sent.block()
    assert len(first) < state_table.NOTES_MOST_DUE - 128
    begun = [message for _, message in (*first, *second) if message == on(40)]
    assert len(begun) == pushed
    assert 2 * pushed > state_table.NOTES_MOST_DUE


def test_a_new_stream_ends_what_the_last_one_left() -> None:
    sent = Sent()
    sent.bridge.set_playing(True)
    sent.notes.push(BASS, 5, bytes([0xC0, 33]))
    sent.notes.push(BASS, 6, on(40))
    sent.block()
    sent.bridge.new_lease()
    assert [message for _, message in sent.block()] == [off(40), bytes([0xC0, 33])]


_WHAT = [
    *("on", "off", "on", "off", "run", "run", "stop"),
    *("stop_at", "start", "panic", "release", "flood", "lease", "lead"),
]
_ACTS = st.lists(
    st.tuples(
        st.sampled_from(_WHAT),
        st.integers(0, 2),
        st.integers(40, 43),
        st.integers(0, 3000),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=40)
@given(_ACTS)
def test_whatever_happens_no_note_hangs(acts: list[tuple[str, int, int, int]]) -> None:
    """Starts, stops, panics, floods, new streams, changes of latency: `Sent` counts what a synth would sound."""
    sent = Sent()
    ahead = [0, 0, 0]
    sent.bridge.set_playing(True)
    for what, part, pitch, samples in acts:
        _do(sent, what, part, (pitch, samples, ahead))
    sent.bridge.set_playing(False)
    sent.block()
    assert not +sent.sounding
    assert sent.notes.counters().sounding == 0


def _do(sent: Sent, what: str, part: int, more: tuple[int, int, Any]) -> None:
    pitch, samples, ahead = more
    if what in ("on", "off"):
        ahead[part] = max(ahead[part], sent.position) + samples // 10
        sent.notes.push(part, ahead[part], (on if what == "on" else off)(pitch, part))
    elif what == "flood":
        for number in range(3 * state_table.NOTE_EVENTS // 2):
            sent.notes.push(part, ahead[part], (on if number % 3 else off)(40 + number % 60, part))
    elif what == "run":
        sent.blocks(1 + samples // 300)
    elif what == "stop":
        sent.bridge.set_playing(False)
    elif what == "stop_at":
        sent.bridge.stop_at(sent.position + samples)
    elif what == "start":
        sent.bridge.set_playing(True, sent.position + samples // 4)
    elif what == "lead":
        sent.notes.set_lead(part, samples - 1500)
    elif what == "lease":
        sent.bridge.new_lease()
    else:
        {"panic": sent.notes.panic, "release": sent.notes.release}[what]()
