"""Two clocks on one cable: which of them leads, by their ticks' timing and by who said start."""

from __future__ import annotations

import numpy as np
import pytest
from gigmate.engine.timing.clocks.midi_clock_in import MidiClockIn
from gigmate.engine.timing.clocks.tick_combs import trains_in

from ...performance import RATE_HZ
from ..test_clock import error_ms, ticks_s


def play(clock: MidiClockIn, *trains: np.ndarray, said: dict[float, tuple[str, int]] | None = None) -> None:
    """All that comes by one cable, in order; `said`: start and the like, by second."""
    events: list[tuple[float, str, int]] = [(time_s, "tick", 0) for train in trains for time_s in train]
    events += [(time_s, action, sixteenths) for time_s, (action, sixteenths) in (said or {}).items()]
    for time_s, action, sixteenths in sorted(events):
        if action == "tick":
            clock.tick(round(time_s * RATE_HZ))
        else:
            clock.transport(action, sixteenths, time_s * RATE_HZ)


@pytest.mark.parametrize("jitter_s", [0.0, 0.0005, 0.001])
@pytest.mark.parametrize("bpms", [(96, 120), (120, 96), (60, 120), (118, 122), (75, 140), (100, 200)])
def test_trains_are_told_apart(bpms: tuple[int, int], jitter_s: float) -> None:
    for seed in range(5):
        first, second = (ticks_s(bpm, 0.01 * k + 0.003, 2.0 * bpm / 60, jitter_s, seed) for k, bpm in enumerate(bpms))
        places = np.sort(np.concatenate([first, second]))[-64:] * RATE_HZ
        trains = trains_in(list(places), RATE_HZ)
        found = sorted(60.0 * RATE_HZ / float(np.mean(np.diff(train))) / 24 for train in trains)
        assert found == pytest.approx(sorted(bpms), rel=0.03)


@pytest.mark.parametrize("jitter_s", [0.0, 0.001])
@pytest.mark.parametrize("seed", range(3))
def test_the_drum_machine_that_said_start_leads_not_the_keyboard_that_always_ticks(seed: int, jitter_s: float) -> None:
    clock = MidiClockIn(RATE_HZ)
    machine = ticks_s(96, 2.0, 32.0, jitter_s, seed)
    play(clock, machine, ticks_s(120, 0.37, 44.0, jitter_s, seed + 9), said={1.9985 - jitter_s: ("start", 0)})
    assert abs(error_ms(clock, 96, 2.0, machine[-1])) < 3.0
    anchor = clock.anchor(machine[-1] * RATE_HZ)
    assert anchor is not None
    assert anchor.beat_at(machine[-1] * RATE_HZ, RATE_HZ) == pytest.approx(32.0, abs=0.1), "its first tick"
    assert clock.others_bpm == (pytest.approx(120, rel=0.02),)


def test_a_keyboard_that_is_switched_on_does_not_disturb_the_machine_that_leads() -> None:
    clock = MidiClockIn(RATE_HZ)
    machine, keyboard = ticks_s(96, 1.0, 32.0, 0.0005), ticks_s(120, 8.013, 20.0, 0.0005)
    both = np.sort(np.concatenate([machine, keyboard]))
    clock.transport("start", 0, 0.99 * RATE_HZ)
    worst = 0.0
    for time_s in both:
        clock.tick(round(time_s * RATE_HZ))
        if time_s > 3.0:
            worst = max(worst, abs(error_ms(clock, 96, 1.0, time_s)))
    assert worst < 6.0, "not even while the two are told apart"


def test_two_that_ran_before_anybody_listened_are_no_215_bpm() -> None:
    clock = MidiClockIn(RATE_HZ)
    for time_s in np.sort(np.concatenate([ticks_s(96, 0.01, 24.0, 0.0003), ticks_s(120, 0.017, 30.0, 0.0003)])):
        clock.tick(round(time_s * RATE_HZ))
        if clock.anchor(time_s * RATE_HZ) is not None:
            assert min(abs(clock.tempo_bpm - 96), abs(clock.tempo_bpm - 120)) < 4
    assert clock.anchor(time_s * RATE_HZ) is not None
    assert len(clock.others_bpm) == 1


def test_when_the_other_falls_silent_the_first_goes_on_alone() -> None:
    clock = MidiClockIn(RATE_HZ)
    machine = ticks_s(96, 2.0, 40.0, 0.0005)
    play(clock, machine, ticks_s(120, 0.37, 20.0, 0.0005), said={1.999: ("start", 0)})
    assert clock.others_bpm == ()
    assert abs(error_ms(clock, 96, 2.0, machine[-1])) < 3.0


