"""JACK's transport: what its masters tell, believed where beats and tempo agree, and where they do not."""

from __future__ import annotations

import math

import pytest
from gigmate.engine.timing.clocks.jack_transport import JackTransport, Reading

RATE_HZ = 48_000.0


def roll(
    line: JackTransport,
    *,
    until_s: float,
    begin_s: float = 0.0,
    metre: float = 4.0,
    beat_type: float = 4.0,
    told_bpm: float = 120.0,
    units_bpm: float = 120.0,
    ticks_per_beat: float = 1920.0,
    bar_is_a_beat: bool = False,
    fifth_beat: bool = False,
    song_offset_s: float = 0.0,
) -> list[tuple[float, float, float]]:
    """Readings each 40 ms of a song that begins at 0 s; (second, true beat in the transport's unit, told) of each."""
    heard = []
    for step in range(round(begin_s / 0.04), round(until_s / 0.04)):
        at_s = step * 0.04
        song_s = at_s + song_offset_s
        true = song_s * units_bpm / 60.0
        bar = math.floor(true / metre + 1e-9)
        within = max(0.0, true - bar * metre)
        told = within / metre if bar_is_a_beat else within
        beat = int(told)
        tick = math.floor((told - beat) * ticks_per_beat)
        if fifth_beat and within < 0.02 and bar > 0:
            bar, beat = bar - 1, round(metre)
        line.read(
            Reading(
                at_s * RATE_HZ, True, True, bar + 1, beat + 1, tick, ticks_per_beat, metre, told_bpm, beat_type, song_s
            )
        )
        anchor = line.anchor(at_s * RATE_HZ)
        if anchor is not None:
            heard.append((at_s, true, anchor.beat))
    return heard


def test_beats_and_tempo_that_agree() -> None:
    line = JackTransport(RATE_HZ)
    heard = roll(line, until_s=8.0)
    assert max(abs(true - told) for _, true, told in heard) < 0.001
    assert not line.disagrees
    anchor = line.anchor(8.0 * RATE_HZ)
    assert anchor is not None
    assert (anchor.song_bar, anchor.beats_per_bar, anchor.tempo_bpm) == (3, 4, 120.0)


@pytest.mark.parametrize(("metre", "told_bpm"), [(6, 120.0), (6, 240.0), (9, 120.0), (12, 120.0)])
def test_three_eighths_are_a_beat_whether_the_tempo_counts_quarters_or_eighths(metre: int, told_bpm: float) -> None:
    line = JackTransport(RATE_HZ)
    roll(line, until_s=9.0, metre=metre, beat_type=8.0, told_bpm=told_bpm, units_bpm=240.0)
    anchor = line.anchor(9.0 * RATE_HZ)
    assert anchor is not None
    assert anchor.tempo_bpm == pytest.approx(80.0)
    assert anchor.beats_per_bar == metre // 3
    assert anchor.beat_at(9.0 * RATE_HZ, RATE_HZ) == pytest.approx(12.0, abs=0.01)
    assert not line.disagrees


@pytest.mark.parametrize("metre", [5, 7, 3])
def test_eighths_in_other_metres_are_beats(metre: int) -> None:
    line = JackTransport(RATE_HZ)
    roll(line, until_s=6.0, metre=metre, beat_type=8.0, told_bpm=140.0, units_bpm=140.0)
    anchor = line.anchor(6.0 * RATE_HZ)
    assert anchor is not None
    assert (anchor.beats_per_bar, anchor.tempo_bpm) == (metre, 140.0)


@pytest.mark.parametrize("metre", [3, 4])
def test_a_master_that_tells_a_whole_bar_as_one_beat_is_put_right(metre: int) -> None:
    line = JackTransport(RATE_HZ)
    heard = roll(line, until_s=12.0, metre=metre, bar_is_a_beat=True, ticks_per_beat=48.0 * metre)
    assert line.disagrees
    later = [(true, told) for at_s, true, told in heard if at_s > 0.2]
    assert max(abs(true - told) for true, told in later) < 0.03
    anchor = line.anchor(12.0 * RATE_HZ)
    assert anchor is not None
    assert anchor.tempo_bpm == pytest.approx(120.0)


def test_a_tempo_that_is_not_that_of_the_beats_is_passed_over() -> None:
    line = JackTransport(RATE_HZ)
    heard = roll(line, until_s=12.0, told_bpm=120.0, units_bpm=96.0)
    assert line.disagrees
    assert max(abs(true - told) for _, true, told in heard) < 0.001
    anchor = line.anchor(12.0 * RATE_HZ)
    assert anchor is not None
    assert anchor.tempo_bpm == pytest.approx(96.0, rel=0.01)


@pytest.mark.parametrize("tempo_bpm", [120.0, 97.0])
def test_a_beat_too_many_on_a_bar_line_is_the_next_bars_first(tempo_bpm: float) -> None:
    line = JackTransport(RATE_HZ)
    heard = roll(line, until_s=12.0, told_bpm=tempo_bpm, units_bpm=tempo_bpm, fifth_beat=True)
    assert max(abs(true - told) for _, true, told in heard) < 0.03
    assert not line.disagrees


def test_starts_and_moves_are_noticed_and_lost_cycles_are_not() -> None:
    line = JackTransport(RATE_HZ)
    line.read(Reading(0.0, False, False))
    assert line.stopped
    roll(line, until_s=2.0, begin_s=1.0)
    assert line.starts == 1
    roll(line, until_s=4.0, begin_s=2.0, song_offset_s=0.021)
    assert line.starts == 1
    heard = roll(line, until_s=6.0, begin_s=4.0, song_offset_s=8.0)
    assert line.starts == 2
    assert max(abs(true - told) for _, true, told in heard) < 0.001
