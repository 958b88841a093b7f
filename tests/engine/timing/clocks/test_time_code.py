"""MIDI Time Code and Machine Control: every rate, in place and in pace, moved and stopped; broken messages pass by."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from gigmate.engine.commands import SystemMessage
from gigmate.engine.player import HeardFrame
from gigmate.engine.timing.clocks.system_pieces import SystemPieces
from gigmate.engine.timing.clocks.time_code import Machine, TimeCodeClock, machine_of, seconds_of
from gigmate.engine.timing.conductor import Conductor

RATE = 48_000
RATES = [Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30)]


def digits(count: int, kind: int) -> tuple[int, int, int, int]:
    """(hours, minutes, seconds, frames) of the frame of that number from 0, as devices write it."""
    nominal = (24, 25, 30, 30)[kind]
    if kind == 2:  # drop-frame by the usual rule, written down another way than the reader's
        tens, rest = divmod(count, 17_982)
        count += 18 * tens + (2 * ((rest - 2) // 1_798) if rest > 1 else 0)
    seconds, frame = divmod(count, nominal)
    return seconds // 3600, seconds // 60 % 60, seconds % 60, frame


def quarter_frames(first: int, frames: int, kind: int, at_s: float = 0.0, speed: float = 1.0):
    """(seconds, message) of a code that rolls from a frame on, two frames for each whole code."""
    for code in range(first, first + frames, 2):
        hours, minutes, seconds, frame = digits(code, kind)
        parts = (frame, seconds, minutes, hours | kind << 5)
        for piece in range(8):
            value = parts[piece // 2] >> (4 if piece % 2 else 0) & 0x0F
            when = at_s + float((code - first + Fraction(piece, 4)) / RATES[kind]) / speed
            yield when, bytes((0xF1, piece << 4 | value))


def fed(messages, tempo_bpm: float = 120.0, tremble_s: float = 0.0) -> tuple[TimeCodeClock, float]:
    clock, chance, when = TimeCodeClock(RATE), random.Random(1), 0.0
    clock.tempo_bpm = tempo_bpm
    for when, message in messages:
        clock.take(message, (when + tremble_s * chance.uniform(-1, 1)) * RATE)
        clock.anchor(when * RATE)
    return clock, when


@pytest.mark.parametrize("kind", range(4))
@pytest.mark.parametrize("first", [0, 50_000])
def test_the_place_in_the_song_is_known_at_every_rate(kind: int, first: int) -> None:
    clock, when = fed(quarter_frames(first, 240, kind))
    song_s = float(Fraction(first) / RATES[kind]) + when
    anchor = clock.anchor(when * RATE)
    assert anchor is not None and clock.starts == 1
    assert anchor.beat == pytest.approx(song_s % 3600 * 2.0, abs=0.002)
    assert anchor.song_bar == int(anchor.beat // 4) and anchor.beat_in_bar == int(anchor.beat % 4)
    assert anchor.tempo_bpm == pytest.approx(120.0, rel=1e-4)


@pytest.mark.parametrize("count", [0, 1799, 1800, 17_981, 17_982, 107_891, 107_892, 2_589_407])
def test_drop_frame_numbers_are_real_time(count: int) -> None:
    hours, minutes, seconds, frame = digits(count, 2)
    assert not (frame < 2 and seconds == 0 and minutes % 10), "a number that is left out"
    found = seconds_of(hours | 2 << 5, minutes, seconds, frame)
    assert found is not None and found[0] == pytest.approx(float(Fraction(count) / RATES[2]), abs=1e-9)


def test_a_trembling_cable_and_a_machine_that_is_fast_are_followed() -> None:
    clock, when = fed(quarter_frames(0, 300, 1, speed=1.02), tremble_s=0.002)
    anchor = clock.anchor(when * RATE)
    assert anchor is not None and clock.starts == 1
    assert anchor.tempo_bpm == pytest.approx(122.4, rel=0.002)
    assert anchor.beat == pytest.approx(when * 1.02 * 2.0, abs=0.008), "within 4 ms"


def test_a_code_that_ends_is_a_stop_and_one_that_jumps_is_followed_at_once() -> None:
    clock, when = fed(quarter_frames(0, 100, 3))
    assert not clock.stopped
    assert clock.anchor((when + 0.3) * RATE) is None and clock.stopped
    for at_s, message in quarter_frames(9_000, 20, 3, at_s=10.0):
        clock.take(message, at_s * RATE)
    anchor = clock.anchor(at_s * RATE)
    assert anchor is not None and not clock.stopped and clock.starts == 2
    assert anchor.beat == pytest.approx((300.0 + at_s - 10.0) * 2.0, abs=0.002)
    later_s = at_s + 0.01
    for at_s, message in quarter_frames(0, 8, 3, at_s=later_s):
        clock.take(message, at_s * RATE)
    moved = clock.anchor(at_s * RATE)
    assert moved is not None and clock.starts == 3 and moved.beat < 2.0


def test_a_code_that_runs_backwards_or_loses_pieces_leads_nobody() -> None:
    messages = list(quarter_frames(0, 60, 1))
    clock, _ = fed([(when, message) for when, message in messages if message[1] >> 4 != 5])
    assert clock.anchor(messages[-1][0] * RATE) is None and clock.starts == 0
    backwards = [(when, back) for (when, _), (_, back) in zip(messages, reversed(messages), strict=True)]
    clock, _ = fed(backwards)
    assert clock.starts == 0


def test_without_a_tempo_it_waits_and_says_so() -> None:
    conductor = Conductor(RATE, None)
    for when, message in quarter_frames(0, 60, 1):
        conductor.obey(SystemMessage(message), when * RATE)
    assert conductor.entrance_cue().source != "mtc"
    assert any("tells no tempo" in line for _, line in conductor.entrance_cue().remarks)


def test_the_band_is_at_the_bar_that_the_code_says() -> None:
    conductor, frame = Conductor(RATE, 100.0, listen=False), 1920
    messages = list(quarter_frames(25 * 3_624, 400, 1))  # 01:00:24:00 is the 11th bar of the song
    for index in range(300):
        end = (index + 1) * frame
        while messages and messages[0][0] * RATE < end:
            when, message = messages.pop(0)
            conductor.obey(SystemMessage(message), when * RATE)
        conductor.hear(HeardFrame(), end, frame)
        conductor.moment(end)
    point = conductor.peek(300 * frame)
    beats = (24.0 + 300 * frame / RATE) * 100.0 / 60.0
    assert conductor.entrance_cue().source == "mtc"
    assert (point.beat - point.bar_beat - beats % 4 + 2) % 4 - 2 == pytest.approx(0.0, abs=0.01)


def exclusive(*body: int) -> bytes:
    return bytes((0xF0, 0x7F, 0x7F, *body, 0xF7))


def test_machine_control_locates_plays_and_stops() -> None:
    assert machine_of(exclusive(6, 1)) == Machine("stop") == machine_of(exclusive(6, 9))
    assert machine_of(exclusive(6, 2)) == Machine("play") == machine_of(exclusive(6, 3))
    locate = exclusive(6, 0x44, 6, 1, 1 << 5 | 1, 0, 30, 0, 0)
    assert machine_of(locate) == Machine("locate", 3630.0)
    clock = TimeCodeClock(RATE)
    clock.tempo_bpm = 120.0
    clock.take(locate, 0.0)
    assert clock.anchor(0.0) is None
    clock.take(exclusive(6, 2), 48_000.0)
    anchor = clock.anchor(96_000.0)
    assert anchor is not None and anchor.beat == pytest.approx(62.0) and clock.starts == 1
    clock.take(exclusive(6, 1), 144_000.0)
    assert clock.anchor(144_000.0) is None and clock.stopped
    clock.take(exclusive(6, 2), 200_000.0)
    again = clock.anchor(200_000.0)
    assert again is not None and again.beat == pytest.approx(64.0), "from where it was stopped"


def test_whatever_comes_nothing_breaks() -> None:
    chance, clock = random.Random(3), TimeCodeClock(RATE)
    clock.tempo_bpm = 120.0
    for turn in range(20_000):
        size = chance.choice((1, 2, 2, 2, 6, 10, 13, 16))
        first = chance.choice((0xF0, 0xF1, chance.randrange(256)))
        head = bytes((first, 0x7F, chance.randrange(128), chance.choice((1, 6)), chance.randrange(128)))
        message = (head + bytes(chance.randrange(128) for _ in range(16)))[:size]
        clock.take(message, turn * 400.0)
        anchor = clock.anchor(turn * 400.0)
        assert anchor is None or anchor.beat >= 0.0
    assert seconds_of(24, 0, 0, 0) is None and seconds_of(0, 60, 0, 0) is None and seconds_of(0, 0, 0, 24) is None


def test_messages_are_put_together_from_the_callbacks_events() -> None:
    pieces, whole = SystemPieces(), exclusive(6, 0x44, 6, 1, 33, 0, 30, 0, 0)
    assert pieces.take(0xF1, 0x23, 0) == [b"\xf1\x23"]
    assert pieces.take(0xF4, 1, 0xF7) == [], "a rest without a beginning"
    found = pieces.take(0xF0, *whole[1:3])
    rest = [*whole[3:], 0]
    for at in range(0, len(whole) - 3, 2):
        found += pieces.take(0xF4, rest[at], rest[at + 1])
    assert found == [whole]
