"""MIDI clock, JACK's transport and the choice among sources: in place after two bars, and no beat lost on the way."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from gigmate.engine.commands import (
    ClockTick,
    ClockTransport,
    SetTempo,
    SetTimeSource,
)
from gigmate.engine.config import EngineConfig
from gigmate.engine.errors import ConfigError
from gigmate.engine.player import HeardFrame
from gigmate.engine.timing.clocks.jack_transport import JackTransport, Reading, reading_of
from gigmate.engine.timing.clocks.midi_clock_in import MidiClockIn
from gigmate.engine.timing.clocks.midi_clock_out import MidiClockOut
from gigmate.engine.timing.conductor import Conductor, GridConductor

from ..performance import FRAME_S, RATE_HZ, Noise, follow, perform, steady
from ..run.test_stage import Script, run, sounding

SILENCE = HeardFrame()


def ticks_s(bpm: float, first_s: float, beats: float, jitter_s: float, seed: int = 0) -> np.ndarray:
    """When the ticks come: the true grid, each off by up to the jitter either way, in order."""
    rng = np.random.default_rng(seed)
    true = first_s + np.arange(round(beats * 24)) * 60.0 / bpm / 24
    return np.sort(true + rng.uniform(-jitter_s, jitter_s, true.size))


def line_of(times_s: np.ndarray, start: bool = True) -> MidiClockIn:
    clock = MidiClockIn(RATE_HZ)
    if start:
        clock.transport("start")
    for time_s in times_s:
        clock.tick(round(time_s * RATE_HZ))
    return clock


def error_ms(clock: MidiClockIn, bpm: float, first_s: float, at_s: float) -> float:
    anchor = clock.anchor(at_s * RATE_HZ)
    assert anchor is not None
    true = (at_s - first_s) * bpm / 60.0
    return (anchor.beat_at(at_s * RATE_HZ, RATE_HZ) - true) * 60_000.0 / bpm


@pytest.mark.parametrize("bpm", [60, 75, 97.3, 120, 150, 181, 200])
def test_the_line_is_in_place_after_two_bars_of_jitter(bpm: float) -> None:
    for seed in range(20):
        times = ticks_s(bpm, 0.5, 8.0, 0.003, seed)
        clock = line_of(times)
        assert abs(error_ms(clock, bpm, 0.5, times[-1])) < 2.0
        assert clock.tempo_bpm == pytest.approx(bpm, rel=0.003)
        long = ticks_s(bpm, 0.5, 64.0, 0.003, seed)
        steady_clock = line_of(long)
        assert abs(error_ms(steady_clock, bpm, 0.5, long[-1])) < 2.0


@pytest.mark.parametrize("bpm", [60, 90, 120, 200])
def test_the_conductor_is_in_place_after_two_bars(bpm: float) -> None:
    """Through commands with sample stamps, in frames, asked ahead: the phase of a moment two bars on and later."""
    times = ticks_s(bpm, 0.6, 48.0, 0.003, 3)
    conductor = Conductor(RATE_HZ)
    conductor.obey(ClockTransport("start"), 0.0)
    waiting = list(times)
    worst = 0.0
    for frame in range(int(times[-1] / FRAME_S)):
        end_s = (frame + 1) * FRAME_S
        while waiting and waiting[0] < end_s:
            at = round(waiting.pop(0) * RATE_HZ)
            conductor.obey(ClockTick(at), float(at))
        conductor.hear(SILENCE, end_s * RATE_HZ, FRAME_S * RATE_HZ)
        asked_s = end_s + 0.12
        moment = conductor.moment(asked_s * RATE_HZ)
        if end_s > 0.6 + 8 * 60.0 / bpm:
            beat = (asked_s - 0.6) * bpm / 60.0
            off = (moment.beat_phase - beat + 0.5) % 1.0 - 0.5
            worst = max(worst, abs(off) * 60.0 / bpm)
            bar = (moment.bar_phase * 4 - beat + 2.0) % 4.0 - 2.0
            assert abs(bar) < 0.05
    assert worst < 0.005
    ground = conductor.entrance_cue()
    assert (ground.source, ground.beat, ground.free) == ("midi_clock", True, True)


def test_lost_ticks_lose_no_beat() -> None:
    times = ticks_s(120, 0.5, 40.0, 0.002)
    keep = np.random.default_rng(2).random(times.size) > 0.1
    keep[:24] = True
    clock = line_of(times[keep])
    assert abs(error_ms(clock, 120, 0.5, times[keep][-1])) < 3.0


@pytest.mark.parametrize("to_bpm", [110, 132, 126])
def test_another_tempo_is_followed(to_bpm: float) -> None:
    before = ticks_s(120, 0.5, 24.0, 0.002)
    turn_s = 0.5 + 24 * 0.5
    clock = line_of(np.concatenate([before, ticks_s(to_bpm, turn_s, 8.0, 0.002, 5)]))
    assert clock.tempo_bpm == pytest.approx(to_bpm, rel=0.01)
    end_s = turn_s + 8 * 60 / to_bpm
    anchor = clock.anchor(end_s * RATE_HZ)
    assert anchor is not None
    assert anchor.beat_at(end_s * RATE_HZ, RATE_HZ) == pytest.approx(32.0, abs=0.01)


def test_a_clock_half_as_fast_is_not_taken_for_lost_ticks() -> None:
    before = ticks_s(160, 0.5, 24.0, 0.001)
    turn_s = 0.5 + 24 * 60 / 160
    clock = line_of(np.concatenate([before, ticks_s(80, turn_s, 8.0, 0.001, 5)]))
    assert clock.tempo_bpm == pytest.approx(80, rel=0.01)


def test_stop_continue_and_a_cable_that_is_out() -> None:
    clock = line_of(ticks_s(120, 0.0, 6.0, 0.0))  # beats 0 to 6
    assert clock.anchor(3.0 * RATE_HZ) is not None
    clock.transport("stop")
    assert clock.anchor(3.0 * RATE_HZ) is None
    for time_s in ticks_s(120, 3.0, 3.0, 0.0):  # many masters tick on
        clock.tick(time_s * RATE_HZ)
    clock.transport("continue")
    for time_s in ticks_s(120, 4.5, 2.0, 0.0):
        clock.tick(time_s * RATE_HZ)
    anchor = clock.anchor(5.5 * RATE_HZ)
    assert anchor is not None
    assert anchor.beat_at(5.5 * RATE_HZ, RATE_HZ) == pytest.approx(8.0, abs=0.01), "it goes on where it stopped"
    assert clock.anchor(6.3 * RATE_HZ) is None, "no tick for long"
    clock.transport("stop")
    clock.transport("locate", 16)  # the second bar
    clock.transport("continue")
    for time_s in ticks_s(120, 5.8, 1.0, 0.0):
        clock.tick(time_s * RATE_HZ)
    anchor = clock.anchor(6.2 * RATE_HZ)
    assert anchor is not None
    assert anchor.beat_at(5.8 * RATE_HZ, RATE_HZ) == pytest.approx(4.0, abs=0.3)
    unnamed = line_of(ticks_s(120, 0.0, 2.0, 0.0), start=False).anchor(RATE_HZ)
    assert unnamed is not None
    assert unnamed.beat_in_bar == -1


def test_switching_between_sources_glides_and_loses_no_beat() -> None:
    """By ear, then a clock half a beat beside it, then by ear again: time goes on evenly, and every beat comes."""
    performance = perform(steady(120, 70), 3, Noise(miss=0.05, jitter_s=0.004, false_per_beat=0.05, offbeat=0.1))
    conductor = Conductor(RATE_HZ)
    times = list(ticks_s(120, 20.55, 40.0, 0.003))
    beats, confidences = [], []
    for frame in range(performance.frames):
        end_s = (frame + 1) * FRAME_S
        if len(times) == 40 * 24 and times[0] < end_s:  # one that never said it does not overrule who is heard
            conductor.obey(ClockTransport("start"), times[0] * RATE_HZ)
        while times and times[0] < end_s:
            at = times.pop(0) * RATE_HZ
            conductor.obey(ClockTick(round(at)), at)
        conductor.hear(performance.heard(frame), end_s * RATE_HZ, FRAME_S * RATE_HZ)
        beats.append(conductor.beat_count((end_s + 0.1) * RATE_HZ))
        confidences.append(conductor.confidence)
    steps = np.diff(beats) / (FRAME_S * 2.0)
    later = np.arange(len(steps)) * FRAME_S > 10
    assert steps[later].min() > 0.85
    assert steps[later].max() < 1.15
    at = np.arange(len(beats)) * FRAME_S
    on_clock = (at > 30) & (at < 39)
    off = (np.array(beats)[on_clock] - ((at[on_clock] + FRAME_S + 0.1) - 20.55) * 2 + 0.5) % 1 - 0.5
    assert np.abs(off).max() < 0.01
    assert beats[-1] - beats[0] == pytest.approx((at[-1] - at[0]) * 2, abs=1.5)
    assert min(confidences[int(12 / FRAME_S) :]) >= 0.3, "nobody need hold back meanwhile"


def transported(conductor: Conductor, at_s: float, bpm: float = 100.0, rolling: bool = True) -> None:
    beat = (at_s - 2.0) * bpm / 60.0
    whole = int(beat // 1)
    table = struct.pack(
        "<QQIIIiiidffddddI", 1, 0, 48_000, 0, 0x10, whole // 3 + 1, whole % 3 + 1, int((beat - whole) * 1920), 0.0,
        3.0, 4.0, 1920.0, bpm, 0.0, 0.0, 0,
    )  # fmt: skip
    conductor.read_transport(reading_of(at_s * RATE_HZ, rolling, table))


def test_the_transport_comes_first_and_a_choice_before_that() -> None:
    conductor = Conductor(RATE_HZ)
    clock = list(ticks_s(120, 0.0, 100.0, 0.0))

    def hear_until(end_s: float, begin_s: float, rolling: bool) -> str:
        for frame in range(round(begin_s / FRAME_S), round(end_s / FRAME_S)):
            at_s = (frame + 1) * FRAME_S
            while clock and clock[0] < at_s:
                at = clock.pop(0) * RATE_HZ
                conductor.obey(ClockTick(round(at)), at)
            transported(conductor, at_s, rolling=rolling)
            conductor.hear(SILENCE, at_s * RATE_HZ, FRAME_S * RATE_HZ)
        return conductor.entrance_cue().source

    assert hear_until(2.0, 0.0, rolling=False) == "midi_clock"
    assert hear_until(12.0, 2.0, rolling=True) == "transport"
    moment = conductor.moment((2.0 + 0.6 * 18) * RATE_HZ)
    assert moment.beats_per_bar == 3
    assert min(moment.bar_phase, 1 - moment.bar_phase) < 0.01
    conductor.obey(SetTimeSource("midi_clock"), 0.0)
    assert hear_until(20.0, 12.0, rolling=True) == "midi_clock"
    conductor.obey(SetTimeSource("auto"), 0.0)
    assert hear_until(30.0, 20.0, rolling=False) == "midi_clock"
    conductor.obey(SetTimeSource("listener"), 0.0)
    assert hear_until(31.0, 30.0, rolling=True) == ""
    with pytest.raises(ConfigError, match="midi_clock"):
        conductor.obey(SetTimeSource("sundial"), 0.0)


def test_a_transport_without_beats_is_no_time() -> None:
    line = JackTransport(RATE_HZ)
    assert line.anchor(0.0) is None
    line.read(Reading(0.0, True, False))
    assert line.anchor(0.0) is None
    assert line.rolls_without_beats
    line.read(Reading(0.0, True, True, 5, 2, 480.0, 1920.0, 4.0, 90.0))
    anchor = line.anchor(100.0)
    assert anchor is not None
    assert (anchor.beat, anchor.beat_in_bar, anchor.beats_per_bar) == (17.25, 1, 4)
    assert line.anchor(RATE_HZ) is None, "nobody has read it for long"


def test_a_tempo_that_is_set_is_expected_and_taken_back() -> None:
    conductor = Conductor(RATE_HZ)
    conductor.obey(SetTempo(93.0), 0.0)
    assert conductor.moment(1000.0).tempo_bpm == 93.0
    assert conductor.bar_samples() == round(4 * 60 / 93 * RATE_HZ)
    follow(conductor, perform(steady(96, 20), 2, Noise()))
    assert conductor.tempo_bpm == pytest.approx(96, rel=0.02)
    conductor.obey(SetTempo(140.0), 0.0)
    conductor.hear(SILENCE, 21.0 * RATE_HZ, FRAME_S * RATE_HZ)
    assert conductor.tempo_bpm == pytest.approx(140, rel=1e-4)
    with pytest.raises(ConfigError, match="from 20 to 400"):
        conductor.obey(SetTempo(7.0), 0.0)


def test_a_band_on_a_midi_clock_starts_unheard_on_the_beat(tmp_path: Path) -> None:
    script = Script()
    for tick in ticks_s(125, 0.2, 16.0, 0.003):
        at = round(tick * RATE_HZ)
        script.commands.setdefault(at // 1920, []).append(ClockTick(at))
    script.commands[1] = [ClockTransport("start", 0), *script.commands.get(1, [])]
    sound = run(tmp_path, script, Conductor(RATE_HZ), 6.0, start_at="bar")[:, 0]
    (stretch,) = sounding(sound)
    bar_s = 4 * 60 / 125
    off = (stretch[0] + 0.02 - 0.2 + bar_s / 2) % bar_s - bar_s / 2
    assert abs(off) < 0.012
    assert script.statuses[100].time_source == "midi_clock"


# ------------------------------------------------------------------------------------------------------ clock out


class Heard:
    def __init__(self) -> None:
        self.messages: list[tuple[int, bytes]] = []

    def push(self, position: int, message: bytes) -> bool:
        self.messages.append((position, message))
        return True

    def at(self, kind: int) -> list[int]:
        return [position for position, message in self.messages if message[0] == kind]


def send(sounds_from: int, until: int, off_from: int = 10**9, beat: float = 0.0) -> Heard:
    heard = Heard()
    clock = MidiClockOut(heard.push, 48_000)
    grid = GridConductor(120, 4, 48_000, first_beat_position=-beat * 24_000)
    for frame in range(200):
        clock.frame(
            frame * 1920, 1920, grid.peek, 100, known=True, sounds=sounds_from <= frame < until, off=frame >= off_from
        )
    return heard


def test_a_machine_gets_every_tick_in_its_place() -> None:
    heard = send(300, 300)
    ticks = heard.at(0xF8)
    assert ticks[0] == -100
    np.testing.assert_array_equal(np.diff(ticks), 1000)
    assert len(ticks) == 200 * 1920 // 1000
    assert {message for _, message in heard.messages} == {b"\xf8"}


def test_a_machine_starts_on_the_downbeat_and_stops_with_the_bar() -> None:
    heard = send(49, 90)
    (start,) = heard.at(0xFA)
    assert start == 96_000 - 100 - 96
    (stop,) = heard.at(0xFC)
    assert stop == 192_000 - 100
    positions = [position for position, _ in heard.messages]
    assert positions == sorted(positions)
    at_once = send(30, 300, off_from=80)
    assert at_once.at(0xFC) == [80 * 1920 - 100]


def test_a_machine_that_begins_within_the_bar_is_told_where() -> None:
    heard = send(0, 300, beat=1.0)  # the first beat of the grid is the second of its bar
    assert heard.at(0xFA) == []
    ((_, place),) = [message for message in heard.messages if message[1][0] == 0xF2]
    assert place == bytes([0xF2, 4, 0])
    assert len(heard.at(0xFB)) == 1


def test_the_config_of_a_run_says_what_is_played_on() -> None:
    assert EngineConfig(output_channels=(3,), click_channels=(4,)).played_channels == (3, 4)