def test_a_start_without_another_train_is_that_of_the_one_that_ticks() -> None:
    clock = MidiClockIn(RATE_HZ)
    times = ticks_s(120, 0.0, 20.0, 0.001)
    play(clock, times, said={4.01: ("start", 0)})
    assert clock.started
    anchor = clock.anchor(times[-1] * RATE_HZ)
    assert anchor is not None
    first = times[times > 4.01][0]
    assert anchor.beat_at(first * RATE_HZ, RATE_HZ) == pytest.approx(0.0, abs=0.1)


def test_song_position_and_continue_without_a_stop_before() -> None:
    clock = MidiClockIn(RATE_HZ)
    times = ticks_s(100, 3.6, 8.0, 0.0)
    play(clock, times, said={3.55: ("locate", 24), 3.56: ("continue", 0)})
    anchor = clock.anchor(times[-1] * RATE_HZ)
    assert anchor is not None
    assert anchor.beat_at(3.6 * RATE_HZ, RATE_HZ) == pytest.approx(6.0, abs=0.01)
    assert anchor.song_beat is not None
    assert clock.started


def test_a_clock_that_comes_back_is_in_place_from_its_first_tick() -> None:
    """As it was before, it needs no half a beat of ticks until it is believed."""
    clock = MidiClockIn(RATE_HZ)
    play(clock, ticks_s(90, 0.0, 6.0, 0.001), said={0.0: ("start", 0)})
    clock.transport("stop", 0, 4.1 * RATE_HZ)
    again = ticks_s(90, 6.0, 4.0, 0.0005)
    clock.transport("start", 0, 5.999 * RATE_HZ)
    for time_s in again:
        clock.tick(round(time_s * RATE_HZ))
        assert abs(error_ms(clock, 90, 6.0, time_s)) < 5.0


def test_a_clock_that_comes_back_in_another_tempo_is_believed_when_it_is_known() -> None:
    clock = MidiClockIn(RATE_HZ)
    play(clock, ticks_s(90, 0.0, 6.0, 0.001), said={0.0: ("start", 0)})
    clock.transport("stop", 0, 4.1 * RATE_HZ)
    clock.transport("start", 0, 5.999 * RATE_HZ)
    for tick, time_s in enumerate(ticks_s(150, 6.0, 4.0, 0.0005)):
        clock.tick(round(time_s * RATE_HZ))
        if tick > 14:
            assert abs(error_ms(clock, 150, 6.0, time_s)) < 5.0


@pytest.mark.parametrize("bpm", [60, 80, 96])
def test_the_beat_of_six_eight_has_36_ticks(bpm: float) -> None:
    clock = MidiClockIn(RATE_HZ)
    clock.count_in(36, 0.0)
    times = ticks_s(bpm * 1.5, 2.0, 24.0, 0.001)  # quarter notes
    play(clock, times, said={1.999: ("start", 0)})
    assert clock.tempo_bpm == pytest.approx(bpm, rel=0.003)
    assert abs(error_ms(clock, bpm, 2.0, times[-1])) < 3.0


def test_a_song_that_goes_from_four_quarters_to_six_eighths_keeps_its_beats() -> None:
    clock = MidiClockIn(RATE_HZ)
    times = ticks_s(120, 2.0, 32.0, 0.0)
    play(clock, times[: 16 * 24], said={1.999: ("start", 0)})
    clock.count_in(36, 10.0 * RATE_HZ)  # four bars of two seconds each are over
    for time_s in times[16 * 24 :]:
        clock.tick(round(time_s * RATE_HZ))
    anchor = clock.anchor(times[-1] * RATE_HZ)
    assert anchor is not None
    assert anchor.tempo_bpm == pytest.approx(80, rel=0.001)
    assert anchor.beat_at(13.0 * RATE_HZ, RATE_HZ) == pytest.approx(16 + 4, abs=0.01)


@pytest.mark.parametrize("server_stood_still", [False, True])
def test_ticks_that_were_lost_with_a_moment_of_sound_are_counted(server_stood_still: bool) -> None:
    """The port's positions stand still while it loses a block. The clock does so as well only with the whole server."""
    clock, gap_s, lost_s, gaps = MidiClockIn(RATE_HZ), 0.0, 1024 / RATE_HZ, 0
    clock.transport("start", 0, 0.0)
    for time_s in ticks_s(100, 0.5, 24.0, 0.0002):
        due_s = 4.0 + 2.01 * gaps
        if gaps < 5 and time_s > due_s:
            if not server_stood_still and time_s < due_s + lost_s:
                continue  # this one is lost
            gaps += 1
            gap_s += 0.0 if server_stood_still else lost_s
            clock.pass_gap(round(lost_s * RATE_HZ))
        clock.tick(round((time_s - gap_s) * RATE_HZ))
    assert gaps == 5
    anchor = clock.anchor((time_s - gap_s) * RATE_HZ)
    assert anchor is not None
    assert anchor.beat_at((time_s - gap_s) * RATE_HZ, RATE_HZ) == pytest.approx((time_s - 0.5) * 100 / 60, abs=0.01)
